"""
How text and values are read and written: alphabets, types, dates, normalizations. Knows no key.
"""
