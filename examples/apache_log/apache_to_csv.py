"""
Make CSV of a web server's log in Apache's combined format.

    python apache_to_csv.py access.log access.csv

Lines in another format are counted and left out, since privkit could not tell what they hold.
"""

import csv
import re
import sys
from datetime import datetime
from pathlib import Path

LINE = re.compile(
    r"(?P<host>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<time>[^\]]+)\] "
    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>[0-9]{3}) (?P<bytes>[0-9]+|-) '
    r'"(?P<referrer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)"'
)
COLUMNS = (
    *("host", "ident", "user", "time", "method", "path", "query", "protocol"),
    *("status", "bytes", "referrer", "agent"),
)


def columns(line: str) -> dict[str, str] | None:
    """
    Return the cells of one line, empty where the log has a hyphen; ``None`` for another format.
    """
    match = LINE.match(line)
    if match is None:
        return None
    cells = {name: "" if text == "-" else text for name, text in match.groupdict().items()}
    method, _, rest = cells.pop("request").partition(" ")
    address, _, protocol = rest.rpartition(" ")
    path, _, query = address.partition("?")
    time = datetime.strptime(cells["time"], "%d/%b/%Y:%H:%M:%S %z").isoformat()
    return cells | {
        "time": time,
        "method": method,
        "path": path,
        "query": query,
        "protocol": protocol,
    }


def main(source: Path, target: Path) -> None:
    """
    Write the table.
    """
    skipped = 0
    with (
        source.open(encoding="utf-8", errors="replace") as log,
        target.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for line in log:
            cells = columns(line)
            if cells is None:
                skipped += 1
            else:
                writer.writerow(cells)
    if skipped:
        print(f"{skipped} lines in another format were left out", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
