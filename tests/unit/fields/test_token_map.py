"""What leads from the tokens of older keys to those of the primary."""

import copy
import os
import sqlite3
import stat
import threading

import pytest

from privkit import (
    Encrypt,
    FormatPreserving,
    IPAddress,
    Keep,
    Key,
    Keyset,
    Policy,
    ShiftDate,
    StaticKeys,
    Token,
)
from privkit.errors import DatasetError, DomainError, KeyUnavailableError, PolicyError
from privkit.fields import TokenMap, token_map
from privkit.testing.keys import FaultyKeys
from tests.canaries import EMAIL, KEY_BYTES, OTHER_EMAIL, OTHER_KEY_BYTES, TEXT, THIRD_KEY_BYTES

OLDEST, OLD, NEW = Key("k1", OTHER_KEY_BYTES), Key("k2", THIRD_KEY_BYTES), Key("k3", KEY_BYTES)
KEYS = StaticKeys(NEW, older=[OLD, OLDEST])
POLICY = Policy(
    "patients",
    fields={
        "email": Token(normalize="email"),
        "other": Token(normalize="email", scope="patients.email"),
        "longer": Token(normalize="email", scope="patients.email", bits=160),
        "note": Encrypt(),
        "ward": Keep(),
        "host": IPAddress(mode="random"),
    },
)


def token(value, key, path="email"):
    """Return the token of a value under one key."""
    return POLICY.bind(StaticKeys(key))[path].apply(value)


@pytest.fixture(params=["memory", "file"])
def file(request, tmp_path):
    """Where a map is kept."""
    return None if request.param == "memory" else tmp_path / "emails.map"


@pytest.fixture
def emails(file):
    """An empty map."""
    with TokenMap(POLICY, KEYS, "email", file=file) as made:
        yield made


class TestTokenMap:
    def test_leads_from_every_older_key_to_the_primary(self, emails):
        """After learning values, the tokens of each older key lead to those of the primary."""
        assert 2 == emails.learn(iter([EMAIL, None, OTHER_EMAIL]))
        assert [token(EMAIL, NEW)] * 2 == [
            emails.translate(token(EMAIL, key)) for key in (OLD, OLDEST)
        ]
        assert token(OTHER_EMAIL, NEW) == emails.translate(token(OTHER_EMAIL, OLD))
        assert 4 == len(emails)

    def test_knows_nothing_else(self, emails):
        """What was not learned, and what is no text, has no entry."""
        emails.learn([EMAIL])

        assert [None] * 4 == [
            emails.translate(value)
            for value in (token(OTHER_EMAIL, OLD), token(EMAIL, NEW), 5, None)
        ]

    def test_learning_again_changes_nothing(self, emails):
        """A run that ended early can begin anew."""
        for _ in range(2):
            emails.learn([EMAIL, EMAIL.upper()])

        assert 2 == len(emails)

    def test_an_empty_one_is_true(self, emails):
        """A map is no container to be left out for being empty."""
        assert emails
        assert 0 == len(emails)

    def test_learns_more_than_a_batch(self, emails, monkeypatch):
        """Values are taken up in batches, the last one smaller."""
        monkeypatch.setattr(token_map, "BATCH", 3)

        assert 7 == emails.learn(f"{n}@feather.example" for n in range(7))
        assert 14 == len(emails)

    def test_a_value_that_does_not_fit_is_told_by_its_number(self, emails, monkeypatch):
        """A bad value ends learning, and what came in batches before it stays."""
        monkeypatch.setattr(token_map, "BATCH", 2)
        with pytest.raises(DomainError) as caught:
            emails.learn([EMAIL, OTHER_EMAIL, EMAIL, 5.5])

        assert (4, "email") == (caught.value.row, caught.value.field)
        assert 4 == len(emails)

    def test_errors_of_the_source_pass(self, emails):
        """What the source of values raises ends learning."""

        def source():
            yield EMAIL
            raise LookupError

        with pytest.raises(LookupError):
            emails.learn(source())

    def test_destroyed_it_knows_nothing(self, emails, file):
        """Destroying forgets all entries, and deletes the file."""
        emails.learn([EMAIL])
        emails.destroy()

        assert file is None or not file.exists()
        assert emails.translate(token(EMAIL, OLD)) is None

    def test_keys_are_fetched_when_it_learns(self):
        """Making a map asks for nothing."""
        made = TokenMap(POLICY, FaultyKeys("unavailable", seconds=0), "email")
        with pytest.raises(KeyUnavailableError):
            made.learn([EMAIL])

        assert 0 == len(made)

    def test_compromised_keys_need_a_reason(self):
        """Tokens under a compromised key have entries only with a reason."""
        keys = StaticKeys.of(Keyset(NEW, [OLDEST], compromised=[OLD]))
        without = TokenMap(POLICY, keys, "email")
        with_one = TokenMap(POLICY, keys, "email", allow_compromised="the key was leaked")
        for made in (without, with_one):
            made.learn([EMAIL])

        assert [None, token(EMAIL, NEW)] == [
            made.translate(token(EMAIL, OLD)) for made in (without, with_one)
        ]

    @pytest.mark.parametrize(
        ("field", "words"),
        [
            ("nothing", "no such field"),
            ("note", "one-way"),
            ("ward", "one-way"),
            ("host", "one-way"),
        ],
    )
    def test_is_for_one_way_fields(self, field, words):
        """What reverses or has no key needs no map."""
        with pytest.raises(PolicyError, match=words):
            TokenMap(POLICY, KEYS, field)

    @pytest.mark.parametrize(("fact", "held"), [("deterministic", False), ("by", "ward")])
    def test_is_for_values_that_alone_decide(self, fact, held, monkeypatch):
        """What is random, or depends on another field, has no one pseudonym to map."""
        monkeypatch.setattr(Token, fact, held)
        with pytest.raises(PolicyError, match=r"another pseudonym|depends on"):
            TokenMap(POLICY, KEYS, "email")

    def test_does_not_travel(self, emails):
        """A map is neither pickled nor copied."""
        with pytest.raises(TypeError, match="cannot be pickled"):
            copy.copy(emails)


