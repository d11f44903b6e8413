"""
What the docstring of a transform says, for tables and schemas.

Texts are empty where Python runs without docstrings.
"""

import inspect
import re
from typing import Final

SECTION: Final = re.compile(r"^([A-Z][a-z]+):$(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
OPTION: Final = re.compile(r"^ {4}(\w+):(.*?)(?=^ {4}\w+:|\Z)", re.MULTILINE | re.DOTALL)
SENTENCE: Final = re.compile(r".*?\.(?= |$)")
MARKS: Final = re.compile(r"``|(?<![\w*])\*(\w[^*]*)\*(?![\w*])")
"""Of code and of italics, but no power such as 2**-64."""


def summary(documented: type, /) -> str:
    """
    Return the first line of a class's docstring.
    """
    return _plain(_text(documented).partition("\n")[0])


def first_sentence(documented: type, section: str, /) -> str:
    """
    Return the first sentence of a section, such as *Reveals*.
    """
    for name, text in SECTION.findall(_text(documented)):
        if name == section:
            whole = _plain(text)
            found = SENTENCE.match(whole)
            return found[0] if found else whole
    return ""


def option_texts(documented: type, /) -> dict[str, str]:
    """
    Return what the section *Args* says about each option.
    """
    for name, text in SECTION.findall(_text(documented)):
        if name == "Args":
            return {option: _plain(said) for option, said in OPTION.findall(text)}
    return {}


def _text(documented: type) -> str:
    return inspect.cleandoc(documented.__doc__ or "")


def _plain(text: str) -> str:
    return MARKS.sub(r"\1", " ".join(text.split()))
