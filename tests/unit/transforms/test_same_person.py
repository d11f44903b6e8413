"""
Pairs of spellings, each with its verdict: the same person's, another's, or none that is accepted.
"""

import unicodedata
from collections import Counter
from decimal import Decimal

import pytest

from privkit.errors import DomainError
from privkit.keys import Key, Subkeys
from privkit.transforms.token import Token
from tests.canaries import EMAIL, KEY_BYTES, OTHER_EMAIL, OTHER_TEXT, TEXT

SUBKEYS = Subkeys(Key("k1", KEY_BYTES), field="person", scope="people.person")

SAME, OTHER, REFUSED = "same", "other", "refused"

WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}

PEOPLE = [
    TEXT,
    OTHER_TEXT,
    "Zdeněk Prùdhommeaux",
    "Siobhán O'Quackenbush",
    "Ξανθίππη Κουϊλφέδερ",
    "Ефросинья Перотрясова",
    "Åsa Ångström-Ñuñez",
    "Đặng Thị Hồng Nhung",
    "Jürgen Müller",
    "François Lefèvre",
]
ADDRESSES = [EMAIL, OTHER_EMAIL, "ottokar+clinic@siebenhaar.example", "jürgen@müller.example"]
NATIONAL = ["1575 3804916", "30 901827364", "89 12345678", "221 4567890", "40 98765432"]
COUNTRIES = ["49", "44", "1", "351", "90"]
NUMBERS = ["10", "7", "42", "1234", "9007199254740993", "-5", "4929318406217751"]

EVERY_TEXT = [
    ("decomposed", lambda text: unicodedata.normalize("NFD", text), SAME),
    ("composed", lambda text: unicodedata.normalize("NFC", text), SAME),
    ("blanks around", lambda text: f"  {text} ", SAME),
    ("line end", lambda text: f"{text}\r\n", SAME),
    ("tab in front", lambda text: f"\t{text}", SAME),
    ("zero-width space", lambda text: f"{text[:3]}\u200b{text[3:]}", SAME),
    ("zero-width joiner", lambda text: f"{text[:3]}\u200d{text[3:]}", SAME),
    ("byte order mark", lambda text: f"\ufeff{text}", SAME),
    ("soft hyphen", lambda text: f"{text[:4]}\u00ad{text[4:]}", SAME),
    ("direction mark", lambda text: f"\u200e{text}\u200f", SAME),
    ("variation selector", lambda text: f"{text[:2]}\ufe0f{text[2:]}", SAME),
    ("no-break space around", lambda text: f"\u00a0{text}\u202f", SAME),
]
NAMES_ONLY = [
    ("no-break space", lambda text: text.replace(" ", "\u00a0"), SAME),
    ("ideographic space", lambda text: text.replace(" ", "\u3000"), SAME),
    ("two blanks", lambda text: text.replace(" ", "  "), SAME),
    ("no blank", lambda text: text.replace(" ", ""), OTHER),
    ("initial", lambda text: f"{text[0]}. {text.split()[-1]}", OTHER),
    ("another order", lambda text: " ".join(reversed(text.split())), OTHER),
    ("one letter less", lambda text: text[:-1], OTHER),
    ("one more letter", lambda text: f"{text}s", OTHER),
]
CASES = [
    ("upper case", str.upper),
    ("lower case", str.lower),
    ("title case", str.title),
    ("swapped case", str.swapcase),
]
FOLDED = [(name, change, SAME) for name, change in CASES]
AS_WRITTEN = [
    ("upper case", str.upper, OTHER),
    ("lower case", str.lower, OTHER),
    ("swapped case", str.swapcase, OTHER),
]
ADDRESSES_ONLY = [
    ("full width", lambda text: text.translate(WIDE), SAME),
    ("full-width at", lambda text: text.replace("@", "\uff20"), SAME),
    ("another domain", lambda text: f"{text}.org", OTHER),
    ("one more dot", lambda text: f"{text[:2]}.{text[2:]}", OTHER),
    ("a tag", lambda text: text.replace("@", "+x@"), OTHER),
    ("a display name", lambda text: f"Somebody <{text}>", REFUSED),
    ("two addresses", lambda text: f"{text}, {text}", REFUSED),
    ("a blank inside", lambda text: text.replace("@", " @ "), REFUSED),
    ("no at", lambda text: text.replace("@", " at "), REFUSED),
]
SPELLINGS = [
    ("zeros", "00{c} {n}", SAME),
    ("zeros and no blanks", "00{c}{d}", SAME),
    ("no blanks", "+{c}{d}", SAME),
    ("hyphens", "+{c}-{h}", SAME),
    ("points", "+{c}.{p}", SAME),
    ("parentheses", "+{c} ({d})", SAME),
    ("trunk zero", "+{c} (0){n}", SAME),
    ("trunk zero and blanks", "00{c} (0) {n}", SAME),
    ("no-break spaces", "+{c}\u00a0{n}", SAME),
    ("en dash", "+{c}\u2013{h}", SAME),
    ("blanks around", " +{c} {n} ", SAME),
    ("embedding marks", "\u202a+{c} {n}\u202c", SAME),
    ("zero-width space", "+{c}\u200b{n}", SAME),
    ("slash", "+{c}/{n}", SAME),
    ("one more digit", "+{c} {n}1", OTHER),
    ("another country", "+7{c} {n}", OTHER),
    ("national", "0{n}", REFUSED),
    ("no plus", "{c} {n}", REFUSED),
    ("an extension", "+{c} {n} ext. 5", REFUSED),
    ("too short", "+{c} 1", REFUSED),
]
SINGLE = [
    ("name", "Straße", "STRASSE", SAME),
    ("name", "Straße", "Strasse", SAME),
    ("name", "ﬁsher", "Fisher", SAME),
    ("name", "ſmith", "Smith", SAME),
    ("name", "ΣΊΣΥΦΟΣ", "Σίσυφος", SAME),
    ("name", "\u212bsa", "Åsa", SAME),
    ("name", "Ⅷ", "viii", SAME),
    ("name", "ｱﾝﾅ", "アンナ", SAME),
    ("name", "İpek", "ipek", OTHER),
    ("name", "Işık", "işık", SAME),
    ("name", "ıpek", "ipek", OTHER),
    ("name", "Muller", "Müller", OTHER),
    ("name", "Mueller", "Müller", OTHER),
    ("name", "Аnna", "Anna", OTHER),
    ("name", "Anna\u0378", "Anna", REFUSED),
    ("text", "\u212bsa", "Åsa", SAME),
    ("text", "Straße", "STRASSE", OTHER),
    ("text", "ﬁsher", "fisher", OTHER),
    ("text", "Ａnna", "Anna", OTHER),
    ("text", "İpek", "I\u0307pek", SAME),
    (None, "José", "Jose\u0301", OTHER),
    (None, "Anna", "Anna ", OTHER),
    (None, "Anna", "anna", OTHER),
    (None, "Anna", "An\u200bna", OTHER),
    (None, "", " ", OTHER),
    ("text", "", " ", SAME),
    ("email", "", EMAIL, REFUSED),
    ("phone", " ", "+4915753804916", REFUSED),
]
TYPED = [
    ("integer", int, SAME),
    ("integer", lambda number: number if number[0] == "-" else f"+{number}", SAME),
    ("integer", lambda number: f"0{number}", REFUSED),
    ("integer", lambda number: f"{number}.0", REFUSED),
    ("integer", float, REFUSED),
    ("integer", lambda number: f" {number}", REFUSED),
    ("integer", lambda number: f"{number}1", OTHER),
    ("decimal", int, SAME),
    ("decimal", Decimal, SAME),
    ("decimal", lambda number: f"{number}.0", SAME),
    ("decimal", lambda number: f"{number}.000", SAME),
    ("decimal", lambda number: f"{number}e0", SAME),
    ("decimal", lambda number: Decimal(f"{number}.00"), SAME),
    ("decimal", lambda number: f"{number}.5", OTHER),
    ("decimal", lambda number: f"00{number}", REFUSED),
    ("decimal", float, REFUSED),
    ("text", int, SAME),
    ("text", Decimal, SAME),
    ("text", lambda number: f"0{number}", OTHER),
    ("text", lambda number: f"{number}.0", OTHER),
    ("text", lambda number: f"{number} ", OTHER),
    ("text", float, REFUSED),
    (None, int, OTHER),
    (None, Decimal, OTHER),
    (None, lambda number: number.encode(), OTHER),
    (None, lambda number: f"{number}.0", OTHER),
    (None, float, REFUSED),
]


