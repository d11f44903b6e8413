import base64
import codecs
import traceback
from dataclasses import dataclass, field
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from privkit.errors import DomainError
from privkit.testing.canaries import MAX_PIECES, SOURCE, Canaries, Finding, forms
from tests.canaries import CANARIES, DATE, EMAIL, KEY_BYTES, TEXT

ONE = Canaries({"text": TEXT, "key": KEY_BYTES, "date": DATE})


def names(findings):
    return {finding.canary for finding in findings}


def fails(held):
    """
    Raise an error with something in a local variable.
    """
    raise DomainError(f"cannot read {type(held).__name__}")


@dataclass
class Held:
    name: str


@dataclass
class Hidden:
    name: str = field(repr=False)


class Unprintable:
    def __repr__(self):
        raise ValueError(TEXT)


class TestFind:
    @pytest.mark.parametrize(
        "haystack",
        [
            f"before {TEXT} after",
            TEXT.upper(),
            TEXT[::-1],
            TEXT.encode().hex(),
            TEXT.encode()[::-1].hex().upper(),
            quote(TEXT),
            TEXT.replace(" ", "+"),
            TEXT.encode("utf-16"),
            TEXT.encode("utf-16-be"),
            base64.b64encode(TEXT.encode()),
            base64.b64encode(b"1" + TEXT.encode() + b"2"),
            base64.urlsafe_b64encode(b"12" + TEXT.encode() + b"345").decode(),
        ],
    )
    def test_a_text_is_found_in_every_form(self, haystack):
        """
        Encoding, quoting, reversing or changing the case of a text does not hide it.
        """
        found = ONE.find(haystack)

        assert {"text"} == names(found)

    @pytest.mark.parametrize(
        "haystack",
        [
            b"head" + KEY_BYTES,
            KEY_BYTES.hex(),
            repr(KEY_BYTES),
            repr(bytearray(KEY_BYTES)),
            str(list(KEY_BYTES)),
            KEY_BYTES.decode("latin-1"),
            codecs.encode(KEY_BYTES, "base64").replace(b"\n", b""),
        ],
    )
    def test_key_bytes_are_found_in_every_form(self, haystack):
        """
        Key bytes are found raw, in hexadecimal, in base64, as numbers and as Python prints them.
        """
        found = ONE.find(haystack)

        assert {"key"} == names(found)

    def test_a_date_is_found_as_python_prints_it(self):
        """
        The repr of a date holds its numbers, not its ISO form.
        """
        found = ONE.find("{'born': datetime.date(1907, 3, 11)}")

        assert {"date"} == names(found)

    def test_names_in_other_scripts_are_found_escaped(self):
        """
        JSON and `ascii` write escapes, which are the value all the same.
        """
        found = Canaries({"greek": "Ξανθίππη"}).find(ascii("Ξανθίππη"))

        assert {"greek"} == names(found)

    def test_a_lone_surrogate_can_be_searched(self):
        """
        Text that no encoding accepts is searched like any other.
        """
        found = ONE.find(f"\ud800{TEXT}")

        assert {"text"} == names(found)

    @pytest.mark.parametrize("haystack", ["", b"", TEXT[:-1], KEY_BYTES[1:], "Xanthippe"])
    def test_less_than_the_whole_value_is_no_finding(self, haystack):
        """
        Parts of a canary are not searched for: they may be what a rule reveals.
        """
        found = ONE.find(haystack)

        assert [] == found

    def test_a_finding_does_not_repeat_the_value(self):
        """
        The report of a leak is no second leak.
        """
        report = str(ONE.find(TEXT, "a log"))

        assert "Finding(canary='text', form='raw', place='a log')" in report
        assert [] == ONE.find(report)

    @pytest.mark.parametrize("name", CANARIES)
    def test_no_form_is_too_short(self, name):
        """
        Every form of every canary has at least 8 bytes, so that none is found by chance.
        """
        shortest = min(len(form) for form, _ in forms(CANARIES[name]))

        assert shortest >= 8


