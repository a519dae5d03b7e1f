"""The licence of every package in the lock, and which are permitted: what is not known is refused."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra.supply.lock import Pin, normalised, pins

PERMITTED: Mapping[str, str] = {
    "0BSD": "asks for nothing",
    "Apache-2.0": "asks for its notice",
    "BSD-2-Clause": "asks for its notice",
    "BSD-3-Clause": "asks for its notice",
    "CNRI-Python": "asks for its notice",
    "ISC": "asks for its notice",
    "MIT": "asks for its notice",
    "MIT-0": "asks for nothing",
    "MPL-2.0": "asks that changes to its own files stay open; none is changed here",
    "PSF-2.0": "asks for its notice",
}
"""Licences by SPDX identifier, and what they ask of whoever passes the program on."""

REVIEWED: Mapping[str, str] = {
    "async-timeout": "Apache-2.0",
    "axe-playwright-python": "MIT AND MPL-2.0",
    "colorama": "BSD-3-Clause",
    "pywin32": "PSF-2.0",
}
"""Packages whose metadata names no licence, or that this system does not install, read by a person in their files."""

_SPELLINGS: Mapping[str, str] = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd 3": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "psfl": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
}
"""How packages write a licence that has an SPDX identifier; "BSD" alone is one of the family, all alike here."""

UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Licence:
    """A package and under which licence it is used.

    Attributes:
        name: Name of the package.
        version: Version in the lock.
        expression: SPDX expression, or `unknown`.
        by_hand: Whether a person read it in the package's files.
    """

    name: str
    version: str
    expression: str
    by_hand: bool


def all_licences() -> list[Licence]:
    """The licence of every package in the lock, by name."""
    stated = _stated()
    return [of(pin, stated.get(pin.name, ())) for pin in sorted(pins(), key=lambda pin: pin.name)]


def of(pin: Pin, statements: Iterable[str]) -> Licence:
    """The licence of a package.

    Args:
        pin: The package.
        statements: What its metadata says, the most exact first.
    """
    by_hand = REVIEWED.get(pin.name)
    expression = by_hand or next(filter(None, map(expression_of, statements)), UNKNOWN)
    return Licence(name=pin.name, version=pin.version, expression=expression, by_hand=by_hand is not None)


def expression_of(statement: str) -> str | None:
    """An SPDX expression for what a package's metadata says, as near as it comes; None where it says nothing.

    Several classifiers do not say whether one may choose, so all of them must be permitted.
    """
    text = statement.strip()
    if not text or text == "UNKNOWN" or "\n" in text:
        return None
    parts = [part.strip() for part in text.split(";")]
    return " AND ".join(dict.fromkeys(_SPELLINGS.get(part.lower(), part) for part in parts))


def refusals(licences: Iterable[Licence]) -> list[str]:
    """A sentence for every package whose licence is unknown or not permitted."""
    found: list[str] = []
    for licence in licences:
        either = [option.split(" AND ") for option in licence.expression.split(" OR ")]
        if not any(all(part.strip() in PERMITTED for part in option) for option in either):
            found.append(
                f"{licence.name} {licence.version}: licence {licence.expression}; permitted are "
                f"{', '.join(PERMITTED)}. Read its files, then name it in infra/supply/licences.py, or do without it"
            )
    return found


@functools.cache
def _stated() -> Mapping[str, tuple[str, ...]]:
    """What the metadata of installed packages says, the most exact first, as pip-licenses reads it."""
    command = [sys.executable, "-m", "piplicenses", "--format=json", "--from=all", "--with-system"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    fields = ("License-Expression", "License-Classifier", "License-Metadata")
    return {
        normalised(each["Name"]): tuple(each[field] for field in fields) for each in json.loads(shown.stdout)
    }
