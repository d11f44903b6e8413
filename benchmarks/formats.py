"""
Formats, one value at a time: taken apart and put together, and enciphered, beside peers.

`phonenumbers.parse` alone does less than the format: it does not find region and type. pyffx and
libffx encipher 15 digits without a check digit.
"""

import random

import ffx
import phonenumbers
import pyffx

from benchmarks.measure import race, ratio, show
from privkit.formats.card import Card
from privkit.formats.email import Email
from privkit.formats.moments import Date, DateTime
from privkit.formats.patterns import Pattern
from privkit.formats.phone import Phone
from privkit.keys import Key, Subkeys
from privkit.transforms.format_preserving import FormatPreserving

VALUES = 1_000
TARGET = 3
CARD = "4929318406217758"
E164 = "+4930901820"
FORMS = {
    "card": (Card(last=0), CARD),
    "card, BIN and last 4 kept": (Card(), CARD),
    "phone, E.164": (Phone(), E164),
    "phone, spelled": (Phone(), "+49 (30) 901820"),
    "email": (Email(), "xanthippe.quillfeather@example.org"),
    "date": (Date(), "1987-06-05"),
    "date, declared": (Date(format="%d/%m/%Y"), "05/06/1987"),
    "datetime": (DateTime(), "1987-06-05T10:30:00+02:00"),
    "pattern": (Pattern("[A-Z]{2}[0-9]{6}"), "AB123456"),
}


def written(form, value):
    """
    Return as many values as are measured, all different where there are as many.
    """
    parsed = form.parse(value)
    numbers = random.Random(1)
    return [form.render(parsed, numbers.randrange(parsed.size)) for _ in range(VALUES)]


def main() -> bool:
    """
    Print the tables and return whether the target is met.
    """
    texts = {name: written(form, value) for name, (form, value) in FORMS.items()}
    phones = texts["phone, E.164"]

    def there_and_back(name):
        form = FORMS[name][0]

        def run():
            for text in texts[name]:
                parsed = form.parse(text)
                form.render(parsed, parsed.number)

        return run

    def take_apart():
        parse = Phone().parse
        for text in phones:
            parse(text)

    def theirs():
        for text in phones:
            phonenumbers.parse(text)

    rows = race(
        {
            **{name: there_and_back(name) for name in FORMS},
            "phone, E.164, taken apart alone": take_apart,
            "phonenumbers.parse": theirs,
        },
        values=VALUES,
        repeats=9,
    )
    show("Taken apart and put together (values/s)", rows)
    met = ratio(rows, "phone, E.164, taken apart alone", "phonenumbers.parse", TARGET)

    subkeys = Subkeys(Key.generate("bench"), field="bench", scope="bench")

    def enciphered(name):
        rule = FormatPreserving(FORMS[name][0], small_domain="a benchmark")
        apply = rule.bind(subkeys).apply

        def run():
            for text in texts[name]:
                apply(text)

        return run

    pyffx_string = pyffx.String(b"k" * 32, alphabet="0123456789", length=15)
    libffx = ffx.FF1(b"k" * 32, radix=10)
    numbers = [f"{number:015}" for number in random.Random(2).sample(range(10**15), VALUES)]

    def each(function):
        def run():
            for number in numbers:
                function(number)

        return run

    rows = race(
        {
            **{name: enciphered(name) for name in FORMS},
            "pyffx, 15 digits": each(pyffx_string.encrypt),
            "libffx, 15 digits": each(libffx.encrypt),
        },
        values=VALUES,
        repeats=5,
    )
    show("Enciphered (values/s)", rows)
    return met


if __name__ == "__main__":
    raise SystemExit(not main())
