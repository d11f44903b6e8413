"""
The tests of privkit. `README.md` beside this file says where a test belongs.
"""
