"""
Parts for the tests of applications that use privkit.
"""
