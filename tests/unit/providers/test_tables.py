"""The rows of facts must speak of types and properties that exist."""

from __future__ import annotations

import pytest

from infra.local.providers import sdk
from infra.local.providers.aws import rules
from infra.local.providers.aws.functions import FUNCTIONS
from infra.local.providers.aws.kinds import short
from infra.local.providers.aws.plugin import KINDS
from infra.local.providers.kubernetes.rules import CHECKERS, REPLACES
from infra.local.providers.sdk import ListOf, MapOf, ObjectOf, OneOf, Property, ResourceSchema, Shape

sdk.load_package("aws")
sdk.load_package("kubernetes")
TOKENS = {short(token): token for token in sdk.tokens("aws:")}


def schema_of(name: str) -> ResourceSchema:
    found = sdk.schema(TOKENS[name])
    assert found is not None
    return found


def step(shape: Shape, name: str) -> Shape | None:
    if isinstance(shape, ListOf):
        return step(shape.item, name)
    if isinstance(shape, MapOf):
        return shape.item
    if isinstance(shape, OneOf):
        return next((found for member in shape.shapes if (found := step(member, name))), None)
    if isinstance(shape, ObjectOf):
        declared = shape.properties.get(name)
        return declared.shape if declared else None
    return None


def exists(properties: dict[str, Property], path: str) -> bool:
    head, *rest = path.split(".")
    shape: Shape | None = properties[head].shape if head in properties else None
    for name in rest:
        shape = step(shape, name) if shape else None
    return shape is not None


def names_in(shape: Shape, depth: int = 4) -> set[str]:
    if isinstance(shape, ListOf | MapOf):
        return names_in(shape.item, depth)
    if isinstance(shape, OneOf):
        return {name for member in shape.shapes for name in names_in(member, depth)}
    if isinstance(shape, ObjectOf) and depth:
        declared = shape.properties
        return set(declared) | {
            name for found in declared.values() for name in names_in(found.shape, depth - 1)
        }
    return set()


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_row_speaks_of_properties_that_exist(name: str) -> None:
    assert name in TOKENS, f"pulumi-aws has no {name}"
    schema, kind = schema_of(name), KINDS[name]
    inputs = dict(schema.inputs)
    if kind.replaces != "all":
        assert [path for path in kind.replaces.split() if not exists(inputs, path)] == []
    assert [output for output in kind.outputs if output not in schema.outputs] == []
    assert [output for output in kind.updates.split() if output not in schema.outputs] == []
    assert [secret for secret in kind.secrets.split() if secret not in schema.outputs] == []
    inner = set(kind.unordered.split()) - set(inputs)
    if inner:
        everywhere = {found for declared in inputs.values() for found in names_in(declared.shape)}
        assert inner <= everywhere
    if kind.name is not None:
        assert kind.name.property in inputs


@pytest.mark.parametrize("name", sorted(rules.TABLE))
def test_rules_are_for_types_that_exist(name: str) -> None:
    assert name in TOKENS


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_are_functions_of_the_sdk(name: str) -> None:
    module, function = name.split(":")
    assert sdk.function(f"aws:{module}/{function}:{function}") is not None


@pytest.mark.parametrize("kind", sorted({*REPLACES, *CHECKERS}))
def test_kubernetes_rules_are_for_kinds_that_exist(kind: str) -> None:
    tokens = [
        token for token in sdk.tokens("kubernetes:") if token.endswith(f"/v1:{kind}") or f"v2:{kind}" in token
    ]
    assert tokens
    schema = sdk.schema(tokens[0])
    assert schema is not None
    assert [path for path in REPLACES.get(kind, []) if not exists(dict(schema.inputs), path)] == []
