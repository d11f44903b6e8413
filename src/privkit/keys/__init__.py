"""
Keys, keysets, and the providers that fetch them.
"""
