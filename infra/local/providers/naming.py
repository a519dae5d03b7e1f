"""Physical names as the bridged providers make them: logical name, a separator and seven hexadecimal digits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from infra.local.providers.check import Failure
from infra.local.providers.values import DEFAULTS, Map, Value, entries

SUFFIX_LENGTH = 7


@dataclass(frozen=True, slots=True)
class AutoName:
    """How one type is named when the program gives no name."""

    property: str = "name"
    limit: int = 255
    lower: bool = False
    prefix: str = ""
    suffix: Callable[[Map], str] | None = None


def suffix(seed: bytes, urn: str) -> str:
    """Make the seven digits: from the engine's seed, so that a retried run proposes the same name."""
    return hashlib.sha256(seed or urn.encode()).hexdigest()[:SUFFIX_LENGTH]


def was_automatic(inputs: Map, name: str) -> bool:
    """Whether a name in checked inputs was made here rather than given by the program."""
    return name in entries(inputs.get(DEFAULTS))


def apply(rule: AutoName, *, inputs: Map, olds: Map, urn: str, seed: bytes) -> Failure | None:
    """Fill in the name where the program left it out, keeping the one the resource already has."""
    given: Value = inputs.get(rule.property)
    if given is not None:
        inputs[DEFAULTS] = []
        return None
    if was_automatic(olds, rule.property) and olds.get(rule.property) is not None:
        name = olds[rule.property]
    else:
        logical = urn.rpartition("::")[2]
        end = rule.suffix(inputs) if rule.suffix else ""
        made = f"{rule.prefix}{logical}-{suffix(seed, urn)}{end}"
        name = made.lower() if rule.lower else made
        if len(made) > rule.limit:
            reason = f"{logical!r} plus 8 random characters is longer than {rule.limit}; give {rule.property} yourself"
            return Failure(rule.property, reason)
    inputs[rule.property] = name
    inputs[DEFAULTS] = [rule.property]
    return None
