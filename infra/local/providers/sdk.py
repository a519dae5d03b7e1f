"""What the installed SDKs say about resources: property names, types, enums, required ones, secrets.

Nothing here is a list of ours: it reads the classes pulumi-aws, pulumi-kubernetes, pulumi-random and pulumi-eks
ship. That uses private parts of the pulumi SDK (`_types`, `rpc._RESOURCE_MODULES`), which is why the SDK is pinned
and why this module is the only one that touches them.
"""

from __future__ import annotations

import enum
import functools
import importlib
import inspect
import re
import sys
import threading
import types
import typing
from collections import abc
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import pulumi

_types: Any = importlib.import_module("pulumi._types")
_rpc: Any = importlib.import_module("pulumi.runtime.rpc")

# Imports run under one lock: the SDKs' lazy modules are not safe to load from two threads at once.
_IMPORTS = threading.RLock()


@dataclass(frozen=True, slots=True)
class Scalar:
    """A string, integer, number, boolean, asset, archive or resource; `any` takes everything."""

    kind: str


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of one type."""

    item: Shape


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object with free keys and values of one type."""

    item: Shape


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a set of constants; `name` is the SDK's enum, empty for a literal."""

    name: str
    values: tuple[str | int | float | bool, ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    """A value of any of several types."""

    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """An object with the properties of an SDK class, read when first needed (some are recursive)."""

    cls: type

    @property
    def properties(self) -> Mapping[str, Property]:
        """The properties by their Pulumi name."""
        return _properties(self.cls)


@dataclass(frozen=True, slots=True)
class Property:
    """One property: its type, whether it must be given and whether the class promises a value."""

    shape: Shape
    required: bool
    optional: bool


Shape = Scalar | ListOf | MapOf | Choice | OneOf | ObjectOf
ANY: Final = Scalar("any")


@dataclass(frozen=True, slots=True)
class ResourceSchema:
    """What the SDK knows about one resource type."""

    token: str
    inputs: Mapping[str, Property]
    outputs: Mapping[str, Property]
    secrets: frozenset[str]


_SCALARS: Final[Mapping[object, str]] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    pulumi.Asset: "asset",
    pulumi.Archive: "archive",
    Any: "any",
    object: "any",
}


def _members(annotation: object) -> list[object]:
    """Flatten a union and drop what only carries it: `Output`, `Awaitable`, `None`, typed-dict twins."""
    origin = typing.get_origin(annotation)
    if origin is pulumi.Output:
        return _members(typing.get_args(annotation)[0])
    if origin not in {typing.Union, types.UnionType}:
        return [annotation]
    found: list[object] = []
    for argument in typing.get_args(annotation):
        carrier = typing.get_origin(argument) in {pulumi.Output, abc.Awaitable, abc.Coroutine}
        twin = isinstance(argument, type) and typing.is_typeddict(argument)
        forward = isinstance(argument, typing.ForwardRef)
        if argument is type(None) or argument is pulumi.Output or carrier or twin or forward:
            continue
        found.extend(member for member in _members(argument) if member not in found)
    return found


@functools.cache
def shape_of(annotation: object) -> Shape:
    """Turn an SDK annotation into a shape."""
    members = _members(annotation)
    objects = [member for member in members if isinstance(member, type) and _types.is_input_type(member)]
    if objects:
        # `Input[Union[XArgs, Mapping]]`: the mapping is the same object written as a dict.
        members = [member for member in members if typing.get_origin(member) not in {dict, abc.Mapping}]
    shapes = tuple(dict.fromkeys(_member_shape(member) for member in members))
    if len(shapes) == 1:
        return shapes[0]
    return OneOf(shapes) if shapes and ANY not in shapes else ANY


def _member_shape(annotation: object) -> Shape:
    if annotation in _SCALARS:
        return Scalar(_SCALARS[annotation])
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return Choice("", arguments)
    if origin in {list, abc.Sequence}:
        return ListOf(shape_of(arguments[0]) if arguments else ANY)
    if origin in {dict, abc.Mapping}:
        return MapOf(shape_of(arguments[1]) if len(arguments) == 2 else ANY)
    if isinstance(annotation, type):
        return _class_shape(annotation)
    return ANY


def _class_shape(cls: type[Any]) -> Shape:
    if issubclass(cls, enum.Enum):
        module = cls.__module__.removesuffix("._enums").rpartition(".")[2]
        return Choice(f"{module}.{cls.__name__}", tuple(member.value for member in cls))

    if _types.is_input_type(cls) or _types.is_output_type(cls):
        return ObjectOf(cls)
    if issubclass(cls, pulumi.Resource):
        return Scalar("resource")
    if issubclass(cls, pulumi.Asset | pulumi.Archive):
        return Scalar("archive" if issubclass(cls, pulumi.Archive) else "asset")
    return {list: ListOf(ANY), dict: MapOf(ANY)}.get(cast("Any", cls), ANY)


