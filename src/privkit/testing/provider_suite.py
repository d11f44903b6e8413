"""
What every key provider keeps to, as tests.
"""

import os
import pickle
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from string import punctuation
from typing import ClassVar, Final, TypeAlias, cast
from unittest import SkipTest

from privkit.errors import KeyNotFoundError, KeyProviderError, PrivkitError
from privkit.keys.key import Key
from privkit.keys.keyset import Keyset
from privkit.keys.provider import DEFAULT, KeyProvider
from privkit.testing.canaries import Canaries

Make: TypeAlias = "Callable[[], KeyProvider]"

THREADS: Final = 8
CALLS: Final = 5
"""How often each thread asks."""

FORK_SECONDS: Final = 60
"""How long a process that was forked may take before it counts as stuck."""

EVERYWHERE: Final = ("",)
"""The frames of a client are searched as well: what it raised is no part of our error."""

OUTSIDE: Final = ("open", "os.", "shutil.", "socket.", "subprocess.", "sqlite3.", "urllib.")
"""What the audit events of files, folders, networks and processes begin with."""

PLACES: Final = (
    "../default", "..", ".", "/etc/passwd", "default/../default", "./default", "default/",
    "..\\default", "C:\\keys", "\\\\host\\share", "~", "~root", "$HOME", "${HOME}", "%HOME%",
    "file:///etc/passwd", "http://127.0.0.1/default", "//127.0.0.1/default", "..%2fdefault",
    "%2e%2e/default", "..%c0%afdefault", "/dev/stdin", "/proc/self/environ", "default:0",
    "default?version=1", "default#fragment", "default;version=1", "default&x=1", "default=1",
)  # fmt: skip
CODE: Final = (
    "default'--", "' or '1'='1", 'default"; drop table keys', "default`id`", "$(id)", "|id",
    "default;id", "default && id", "default > x", "{{7*7}}", "${7*7}", "%s%s%n", "{0}",
    "{name.__class__}", "*", "default*", "def?ult", "[a-z]", "*)(uid=*", "default)(|(a=b)",
    "<!ENTITY x>", "<script>", 'default" or "1"="1', "\\x41", "\\u0041", "--default", "-d",
    "@default", "!default", "^default$", "default|x", "default,other", "default other", "a..b",
    "a//b", "a\\..\\b",
)  # fmt: skip
CHARACTERS: Final = (
    *(f"default{chr(code)}" for code in (*range(33), 127, 0x85, 0xA0, 0x2028, 0x200B, 0xFEFF)),
    *(f"{chr(code)}default" for code in (0, 9, 10, 13, 32, 0x202E, 0xFEFF, 0xD800, 0xDFFF)),
    *(f"de{chr(code)}fault" for code in (0, 9, 10, 13, 32, 0x00AD, 0x200D, 0xDC80)),
    *(f"a{character}b" for character in punctuation if character != "_"),
)
SPELLINGS: Final = (
    "", "Default", "DEFAULT", "dEfault", "1default", "_default", "défault", "d\u0435fault",
    "\uff44efault", "default\u2460", "default\u0661", "defaulT", "de-fault", "-default", "default-",
    "\u017fefault", "\u0131", "\U0001f511", "é" * 63, "a/" * 300,
    "a" * 64, "a" * 255, "a" * 256, "a" * 4096, "a" * 65_536,
    "none?", "Null", "True", "NaN", "0", "-1", "1e9", "0x0", "con.", "nul:", "aux ", "default.",
)  # fmt: skip
OTHERS: Final = (
    None, True, 0, 7, 1.5, b"default", bytearray(b"default"), ("default",), ["default"],
    {"default": 1}, frozenset({"default"}), object(), type("Name", (str,), {})("default"),
)  # fmt: skip

BAD_NAMES: Final[tuple[object, ...]] = (*PLACES, *CODE, *CHARACTERS, *SPELLINGS, *OTHERS)
"""What is no name of a keyset, though somebody's data may say so."""