def pairs():
    """
    Yield the options of a token, two spellings and the verdict.
    """
    for person in PEOPLE:
        for _, change, verdict in [*EVERY_TEXT, *NAMES_ONLY, *FOLDED]:
            yield {"normalize": "name"}, person, change(person), verdict
        for _, change, verdict in [*EVERY_TEXT, *NAMES_ONLY, *AS_WRITTEN]:
            yield {"normalize": "text"}, person, change(person), verdict
    for address in ADDRESSES:
        for _, change, verdict in [*EVERY_TEXT, *FOLDED, *ADDRESSES_ONLY]:
            yield {"normalize": "email"}, address, change(address), verdict
    for country, national in zip(COUNTRIES, NATIONAL, strict=True):
        for _, spelling, verdict in SPELLINGS:
            parts = {"c": country, "n": national, "d": national.replace(" ", "")}
            text = spelling.format(
                **parts, h=national.replace(" ", "-"), p=national.replace(" ", ".")
            )
            yield {"normalize": "phone"}, f"+{country} {national}", text, verdict
    for normalization, one, other, verdict in SINGLE:
        yield {"normalize": normalization}, one, other, verdict
    for number in NUMBERS:
        for declared, change, verdict in TYPED:
            yield {"type": declared}, number, change(number), verdict


PAIRS = list(pairs())


def test_there_are_enough_pairs():
    """
    The pairs are many, and of each verdict there are many.
    """
    verdicts = Counter(verdict for *_, verdict in PAIRS)

    assert len(PAIRS) >= 500
    assert min(verdicts.values()) >= 50


@pytest.mark.parametrize("number", range(len(PAIRS)))
def test_equal_persons_have_equal_tokens(number):
    """
    Two spellings have one token if they are one value to the rule, and two if they are not.
    """
    options, one, other, verdict = PAIRS[number]
    apply = Token(**options).bind(SUBKEYS).apply
    try:
        found = SAME if apply(one) == apply(other) else OTHER
    except DomainError:
        found = REFUSED

    assert verdict == found
