"""Finding what a property is called in another vocabulary: CloudFormation's, or that of AWS's own interfaces."""

from __future__ import annotations

from collections.abc import Iterable

_LEAST_SUFFIX = 6
"""Shorter names, as `type` and `name`, end too many others to be found by their end."""


def counterpart(key: str, names: Iterable[str]) -> str | None:
    """The one of some names that a property goes by: the same but for case, in the plural, or with words before it.

    Args:
        key: A property in Pulumi's spelling.
        names: What the other side has.
    """
    folded = {name.lower(): name for name in names}
    short = key.lower()
    for candidate in (short, f"{short}s", short.removesuffix("s"), short.removesuffix("configuration")):
        if candidate in folded:
            return folded[candidate]
    ends = [name for low, name in folded.items() if low.endswith(short) and len(short) >= _LEAST_SUFFIX]
    return ends[0] if len(ends) == 1 else None
