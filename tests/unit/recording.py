"""A recording mock of the Pulumi engine: what a component registers, with helpers by type and name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks

REGION = "us-east-1"
ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Recorded:
    """One registered resource, with its inputs as the engine would see them."""

    type: str
    name: str
    inputs: dict[str, Any]


class Recorder(Mocks):
    """Answers every registration with an id, an ARN and the inputs, and remembers it."""

    def __init__(self, calls: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] | None = None) -> None:
        self.resources: list[Recorded] = []
        self._calls = calls or {}

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs: dict[str, Any] = _untyped(args, "inputs")
        self.resources.append(Recorded(args.typ, args.name, inputs))
        short = args.typ.rsplit(":", 1)[-1].lower()
        computed = {
            "arn": f"arn:aws:mock:{REGION}:{ACCOUNT}:{short}/{args.name}",
            "name": args.name,
            "result": "generated-value",
            "address": f"{args.name}.example.internal",
            "endpoint": f"{args.name}.example.internal:5432",
            "dnsName": f"{args.name}.example.internal",
            "zoneId": "Z0000000000000",
            "keyId": f"key-{args.name}",
        }
        return f"{args.name}-id", {**computed, **inputs}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        answer = self._calls.get(args.token)
        if answer is None:
            raise AssertionError(f"the program called {args.token}, which this test does not answer")
        return answer(_untyped(args, "args")), []

    def of_type(self, type_token: str) -> list[Recorded]:
        """Resources of a type, e.g. `aws:ec2/vpc:Vpc`, by name: they register in no certain order."""
        return sorted((r for r in self.resources if r.type == type_token), key=lambda resource: resource.name)

    def one(self, type_token: str, name: str | None = None) -> Recorded:
        """The only resource of a type (and name); fails when there is none or more than one."""
        found = [r for r in self.of_type(type_token) if name is None or r.name == name]
        known = sorted({(r.type, r.name) for r in self.resources})
        assert len(found) == 1, f"expected one {type_token} {name or ''}, found {len(found)} among {known}"
        return found[0]


def _untyped(owner: object, name: str) -> Any:
    """Read what the SDK declares without a complete type."""
    return getattr(owner, name)


def run_program(program: Callable[[], Any], recorder: Recorder | None = None) -> Recorder:
    """Run a program on a recording mock until all its registrations have drained.

    Raises:
        Exception: Whatever the program or a registration raised.
    """
    recorder = recorder or Recorder()
    pulumi.runtime.set_mocks(recorder, project="parking", stack="test", preview=False)

    _untyped(pulumi.runtime, "test")(program)()
    return recorder


def parsed(document: str) -> Any:
    """A JSON document as data, so that policies are never compared as text."""
    return json.loads(document)
