"""
Pseudonymize personal data inside your own process, before a record is stored, logged or sent.
"""
