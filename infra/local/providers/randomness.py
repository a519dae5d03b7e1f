"""The stand-in for pulumi-random: real random values, made once and kept."""

from __future__ import annotations

import base64
import random
import secrets
import string
import uuid
from collections.abc import Callable, Mapping
from typing import Final

from infra.local.providers.check import Failure
from infra.local.providers.diffing import DiffRules
from infra.local.providers.plugin import Checker, Plugin, Resource
from infra.local.providers.values import DEFAULTS, Map, Value, entries, number, text

_SPECIAL: Final = "!@#$%&*()-_=+[]{}<>:?"
_ADJECTIVES: Final = (
    "able brave calm daring eager fair gentle happy keen lively merry noble proud quick ready sharp"
)
_ADVERBS: Final = (
    "barely boldly deeply duly evenly firmly gladly highly jointly kindly lightly mostly newly openly"
)
_ANIMALS: Final = (
    "badger cobra dingo eagle ferret gecko heron ibex jackal koala lemur marmot newt otter panda quail"
)
_BCRYPT: Final = "./" + string.ascii_letters + string.digits


def _count(inputs: Map, name: str, default: int = 0) -> int:
    found = number(inputs.get(name))
    return default if found is None else int(found)


def _classes(inputs: Map) -> list[tuple[str, int]]:
    """List the character classes in use with the least number of each."""
    digits = inputs.get("numeric", inputs.get("number", True))
    special = text(inputs.get("overrideSpecial")) or _SPECIAL
    candidates: list[tuple[Value, str, str]] = [
        (inputs.get("lower", True), string.ascii_lowercase, "minLower"),
        (inputs.get("upper", True), string.ascii_uppercase, "minUpper"),
        (digits, string.digits, "minNumeric"),
        (inputs.get("special", True), special, "minSpecial"),
    ]
    return [(letters, _count(inputs, least)) for wanted, letters, least in candidates if wanted is not False]