def _required(cls: type) -> set[str]:
    """Find the Pulumi names of constructor parameters that have no default."""
    code: types.CodeType = cast("Any", cls.__init__).__code__
    defaults: Mapping[str, object] = cast("Any", cls.__init__).__kwdefaults__ or {}
    positional = code.co_varnames[1 : code.co_argcount]
    given = len(cast("Any", cls.__init__).__defaults__ or ())
    missing = [*positional[: len(positional) - given]]
    missing += [
        name
        for name in code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]
        if name not in defaults
    ]
    names: Mapping[str, str] = {python: pulumi_name for python, pulumi_name, _ in _types._py_properties(cls)}  # noqa: SLF001
    return {names[name] for name in missing if name in names}


def _is_optional(annotation: object) -> bool:
    if typing.get_origin(annotation) is pulumi.Output:
        annotation = typing.get_args(annotation)[0]
    return annotation is None or type(None) in typing.get_args(annotation)


@functools.cache
def _properties(cls: type) -> Mapping[str, Property]:
    with _IMPORTS:
        hints: Mapping[str, object] = _types._raw_return_hints(cls)  # noqa: SLF001
        required = _required(cls) if _types.is_input_type(cls) else set[str]()
        return {
            name: Property(shape_of(hint), name in required, _is_optional(hint))
            for name, hint in hints.items()
        }


@functools.cache
def _registry() -> Mapping[str, tuple[str, str]]:
    """Map every resource token of the loaded SDKs to the module and class that hold it."""
    found: dict[str, tuple[str, str]] = {}
    modules: Mapping[str, list[Any]] = _rpc._RESOURCE_MODULES  # noqa: SLF001
    for candidates in modules.values():
        for candidate in candidates:
            info = candidate.mod_info
            found.update({token: (info["fqn"], name) for token, name in info["classes"].items()})
    return found


def load_package(package: str) -> None:
    """Import an SDK so that its resources are known."""
    with _IMPORTS:
        importlib.import_module(f"pulumi_{package}")
        _registry.cache_clear()


def tokens(prefix: str) -> list[str]:
    """List the known resource tokens that start with a prefix."""
    return [token for token in _registry() if token.startswith(prefix)]


_SECRETS = re.compile(r"additional_secret_outputs=\[([^\]]*)\]")


def _declared_secrets(module_file: str | None, source_of: type) -> frozenset[str]:
    """Read the outputs a resource class itself declares secret; they exist in its source only."""
    if module_file is None or "additional_secret_outputs" not in Path(module_file).read_text(
        encoding="utf-8"
    ):
        return frozenset()
    match = _SECRETS.search(inspect.getsource(cast("Any", source_of)._internal_init))  # noqa: SLF001
    return frozenset(re.findall(r'"([^"]+)"', match[1])) if match else frozenset()


@functools.cache
def schema(token: str) -> ResourceSchema | None:
    """Read what the SDK says about a resource type; None where no SDK knows it."""
    place = _registry().get(token)
    if place is None:
        return None
    with _IMPORTS:
        cls: type = getattr(importlib.import_module(place[0]), place[1])
        home = sys.modules[cls.__module__]
        arguments: type = getattr(home, f"{place[1]}InitArgs", None) or getattr(home, f"{place[1]}Args")
        secrets = _declared_secrets(home.__file__, cls)
        return ResourceSchema(token, _properties(arguments), _properties(cls), secrets)


@dataclass(frozen=True, slots=True)
class FunctionSchema:
    """What the SDK knows about a function: argument names and the result's properties, but not which are required."""

    arguments: frozenset[str]
    results: Mapping[str, Property]


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)


@functools.cache
def function(token: str) -> FunctionSchema | None:
    """Read what the SDK says about `aws:ec2/getVpc:getVpc`; None where it has no such function."""
    package, module, name = token.split(":")
    room = module.split("/")[0]
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
    path = (
        f"pulumi_{package}"
        if room == "index"
        else f"pulumi_{package}.{'lambda_' if room == 'lambda' else room}"
    )
    with _IMPORTS:
        try:
            python = getattr(importlib.import_module(path), snake, None)
        except ModuleNotFoundError:
            return None
        if python is None:
            return None
        parameters = inspect.signature(python).parameters.values()
        takes = [parameter for parameter in parameters if parameter.name != "opts"]
        home = sys.modules[python.__module__]
        result: type | None = getattr(home, f"{name[0].upper()}{name[1:]}Result", None)
        return FunctionSchema(
            frozenset(_camel(parameter.name) for parameter in takes),
            _properties(result) if result else {},
        )
