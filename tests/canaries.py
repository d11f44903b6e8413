"""
Fifty values that must never come out of privkit's errors, logs, warnings or reprs.

Whatever a test protects or derives keys from, it takes from here where it can: the harness in
`conftest.py` then searches everything the test produced for it, also encoded or reversed. All
people, numbers and addresses are made up.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

TEXT: Final = "Xanthippe Quillfeather"
OTHER_TEXT: Final = "Bartholomew Oxenstierna"
EMAIL: Final = "xanthippe@quillfeather.example"
OTHER_EMAIL: Final = "b.oxenstierna@vellum-and-ink.example"
DIGITS: Final = "4929318406217751"
OTHER_DIGITS: Final = "5183640297716034"
DATE: Final = "1907-03-11"
OTHER_DATE: Final = "1913-10-29"
IP: Final = "203.0.113.177"
PHONE: Final = "+49 1575 3804916"
IBAN: Final = "DE75512108001245126199"
UUID: Final = "8a6e0804-2bd0-4672-b79d-d97027f9071a"

KEY_BYTES: Final = bytes.fromhex("b74f0d93e25ac81677f10be4983cd56a2f8e41c07d19a3b6650e9c72db84f31e")
OTHER_KEY_BYTES: Final = bytes.fromhex(
    "1d9ac65e83f427b05be80d4a71c39f62ae047b18d5f3902c46817ed9b05f6ca3"
)
THIRD_KEY_BYTES: Final = bytes.fromhex(
    "c2187e9b50d64fa33e0b97f185c62d4a7a94e1380f5db26cd983470ea61b2cf5"
)

KEYS: Final[Mapping[str, bytes]] = MappingProxyType(
    {"key": KEY_BYTES, "other key": OTHER_KEY_BYTES, "third key": THIRD_KEY_BYTES}
)

VALUES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "text": TEXT,
        "other text": OTHER_TEXT,
        "e-mail": EMAIL,
        "other e-mail": OTHER_EMAIL,
        "digits": DIGITS,
        "other digits": OTHER_DIGITS,
        "date": DATE,
        "other date": OTHER_DATE,
        "ip": IP,
        "phone": PHONE,
        "iban": IBAN,
        "uuid": UUID,
        "name with an accent": "Zdeněk Prùdhommeaux",
        "name with an apostrophe": "Siobhán O'Quackenbush",
        "name in Greek": "Ξανθίππη Κουϊλφέδερ",
        "name in Cyrillic": "Ефросинья Перотрясова",
        "name in Chinese": "歐陽羽毛筆鵝翎",
        "name with a hyphen": "Marguerite Wren-Thistlewood",
        "name in upper case": "LEOPOLDINE VANTONGEREN",
        "name with a title": "Prof. Dr. Ottokar Siebenhaar",
        "e-mail with a tag": "ottokar+clinic@siebenhaar.example",
        "e-mail with dots": "m.wren.thistlewood@fenland.example",
        "e-mail in upper case": "LEOPOLDINE@VANTONGEREN.EXAMPLE",
        "nine digits": "742918365",
        "ten digits": "6194027358",
        "digits with blanks": "3714 496353 98431",
        "digits with hyphens": "612-84-7093",
        "digits with leading zeros": "000739164825",
        "nineteen digits": "9007199254740993517",
        "medical record number": "MRN-8820417-Q",
        "insurance number": "A482917365WX",
        "passport number": "XK7420981PL",
        "licence plate": "QV71 ZXJ",
        "date with dots": "29.02.1908",
        "date with slashes": "11/30/1911",
        "date and time": "1909-05-17T23:41:07",
        "date in words": "17 August 1906",
        "date without separators": "19041222",
        "private ip": "10.211.47.193",
        "ip version 6": "2001:db8:7c1a:94e3::b7f2",
        "mac address": "5e:9b:c4:07:d2:f8",
        "phone with area code": "(0)30 90182-7364",
        "street": "114 Marzipan Crescent",
        "town": "Nether Wobblesworth",
        "coordinates": "51.838274,-0.392817",
        "diagnosis": "suspected psittacosis, left lung",
        "password": "correct-horse-battery-marmalade",
    }
)

CANARIES: Final[Mapping[str, str | bytes]] = MappingProxyType({**VALUES, **KEYS})
