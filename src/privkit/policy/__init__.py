"""
Policies: which transform rules which field.
"""