class TestScanError:
    @pytest.mark.parametrize(
        "error",
        [
            DomainError(f"cannot read {EMAIL}"),
            DomainError("cannot read it", sample=EMAIL),
            ValueError(1, [EMAIL]),
            UnicodeEncodeError("ascii", EMAIL, 0, 1, "no"),
            UnicodeDecodeError("ascii", EMAIL.encode(), 0, 1, "no"),
            ExceptionGroup("several", [KeyError(EMAIL)]),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_what_an_error_holds_is_found(self, error):
        """
        Message, arguments, attributes, the objects of codecs and the members of a group count.
        """
        found = Canaries({"e-mail": EMAIL}).scan_error(error)

        assert {"e-mail"} == names(found)

    def test_a_note_is_found(self):
        """
        What was added to an error later is searched too.
        """
        error = ValueError("cannot read it")
        error.add_note(f"it was {TEXT}")

        assert {"text"} == names(ONE.scan_error(error))

    @pytest.mark.parametrize("suppress", [False, True])
    def test_the_errors_behind_an_error_are_found(self, suppress):
        """
        `from None` hides a context from print, and leaves it in reach.
        """
        error = ValueError("cannot read it")
        error.__context__ = KeyError(TEXT)
        error.__suppress_context__ = suppress

        assert {"text"} == names(ONE.scan_error(error))

    def test_a_ring_of_errors_ends(self):
        """
        Errors that are each other's cause are searched once.
        """
        first, second = ValueError("one"), ValueError(TEXT)
        first.__cause__, second.__cause__ = second, first

        assert {"text"} == names(ONE.scan_error(first))

    def test_locals_are_searched_in_the_named_folders_alone(self):
        """
        A value in the caller's frame is the caller's; one in ours is a leak.
        """

        def fails(held):
            raise DomainError(f"cannot read {type(held).__name__}")

        with pytest.raises(DomainError) as caught:
            fails(TEXT)

        assert [] == ONE.scan_error(caught.value)
        assert {"text"} == names(ONE.scan_error(caught.value, frames_under=[__file__]))

    def test_locals_are_those_that_an_error_tracker_prints(self):
        """
        The search agrees with `traceback.TracebackException(capture_locals=True)`.
        """

        def fails(held):
            raise DomainError(f"cannot read {len(held)}")

        with pytest.raises(DomainError) as caught:
            fails([KEY_BYTES])
        printed = "".join(
            traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
        )

        assert {"key"} == names(ONE.find(printed))
        assert {"key"} == names(ONE.scan_error(caught.value, frames_under=[__file__]))

    @pytest.mark.parametrize(
        "held",
        [
            [[TEXT]],
            {TEXT: 1},
            {1: (TEXT,)},
            frozenset({TEXT}),
            Held(TEXT),
            SimpleNamespace(name=TEXT),
            TEXT.encode(),
        ],
        ids=lambda held: type(held).__name__,
    )
    def test_locals_are_opened(self, held):
        """
        A value inside a container, a dataclass or another object that shows it is found.
        """
        with pytest.raises(DomainError) as caught:
            fails(held)

        assert {"text"} == names(ONE.scan_error(caught.value, frames_under=[__file__]))

    def test_key_bytes_as_a_list_of_numbers_are_found(self):
        """
        A list of numbers in a local variable is searched as it prints.
        """
        with pytest.raises(DomainError) as caught:
            fails([list(KEY_BYTES)])

        assert {"key"} == names(ONE.scan_error(caught.value, frames_under=[__file__]))

    def test_numbers_too_long_to_print_do_not_stop_the_search(self):
        """
        Python refuses to print very long integers, and the rest is searched all the same.
        """
        with pytest.raises(DomainError) as caught:
            fails([10**5000, TEXT])

        assert {"text"} == names(ONE.scan_error(caught.value, frames_under=[__file__]))

    def test_what_a_dataclass_does_not_show_is_not_found(self):
        """
        A field without a repr stays out of what a traceback prints.
        """
        with pytest.raises(DomainError) as caught:
            fails(Hidden(TEXT))

        assert [] == ONE.scan_error(caught.value, frames_under=[__file__])

    def test_lists_that_share_their_lists_are_opened_once(self):
        """
        A structure whose repr would fill the memory is searched in no time.
        """
        held = [TEXT]
        for _ in range(200):
            held = [held, held]
        with pytest.raises(DomainError) as caught:
            fails(held)

        assert {"text"} == names(ONE.scan_error(caught.value, frames_under=[__file__]))

    def test_the_search_of_locals_has_an_end(self):
        """
        Of a longer list than anybody prints, the end is not searched.
        """
        with pytest.raises(DomainError) as caught:
            fails([None] * MAX_PIECES * 2)

        assert [] == ONE.scan_error(caught.value, frames_under=[__file__])

    def test_an_object_that_cannot_be_printed_shows_nothing(self):
        """
        A repr that fails does not stop the search.
        """
        found = ONE.scan_error(ValueError(Unprintable(), TEXT))

        assert {"text"} == names(found)

    def test_a_clean_error_gives_no_finding(self):
        """
        An error that speaks of shape alone passes.
        """
        error = DomainError(f"expected 10 characters, got {len(TEXT)}", minimum=10)

        assert [] == ONE.scan_error(error)


def test_the_source_folder_is_privkit():
    """
    By default the frames of privkit are searched.
    """
    assert SOURCE.endswith("privkit")


def test_findings_are_values():
    """
    Equal findings are one, so that a report can count them.
    """
    assert 1 == len({Finding("text", "raw", "log"), Finding("text", "raw", "log")})
