"""
What every store of records needs and none owns: re-keying.
"""

from privkit.fields.rekey import Rekey
from privkit.fields.report import RekeyReport
from privkit.fields.token_map import TokenMap

__all__ = ["Rekey", "RekeyReport", "TokenMap"]
