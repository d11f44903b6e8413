"""
What a keyed transform is bound to.
"""

from dataclasses import KW_ONLY, dataclass
from typing import final

from privkit.ciphers.secret import SecretBytes
from privkit.keys.key import Key


@final
@dataclass(frozen=True, slots=True)
class Subkeys:
    """
    Hand out the subkeys of one key for one field of one policy.

    Args:
        key: Where they come from.

        field: The policy path of the field. It is for errors and associated data: two fields of
            one scope share their subkeys.

        scope: Values link within it and nowhere else.

    .. versionadded:: 0.1
    """

    key: Key
    _: KW_ONLY
    field: str
    scope: str

    @property
    def key_id(self) -> str:
        """
        The id of the key, which pseudonyms and manifests may carry.
        """
        return self.key.id

    @property
    def key_tag(self) -> str:
        """
        Four lower-case hexadecimal characters that tell the keys of a keyset apart.
        """
        return self.key.tag

    def derive(self, purpose: str, algorithm: str, *, size: int = 32) -> SecretBytes:
        """
        Return *size* bytes that depend on the key, the scope and these names alone.
        """
        return self.key.derive(purpose=purpose, scope=self.scope, algorithm=algorithm, size=size)
