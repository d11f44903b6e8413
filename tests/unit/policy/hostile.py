"""
Read files that mean harm, and print how long each took and how much memory all of them did.

It is run as a process of its own: what it reads is large, and would be searched for canaries in
every frame of every error.
"""

import json
import re
import time
from pathlib import Path

from privkit.errors import PolicyError
from privkit.policy import Policy
from privkit.policy.parsing import MAX_SIZE

HEAD = "name='p'\n[fields]\n"
HOSTILE = {
    "toml: dotted keys": ("toml", "".join(f"a{n}." + "a." * 15 + "a=1\n" for n in range(6500))),
    "toml: dotted tables": (
        "toml",
        "".join(f"[a{n}." + "a." * 14 + "a]\n" + "b." * 16 + "b=1\n" for n in range(3500)),
    ),
    "toml: one dotted key": ("toml", "a." * (MAX_SIZE // 2)),
    "toml: tables": ("toml", "".join(f"[a{n}]\n" for n in range(30_000))),
    "toml: one line": ("toml", "a={" + ",".join(f"b{n}=1" for n in range(25_000)) + "}"),
    "toml: fields": ("toml", HEAD + "".join(f"f{n}='token'\n" for n in range(15_000))),
    "toml: rules": ("toml", HEAD + "".join(f"f{n}={{rule='token{n}'}}\n" for n in range(9000))),
    "toml: options": ("toml", HEAD + "".join(f"f{n}={{rule='keep',x=1}}\n" for n in range(9000))),
    "toml: quotes": ("toml", '"' * MAX_SIZE),
    "toml: array": ("toml", "a=" + "[\n" * 130_000),
    "json: depth": ("json", "[" * 100_000),
    "json: objects": ("json", '{"a":' * 50_000),
    "json: digits": ("json", "1" * MAX_SIZE),
    "json: twice": ("json", '{"a":{' + ",".join('"a":1' for _ in range(40_000)) + "}}"),
    "json: parts": ("json", "{" + ",".join(f'"nam{n}":1' for n in range(18_000)) + "}"),
    "json: paths": (
        "json",
        '{"name":"p","fields":{' + ",".join(f'"f{n}..":"keep"' for n in range(12_000)) + "}}",
    ),
    "json: by": (
        "json",
        '{"name":"p","fields":{'
        + ",".join(f'"f{n}":{{"rule":"shift_date","by":"g{n}"}}' for n in range(5000))
        + "}}",
    ),
    "json: open text": ("json", '{"' + "a" * 250_000),
    "yaml: depth": ("yaml", "[" * MAX_SIZE),
    "yaml: mappings": ("yaml", "{a: " * 60_000),
    "yaml: dashes": ("yaml", "- " * 130_000),
    "yaml: questions": ("yaml", "? " * 130_000),
    "yaml: colons": ("yaml", ": " * 130_000),
    "yaml: documents": ("yaml", "---\n" * 60_000),
    "yaml: bomb": (
        "yaml",
        "a0: &a0 [x,x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1},*a{n - 1}]\n" for n in range(1, 99)),
    ),
    "yaml: fields": (
        "yaml",
        "name: p\nfields:\n" + "".join(f" f{n}: keep\n" for n in range(15_000)),
    ),
    "yaml: pairs": ("yaml", "[" + "a: b, " * 40_000 + "]"),
}  # fmt: skip


def read(language, text):
    """
    Read one file; return the time it took, and whether the error was a foreign one.
    """
    foreign = False
    started = time.process_time()
    try:
        Policy.loads(text[:MAX_SIZE], format=language)
    except PolicyError:
        pass
    except BaseException:  # noqa: BLE001 - it is what is looked for
        foreign = True
    return {"seconds": time.process_time() - started, "foreign": foreign}


if __name__ == "__main__":
    files = {name: read(language, text) for name, (language, text) in HOSTILE.items()}
    # Not getrusage, which counts the memory of the program that started this one too.
    status = Path("/proc/self/status")
    peak = re.search(r"VmHWM:\s+([0-9]+) kB", status.read_text()) if status.exists() else None
    size = int(peak[1]) * 1024 if peak else None
    print(json.dumps({"files": files, "peak_size": size}))  # noqa: T201 - its report
