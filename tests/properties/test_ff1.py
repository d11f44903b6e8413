"""
What holds of FF1 for all strings, tweaks and keys.
"""

from itertools import product

import ffx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from privkit.ciphers.ff1 import FF1, shortest
from privkit.ciphers.prf import frame
from tests.canaries import KEY_BYTES

KEYS = st.sampled_from([16, 24, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size))
TWEAKS = st.binary(max_size=70)
RADICES = st.one_of(
    st.integers(2, 65_536), st.sampled_from([2, 8, 10, 16, 26, 36, 37, 62, 256, 257, 65_536])
)


@st.composite
def strings(draw):
    """
    Return a radix and a string of numerals in it that is long enough.
    """
    radix = draw(RADICES)
    least = shortest(radix)
    length = draw(st.integers(least, least + draw(st.sampled_from([1, 4, 80]))))
    numerals = st.lists(st.integers(0, radix - 1), min_size=length, max_size=length)
    return radix, draw(numerals)


@settings(deadline=None)
@given(key=KEYS, case=strings(), tweak=TWEAKS)
def test_agrees_with_libffx(key, case, tweak):
    """
    Another implementation, written by others, computes the same.
    """
    radix, plaintext = case
    alphabet = [chr(0x10000 + numeral) for numeral in range(radix)]
    theirs = ffx.FF1(key, alphabet="".join(alphabet))
    text = theirs.encrypt("".join(alphabet[numeral] for numeral in plaintext), tweak=tweak)
    expected = [ord(character) - 0x10000 for character in text]

    assert expected == FF1(key, radix).encrypt(plaintext, tweak)


@settings(deadline=None)
@given(key=KEYS, case=strings(), tweak=TWEAKS)
def test_decrypts_what_it_encrypted(key, case, tweak):
    """
    The string comes back, of the same length and radix in between.

    Blind to any mistake that both directions share: the vectors are for those.
    """
    radix, plaintext = case
    cipher = FF1(key, radix)
    ciphertext = cipher.encrypt(plaintext, tweak)

    assert plaintext == cipher.decrypt(ciphertext, tweak)
    assert len(plaintext) == len(ciphertext)
    assert all(type(numeral) is int and 0 <= numeral < radix for numeral in ciphertext)


@pytest.mark.parametrize(("radix", "length"), [(2, 8), (3, 5), (10, 2), (10, 3), (16, 2)])
@settings(max_examples=5, deadline=None)
@given(key=KEYS, tweak=TWEAKS)
def test_is_a_permutation_of_its_whole_domain(radix, length, key, tweak):
    """
    Over every string of a small domain, no output repeats and none falls outside.

    Catches lossy arithmetic. Blind to any mistake that both directions share.
    """
    cipher = FF1(key, radix, min_domain_size=100)
    domain = set(product(range(radix), repeat=length))

    assert domain == {tuple(cipher.encrypt(string, tweak)) for string in domain}


@pytest.mark.nightly
@pytest.mark.parametrize("number", range(10))
@pytest.mark.parametrize(("radix", "length"), [(10, 6), (32, 4), (2, 20)])
def test_is_a_permutation_of_a_million_strings(radix, length, number):
    """
    Over every string of the smallest domains that are allowed, no output repeats.
    """
    size = radix**length
    cipher = FF1(bytes([*KEY_BYTES[:31], number]), radix)
    seen = bytearray(size)
    for string in range(size):
        seen[cipher.encrypt_number(string, length)] = 1

    assert size == sum(seen)


@settings(deadline=None)
@given(key=KEYS, case=strings(), tweak=TWEAKS, other=TWEAKS)
def test_another_tweak_is_another_permutation(key, case, tweak, other):
    """
    Of eight strings, not all have one result under two different tweaks.

    Chance agrees on all eight with a probability below 10**-48.
    """
    assume(tweak != other)
    radix, string = case
    cipher = FF1(key, radix)
    near = [[*string[:-1], (string[-1] + step) % radix] for step in range(min(radix, 8))]
    near += [[(string[0] + 1) % radix, *one[1:]] for one in near]

    assert [cipher.encrypt(one, tweak) for one in near] != [
        cipher.encrypt(one, other) for one in near
    ]


@settings(deadline=None)
@given(key=KEYS, case=strings(), tweak=TWEAKS)
def test_another_length_is_another_permutation(key, case, tweak):
    """
    The encryption of a longer string does not begin with the encryption of a shorter one.

    Strings of 40 bits are compared, so that chance has no part in it.
    """
    radix, string = case
    assume(radix ** len(string) > 2**40)
    cipher = FF1(key, radix)

    assert cipher.encrypt(string, tweak) != cipher.encrypt([*string, 0], tweak)[:-1]


def parts_of(framed):
    """
    Take a framed byte string apart again.
    """
    count, place, parts = int.from_bytes(framed[:8]), 8, []
    for _ in range(count):
        start = place + 8
        place = start + int.from_bytes(framed[place:start])
        parts.append(framed[start:place])
    return parts if place == len(framed) else None


@pytest.mark.parametrize("examples", [300, pytest.param(1_000_000, marks=pytest.mark.nightly)])
def test_frames_can_be_read_back(examples):
    """
    Framing loses nothing, so two lists of byte strings never give one result.
    """

    @settings(max_examples=examples, deadline=None)
    @given(st.lists(st.binary(max_size=20), max_size=6))
    def check(parts):
        assert parts == parts_of(frame(*parts))

    check()


@settings(deadline=None)
@given(st.lists(st.binary(max_size=3), max_size=4), st.lists(st.binary(max_size=3), max_size=4))
def test_frames_are_equal_only_if_their_parts_are(parts, others):
    """
    Equal results mean equal lists of byte strings.
    """
    assert (parts == others) == (frame(*parts) == frame(*others))
