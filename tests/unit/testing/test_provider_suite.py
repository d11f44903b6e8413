"""
The suite for key providers fails where a provider breaks its contract.
"""

import os
import subprocess
import threading
import time
from unittest import SkipTest

import pytest

from privkit.errors import KeyMaterialError, KeyNotFoundError, KeyProviderError
from privkit.keys import Key, Keyset, StaticKeys
from privkit.keys.provider import require_name
from privkit.testing import KeyProviderSuite, provider_suite
from privkit.testing.provider_suite import BAD_NAMES
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, TEXT
from tests.unit.keys.conformance import Conformance

KEYSET = Conformance.keyset


class Keys:
    """A provider that keeps to the contract."""

    def keyset(self, name):
        require_name(name)
        if name != "default":
            raise KeyNotFoundError("there is no such keyset")
        return self.found()

    def found(self):
        return KEYSET


class Another(Keys):
    def found(self):
        return Keyset(Key("k3", OTHER_KEY_BYTES), KEYSET.older[1:])


class Younger(Keys):
    def found(self):
        return Keyset(KEYSET.primary)


class Older(Keys):
    def found(self):
        one, other = KEYSET.older
        return Keyset(KEYSET.primary, [Key(one.id, b"\x01" + KEY_BYTES[1:]), other])


class Texts(Keys):
    def found(self):
        return [key.to_text() for key in KEYSET.live]


class Opening(Keys):
    def __init__(self):
        os.close(os.open(__file__, os.O_RDONLY))


class Starting(Keys):
    def __init__(self):
        subprocess.run(["true"], check=True)


class Once(Keys):
    def __init__(self):
        self.calls = 0

    def found(self):
        self.calls += 1
        return KEYSET if self.calls == 1 else Younger().found()


class Racing(Keys):
    def __init__(self):
        self.busy = False

    def found(self):
        if self.busy:
            raise KeyProviderError("one at a time")
        self.busy = True
        time.sleep(0.02)
        self.busy = False
        return KEYSET


class OfOneProcess(Keys):
    def __init__(self):
        self.process = os.getpid()

    def found(self):
        if os.getpid() != self.process:
            raise KeyProviderError("the connection is gone")
        return KEYSET


class Stuck(OfOneProcess):
    def found(self):
        if os.getpid() != self.process:
            time.sleep(60)
        return KEYSET


class Inventing(Keys):
    def keyset(self, name):
        require_name(name)
        return KEYSET


class Foreign(Keys):
    def keyset(self, name):
        require_name(name)
        return {"default": KEYSET}[name]


class Normalizing(Keys):
    def keyset(self, name):
        return super().keyset(str(name).strip("./").lower())


class Looking(Keys):
    def keyset(self, name):
        if type(name) is str:
            os.close(os.open(__file__, os.O_RDONLY))
        return super().keyset(name)


class Holding(Keys):
    def __init__(self):
        self.text = KEYSET.primary.to_text()

    def __reduce__(self):
        return Holding, ()


class Pickling(Keys):
    def __init__(self):
        self.held = None

    def found(self):
        self.held = KEY_BYTES
        return KEYSET

    def __repr__(self):
        return "Pickling"


class Lost(Keys):
    def __reduce__(self):
        return Younger, ()


BREACHES = {
    "constructing_it_touches_nothing": [Opening, Starting],
    "it_serves_the_keyset": [Another, Younger, Older, Texts],
    "it_serves_the_same_twice": [Once],
    "it_serves_threads": [Racing],
    "it_serves_after_a_fork": [OfOneProcess, Stuck],
    "an_unknown_name_is_not_found": [Inventing, Foreign],
    "a_bad_name_reaches_nothing": [Normalizing, Looking],
    "it_is_pickled_without_keys": [Pickling, Lost],
    "it_prints_no_key": [Holding],
}


def run(test, argument, suite=Conformance):
    """Run one test of the suite."""
    getattr(suite(), f"test_{test}")(argument)


def raising(make_error):
    """Make a provider that raises."""

    class Raising(Keys):
        def found(self):
            raise make_error()

    return Raising


def chained():
    """An error that holds a foreign one."""
    error = KeyProviderError("the backend denies")
    error.__context__ = RuntimeError("the token is swordfish")
    return error


