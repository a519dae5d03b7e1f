"""Which passphrase a stack's secrets were made with, so that a wrong one is named before anything runs."""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from typing import cast

from infra.local import environment
from infra.local.errors import LocalError
from infra.local.files import write_atomically
from infra.local.home import Home

_ITERATIONS = 50_000


def check(*, home: Home, stack: str, environ: Mapping[str, str]) -> None:
    """Refuse a passphrase that is not the one this stack was made with."""
    found = _passphrase(environ)
    path = home.passphrases / f"{stack}.json"
    try:
        record = cast("dict[str, str]", json.loads(path.read_text(encoding="utf-8")))
        salt, digest, kind = bytes.fromhex(record["salt"]), record["digest"], record["kind"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # No record, or half of one: the engine's own check remains.
    if hmac.compare_digest(_digest(found, salt), digest):
        return
    have = _kind(environ)
    to_do = (
        "unset PULUMI_CONFIG_PASSPHRASE and PULUMI_CONFIG_PASSPHRASE_FILE"
        if kind == "the built-in one"
        else "set PULUMI_CONFIG_PASSPHRASE (or PULUMI_CONFIG_PASSPHRASE_FILE) to the one it was made with"
    )
    raise LocalError(
        f"the secrets of stack '{stack}' cannot be read with this passphrase.\n"
        f"  found: {have}\n  needed: {kind}, with which the stack was made\n  to do: {to_do}",
    )


def remember(*, home: Home, stack: str, environ: Mapping[str, str]) -> None:
    """Record which passphrase a new stack is made with, as a salted digest."""
    salt = os.urandom(16)
    record = {"kind": _kind(environ), "salt": salt.hex(), "digest": _digest(_passphrase(environ), salt)}
    write_atomically(home.passphrases / f"{stack}.json", json.dumps(record))


def forget(*, home: Home, stack: str) -> None:
    """Drop the record of a stack that is gone or has another passphrase now."""
    (home.passphrases / f"{stack}.json").unlink(missing_ok=True)


def known(*, home: Home, stack: str) -> bool:
    """Whether it is recorded what the stack was made with."""
    return (home.passphrases / f"{stack}.json").exists()


def _passphrase(environ: Mapping[str, str]) -> str:
    try:
        return environment.passphrase(environ)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise LocalError(
            "the passphrase cannot be read.\n"
            f"  found: PULUMI_CONFIG_PASSPHRASE_FILE={environ['PULUMI_CONFIG_PASSPHRASE_FILE']}: {reason}\n"
            "  needed: a readable file, or no variable at all (then the built-in passphrase is used)\n"
            "  to do: correct or unset PULUMI_CONFIG_PASSPHRASE_FILE",
        ) from error


def _kind(environ: Mapping[str, str]) -> str:
    if not environment.passphrase_is_set(environ):
        return "the built-in one"
    name = "PULUMI_CONFIG_PASSPHRASE"
    return f"the one in {name if name in environ else name + '_FILE'}"


def _digest(passphrase: str, salt: bytes) -> str:
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, _ITERATIONS).hex()