def _characters(inputs: Map) -> str:
    classes = _classes(inputs)
    chosen = [secrets.choice(letters) for letters, least in classes for _ in range(least)]
    everything = "".join(letters for letters, _ in classes)
    chosen += [secrets.choice(everything) for _ in range(_count(inputs, "length") - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    return "".join(chosen)


def _string_options(inputs: Map) -> Map:
    numeric = inputs.get("numeric", inputs.get("number", True))
    options: Map = {"lower": True, "upper": True, "special": True, "number": numeric, "numeric": numeric}
    options.update(dict.fromkeys(("minLower", "minUpper", "minNumeric", "minSpecial"), 0))
    return options


def _string(inputs: Map) -> tuple[str, Map]:
    result = _characters(inputs)
    return result, {**_string_options(inputs), "result": result}


def _password(inputs: Map) -> tuple[str, Map]:
    # The hash has bcrypt's shape but does not verify: nothing installed here computes bcrypt.
    shape = "$2a$10$" + "".join(secrets.choice(_BCRYPT) for _ in range(53))
    return "none", {**_string_options(inputs), "result": _characters(inputs), "bcryptHash": shape}


def _id(inputs: Map) -> tuple[str, Map]:
    content, prefix = secrets.token_bytes(_count(inputs, "byteLength")), text(inputs.get("prefix"))
    url = base64.urlsafe_b64encode(content).decode().rstrip("=")
    return url, {
        "b64Std": prefix + base64.b64encode(content).decode(),
        "b64Url": prefix + url,
        "dec": prefix + str(int.from_bytes(content, "big")),
        "hex": prefix + content.hex(),
    }


def _uuid(inputs: Map) -> tuple[str, Map]:
    del inputs
    result = str(uuid.uuid4())
    return result, {"result": result}


def _integer(inputs: Map) -> tuple[str, Map]:
    low, high, seed = _count(inputs, "min"), _count(inputs, "max"), text(inputs.get("seed"))
    result = (random.Random(seed) if seed else secrets.SystemRandom()).randint(low, high)  # noqa: S311 - as seeded
    return str(result), {"result": result}


def _pet(inputs: Map) -> tuple[str, Map]:
    length, separator = _count(inputs, "length", 2), text(inputs.get("separator"), "-")
    words = [secrets.choice(_ADVERBS.split()) for _ in range(max(0, length - 2))]
    words += [secrets.choice(_ADJECTIVES.split())] if length > 1 else []
    words += [secrets.choice(_ANIMALS.split())]
    prefix = text(inputs.get("prefix"))
    return separator.join(([prefix] if prefix else []) + words), {"length": length, "separator": separator}


def _shuffle(inputs: Map) -> tuple[str, Map]:
    given, seed = entries(inputs.get("inputs")), text(inputs.get("seed"))
    source = random.Random(seed) if seed else secrets.SystemRandom()  # noqa: S311 - as seeded by the program
    wanted, results = _count(inputs, "resultCount", len(given)), list[Value]()
    while given and len(results) < wanted:
        results += source.sample(given, len(given))
    return "-", {"results": results[:wanted]}


def _bytes(inputs: Map) -> tuple[str, Map]:
    content = secrets.token_bytes(_count(inputs, "length"))
    return "none", {"base64": base64.b64encode(content).decode(), "hex": content.hex()}


_MAKERS: Final[Mapping[str, Callable[[Map], tuple[str, Map]]]] = {
    "RandomBytes": _bytes,
    "RandomId": _id,
    "RandomInteger": _integer,
    "RandomPassword": _password,
    "RandomPet": _pet,
    "RandomShuffle": _shuffle,
    "RandomString": _string,
    "RandomUuid": _uuid,
    "RandomUuid4": _uuid,
    "RandomUuid7": _uuid,
}


def _check_string(resource: Resource) -> list[Failure]:
    length, classes = number(resource.inputs.get("length")), _classes(resource.inputs)
    if length is None:
        return []
    if length < 1:
        return [Failure("length", f"is {length}; expected at least 1")]
    least = sum(least for _, least in classes)
    if least > length:
        return [Failure("length", f"is {length}; expected at least the sum of the minima, {least}")]
    return [] if classes else [Failure("", "every character class is off; expected at least one")]


def _check_integer(resource: Resource) -> list[Failure]:
    low, high = number(resource.inputs.get("min")), number(resource.inputs.get("max"))
    if low is None or high is None or low <= high:
        return []
    return [Failure("min", f"is {low}; expected at most max, {high}")]


def _check_id(resource: Resource) -> list[Failure]:
    length = number(resource.inputs.get("byteLength"))
    return (
        [Failure("byteLength", f"is {length}; expected at least 1")]
        if length is not None and length < 1
        else []
    )


class RandomPlugin(Plugin):
    """Random values that stay until an input changes; every change makes a new one."""

    package = "random"
    version = "4.21.4"

    def checkers(self, token: str) -> list[Checker]:
        """Check lengths and ranges."""
        kind = token.rpartition(":")[2]
        if kind in {"RandomString", "RandomPassword"}:
            return [_check_string]
        return {"RandomInteger": [_check_integer], "RandomId": [_check_id]}.get(kind, [])

    def diff_rules(self, token: str) -> DiffRules:
        """Replace on every change, as the real provider does."""
        del token
        return DiffRules(all_replace=True, empty_is_absent=False)

    def create(self, resource: Resource, generation: int) -> tuple[str, Map]:
        """Draw the value."""
        del generation
        identity, made = _MAKERS[resource.token.rpartition(":")[2]](resource.inputs)
        given = {name: value for name, value in resource.inputs.items() if name != DEFAULTS}
        return identity, {**made, **given}

    def update(self, resource: Resource, identity: str, generation: int, old: Map) -> Map:
        """Keep the value; only reached when nothing that matters changed."""
        del identity, generation
        return {**old, **{name: value for name, value in resource.inputs.items() if name != DEFAULTS}}