class KeyProviderSuite:
    """
    Hold a key provider to its contract: subclass it in a test file that pytest runs.

    A subclass has two fixtures::

        class TestShelfKeys(KeyProviderSuite):
            @pytest.fixture
            def make(self, tmp_path):
                ...  # store the keys of self.keyset under the name "default"
                return lambda: ShelfKeys(tmp_path)

            @pytest.fixture
            def broken(self, tmp_path):
                return {"there is no shelf": lambda: ShelfKeys(tmp_path / "none"), ...}

    *make* returns a function that makes a fresh provider, whose keyset ``default`` is
    `keyset` and which has no other keyset. *broken* maps what can go wrong to functions that let
    it go wrong and return a provider: the backend is down, denies, or holds a text that was cut
    or two keys of one id (`twins`). The functions are called in their order.

    A test fails with an `AssertionError` that states the rule.

    .. versionadded:: 0.1
    """

    keyset: ClassVar[Keyset] = Keyset(
        Key.generate("suite-3"), [Key.generate("suite-2"), Key.generate("suite-1")]
    )
    """What the keyset ``default`` holds: a primary and two older keys."""

    twins: ClassVar[tuple[Key, Key]] = (Key.generate("suite-twin"), Key.generate("suite-twin"))
    """Two keys of one id, which no provider may serve."""

    def test_constructing_it_touches_nothing(self, make: Make) -> None:
        """
        Constructing a provider opens no file, no socket and no process: it may stand in a module.
        """
        make()
        with _watched() as touched:
            make()

        _require(not touched, f"constructing a provider does no I/O, got {sorted(set(touched))}")

    def test_it_serves_the_keyset(self, make: Make) -> None:
        """
        What it serves is a `Keyset` with the primary and every older key, in order.
        """
        self._check(make().keyset(DEFAULT))

    def test_it_serves_the_same_twice(self, make: Make) -> None:
        """
        One provider, and another one of the same backend, serve equal keysets each time.
        """
        provider = make()

        for _ in range(2):
            self._check(provider.keyset(DEFAULT))
        self._check(make().keyset(DEFAULT))

    def test_it_serves_threads(self, make: Make) -> None:
        """
        Eight threads that ask one provider at once all get the keyset.
        """
        provider = make()
        start = threading.Barrier(THREADS)

        def ask(_: int) -> list[Keyset]:
            start.wait()
            return [provider.keyset(DEFAULT) for _ in range(CALLS)]

        with ThreadPoolExecutor(THREADS) as pool:
            for keysets in pool.map(ask, range(THREADS)):
                for keyset in keysets:
                    self._check(keyset)

    def test_it_serves_after_a_fork(self, make: Make) -> None:
        """
        A process that was forked after the first use gets the keyset, and so does its parent.
        """
        if not hasattr(os, "fork"):
            raise SkipTest("this platform does not fork")
        provider = make()
        self._check(provider.keyset(DEFAULT))
        child = os.fork()
        if child == 0:
            _end_with(lambda: self._check(provider.keyset(DEFAULT)))
        self._check(provider.keyset(DEFAULT))

        _require(_exit_code(child) == 0, "a provider serves the keyset after a fork as well")

    def test_an_unknown_name_is_not_found(self, make: Make) -> None:
        """
        A keyset that is not there is a `KeyNotFoundError`, as are two that are not there.
        """
        for name in ("unknown", "another_one", "defaul", "default_"):
            error = _error_of(make(), name)

            _require(
                isinstance(error, KeyNotFoundError),
                f"an unknown keyset is a KeyNotFoundError, got {type(error).__name__}",
            )

    def test_a_bad_name_reaches_nothing(self, make: Make) -> None:
        """
        What is no name of a keyset is a `KeyNotFoundError`, and no file or socket is opened.
        """
        provider = make()
        self._check(provider.keyset(DEFAULT))
        for number, name in enumerate(BAD_NAMES):
            with _watched() as touched:
                error = _error_of(provider, cast("str", name))

            _require(
                isinstance(error, KeyNotFoundError) and not touched,
                f"bad name {number} is refused with a KeyNotFoundError and no I/O, got "
                f"{type(error).__name__} and {sorted(set(touched))}: call require_name() first",
            )

    def test_it_is_pickled_without_keys(self, make: Make) -> None:
        """
        A pickle holds no byte of a key and gives a provider that serves the same; or is refused.
        """
        provider = make()
        self._check(provider.keyset(DEFAULT))
        try:
            pickled = pickle.dumps(provider)
        except TypeError:
            # The other way to keep the rule, for a provider that holds keys.
            return
        found = self._canaries().find(pickled)

        _require(not found, f"a pickled provider holds no key, got {found}")
        self._check(pickle.loads(pickled).keyset(DEFAULT))  # noqa: S301 - it was made above

    def test_it_prints_no_key(self, make: Make) -> None:
        """
        Neither what a provider prints nor its attributes show a key, used or not.
        """
        for provider in (make(), make()):
            for _ in range(2):
                held = vars(provider) if hasattr(provider, "__dict__") else {}
                printed = [repr(provider), str(provider), format(provider), repr(held)]
                found = self._canaries().find("\n".join(printed))

                _require(not found, f"a provider prints no key, got {found}")
                self._check(provider.keyset(DEFAULT))

    def test_a_broken_backend_is_a_clean_error(self, broken: Mapping[str, Make]) -> None:
        """
        Whatever goes wrong is a `KeyProviderError` of one sentence, in which no key is in reach.
        """
        _require(bool(broken), "the fixture 'broken' tells at least one thing that can go wrong")
        for what, make in broken.items():
            provider = make()
            for _ in range(2):
                error = _error_of(provider, DEFAULT)

                _require(
                    isinstance(error, KeyProviderError),
                    f"{what}: this is a KeyProviderError, got {type(error).__name__}",
                )
                held = cast("KeyProviderError", error)
                message = str(held)
                _require(
                    "\n" not in message.strip() and not message.endswith("."),
                    f"{what}: a message is one sentence without a full stop",
                )
                found = self._canaries().scan_error(held, frames_under=EVERYWHERE)
                _require(not found, f"{what}: no key is in reach of the error, got {found}")
                _require(
                    all(
                        other is None or isinstance(other, PrivkitError)
                        for other in (held.__cause__, held.__context__)
                    ),
                    f"{what}: an error holds no foreign one, whose message may hold a secret",
                )

    def _check(self, found: object) -> None:
        keyset = self.keyset
        _require(
            isinstance(found, Keyset), f"a provider returns a Keyset, got {type(found).__name__}"
        )
        served = cast("Keyset", found)
        _require(
            served.ids == keyset.ids,
            f"a provider serves the keys {list(keyset.ids)} in this order, got {list(served.ids)}",
        )
        _require(served.primary == keyset.primary, "the primary is the key that was stored")
        _require(served.live == keyset.live, "the older keys are the keys that were stored")

    def _canaries(self) -> Canaries:
        keys = (*self.keyset.live, *self.twins)
        return Canaries(
            {
                f"{'' if key in self.keyset.live else 'twin '}{key.id}, {number}": form
                for number, key in enumerate(keys)
                for form in (key.to_text(), bytes.fromhex(key.to_text().split("_")[2]))
            }
        )