class ShowingKeys(Keys):
    def found(self):
        text = KeyProviderSuite.twins[1].to_text()  # noqa: F841 - a traceback would print it
        raise KeyProviderError("the backend denies")


class TestBreaches:
    @pytest.mark.prints_canaries
    @pytest.mark.parametrize(
        ("test", "provider"),
        [(test, provider) for test, providers in BREACHES.items() for provider in providers],
        ids=lambda value: value if isinstance(value, str) else value.__name__,
    )
    def test_a_breach_is_found(self, test, provider, monkeypatch):
        """A provider that breaks a rule fails the test of that rule."""
        monkeypatch.setattr(provider_suite, "FORK_SECONDS", 1)
        failure = None
        try:
            run(test, provider)
        except (AssertionError, KeyProviderError, KeyError) as error:
            failure = error

        assert failure is not None

    @pytest.mark.parametrize("test", BREACHES)
    def test_a_good_provider_passes(self, test):
        """A provider that keeps to the contract passes each test."""
        run(test, Keys)

        run(test, lambda: StaticKeys.of(KEYSET))
        assert callable(getattr(Conformance, f"test_{test}"))

    @pytest.mark.parametrize(
        "provider",
        [
            Keys,
            raising(lambda: RuntimeError(TEXT)),
            raising(chained),
            raising(lambda: KeyProviderError("the backend denies.")),
            raising(lambda: KeyProviderError("the backend\ndenies")),
            raising(lambda: KeyMaterialError(KeyProviderSuite.keyset.primary.to_text()[:-9])),
            ShowingKeys,
        ],
        ids=["none", "foreign", "chained", "full stop", "two lines", "message", "local"],
    )
    def test_an_unclean_error_is_found(self, provider, request):
        """An error that is foreign, holds one, is no sentence or shows a key fails its test."""
        with pytest.raises(AssertionError, match=r"^(it breaks|a provider|the fixture)"):
            run(
                "a_broken_backend_is_a_clean_error", {"it breaks": provider}, suite=KeyProviderSuite
            )

    def test_something_can_go_wrong(self):
        """A provider of which nothing is known to break was not looked at."""
        with pytest.raises(AssertionError, match="at least one thing"):
            run("a_broken_backend_is_a_clean_error", {})

    def test_platforms_without_forks_are_skipped(self, monkeypatch):
        """Where there is no fork, its test is skipped visibly."""
        monkeypatch.delattr(os, "fork")
        with pytest.raises(SkipTest, match="does not fork"):
            run("it_serves_after_a_fork", Keys)


class Ended(BaseException):
    """The end of a process, without ending it."""


class TestForks:
    @pytest.mark.parametrize(("provider", "code"), [(Keys, 0), (OfOneProcess, 1)])
    def test_a_child_ends_with_its_verdict(self, provider, code, monkeypatch, capfd):
        """In the process that was forked, the code says whether the keyset was served."""

        def end(code):
            raise Ended(code)

        def fork():
            monkeypatch.setattr(os, "getpid", lambda: -1)
            return 0

        monkeypatch.setattr(os, "_exit", end)
        monkeypatch.setattr(os, "fork", fork)
        with pytest.raises(Ended) as caught:
            run("it_serves_after_a_fork", provider)

        assert (code,) == caught.value.args
        assert ("the connection is gone" in capfd.readouterr().err) is (code == 1)


class TestWatch:
    def test_files_and_networks_are_noted(self):
        """While a thread is watched, what concerns files, networks and processes is noted."""
        with provider_suite._watched() as touched:
            for event in ("open", "os.listdir", "socket.connect", "import", "object.__getattr__"):
                provider_suite._note(event, ())

        provider_suite._note("open", ())
        assert ["open", "os.listdir", "socket.connect"] == touched

    def test_threads_are_watched_alone(self):
        """What another thread opens is not held against the provider."""
        with provider_suite._watched() as touched:
            other = threading.Thread(target=lambda: os.close(os.open(__file__, os.O_RDONLY)))
            other.start()
            other.join()

        assert [] == touched


class TestNames:
    def test_the_corpus_is_large(self):
        """There are at least 200 bad names, and none is there twice."""
        assert 200 <= len(BAD_NAMES)
        assert len(BAD_NAMES) == len(set(map(repr, BAD_NAMES)))
