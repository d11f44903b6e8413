"""
A record of eight fields through a policy, beside presidio-anonymizer's engine on the same record.

presidio is given the places of the values, so that no time goes into finding them. Its hash,
encrypt, replace, mask and keep operators stand in for ours; none of them preserves a format.
"""

import hmac

from presidio_anonymizer import BatchAnonymizerEngine
from presidio_anonymizer.entities import DictRecognizerResult, OperatorConfig, RecognizerResult

from benchmarks.measure import race, ratio, show
from privkit import (
    Bucket,
    FormatPreserving,
    Keep,
    Key,
    Policy,
    ShiftDate,
    StaticKeys,
    Token,
    Truncate,
)

RECORD = {
    "email": "ana.garcia@example.org",
    "phone": "+49 30 901820",
    "mrn": "0042137945",
    "card": "4111111111111111",
    "age": "43",
    "zip": "94110",
    "visit": "2024-05-06",
    "ward": "B2",
}
POLICY = Policy(
    "patients",
    fields={
        "email": Token(),
        "phone": Token(),
        "mrn": FormatPreserving("digits"),
        "card": FormatPreserving("digits"),
        "age": Bucket(width=5),
        "zip": Truncate(3),
        "visit": ShiftDate(by="mrn"),
        "ward": Keep(),
    },
)
OPERATORS = {
    "email": OperatorConfig("hash", {"hash_type": "sha256"}),
    "phone": OperatorConfig("hash", {"hash_type": "sha256"}),
    "mrn": OperatorConfig("encrypt", {"key": "WmZq4t7w!z%C&F)J"}),
    "card": OperatorConfig("encrypt", {"key": "WmZq4t7w!z%C&F)J"}),
    "age": OperatorConfig("replace", {"new_value": "[40, 45)"}),
    "zip": OperatorConfig("mask", {"masking_char": "*", "chars_to_mask": 2, "from_end": True}),
    "visit": OperatorConfig("replace", {"new_value": "2024-02-01"}),
    "ward": OperatorConfig("keep", {}),
}
RECORDS = 1_000


def main() -> bool:
    """
    Print the table and return whether the targets are met.
    """
    patients = POLICY.bind(StaticKeys(primary=Key.generate("bench")))
    records = [
        {**RECORD, "email": f"ana{n}@example.org", "mrn": f"{n:010d}"} for n in range(RECORDS)
    ]
    engine = BatchAnonymizerEngine()
    found = [
        [
            DictRecognizerResult(
                key=key,
                value=value,
                recognizer_results=[RecognizerResult(key, 0, len(value), 1.0)],
            )
            for key, value in record.items()
        ]
        for record in records
    ]
    key = bytes(range(32))
    values = [value.encode() for record in records for value in record.values()]

    def presidio() -> None:
        for results in found:
            engine.anonymize_dict(results, operators=OPERATORS)

    def ours() -> None:
        for record in records:
            patients.pseudonymize(record)

    def digests() -> None:
        for value in values:
            hmac.digest(key, value, "sha256")

    rows = race(
        {"privkit record": ours, "presidio record": presidio, "hmac.digest per field": digests},
        values=RECORDS,
    )
    show("A dict record of eight fields (records/s)", rows)
    return all(
        [
            ratio(rows, "privkit record", "presidio record", 3),
            ratio(rows, "privkit record", "hmac.digest per field", 1 / 30),
        ]
    )


if __name__ == "__main__":
    main()
