"""
The primitives: one file each, a frozen declaration and its bound form.
"""
