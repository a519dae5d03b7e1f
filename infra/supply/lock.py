"""The lock file: every package that is installed, its version and its hashes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "requirements.lock"

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)(?: *; *([^\\]+?))? *\\?$")
_HASH = re.compile(r"^ +--hash=sha256:([0-9a-f]{64})(?: \\)?$")


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One package.

    Attributes:
        name: Normalised name.
        version: Exact version.
        marker: Where it is installed, as an environment marker; empty for everywhere.
        hashes: SHA-256 of every file that may be installed, in hexadecimal.
    """

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


class LockError(ValueError):
    """A line of the lock that is none."""


def normalised(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(text: str) -> Iterator[Pin]:
    """The packages of a lock file, in its order.

    Args:
        text: Content of the file.

    Raises:
        LockError: A line that is neither a pin, a hash nor a comment: pip would take it, unpinned.
    """
    pin: tuple[str, str, str] | None = None
    hashes: list[str] = []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if found := _HASH.match(line):
            hashes.append(found[1])
            continue
        if line.lstrip().startswith("#"):
            continue
        if pin:
            yield Pin(name=pin[0], version=pin[1], marker=pin[2], hashes=tuple(hashes))
            pin, hashes = None, []
        if not line.strip():
            continue
        matched = _PIN.match(line)
        if matched is None:
            raise LockError(
                f"requirements.lock:{number}: {line!r} is no pinned package; renew the file: make lock"
            )
        pin = (normalised(matched[1]), matched[2], matched[3] or "")


def pins() -> list[Pin]:
    """The packages of the project's lock file."""
    return list(read(PATH.read_text(encoding="utf-8")))