class TestCheck:
    def test_fits_fields_with_the_same_rule_and_scope(self, emails):
        """Two fields of one rule and scope can use one map."""
        for path in ("email", "other"):
            emails.check(POLICY, path, NEW)
        with pytest.raises(PolicyError, match="another rule or scope"):
            emails.check(POLICY, "longer", NEW)

        assert emails.learn([EMAIL])

    def test_leads_to_one_primary(self, emails):
        """A map made with the keys of yesterday is refused."""
        with pytest.raises(PolicyError, match="leads to key k3, and the primary is k2"):
            emails.check(POLICY, "email", OLD)


class TestFile:
    def test_holds_pseudonyms_only(self, tmp_path):
        """The file has mode 0600, and no plaintext is in it."""
        path = tmp_path / "emails.map"
        with TokenMap(POLICY, KEYS, "email", file=path) as emails:
            emails.learn([EMAIL])
        content = path.read_bytes()

        assert 0o600 == stat.S_IMODE(path.stat().st_mode)
        assert EMAIL.encode() not in content
        assert token(EMAIL, OLD).encode() in content
        assert f"TokenMap(patients.email, {path})" == repr(emails)

    def test_is_read_by_another_process(self, tmp_path):
        """What one map has learned, another one with the same file knows."""
        path = tmp_path / "emails.map"
        with TokenMap(POLICY, KEYS, "email", file=path) as emails:
            emails.learn([EMAIL])
        with TokenMap(POLICY, KEYS, "other", file=str(path)) as others:
            others.check(POLICY, "other", NEW)

            assert token(EMAIL, NEW) == others.translate(token(EMAIL, OLD))
        with TokenMap(POLICY, KEYS, "email", file=path) as fresh:
            assert 2 == len(fresh)

    @pytest.mark.parametrize(
        ("field", "keys", "other"),
        [("longer", KEYS, "field"), ("email", StaticKeys(OLD, older=[OLDEST]), "primary")],
    )
    def test_of_another_map_is_refused(self, field, keys, other, tmp_path):
        """A file of another field or primary is neither read nor written."""
        path = tmp_path / "emails.map"
        with TokenMap(POLICY, KEYS, "email", file=path) as emails:
            emails.learn([EMAIL])
        with (
            TokenMap(POLICY, keys, field, file=path) as others,
            pytest.raises(DatasetError, match=f"another {other} than"),
        ):
            others.learn([OTHER_EMAIL])

        assert 2 == len(emails)
        emails.close()

    def test_of_a_later_layout_is_refused(self, tmp_path):
        """A file of another layout is refused by its number."""
        path = tmp_path / "emails.map"
        with TokenMap(POLICY, KEYS, "email", file=path) as emails:
            emails.learn([EMAIL])
        database = sqlite3.connect(path)
        with database:
            database.execute("UPDATE about SET layout = 2")
        database.close()
        with (
            TokenMap(POLICY, KEYS, "email", file=path) as again,
            pytest.raises(DatasetError, match="another layout"),
        ):
            again.learn([EMAIL])

    @pytest.mark.parametrize("obstacle", ["mode", "link", "folder", "missing", "foreign"])
    def test_that_is_not_the_users_alone_is_refused(self, obstacle, tmp_path):
        """A file that others can read, a link, a folder or another file is refused."""
        path = tmp_path / "emails.map"
        if obstacle == "mode":
            path.touch(mode=0o644)
        elif obstacle == "link":
            path.symlink_to(tmp_path / "elsewhere")
        elif obstacle == "folder":
            path.mkdir()
        elif obstacle == "missing":
            path = tmp_path / "nowhere" / "emails.map"
        else:
            path.write_bytes(TEXT.encode() * 100)
            path.chmod(0o600)
        emails = TokenMap(POLICY, KEYS, "email", file=path)
        with pytest.raises(DatasetError, match="cannot be"):
            emails.learn([EMAIL])

        assert not (tmp_path / "elsewhere").exists()

    def test_of_another_user_is_refused(self, tmp_path, monkeypatch):
        """A file that belongs to another user is refused."""
        path = tmp_path / "emails.map"
        path.touch(mode=0o600)
        monkeypatch.setattr(os, "geteuid", lambda: 12_345)
        os.chown(path, 23_456, -1) if os.getuid() == 0 else None
        emails = TokenMap(POLICY, KEYS, "email", file=path)
        with pytest.raises(DatasetError, match="regular file of its user"):
            emails.learn([EMAIL])

    def test_needs_the_modes_of_posix(self, tmp_path, monkeypatch):
        """Where files have no such modes, a map is kept in memory."""
        monkeypatch.delattr(os, "geteuid")
        emails = TokenMap(POLICY, KEYS, "email", file=tmp_path / "emails.map")
        with pytest.raises(DatasetError, match="POSIX"):
            emails.learn([EMAIL])

    def test_that_cannot_be_deleted_is_told(self, tmp_path):
        """Destroying a map whose file stays is an error."""
        path = tmp_path / "emails.map"
        path.mkdir()
        with pytest.raises(DatasetError, match="cannot be deleted"):
            TokenMap(POLICY, KEYS, "email", file=path).destroy()

    def test_belongs_to_one_thread(self, tmp_path):
        """Another thread is refused, in an error of privkit's."""
        seen = []

        def use():
            try:
                len(emails)
            except DatasetError as error:
                seen.append(str(error))

        with TokenMap(POLICY, KEYS, "email", file=tmp_path / "emails.map") as emails:
            emails.learn([EMAIL])
            thread = threading.Thread(target=use)
            thread.start()
            thread.join()

        assert ["ProgrammingError"] == [text.rpartition(" ")[2] for text in seen]

    @pytest.mark.parametrize("path", [5, "", Key("k1", KEY_BYTES).to_text()])
    def test_has_a_path(self, path):
        """What is no path is refused, and a key is not shown."""
        with pytest.raises(PolicyError, match="token map"):
            TokenMap(POLICY, KEYS, "email", file=path)


def test_dates_and_formats_are_no_case_for_it():
    """What reverses is refused, whatever it depends on."""
    policy = Policy("p", fields={"a": FormatPreserving("digits"), "b": ShiftDate(by="a")})
    for path in policy.fields:
        with pytest.raises(PolicyError, match="one-way"):
            TokenMap(policy, KEYS, path)
