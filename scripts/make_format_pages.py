"""
Write `docs/reference/formats/`: a page for each format, from its docstring and its numbers.

    python scripts/make_format_pages.py

A test fails when a page differs from what this script would write.
"""

import inspect
import re
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from privkit.ciphers.ff1 import MIN_DOMAIN_SIZE, shortest
from privkit.formats import registry
from privkit.formats.alphabet import Alphabet
from privkit.formats.card import Card
from privkit.formats.email import Email
from privkit.formats.iban import IBAN
from privkit.formats.ip import IPv4, IPv6
from privkit.formats.mac import MAC
from privkit.formats.moments import Date, DateTime
from privkit.formats.numbers import DecimalFormat, Integer
from privkit.formats.patterns import Pattern
from privkit.formats.phone import Phone
from privkit.formats.ssn import SSN
from privkit.formats.uuids import UUIDFormat
from privkit.formats.vin import VIN
from privkit.policy.options import options

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference" / "formats"
NOTICE = "<!-- Written by scripts/make_format_pages.py. Change the docstring, and run it again. -->"
SECTION = re.compile(r"^([A-Z][a-z]+):$(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
OPTION = re.compile(r"^ {4}(\w+):(.*?)(?=^ {4}\w+:|\Z)", re.MULTILINE | re.DOTALL)
CODE = re.compile("``(.+?)``|`(.+?)`")
EXACT_BELOW = 10**15
ALPHABETS = "alphabets"

NAMED_ALPHABETS = (
    "The named ones are the ten digits; the 26 letters, each position keeping its case; and the "
    "62 letters and digits, in which the case is part of the character."
)
KEPT_BY_ALPHABETS = (
    "The length, all characters outside the alphabet where they stand, and as many characters at "
    "either end as *keep_first* and *keep_last* say."
)
DOMAIN_OF_ALPHABETS = (
    "Symbols to the power of the characters that are enciphered. A value with fewer than the "
    f"shortest has fewer than {MIN_DOMAIN_SIZE:,} that keep the same, and needs `small_domain`."
)
PREFACE = (
    "What `FormatPreserving` can encipher. What comes out is valid, has the same length but where "
    "a page says otherwise, and keeps what the page says."
)
FLOOR = (
    f"Where fewer than {MIN_DOMAIN_SIZE:,} values keep the same, a value is refused unless the "
    "rule gives a reason as `small_domain`.\n\n"
    "Two fields join if they have one `scope` and one format with the same options: a number has "
    "one pseudonym as `digits` and another as `integer`."
)

SAMPLES = {
    "card": [
        (Card(), "4111 1111 1111 1111"),
        (Card(bin=8), "4111 1111 1111 1111"),
        (Card(last=0), "4111 1111 1111 1111"),
        (Card(), "3782 822463 10005"),
    ],
    "date": [
        (Date(), date(1996, 2, 29)),
        (Date(minimum="1920-01-01", maximum="2019-12-31"), "1996-02-29"),
        (Date(format="%d/%m/%Y"), "29/02/1996"),
        (Date(minimum="0001-01-01", maximum="9999-12-31"), "1996-02-29"),
    ],
    "datetime": [
        (DateTime(), "1996-02-29T10"),
        (DateTime(), "1996-02-29T10:30Z"),
        (DateTime(), "1996-02-29T10:30:00+01:00"),
        (DateTime(), "1996-02-29T10:30:00.125"),
        (DateTime(), datetime(1996, 2, 29, 10, tzinfo=ZoneInfo("Europe/Berlin"))),
        (DateTime(format="%d/%m/%Y %H:%M"), "29/02/1996 10:30"),
    ],
    "decimal": [(DecimalFormat(), "12.50"), (DecimalFormat(), "-1234567.80")],
    "email": [
        (Email(), "ana@example.org"),
        (Email(), "ana.lima@example.org"),
        (Email(), "Ana.Lima@example.org"),
        (Email(domain="encipher"), "ana@example.org"),
    ],
    "iban": [
        (IBAN(), "DE89 3704 0044 0532 0130 00"),
        (IBAN(), "NO9386011117947"),
        (IBAN(bank=False), "NO9386011117947"),
    ],
    "integer": [
        (Integer(), 742918365),
        (Integer(), 43),
        (Integer(minimum=0, maximum=120), 43),
        (Integer(minimum=1, maximum=2_000_000), 43),
    ],
    "ipv4": [
        (IPv4(), "192.0.2.77"),
        (IPv4(prefix=8), "192.0.2.77"),
        (IPv4(prefix=24), "192.0.2.77"),
    ],
    "ipv6": [(IPv6(), "2001:db8::17"), (IPv6(prefix=64), "2001:db8::17")],
    "mac": [(MAC(), "5e:9b:c4:07:d2:f8"), (MAC(oui=False), "5e:9b:c4:07:d2:f8")],
    "pattern": [
        (Pattern("[A-Z]{2}[0-9]{6}"), "AB123456"),
        (Pattern("[A-TV-Z][0-9]{2}(\\.[0-9])?"), "E11.9"),
        (Pattern("(W|G|[A-Z]{2})-[0-9]{1,5}[A-Z]{1,3}"), "W-12345A"),
    ],
    "phone": [
        (Phone(), "+49 30 901820"),
        (Phone(), "+1 212-555-0143"),
        (Phone(region="GB"), "020 7946 0123"),
        (Phone(), "+247 62889"),
    ],
    "ssn": [(SSN(), "612-84-7093"), (SSN(last=4), "612-84-7093")],
    "uuid": [(UUIDFormat(), "9b2f6c1e-4d3a-4f7b-8c5e-1a2b3c4d5e6f")],
    "vin": [(VIN(), "1M8GDM9AXKP042788"), (VIN(wmi=False), "1M8GDM9AXKP042788")],
}
LENGTHS = (4, 6, 9, 16)


def pages() -> dict[str, str]:
    """
    Return the text of each page by the name of its file.
    """
    made = {f"{name}.md": page(name) for name in registry.BUILT_IN}
    made[f"{ALPHABETS}.md"] = alphabets()
    made["index.md"] = index()
    return made


def page(name: str) -> str:
    """
    Return the page of a format.
    """
    held = registry.find(name)
    lead, sections = parts(held)
    samples = SAMPLES[name]
    needed = registry.required(held)
    spelled = (
        f'`{{name = "{name}", {", ".join(f"{option} = …" for option in needed)}}}`'
        if needed
        else f'`"{name}"`'
    )
    text = [
        f"# {name}",
        NOTICE,
        *lead,
        f"In a policy file it is {spelled}, in Python `{held.__name__}` from `{held.__module__}`.",
    ]
    if "Args" in sections:
        rows = [
            f"| `{option}` | {joined(said)} |" for option, said in OPTION.findall(sections["Args"])
        ]
        text += ["## Options", "\n".join(["| option | meaning |", "|---|---|", *rows])]
    text += ["## What it keeps", joined(sections["Keeps"])]
    text += ["## What it reveals", joined(sections["Reveals"])]
    text += ["## Domain", joined(sections["Domain"]), table(samples)]
    text += ["## Source", joined(sections["Source"])]
    return "\n\n".join(text) + "\n"


def table(samples: list[tuple[object, object]]) -> str:
    """
    Return the domain sizes of some values.
    """
    rows = ["| declared as | value | values that keep the same | |", "|---|---|---|---|"]
    for form, value in samples:
        size = form.parse(value).size
        shown = value if isinstance(value, str) else repr(value)
        rows.append(
            f"| {code(declared(form))} | {code(shown)} | {number(size)} | {verdict(size)} |"
        )
    return "\n".join(rows)


def alphabets() -> str:
    """
    Return the page of the alphabets.
    """
    lead, _ = parts(Alphabet)
    headings = " | ".join(f"{length} characters" for length in LENGTHS)
    rows = [
        f"| alphabet | symbols | {headings} | shortest |",
        "|---" * (len(LENGTHS) + 3) + "|",
    ]
    shown = {**registry.ALPHABETS, "01": Alphabet("01"), "ACGT": Alphabet("ACGT")}
    for name, alphabet in shown.items():
        sizes = " | ".join(number(alphabet.radix**length) for length in LENGTHS)
        spelled = f'"{name}"' if name in registry.ALPHABETS else f'{{alphabet = "{name}"}}'
        least = shortest(alphabet.radix)
        rows.append(f"| `{spelled}` | {alphabet.radix} | {sizes} | {least} |")
    text = [
        f"# {', '.join(registry.ALPHABETS)}, and alphabets of your own",
        NOTICE,
        *lead,
        NAMED_ALPHABETS,
        "## What it keeps",
        KEPT_BY_ALPHABETS,
        "## What it reveals",
        "All that it keeps.",
        "## Domain",
        DOMAIN_OF_ALPHABETS,
        "\n".join(rows),
        "## Source",
        "FF1: NIST SP 800-38G, Algorithms 7 and 8.",
    ]
    return "\n\n".join(text) + "\n"


def index() -> str:
    """
    Return the page that leads to the others.
    """
    rows = [
        "| format | values |",
        "|---|---|",
        f"| [{', '.join(registry.ALPHABETS)}]({ALPHABETS}.md) | Text over an alphabet. |",
        *(f"| [{name}]({name}.md) | {_summary(name)} |" for name in registry.BUILT_IN),
    ]
    return "\n\n".join(["# Formats", NOTICE, PREFACE, "\n".join(rows), FLOOR]) + "\n"


def _summary(name: str) -> str:
    return parts(registry.find(name))[0][0]


def parts(held: type) -> tuple[list[str], dict[str, str]]:
    """
    Return the paragraphs before the first section, and the sections.
    """
    text = inspect.getdoc(held)
    lead = SECTION.split(text, maxsplit=1)[0]
    return [joined(one) for one in lead.strip().split("\n\n")], dict(SECTION.findall(text))


def joined(text: str) -> str:
    """
    Return a paragraph on one line, as Markdown.
    """
    line = " ".join(text.split())
    kept = [first or second for first, second in CODE.findall(line)]
    plain = CODE.sub("\0", line).replace("**", r"\*\*").replace("|", r"\|").replace("<", r"\<")
    for each in kept:
        plain = plain.replace("\0", code(each), 1)
    return plain


def code(text: str) -> str:
    """
    Return text as code, in a table as well.
    """
    return f"`{text}`".replace("|", r"\|")


def declared(form: object) -> str:
    """
    Return what is written in Python to get a format.
    """
    given = ", ".join(f"{option}={value!r}" for option, value in options(form).items())
    return f"{type(form).__name__}({given})"


def number(size: int) -> str:
    """
    Return a number, rounded if it is long.
    """
    if size < EXACT_BELOW:
        return f"{size:,}"
    mantissa, exponent = f"{size:.2e}".split("e+")
    return f"{mantissa} · 10^{int(exponent)}"


def verdict(size: int) -> str:
    """
    Return what becomes of a value with so many.
    """
    if size >= MIN_DOMAIN_SIZE:
        return ""
    return "needs `small_domain`" if size > 1 else "refused"


def main() -> None:
    """
    Write the pages.
    """
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
