import re
import traceback

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import privkit
from privkit.errors import KeyNotFoundError, KeyProviderError, KeyUnavailableError, PrivkitError
from privkit.keys import EnvironmentKeys, FileKeys, Key, Keyset, StaticKeys, resolve
from privkit.testing import FaultyKeys
from privkit.testing.canaries import Canaries
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, TEXT

KEYSET = Keyset(Key("k2", KEY_BYTES), [Key("k1", OTHER_KEY_BYTES)])


class Provider:
    """A provider of a third party, which does what it is told."""

    def __init__(self, act):
        self.act = act
        self.names = []

    def keyset(self, name):
        self.names.append(name)
        return self.act()


def raising(error):
    """A provider that raises."""

    def act():
        leaked = KEY_BYTES  # noqa: F841 - a local that a traceback would print
        raise error

    return Provider(act)


class TestResolve:
    def test_returns_what_the_provider_has(self):
        """A keyset passes unchanged, and the provider is asked once and by name."""
        provider = Provider(lambda: KEYSET)

        assert KEYSET is resolve(provider, "billing")
        assert ["billing"] == provider.names

    @pytest.mark.parametrize(
        "error",
        [RuntimeError(TEXT), KeyError(TEXT), OSError(5, TEXT), ExceptionGroup(TEXT, [OSError()])],
    )
    def test_foreign_errors_lose_their_message(self, error):
        """An error of the provider's own becomes one of privkit, by its class alone."""
        with pytest.raises(KeyProviderError) as caught:
            resolve(raising(error), "default")

        expected = f"the key provider Provider raised {type(error).__name__}"
        assert expected == str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None

    def test_own_errors_pass_bare(self):
        """An error of privkit passes as it is, without causes and without foreign frames."""
        error = KeyUnavailableError("the vault is sealed")
        error.__cause__ = error.__context__ = RuntimeError(TEXT)
        with pytest.raises(KeyUnavailableError) as caught:
            resolve(raising(error), "default")

        names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert error is caught.value
        assert error.__cause__ is None
        assert error.__context__ is None
        assert "act" not in names
        assert "resolve" == names[-1]

    @pytest.mark.parametrize(
        "result", [None, b"", KEY_BYTES, "pk1_", 7, KEYSET.primary, [KEYSET], Keyset]
    )
    def test_other_results_are_refused(self, result):
        """Anything but a keyset is refused by its type."""
        with pytest.raises(KeyProviderError) as caught:
            resolve(Provider(lambda: result), "default")

        expected = f"the key provider Provider returns a Keyset, got {type(result).__name__}"
        assert expected == str(caught.value)

    def test_what_is_no_provider_is_refused(self):
        """An object without the method is refused like a failing one."""
        with pytest.raises(KeyProviderError, match="the key provider bytes raised AttributeError"):
            resolve(KEY_BYTES, "default")

    def test_exits_pass(self):
        """An interrupt is not an error of the provider."""
        with pytest.raises(KeyboardInterrupt):
            resolve(raising(KeyboardInterrupt()), "default")

    @pytest.mark.parametrize("fault", FaultyKeys.FAULTS)
    def test_faults_leak_nothing(self, fault):
        """Each fault gives a keyset or an error of privkit, without the secret or a key."""
        keys = FaultyKeys(fault, keys=KEYSET, secret=TEXT, seconds=0)
        canaries = Canaries({"secret": TEXT, "key": KEY_BYTES})
        source = str(privkit.__path__[0])
        try:
            found = resolve(keys, "default")
        except KeyProviderError as error:
            leaks = canaries.scan_error(error, frames_under=(source,))

            assert [] == leaks
        else:
            assert isinstance(found, Keyset)


class TestNames:
    @pytest.mark.parametrize("name", ["a", "default", "a0_", "a" * 63])
    def test_names_pass(self, name):
        """A lower-case letter, then up to 62 lower-case letters, digits and underscores."""
        assert KEYSET is resolve(Provider(lambda: KEYSET), name)

    @given(name=st.text(max_size=80) | st.from_regex("[a-z0-9_./A-Z-]{1,70}", fullmatch=True))
    @example("")
    @example("..")
    @example("/etc/passwd")
    @example("a\0")
    @example("a\n")
    @example("a" * 64)
    @example("\ud800")
    def test_only_names_reach_a_provider(self, name):
        """No other name reaches a provider, a variable or a path."""
        provider = Provider(lambda: KEYSET)
        file = FileKeys("/nowhere/keys")
        asked = [
            lambda: resolve(provider, name),
            lambda: EnvironmentKeys("PRIVKIT_UNSET").keyset(name),
            lambda: file.keyset(name),
            lambda: StaticKeys(KEYSET.primary, name="zz").keyset(name),
        ]
        messages = []
        for ask in asked:
            try:
                ask()
            except KeyNotFoundError as error:
                messages.append(str(error))

        good = re.fullmatch("[a-z][a-z0-9_]{0,62}", name) is not None
        refused = [text for text in messages if text.startswith("the name of a keyset is")]
        assert (0 if good else 4) == len(refused)
        assert ([name] if good else []) == provider.names

    @pytest.mark.parametrize("name", [None, 7, b"default", ["default"]])
    def test_names_are_text(self, name):
        """A name of another type is refused by its type."""
        with pytest.raises(KeyNotFoundError, match=f"got {type(name).__name__}"):
            resolve(Provider(lambda: KEYSET), name)

    def test_refusals_are_errors_of_providers(self):
        """Whoever handles the failure of a provider handles these too."""
        with pytest.raises(KeyProviderError) as caught:
            resolve(Provider(lambda: KEYSET), "")

        assert isinstance(caught.value, PrivkitError)
