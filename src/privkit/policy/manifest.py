"""
What was done to a dataset, in a file beside it: rules, key ids and counts, and no value.
"""

import dataclasses
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final, TypeVar, cast

from privkit.errors import DatasetError, KeyMaterialError, PolicyError
from privkit.keys import Key, Keyset
from privkit.keys.text import ID, holds_key
from privkit.policy.model import Policy
from privkit.policy.paths import UNPRINTABLE

FORMAT: Final = 1
"""Frozen: readers tell layouts apart by this number."""

MAX_SIZE: Final = 2**24
"""Bytes of a manifest file, beyond which it is refused."""

SUFFIX: Final = ".manifest.json"

FINGERPRINT: Final = re.compile("[0-9a-f]{64}")
TAG: Final = re.compile("[0-9a-f]{4}")
PRINTABLE: Final = re.compile(f"[^{UNPRINTABLE}]+")

REASONS: Final = ("small_domain", "legacy")
"""Parts of a field that say why something was accepted."""

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ManifestField:
    """
    What was done to one field.

    Args:
        rule: The name of the transform, as in a policy file.

        technique: Its class in ISO/IEC 20889.

        reversible: Whether an `Authority` can bring values back.

        scope: Whose values link with this field's; ``None`` for a rule without a key.

        small_domain: Why it was acceptable that few values are possible; ``None`` where that was
            refused.

        legacy: Why it was written as pyffx wrote; ``None`` where it was not.
    """

    rule: str
    technique: str
    reversible: bool
    scope: str | None
    small_domain: str | None = None
    legacy: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """
    What was done to a dataset.

    Format-preserving output cannot carry the id of its key, and under a wrong key or policy it
    inverts to another plausible value. The manifest tells which ones are the right ones.

    Args:
        policy: The name of the policy.

        version: The version of the policy.

        fingerprint: The fingerprint of the policy, 64 hexadecimal characters.

        keyset: The name of the keyset; ``None`` if no rule is keyed.

        key_id: The id of the key; ``None`` if no rule is keyed.

        key_tag: Four hexadecimal characters made from the key, its check value.

        fields: What was done to each field, by its path in the policy.

        rows: Records of the dataset.

        created: When it was made: ISO 8601, UTC.

        privkit: The version of privkit that made it.

        format: The format of the file, such as ``csv``.

        options: How to read the file, such as its delimiter.

    .. versionadded:: 0.1
    """

    policy: str
    version: int
    fingerprint: str
    keyset: str | None
    key_id: str | None
    key_tag: str | None
    fields: Mapping[str, ManifestField]
    rows: int
    created: str
    privkit: str
    format: str
    options: Mapping[str, str]

    @classmethod
    def of(
        cls,
        policy: Policy,
        *,
        keyset: str,
        key: Key | None,
        rows: int,
        format: str,  # noqa: A002 - the word of the file
        options: Mapping[str, str],
    ) -> "Manifest":
        """
        Describe a dataset that was made just now.

        Args:
            policy: The rules it was protected under.

            keyset: The name of the keyset.

            key: The primary key; ``None`` if no rule is keyed.

            rows: Records written.

            format: The format of the file.

            options: How to read the file.
        """
        return cls(
            policy=policy.name,
            version=policy.version,
            fingerprint=policy.fingerprint,
            keyset=None if key is None else keyset,
            key_id=None if key is None else key.id,
            key_tag=None if key is None else key.tag,
            fields={
                path: ManifestField(
                    rule=rule.name,
                    technique=rule.technique.value,
                    reversible=rule.reversible,
                    scope=policy.scope(path) if rule.keyed else None,
                    small_domain=getattr(rule, "small_domain", None),
                    legacy=getattr(rule, "legacy", None),
                )
                for path, rule in policy.fields.items()
            },
            rows=rows,
            created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            privkit=_own_version(),
            format=format,
            options=dict(options),
        )

    @staticmethod
    def beside(path: Path, /) -> Path:
        """
        Return where the manifest of the file *path* stands.
        """
        return path.with_name(path.name + SUFFIX)

    def check(self, policy: Policy, keyset: Keyset | None, /) -> None:
        """
        Make sure that a policy and a keyset are the ones the dataset was made with.

        Raises:
            PolicyError: If the policy has another fingerprint.

            KeyNotFoundError: If the keyset does not have the key.

            KeyMaterialError: If the key of that id has another tag: it is the wrong key.
        """
        if policy.fingerprint != self.fingerprint:
            raise PolicyError(
                f"the manifest is of policy '{self.policy}' version {self.version}, fingerprint "
                f"{self.fingerprint[:12]}…, got '{policy.name}' version {policy.version}, "
                f"fingerprint {policy.fingerprint[:12]}…"
            )
        if self.key_id is None:
            return
        if keyset is None:
            raise PolicyError(f"the manifest names key {self.key_id}, got no keys")
        key = keyset.get(self.key_id)
        if key.tag != self.key_tag:
            raise KeyMaterialError(
                f"the wrong key: key {key.id} has the tag {key.tag}, and the manifest says "
                f"{self.key_tag}"
            )

    def to_json(self) -> str:
        """
        Return the manifest as text, one field a line, with a line end behind it.
        """
        key = (
            None
            if self.key_id is None
            else {"keyset": self.keyset, "id": self.key_id, "tag": self.key_tag}
        )
        document = {
            "privkit-manifest": FORMAT,
            "policy": {
                "name": self.policy,
                "version": self.version,
                "fingerprint": self.fingerprint,
            },
            "key": key,
            "fields": {path: _written(field) for path, field in self.fields.items()},
            "rows": self.rows,
            "created": self.created,
            "privkit": self.privkit,
            "file": {"format": self.format, **self.options},
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, /) -> "Manifest":
        """
        Read what `to_json` wrote.

        Raises:
            DatasetError: If *text* is no manifest, or one of a later layout.
        """
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        layout = document.get("privkit-manifest") if isinstance(document, dict) else None
        if layout is None:
            raise DatasetError("the manifest is not a privkit manifest")
        if layout != FORMAT or isinstance(layout, bool):
            raise DatasetError(f"the manifest has another layout than {FORMAT}, the one known here")
        try:
            manifest = _read(cast("dict[str, object]", document))
        except (KeyError, TypeError, AttributeError):
            manifest = None
        if manifest is None:
            raise DatasetError("the manifest is incomplete, or one of its parts has the wrong form")
        return manifest

    @classmethod
    def load(cls, path: Path | str, /) -> "Manifest":
        """
        Read a manifest file.

        Raises:
            DatasetError: If it cannot be read or is no manifest.
        """
        if holds_key(str(path)):
            del path
            raise DatasetError("the path of a manifest is asked for, got what looks like a key")
        problem = None
        content = b""
        try:
            with Path(path).open("rb") as file:
                content = file.read(MAX_SIZE + 1)
        except OSError as error:
            problem = f"cannot be read: {(error.strerror or type(error).__name__).lower()}"
        if len(content) > MAX_SIZE:
            problem = f"is at most {MAX_SIZE} bytes"
        if problem is not None:
            raise DatasetError(f"the manifest {path} {problem}")
        return cls.from_json(content.decode("utf-8", "replace"))


