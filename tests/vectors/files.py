"""
Readers of vector files.
"""

import json


def read(path):
    """
    Return the content of a JSON file.
    """
    return json.loads(path.read_text("utf-8"))


def cases(path):
    """
    Yield each test of a Wycheproof file with the facts of its group, and its bytes as bytes.
    """
    for group in read(path)["testGroups"]:
        facts = {name: value for name, value in group.items() if name != "tests"}
        for case in group["tests"]:
            raw = {
                name: bytes.fromhex(case[name])
                for name in ("key", "tweak", "iv", "aad", "tag", "ikm", "salt", "info", "okm")
                if name in case
            }
            yield facts | case | raw


def spelled(text, alphabet):
    """
    Return the numerals of a text; -1 where a character is not in the alphabet.
    """
    return [alphabet.find(character) for character in text]
