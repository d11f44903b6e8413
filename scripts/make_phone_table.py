"""
Write a numbered table of phone number patterns from the metadata of the library phonenumbers.

A table decides which pseudonym a number has, so a table that was ever released stays as it is.
Other metadata makes another table:

    python scripts/make_phone_table.py 2 > src/privkit/formats/tables/phone_2.json
"""

import json
import sys

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata
from phonenumbers.phonemetadata import PhoneNumberDesc

KINDS = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
    "fixed_line",
    "mobile",
)
NON_GEOGRAPHIC = "001"


def description(desc: PhoneNumberDesc | None) -> list[object] | None:
    """
    Return a pattern and the lengths it may have, or nothing where there is no such number.
    """
    if desc is None or desc.national_number_pattern is None or -1 in desc.possible_length:
        return None
    if not desc.possible_length:
        raise SystemExit("a description without lengths: the table's reader expects them")
    return [desc.national_number_pattern, list(desc.possible_length)]


def region(calling_code: int, name: str) -> dict[str, object]:
    """
    Return what decides type and region of a number.
    """
    if name == NON_GEOGRAPHIC:
        metadata = PhoneMetadata.metadata_for_nongeo_region(calling_code, None)
    else:
        metadata = PhoneMetadata.metadata_for_region(name, None)
    kinds = {kind: description(getattr(metadata, kind)) for kind in KINDS}
    return {
        "region": name,
        "leading": metadata.leading_digits,
        "prefix": metadata.national_prefix_for_parsing,
        "transform": metadata.national_prefix_transform_rule is not None,
        "same": metadata.same_mobile_and_fixed_line_pattern,
        "general": description(metadata.general_desc),
        "kinds": {kind: found for kind, found in kinds.items() if found},
    }


def main(number: int) -> None:
    """
    Print the table.
    """
    codes = {
        str(code): [region(code, name) for name in names]
        for code, names in sorted(COUNTRY_CODE_TO_REGION_CODE.items())
    }
    table = {
        "privkit-phone-table": number,
        "source": f"phonenumbers {phonenumbers.__version__}",
        "codes": codes,
    }
    print(json.dumps(table, separators=(",", ":")))


if __name__ == "__main__":
    main(int(sys.argv[1]))