def _read(document: dict[str, object]) -> Manifest:
    policy = _typed(document["policy"], dict)
    key = document["key"] if document["key"] is None else _typed(document["key"], dict)
    options = _typed(document["file"], dict)
    return Manifest(
        policy=_shaped(policy["name"], PRINTABLE),
        version=_typed(policy["version"], int),
        fingerprint=_shaped(policy["fingerprint"], FINGERPRINT),
        keyset=None if key is None else _typed(key["keyset"], str),
        key_id=None if key is None else _shaped(key["id"], ID),
        key_tag=None if key is None else _shaped(key["tag"], TAG),
        fields={
            path: _read_field(_typed(field, dict))
            for path, field in _typed(document["fields"], dict).items()
        },
        rows=_typed(document["rows"], int),
        created=_typed(document["created"], str),
        privkit=_typed(document["privkit"], str),
        format=_typed(options["format"], str),
        options={name: _typed(option, str) for name, option in options.items() if name != "format"},
    )


def _written(field: ManifestField) -> dict[str, object]:
    """
    Return a field for the file. Reasons stand there where there are some.
    """
    parts = dataclasses.asdict(field)
    return {
        part: value for part, value in parts.items() if part not in REASONS or value is not None
    }


def _read_field(field: dict[str, object]) -> ManifestField:
    scope = field["scope"]
    return ManifestField(
        rule=_typed(field["rule"], str),
        technique=_typed(field["technique"], str),
        reversible=_typed(field["reversible"], bool),
        scope=None if scope is None else _typed(scope, str),
        **{reason: _typed(field[reason], str) for reason in REASONS if reason in field},
    )


def _typed(value: object, kind: type[T]) -> T:
    # A bool is an int to isinstance, and no count.
    if type(value) is not kind:
        raise TypeError(kind.__name__)
    return value


def _shaped(value: object, shape: re.Pattern[str]) -> str:
    # What messages show is what privkit writes, and moves no cursor.
    text = _typed(value, str)
    if shape.fullmatch(text) is None:
        raise TypeError(shape.pattern)
    return text


def _own_version() -> str:
    try:
        return metadata.version("privkit-sdk")
    except metadata.PackageNotFoundError:
        return "unknown"
