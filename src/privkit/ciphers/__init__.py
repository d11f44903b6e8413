"""
Keyed permutations and pseudorandom functions on integers, numerals and bytes.

One module per standard. Nothing here knows a field or a policy.
"""
