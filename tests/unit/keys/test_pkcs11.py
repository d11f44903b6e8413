import base64
import copy
import os
import pickle
import sys
from enum import StrEnum
from types import SimpleNamespace

import pkcs11
import pytest
from pkcs11 import TokenFlag

from privkit.ciphers.secret import SecretBytes
from privkit.errors import (
    KeyMaterialError,
    KeyNotFoundError,
    KeyProviderError,
    KeyUnavailableError,
    MissingExtraError,
)
from privkit.keys import Key
from privkit.keys import pkcs11 as module_of_privkit
from privkit.keys.keyset_file import KeysetFile
from privkit.keys.pkcs11 import PKCS11, PKCS11Keys
from privkit.testing.canaries import Canaries
from tests.canaries import KEY_BYTES, OTHER_KEY_BYTES, TEXT
from tests.unit.keys import softhsm
from tests.unit.keys.conformance import Conformance

CONTEXT = b"privkit keyset file 1"
DATA_KEY = SecretBytes(OTHER_KEY_BYTES)
NOWHERE = "/nowhere/libtoken.so"
TYPED = {"module": NOWHERE, "token": "clinic", "object": "privkit", "pin": "CLINIC_PIN"}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The path of SoftHSM, with tokens."""
    with softhsm.tokens(tmp_path_factory.mktemp("softhsm")) as path:
        yield path


@pytest.fixture
def options(library, monkeypatch):
    """What names the key of the clinic."""
    monkeypatch.setenv("CLINIC_PIN", softhsm.PIN)
    return {**TYPED, "module": library}


@pytest.fixture
def seal(options):
    """The key of the clinic."""
    return PKCS11(**options)


@pytest.fixture
def guarded(options, monkeypatch):
    """Return a seal over a token of which no test knows the PIN."""
    monkeypatch.setattr(module_of_privkit, "_REFUSED", set())

    def made(pin):
        monkeypatch.setenv("GUARDED_PIN", pin)
        return PKCS11(**{**options, "token": "guarded", "pin": "GUARDED_PIN"})

    return made


class TestPKCS11Keys(Conformance):
    @pytest.fixture
    def make(self, options, tmp_path):
        """The keys are in a file that a key in a token opens."""
        tmp_path.chmod(0o700)
        path = tmp_path / "clinic.pk"
        PKCS11Keys(path, **options).create(reason="first keys", adopt=self.keyset)
        return lambda: PKCS11Keys(path, **options)

    @pytest.fixture
    def broken(self, make, options, tmp_path, monkeypatch, guarded):
        """Other keys, other tokens, other PINs and files that were changed."""
        path = tmp_path / "clinic.pk"
        content = path.read_bytes()

        def other(**changed):
            return lambda: PKCS11Keys(path, **{**options, **changed})

        def holding(changed):
            path.write_bytes(changed)
            return make()

        return {
            "the key is another": other(object="another"),
            "there is no key": other(object="none"),
            "there is no token": other(token="none"),
            "there is no module": other(module=NOWHERE),
            "there is no PIN": other(pin="PRIVKIT_UNSET"),
            "what returns the PIN fails": other(pin=lambda: 1 // 0),
            "the PIN is wrong": lambda: KeysetFile(path, guarded("1234")),
            "the file was cut": lambda: holding(content[:-9]),
        }


class TestSeal:
    def test_opens_what_it_wrapped(self, seal):
        """A data key comes back, and is wrapped in another way each time."""
        one, other = seal.wrap(DATA_KEY, CONTEXT), seal.wrap(DATA_KEY, CONTEXT)

        assert DATA_KEY == seal.unwrap(one, CONTEXT)
        assert DATA_KEY == seal.unwrap(other, CONTEXT)
        assert one.keys() == other.keys() == {"nonce", "wrapped"}
        assert not set(one.values()) & set(other.values())

    def test_the_key_stays_in_the_token(self, options):
        """The token itself refuses to give the key out."""
        token = pkcs11.lib(options["module"]).get_token(token_label="clinic")
        with token.open(user_pin=softhsm.PIN) as session:
            key = session.get_key(label="privkit")

            with pytest.raises(pkcs11.AttributeSensitive):
                key[pkcs11.Attribute.VALUE]

    @pytest.mark.parametrize("position", [0, 31, 32, 47])
    @pytest.mark.parametrize("part", ["nonce", "wrapped"])
    def test_alterations_are_refused(self, seal, part, position):
        """A header of which one bit was changed does not open."""
        header = seal.wrap(DATA_KEY, CONTEXT)
        raw = bytearray(base64.b64decode(header[part]))
        raw[position % len(raw)] ^= 1
        header[part] = base64.b64encode(raw).decode()
        with pytest.raises(KeyMaterialError, match="cannot be opened: the key privkit of the"):
            seal.unwrap(header, CONTEXT)

    @pytest.mark.parametrize(
        "changed",
        [{"nonce": "AAAA"}, {"wrapped": "AAAA"}, {"wrapped": ""}, {"nonce": "?"}, {"nonce": None}],
    )
    def test_other_headers_are_refused(self, seal, changed):
        """A header of another shape does not open, and the token is not asked."""
        header = {**seal.wrap(DATA_KEY, CONTEXT), **changed}
        with pytest.raises(KeyMaterialError, match=r"cannot be opened|no base64|lacks 'nonce'"):
            seal.unwrap(header, CONTEXT)

    def test_another_context_is_refused(self, seal):
        """What was wrapped for one use does not open for another."""
        header = seal.wrap(DATA_KEY, CONTEXT)
        with pytest.raises(KeyMaterialError, match="cannot be opened"):
            seal.unwrap(header, b"another use")

    def test_another_key_is_refused(self, seal, options):
        """Another key of the token does not open it, with the same message."""
        header = seal.wrap(DATA_KEY, CONTEXT)
        other = PKCS11(**{**options, "object": "another"})
        with pytest.raises(KeyMaterialError, match="the key another of the token clinic is anoth"):
            other.unwrap(header, CONTEXT)

    @pytest.mark.parametrize("name", ["loose", "public"])
    def test_a_key_that_can_leave_is_refused(self, options, name):
        """A key that the token would give out, or use without the PIN, is no seal."""
        with pytest.raises(KeyProviderError, match="make one that is sensitive, private and not"):
            PKCS11(**{**options, "object": name}).wrap(DATA_KEY, CONTEXT)

    def test_a_login_of_the_application_is_shared(self, seal, options, monkeypatch):
        """Where the application has logged in, its login serves and stays."""
        header = seal.wrap(DATA_KEY, CONTEXT)
        token = pkcs11.lib(options["module"]).get_token(token_label="clinic")
        with token.open(user_pin=softhsm.PIN) as session:
            monkeypatch.delenv("CLINIC_PIN")

            assert DATA_KEY == seal.unwrap(header, CONTEXT)
            assert 1 == len(list(session.get_objects({pkcs11.Attribute.LABEL: "privkit"})))
        with pytest.raises(KeyNotFoundError, match="there is no PIN: set the environment variable"):
            seal.unwrap(header, CONTEXT)


class TestPIN:
    def test_comes_from_three_places(self, options, tmp_path):
        """A variable, a private file and a callable give the PIN."""
        path = tmp_path / "pin"
        path.touch(0o600)
        path.write_text(f"{softhsm.PIN}\n")
        header = PKCS11(**options).wrap(DATA_KEY, CONTEXT)

        for pin in (path, lambda: softhsm.PIN):
            assert DATA_KEY == PKCS11(**{**options, "pin": pin}).unwrap(header, CONTEXT)

    def test_a_wrong_one_is_tried_once(self, guarded, options, monkeypatch):
        """A PIN that the token refused is not tried again by anybody, and another one is."""
        tried = []
        library = pkcs11.lib(options["module"])

        class Counting:
            def __init__(self, token):
                self.token = token
                self.flags = token.flags

            def open(self, **options):
                tried.extend(options)
                return self.token.open(**options)

        def get_token(**label):
            return Counting(library.get_token(**label))

        monkeypatch.setattr(pkcs11, "lib", lambda _: SimpleNamespace(get_token=get_token))
        for _ in range(2):
            for wrong in ("1234", "12345678"):
                with pytest.raises(KeyProviderError, match="refuses the PIN from 'GUARDED_PIN'"):
                    guarded(wrong).wrap(DATA_KEY, CONTEXT)

        assert ["user_pin", "user_pin"] == tried
        assert {"nonce", "wrapped"} == guarded(softhsm.PIN).wrap(DATA_KEY, CONTEXT).keys()

    def test_what_is_remembered_is_no_pin(self, guarded):
        """What a refusal leaves behind shows no PIN, and differs between processes."""
        with pytest.raises(KeyProviderError):
            guarded(TEXT).wrap(DATA_KEY, CONTEXT)
        left = module_of_privkit._REFUSED

        assert 1 == len(left)
        assert [] == Canaries({"PIN": TEXT}).find(repr(left) + repr(module_of_privkit._SALT))

    def test_an_empty_one_is_not_tried(self, guarded, options):
        """An empty PIN would cost a try."""
        seal = PKCS11(**{**options, "token": "guarded", "pin": lambda: ""})
        with pytest.raises(KeyNotFoundError, match="there is no PIN in function, which is empty"):
            seal.wrap(DATA_KEY, CONTEXT)

    @pytest.mark.parametrize(
        ("flag", "message"),
        [
            (TokenFlag.USER_PIN_LOCKED, "the PIN of the token guarded is locked: unlock it"),
            (TokenFlag.USER_PIN_FINAL_TRY, "locks itself at the next wrong PIN, so none is tried"),
        ],
    )
    def test_a_token_near_its_lock_is_left_alone(
        self, guarded, options, monkeypatch, flag, message
    ):
        """No PIN is tried where that could lock the token, be it the right one."""
        token = pkcs11.lib(options["module"]).get_token(token_label="guarded")

        def opened(**options):
            assert {} == options
            return token.open()

        flagged = SimpleNamespace(flags=token.flags | flag, open=opened)
        library = SimpleNamespace(get_token=lambda **_: flagged)
        monkeypatch.setattr(pkcs11, "lib", lambda _: library)
        with pytest.raises(KeyProviderError, match=message):
            guarded(softhsm.PIN).wrap(DATA_KEY, CONTEXT)

    def test_is_nowhere(self, options):
        """Neither what is printed nor the pickle holds a PIN."""
        seal = PKCS11(**options)
        seal.wrap(DATA_KEY, CONTEXT)
        found = Canaries({"PIN": softhsm.PIN}).find(repr(seal).encode() + pickle.dumps(seal))

        assert [] == found


class TestFailures:
    @pytest.mark.parametrize(
        ("changed", "expected", "message"),
        [
            ({"token": "none"}, KeyNotFoundError, "no token none in the slots of .*: put it in"),
            ({"object": "none"}, KeyNotFoundError, "no AES key none in the token clinic: make"),
            ({"object": "pair"}, KeyProviderError, "has 2 AES keys pair: give each its own"),
            ({"token": "twice"}, KeyProviderError, "several tokens twice: give each its own"),
            ({"module": NOWHERE}, KeyProviderError, "libtoken.so raised PKCS11Error: check"),
        ],
    )
    def test_what_is_missing_is_told(self, options, changed, expected, message):
        """A missing or ambiguous module, token or key is one sentence with its cure."""
        with pytest.raises(expected, match=message) as caught:
            PKCS11(**{**options, **changed}).wrap(DATA_KEY, CONTEXT)

        assert expected is type(caught.value)

    @pytest.mark.parametrize(
        ("name", "expected", "message"),
        [
            ("DeviceRemoved", KeyUnavailableError, r"fails \(DeviceRemoved\); try again"),
            ("TokenNotPresent", KeyUnavailableError, r"fails \(TokenNotPresent\); try again"),
            ("GeneralError", KeyUnavailableError, r"fails \(GeneralError\); try again"),
            ("MechanismInvalid", KeyProviderError, "refuses AES-GCM with the key privkit"),
            ("PinLocked", KeyProviderError, "the PIN of the token clinic is locked: unlock"),
            ("PinExpired", KeyProviderError, "the PIN of the token clinic has expired: set"),
            ("UserPinNotInitialized", KeyProviderError, "the PIN of the token clinic is not set"),
            ("TokenNotRecognised", KeyProviderError, "raised TokenNotRecognised: check that it"),
        ],
    )
    @pytest.mark.parametrize("moment", ["token", "login", "decrypt", "probe"])
    def test_failures_of_a_token_are_told(self, seal, monkeypatch, name, expected, message, moment):
        """Whenever a token fails, its failure is one sentence without its own message."""
        header = seal.wrap(DATA_KEY, CONTEXT)
        error = getattr(pkcs11, name)(TEXT)
        monkeypatch.setattr(pkcs11, "lib", lambda _: failing(moment, error))
        with pytest.raises(expected, match=message) as caught:
            seal.unwrap(header, CONTEXT)

        assert expected is type(caught.value)
        assert caught.value.__context__ is None

    def test_a_missing_library_is_told(self, monkeypatch):
        """Without the library, the first use names the extra."""
        monkeypatch.setitem(sys.modules, "pkcs11", None)
        with pytest.raises(MissingExtraError, match=r"privkit-sdk\[pkcs11\]"):
            PKCS11(**TYPED).wrap(DATA_KEY, CONTEXT)


class Session:
    """A session of a token that fails."""

    def __init__(self, keys):
        self.keys = keys

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def get_objects(self, wanted):
        return self.keys


class FailingKey(dict):
    """A key of a token that fails, at once or when it is asked for another thing."""

    def __init__(self, error, probe):
        names = pkcs11.Attribute
        super().__init__({names.EXTRACTABLE: False, names.SENSITIVE: True, names.PRIVATE: True})
        self.error = error
        self.first = pkcs11.EncryptedDataInvalid() if probe else error

    def decrypt(self, *_, **__):
        raise self.first

    def encrypt(self, *_, **__):
        raise self.error


def failing(moment, error):
    """A library whose token fails at a moment."""

    def get_token(**_):
        if moment == "token":
            raise error
        return SimpleNamespace(open=opened, flags=TokenFlag(0))

    def opened(*, user_pin=None):
        if user_pin is None:
            return Session([])
        if moment == "login":
            raise error
        return Session([FailingKey(error, moment == "probe")])

    return SimpleNamespace(get_token=get_token)


class TestForks:
    def test_a_module_is_initialized_in_each_process(self, seal, options, monkeypatch):
        """After a fork, the module is initialized again, as PKCS#11 asks of a child."""
        header = seal.wrap(DATA_KEY, CONTEXT)
        module = options["module"]
        before = pkcs11.lib(module)
        before.finalize()
        monkeypatch.setitem(module_of_privkit._PROCESSES, module, 0)

        assert DATA_KEY == seal.unwrap(header, CONTEXT)
        assert before is not pkcs11.lib(module)
        assert os.getpid() == module_of_privkit._PROCESSES[module]

    def test_a_module_that_does_not_notice_is_finalized(self, seal, options, monkeypatch):
        """Some modules say in the child that they are initialized: those are ended first."""
        header = seal.wrap(DATA_KEY, CONTEXT)
        module = options["module"]
        before = pkcs11.lib(module)
        monkeypatch.setitem(module_of_privkit._PROCESSES, module, 0)

        assert DATA_KEY == seal.unwrap(header, CONTEXT)
        assert not before.initialized
        assert pkcs11.lib(module).initialized