class _Watch(threading.local):
    """
    What this thread touches outside of the process while it is watched.
    """

    touched: list[str] | None = None


_WATCH: Final = _Watch()
_HOOKS: Final[list[object]] = []


def _note(event: str, _: object) -> None:
    if _WATCH.touched is not None and event.startswith(OUTSIDE):
        _WATCH.touched.append(event)


@contextmanager
def _watched() -> Iterator[list[str]]:
    """
    Collect the audit events of this thread that concern files, networks and processes.
    """
    if not _HOOKS:
        # A hook stays for the life of the process, so there is one.
        _HOOKS.append(_note)
        sys.addaudithook(_note)
    touched: list[str] = []
    _WATCH.touched = touched
    try:
        yield touched
    finally:
        _WATCH.touched = None


def _require(condition: bool, rule: str) -> None:  # noqa: FBT001 - it reads like an assertion
    # Not `assert`, which `python -O` leaves out.
    if not condition:
        raise AssertionError(rule)


def _error_of(provider: KeyProvider, name: str) -> BaseException | None:
    """
    Return what a provider raises, without the frames of this file.
    """
    try:
        provider.keyset(name)
    except Exception as error:  # noqa: BLE001 - which class it is, is the question
        return error
    return None


def _end_with(act: Callable[[], None]) -> None:
    """
    End this process, which was forked: with 0 if *act* returns.
    """
    code = 1
    try:
        act()
        code = 0
    except BaseException:  # noqa: BLE001 - the parent learns of it by the code
        traceback.print_exc()
    finally:
        os._exit(code)


def _exit_code(child: int) -> int:
    """
    Return how a process ended, after ending it if it is stuck.
    """
    deadline = time.monotonic() + FORK_SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, 9)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
