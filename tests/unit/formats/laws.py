"""
What every format obeys.
"""

import pytest

from privkit.errors import DomainError


def check_laws(form, value, other):
    """
    A value comes back, and so does the number of another value, which is returned.
    """
    parsed = form.parse(value)
    number = other % parsed.size
    written = form.render(parsed, number)

    assert 0 <= parsed.number < parsed.size
    assert value == form.render(parsed, parsed.number)
    assert type(value) is type(form.render(parsed, parsed.number)) is type(written)
    assert parsed._replace(number=number) == form.parse(written)
    return written


def check_whole(form, value):
    """
    The values of a small domain are as many as their numbers, and each has its own.
    """
    parsed = form.parse(value)
    every = [form.render(parsed, number) for number in range(parsed.size)]

    assert parsed.size == len(set(every))
    assert list(range(parsed.size)) == [form.parse(one).number for one in every]
    return every


def check_refused(form, value):
    """
    A value is refused, and the reason holds no part of it.
    """
    with pytest.raises(DomainError) as caught:
        form.parse(value)
    said = f"{caught.value!s} {caught.value.facts}".lower()
    text = str(value).lower()

    assert not [text[at : at + 4] for at in range(len(text) - 3) if text[at : at + 4] in said]
    return str(caught.value)
