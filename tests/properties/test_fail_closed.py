"""
No raw value comes out, whatever the keys do, the record holds, or a value looks like.
"""

import random

import pytest

from privkit import (
    Bucket,
    Encrypt,
    FormatPreserving,
    Keep,
    Key,
    Mask,
    Policy,
    Redact,
    ShiftDate,
    StaticKeys,
    Token,
    Truncate,
)
from privkit.errors import KeyProviderError, PrivkitError, UnruledFieldError
from privkit.testing.keys import FaultyKeys
from tests.canaries import KEY_BYTES

RECORDS = 1_000
RULES = {
    "mrn": FormatPreserving("digits"),
    "email": Token(normalize="email"),
    "ref": Token(encoding="uuid"),
    "note": Encrypt(),
    "visit": ShiftDate(by="mrn"),
    "age": Bucket(width=10, top=90),
    "zip": Truncate(3),
    "card": Mask(keep_last=4),
    "name": Redact(),
}
POLICY = Policy("patients", fields=RULES)
KEYED = [path for path, rule in RULES.items() if rule.keyed]
KEYS = StaticKeys(primary=Key("k1", KEY_BYTES))


def canary_records(count):
    """Records in which each value is told from all others."""
    for number in range(count):
        day = 1 + number % 28
        yield {
            "mrn": f"{7_310_000_000 + number}",
            "email": f"quill{number}@feather.example",
            "ref": f"ref-{number}-xanthippe",
            "note": f"xanthippe number {number}",
            "visit": f"1907-03-{day:02d}",
            "age": 40 + number % 60,
            "zip": f"{94_000 + number % 999}",
            "card": f"{4_929_318_400_000_000 + number}",
            "name": f"Xanthippe {number}",
        }


class TestKeys:
    @pytest.mark.parametrize("fault", list(FaultyKeys.FAULTS))
    def test_faulty_provider_lets_no_value_through(self, fault):
        """Under each fault of a provider, each record is protected whole or refused whole."""
        patients = POLICY.bind(FaultyKeys(fault, seconds=0))
        seen = 0
        for record in canary_records(RECORDS):
            try:
                row = patients.pseudonymize(record)
            except KeyProviderError:
                row = dict.fromkeys(record)
            seen += 1

            assert list(record) == list(row)
            assert not set(map(str, record.values())) & set(map(str, row.values()))
        assert RECORDS == seen

    @pytest.mark.parametrize("path", KEYED)
    @pytest.mark.parametrize("fault", list(FaultyKeys.FAULTS))
    def test_faulty_provider_lets_no_single_field_through(self, fault, path):
        """Under each fault, a single field is protected or refused."""
        field = POLICY.bind(FaultyKeys(fault, seconds=0))[path]
        record = next(canary_records(1))
        try:
            made = field.apply(record[path], by=record["mrn"])
        except KeyProviderError:
            made = None

        assert record[path] != made


class TestRecords:
    def test_added_columns_never_pass(self):
        """Columns that the policy does not name are refused, redacted or dropped."""
        chance = random.Random(17)
        names = [f"column_{number}" for number in range(200)]
        lenient = {
            unruled: Policy("patients", fields=RULES, unruled=unruled).bind(KEYS)
            for unruled in ("redact", "drop")
        }
        strict = POLICY.bind(KEYS)
        for record in canary_records(RECORDS):
            added = {name: f"raw {name}" for name in chance.sample(names, chance.randint(1, 5))}
            mixed = list({**record, **added}.items())
            chance.shuffle(mixed)
            with pytest.raises(UnruledFieldError):
                strict.pseudonymize(dict(mixed))
            redacted = lenient["redact"].pseudonymize(dict(mixed))
            dropped = lenient["drop"].pseudonymize(dict(mixed))

            assert all(redacted[name] is None for name in added)
            assert not added.keys() & dropped.keys()

    def test_only_a_rule_lets_a_column_pass(self):
        """A column passes as it is only where the policy says Keep."""
        policy = Policy("patients", fields={**RULES, "*": Keep()}).bind(KEYS)

        assert "as it is" == policy.pseudonymize({"added": "as it is"})["added"]


class TestLooks:
    @pytest.mark.parametrize("path", ["email", "ref", "note", "mrn"])
    def test_what_looks_like_a_pseudonym_is_data(self, path):
        """A value that begins like our own output is protected again or refused, never stored."""
        field = POLICY.bind(KEYS)[path]
        record = next(canary_records(1))
        real = str(POLICY.bind(KEYS).pseudonymize(record)[path])
        chance = random.Random(19)
        letters = "0123456789abcdef.-_tokenc1k@ "
        made = set()
        for _ in range(25_000):
            start = chance.choice([real, real[: chance.randint(1, len(real))], "tok", "enc1.k1."])
            value = start + "".join(chance.choices(letters, k=chance.randint(0, 12)))
            try:
                pseudonym = field.apply(value)
            except PrivkitError:
                continue
            made.add(pseudonym)

            assert value != pseudonym
        assert made
