import builtins
import copy
import functools
import pickle
import traceback

import pytest

from privkit.errors import (
    KeyMaterialError,
    KeyNotFoundError,
    KeyProviderError,
    KeyUnavailableError,
)
from privkit.keys import Key, Keyset, StaticKeys, resolve
from privkit.keys.call import CallableKeys
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, TEXT
from tests.unit.keys.conformance import Conformance, texts

PRIMARY = Key("k2", KEY_BYTES)
OLDER = Key("k1", OTHER_KEY_BYTES)
KEYSET = Keyset(PRIMARY, [OLDER])
CLINIC = {"default": texts(*Conformance.keyset.live)}


def clinic(name):
    """A function of a module."""
    return CLINIC.get(name)


class Shelf:
    """An object with methods."""

    def __init__(self):
        self.held = KEY_BYTES

    def fetch(self, name):
        return KEYSET

    @staticmethod
    def static(name):
        return KEYSET

    def __call__(self, name):
        return KEYSET


def raising(error):
    """A function that raises."""

    def fetch(name):
        leaked = KEY_BYTES  # noqa: F841 - a local that a traceback would print
        raise error

    return fetch


class TestConformance(Conformance):
    @pytest.fixture
    def make(self):
        """A function returns the texts of keys."""
        return lambda: CallableKeys(clinic)

    @pytest.fixture
    def broken(self):
        """Functions that fail, and that return something else."""
        return {
            "it raises": lambda: CallableKeys(raising(RuntimeError(TEXT))),
            "its backend is down": lambda: CallableKeys(raising(ConnectionError(TEXT))),
            "it has nothing": lambda: CallableKeys(lambda name: None),
            "a text was cut": lambda: CallableKeys(lambda name: PRIMARY.to_text()[:-9]),
            "two keys have one id": lambda: CallableKeys(lambda name: texts(*self.twins)),
            "it returns bytes": lambda: CallableKeys(lambda name: KEY_BYTES),
        }


class TestReturns:
    @pytest.mark.parametrize(
        "found",
        [
            KEYSET,
            texts(PRIMARY, OLDER),
            f"{PRIMARY.to_text()},{OLDER.to_text()}",
            [PRIMARY.to_text(), OLDER.to_text()],
            (f" {PRIMARY.to_text()}\n", OLDER.to_text()),
        ],
    )
    def test_keysets_and_texts_are_taken(self, found):
        """A function returns a keyset, or texts of keys, the primary first."""
        assert KEYSET == CallableKeys(lambda name: found).keyset("default")

    def test_the_name_is_passed_on(self):
        """The function learns which keyset is asked for, at each call."""
        asked = []

        def fetch(name):
            asked.append(name)
            return KEYSET

        keys = CallableKeys(fetch)
        for name in ("default", "billing", "default"):
            keys.keyset(name)

        assert ["default", "billing", "default"] == asked

    @pytest.mark.parametrize("found", ["", " \n", [], [""]])
    def test_nothing_is_told(self, found):
        """An empty text is no keyset, and the message says what to do."""
        with pytest.raises(KeyMaterialError, match="returned no key for the keyset default: run"):
            CallableKeys(lambda name: found).keyset("default")

    def test_none_is_not_found(self):
        """A function that returns None has no such keyset."""
        with pytest.raises(KeyNotFoundError, match="clinic returned None") as caught:
            CallableKeys(clinic).keyset("billing")

        assert {"keyset": "billing"} == caught.value.facts

    @pytest.mark.parametrize(
        ("found", "given"),
        [(KEY_BYTES, "bytes"), (7, "int"), (PRIMARY, "Key"), ([KEY_BYTES], "bytes"), ({}, "dict")],
    )
    def test_other_types_are_refused(self, found, given):
        """Another type is refused by its name alone."""
        with pytest.raises(KeyMaterialError, match=f"or the texts of keys, got {given}$"):
            CallableKeys(lambda name: found).keyset("default")

    def test_a_mistake_is_told_with_its_place(self):
        """The message tells which of the texts is no key."""
        with pytest.raises(KeyMaterialError, match=r"key 2 from the function .*lambda.*: the text"):
            CallableKeys(lambda name: [PRIMARY.to_text(), "é"]).keyset("default")


class TestErrors:
    @pytest.mark.parametrize(
        ("error", "expected", "message"),
        [
            (RuntimeError(TEXT), KeyProviderError, "raised RuntimeError"),
            (KeyError(TEXT), KeyProviderError, "raised KeyError"),
            (ConnectionResetError(TEXT), KeyUnavailableError, r"\(ConnectionResetError\); try"),
            (TimeoutError(TEXT), KeyUnavailableError, r"\(TimeoutError\); try again"),
            (KeyUnavailableError("the vault is sealed"), KeyUnavailableError, "^the vault is"),
        ],
    )
    def test_errors_are_cleaned(self, error, expected, message):
        """Foreign errors lose their message, ours pass, and neither keeps a frame or a cause."""
        error.__context__ = ValueError(TEXT)
        with pytest.raises(expected, match=message) as caught:
            CallableKeys(raising(error)).keyset("default")

        frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert "fetch" not in frames
        assert expected is type(caught.value)
        assert caught.value.__context__ is None

    def test_exits_pass(self):
        """An interrupt is not an error of the function."""
        with pytest.raises(KeyboardInterrupt):
            CallableKeys(raising(KeyboardInterrupt())).keyset("default")

    def test_what_is_no_function_is_refused(self):
        """A key in the place of the function is refused by its type, as is an async function."""

        async def fetch(name):
            return KEYSET

        with pytest.raises(KeyProviderError, match=r"takes a function, got str$"):
            CallableKeys(PRIMARY.to_text())
        with pytest.raises(KeyProviderError, match="got an async one"):
            CallableKeys(fetch)


class TestReference:
    @pytest.mark.parametrize("leave", [lambda k: pickle.loads(pickle.dumps(k)), copy.deepcopy])
    @pytest.mark.parametrize("function", [clinic, Shelf.static, Shelf, builtins.print])
    def test_functions_of_modules_leave_as_names(self, function, leave):
        """A function that a module defines is pickled by its name."""
        keys = CallableKeys(function)

        assert keys == leave(keys)
        assert hash(keys) == hash(leave(keys))

    @pytest.mark.parametrize(
        "function",
        [
            lambda name: KEYSET,
            functools.partial(clinic),
            Shelf().fetch,
            Shelf(),
            StaticKeys.of(KEYSET).keyset,
            {"default": KEYSET}.get,
            raising(RuntimeError()),
        ],
        ids=["lambda", "partial", "method", "object", "provider", "dict", "closure"],
    )
    def test_other_functions_stay(self, function):
        """What would take along more than a name is not pickled."""
        with pytest.raises(TypeError, match="use a function that a module defines"):
            pickle.dumps(CallableKeys(function))

        assert CallableKeys(function) == CallableKeys(function)

    def test_prints_the_name_of_the_function(self):
        """A partial shows no argument."""
        partial = functools.partial(clinic, KEY_BYTES.hex())

        assert "CallableKeys(clinic)" == repr(CallableKeys(clinic))
        assert "CallableKeys(partial)" == repr(CallableKeys(partial))
        assert CallableKeys(clinic) != CallableKeys(print)
        assert CallableKeys(clinic) != clinic

    def test_serves_a_binding(self):
        """It passes the check of every provider."""
        assert Conformance.keyset == resolve(CallableKeys(clinic), "default")
