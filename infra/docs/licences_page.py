"""docs/licences.md: what every package in the lock is used under."""

from __future__ import annotations

from collections import Counter

from infra.docs.markdown import NOTICE, table
from infra.supply import licences

_TEXT = """# Licences

Every package in `requirements.lock`, with the licence that its metadata states, read by pip-licenses; those marked
*by hand* were read by a person in the package's files. One whose licence is unknown or not in the first table fails
a test. None of them is copied into this repository.
"""


def page() -> str:
    """The page, from the lock and the metadata of what is installed."""
    found = licences.all_licences()
    counts = Counter(licence.expression for licence in found)
    permitted = table(
        ["licence", "packages", "what it asks"],
        [
            [name, str(sum(count for each, count in counts.items() if name in each.split())), why]
            for name, why in licences.PERMITTED.items()
        ],
    )
    packages = table(
        ["package", "version", "licence"],
        [
            [f"`{each.name}`", each.version, f"{each.expression}{' (by hand)' if each.by_hand else ''}"]
            for each in found
        ],
    )
    return f"{NOTICE}\n\n{_TEXT}\n{permitted}\n\n## Packages\n\n{packages}\n"
