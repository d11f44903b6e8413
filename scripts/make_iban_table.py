"""
Print `src/privkit/formats/tables/iban_1.json`.

    pip install python-stdnum==2.2 schwifty==2026.10.1
    python scripts/make_iban_table.py > src/privkit/formats/tables/iban_1.json

The structure of a country is that of SWIFT's IBAN registry, as python-stdnum has it. Countries
that use IBANs outside the registry, and where bank and branch stand, come from schwifty. The
rules of national check digits are those that schwifty verifies, and those of Albania, Croatia and
Hungary.
"""

import json
import re
from importlib import metadata, resources

WANTED = {"python-stdnum": "2.2", "schwifty": "2026.10.1"}

PART = re.compile("([0-9]+)!([nac])")

CHECKS = {
    "AL": "al",
    "BA": "97-98",
    "ME": "97-98",
    "MK": "97-98",
    "PT": "97-98",
    "RS": "97-98",
    "SI": "97-98",
    "TL": "97-98",
    "MR": "97-97",
    "TN": "97-97",
    "BE": "be",
    "CZ": "cz",
    "EE": "ee",
    "ES": "es",
    "FI": "fi",
    "FR": "fr",
    "HR": "hr",
    "HU": "hu",
    "IS": "is",
    "IT": "it",
    "MC": "fr",
    "NO": "no",
    "PL": "pl",
    "SK": "cz",
    "SM": "it",
}
"""The rule of national check digits, by the name that `privkit.formats.national` gives it."""

WITHOUT_BRANCH = {"CZ", "SK"}
"""Where schwifty calls the first part of the account number a branch."""


def structures() -> dict[str, str]:
    """
    Return the structures of SWIFT's registry.
    """
    lines = resources.files("stdnum").joinpath("iban.dat").read_text("utf-8").splitlines()
    return {
        line[:2]: line.split('bban="')[1].split('"')[0]
        for line in lines
        if line and not line.startswith("#")
    }


def merged() -> dict[str, dict]:
    """
    Return schwifty's registry, as schwifty puts it together.
    """
    folder = resources.files("schwifty").joinpath("iban_registry")
    found: dict[str, dict] = {}
    for name in ("generated.json", "overwrite.json"):
        for country, spec in json.loads(folder.joinpath(name).read_text("utf-8")).items():
            held = found.setdefault(country, {"positions": {}})
            positions = held["positions"] | spec.get("positions", {})
            held.update(spec, positions=positions)
    return found


def main() -> None:
    """
    Print the table.
    """
    for library, version in WANTED.items():
        if metadata.version(library) != version:
            message = f"{library} {version} is wanted"
            raise SystemExit(message)
    swift = structures()
    countries = {}
    for country, spec in sorted(merged().items()):
        # Some territories have the IBANs of another country, and none under their own code.
        if spec["iban_spec"][:2] != country:
            continue
        structure = swift.get(country, spec["bban_spec"])
        positions = spec["positions"]
        entry = {"structure": "".join(f"{count}{kind}" for count, kind in PART.findall(structure))}
        for part in ("bank", "branch", "currency"):
            start, end = positions.get(f"{part}_code", (0, 0))
            if start < end and not (part == "branch" and country in WITHOUT_BRANCH):
                entry[part] = [start, end]
        if country in CHECKS:
            entry["check"] = CHECKS[country]
        countries[country] = entry
    missing = set(swift) - set(countries)
    if missing:
        message = f"nothing is known of {missing}"
        raise SystemExit(message)
    rows = ",\n".join(
        f"{json.dumps(country)}:{json.dumps(entry, separators=(',', ':'))}"
        for country, entry in countries.items()
    )
    source = "python-stdnum 2.2 (SWIFT IBAN registry, release 101), schwifty 2026.10.1"
    print(f'{{"privkit-iban-table":1,"source":"{source}","countries":{{\n{rows}\n}}}}')


if __name__ == "__main__":
    main()
