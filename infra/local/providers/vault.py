"""Encrypts the secret values of the record store.

The key comes from the passphrase of the stack's own secrets by scrypt, with a salt kept in the store, so a copy of the
store without the passphrase shows no secret. A store may hold records of stacks with different passphrases: each opens
only with its own.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Mapping
from typing import Final, cast

from cryptography.fernet import Fernet, InvalidToken

from infra.local.providers.values import Asset, Map, ResourceReference, Secret, Unknown, Value, reveal

_CIPHER: Final = "$secret"
_ASSET: Final = "$asset"
_REFERENCE: Final = "$resource"


class LockedError(Exception):
    """A record was written under another passphrase."""


class Vault:
    """Turns property maps into text with the secrets in them encrypted, and back."""

    def __init__(self, *, secret: str, salt: bytes) -> None:
        self._secret = secret.encode()
        self._salt = salt

    @functools.cached_property
    def _fernet(self) -> Fernet:
        # Made on first use: a store without secrets never pays for the key.
        key = hashlib.scrypt(self._secret, salt=self._salt, n=2**14, r=8, p=1, dklen=32)
        return Fernet(base64.urlsafe_b64encode(key))

    def seal(self, properties: Map) -> str:
        """Write properties as JSON text."""
        return json.dumps(self._sealed(properties), separators=(",", ":"), sort_keys=True)

    def open(self, content: str) -> Map:
        """Read properties back.

        Raises:
            LockedError: the passphrase is not the one they were written with.
        """
        opened = self._opened(json.loads(content))
        return opened if isinstance(opened, dict) else {}

    def _sealed(self, value: Value) -> object:
        if isinstance(value, list):
            return [self._sealed(item) for item in value]
        if isinstance(value, dict):
            return {key: self._sealed(item) for key, item in value.items()}
        if isinstance(value, Secret):
            clear = json.dumps(self._sealed(reveal(value.value)))
            return {_CIPHER: self._fernet.encrypt(clear.encode()).decode()}
        if isinstance(value, Asset | ResourceReference):
            # An archive of assets holds them in its own fields.
            inner = self._sealed(dict(cast("Map", value.fields)))
            return {_ASSET if isinstance(value, Asset) else _REFERENCE: inner}
        return None if isinstance(value, Unknown) else value

    def _opened(self, node: Value) -> Value:
        if isinstance(node, list):
            return [self._opened(item) for item in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            (key, inner), *_ = node.items()
            if key == _CIPHER:
                return Secret(self._decrypted(str(inner)))
            if key == _ASSET:
                return Asset(cast("Mapping[str, object]", self._opened(inner)))
            if key == _REFERENCE:
                return ResourceReference(cast("Mapping[str, object]", self._opened(inner)))
        return {key: self._opened(item) for key, item in node.items()}

    def _decrypted(self, token: str) -> Value:
        try:
            return self._opened(json.loads(self._fernet.decrypt(token.encode())))
        except InvalidToken:
            raise LockedError(
                "a record of the local platform was written under another passphrase; set the same "
                "PULUMI_CONFIG_PASSPHRASE as when the stack was created"
            ) from None
