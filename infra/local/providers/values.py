"""Property values as the stand-ins see them: plain Python plus secrets, unknowns, assets and references."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeGuard

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the engine's signature of a secret
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
DEFAULTS: Final = "__defaults"

# One sentinel a type, as the engine writes them: string, bool, number, list, asset, archive, object.
UNKNOWN_SENTINELS: Final = frozenset({
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
})  # fmt: skip
UNKNOWN_WIRE: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Unknown:
    """A value the engine does not know yet (during a preview)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<unknown>"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that must never be shown or written in clear."""

    value: Value

    def __repr__(self) -> str:
        return "Secret(***)"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file or an archive, kept in the engine's own form."""

    fields: Mapping[str, object]

    @property
    def is_archive(self) -> bool:
        """Whether this is an archive rather than a single file."""
        return self.fields.get(SIGNATURE) == ARCHIVE

    @property
    def digest(self) -> str:
        """The engine's hash of the content."""
        return str(self.fields.get("hash", ""))


@dataclass(frozen=True, slots=True)
class ResourceReference:
    """A reference to another resource; seen by components only, other providers receive its id."""

    fields: Mapping[str, object]

    @property
    def urn(self) -> str:
        """The URN of the resource referred to."""
        return str(self.fields.get("urn", ""))


Leaf: TypeAlias = "bool | int | float | str | Secret | Asset | ResourceReference | Unknown | None"
Value: TypeAlias = "Leaf | list[Value] | dict[str, Value]"
Map: TypeAlias = dict[str, Value]


def is_map(value: Value) -> TypeGuard[Map]:
    """Whether a value is an object."""
    return isinstance(value, dict)


def plain(value: Value) -> Value:
    """Take the secret wrapper off the outside of a value."""
    while isinstance(value, Secret):
        value = value.value
    return value


def text(value: Value, default: str = "") -> str:
    """Return a value as text, or a default where it is absent, unknown or no text."""
    value = plain(value)
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    return number_text(value)


def number(value: Value) -> float | None:
    """Return a value as a number where it is one."""
    value = plain(value)
    return None if isinstance(value, bool) or not isinstance(value, int | float) else value


def entries(value: Value) -> list[Value]:
    """Return the elements of a list, none where the value is not one."""
    value = plain(value)
    return value if isinstance(value, list) else []


def fields(value: Value) -> Map:
    """Return the fields of an object, none where the value is not one."""
    value = plain(value)
    return value if isinstance(value, dict) else {}


def number_text(value: float) -> str:
    """Write a number without a needless fraction."""
    return str(int(value)) if float(value).is_integer() else str(value)


def contains(value: Value, test: Callable[[Value], bool]) -> bool:
    """Whether a value or anything in it passes a test."""
    if test(value):
        return True
    if isinstance(value, Secret):
        return contains(value.value, test)
    if isinstance(value, list):
        return any(contains(item, test) for item in value)
    if isinstance(value, dict):
        return any(contains(item, test) for item in value.values())
    return False


def has_unknown(value: Value) -> bool:
    """Whether anything in a value is not known yet."""
    return contains(value, lambda item: isinstance(item, Unknown))


def has_secret(value: Value) -> bool:
    """Whether anything in a value is secret."""
    return contains(value, lambda item: isinstance(item, Secret))


def reveal(value: Value) -> Value:
    """Copy a value with every secret wrapper removed, for comparing; never for showing or storing."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, list):
        return [reveal(item) for item in value]
    if isinstance(value, dict):
        return {key: reveal(item) for key, item in value.items()}
    return value


def secret_texts(value: Value) -> Iterator[str]:
    """Every text in a value that is secret."""
    if isinstance(value, Secret):
        yield from texts(reveal(value))
    elif isinstance(value, list):
        for item in value:
            yield from secret_texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from secret_texts(item)


def texts(value: Value) -> Iterator[str]:
    """Every text in a value without wrappers."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)


def as_secret(value: Value) -> Value:
    """Mark a value secret once."""
    return value if isinstance(value, Secret | Unknown) or value is None else Secret(reveal(value))


_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def join(path: str, key: str | int) -> str:
    """Extend a property path as Pulumi writes it: `a.b`, `a[0]`, `a["b.c"]`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not _PLAIN_KEY.match(key):
        return f"{path}[{json.dumps(key)}]"
    return f"{path}.{key}" if path else key


_STEP = re.compile(r'\[(?:\d+|\*|"(?:[^"\\]|\\.)*")\]')


def generalise(path: str) -> str:
    """Drop list indexes from a path: `rules[0].name` is `rules.name`, the form the tables use."""
    return _STEP.sub(lambda step: "" if step[0][1:-1].isdigit() else "." + step[0][2:-2], path).lstrip(".")


def inside(value: Value, item: Value) -> Value:
    """Return what lies in a value, secret where the whole is."""
    return Secret(item) if isinstance(value, Secret) and not isinstance(item, Secret) else item


def walk(value: Value, path: str = "") -> Iterator[tuple[str, Value]]:
    """Yield every value inside a value with its property path, outermost first; secrecy goes with it."""
    yield path, value
    inner = plain(value)
    if isinstance(inner, dict):
        for key, item in inner.items():
            yield from walk(inside(value, item), join(path, key))
    elif isinstance(inner, list):
        for index, item in enumerate(inner):
            yield from walk(inside(value, item), join(path, index))


def kind_of(value: Value) -> str:
    """Name the type of a value as messages call it."""
    names: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "boolean"),
        ((int, float), "number"),
        (str, "string"),
        (list, "list"),
        (dict, "object"),
        (Asset, "asset"),
        (ResourceReference, "resource"),
        (Unknown, "unknown"),
    )
    value = plain(value)
    return next((name for types, name in names if isinstance(value, types)), "nothing")


def show(value: Value) -> str:
    """Write a value for a message: shortened, and never a secret."""
    if has_secret(value):
        return f"a secret {kind_of(value)}"
    if isinstance(value, dict | list):
        return f"{kind_of(value)} of {len(value)}"
    shown = json.dumps(value) if isinstance(value, str | bool | int | float) else repr(value)
    return f"{shown if len(shown) <= 80 else shown[:77] + '...'} ({kind_of(value)})"


def quote(value: Value) -> str:
    """Write a value for a message in a few characters, never a secret."""
    if has_secret(value):
        return "a secret"
    shown = repr(plain(value))
    return shown if len(shown) <= 80 else shown[:77] + "..."
