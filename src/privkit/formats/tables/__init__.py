"""
Numbered tables that decide mappings. A table that was released stays as it is for ever.
"""