class TestArguments:
    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"module": "libtoken.so"}, "the path of a PKCS#11 module is absolute"),
            ({"module": "../libtoken.so"}, "the path of a PKCS#11 module is absolute"),
            ({"module": ""}, "a PKCS#11 module is printable"),
            ({"module": "/a\0"}, "a PKCS#11 module is printable"),
            ({"module": None}, "a PKCS#11 module is str or PathLike, got NoneType"),
            ({"token": ""}, "the label of a token is 1 to 128 printable characters, got 0"),
            ({"token": "a" * 129}, "got 129"),
            ({"token": 7}, "the label of a token is str, got int"),
            ({"object": "a\n"}, "the label of a key is 1 to 128 printable characters, got 2"),
            ({"object": Key("k1", KEY_BYTES).to_text()}, "got what looks like a key"),
            ({"object": StrEnum("Name", {"A": "a"}).A}, "the label of a key is str, got Name"),
            ({"pin": "1234"}, "a PIN comes from the name of an environment variable"),
            ({"pin": None}, "got NoneType that is none: never pass it itself"),
        ],
    )
    def test_a_wrong_argument_is_told(self, changed, message):
        """What cannot name a token is refused at construction, and not shown."""
        with pytest.raises(KeyProviderError, match=message):
            PKCS11(**{**TYPED, **changed})

    @pytest.mark.parametrize("leave", [lambda s: pickle.loads(pickle.dumps(s)), copy.deepcopy])
    def test_leaves_as_a_reference(self, leave):
        """It is pickled and copied as what names the key."""
        assert PKCS11(**TYPED) == leave(PKCS11(**TYPED))
        assert hash(PKCS11(**TYPED)) == hash(leave(PKCS11(**TYPED)))

    def test_is_compared_by_what_names_the_key(self):
        """It differs by each part, and prints where the PIN comes from."""
        seal = PKCS11(**TYPED)
        expected = (
            "PKCS11(module='/nowhere/libtoken.so', token='clinic', object='privkit', "
            "pin='CLINIC_PIN')"
        )

        assert all(
            seal != PKCS11(**{**TYPED, part: "/OTHER"[part != "module" :]}) for part in TYPED
        )
        assert seal != "clinic"
        assert "pkcs11" == seal.kind
        assert expected == repr(seal)
