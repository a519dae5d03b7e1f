"""What differs between the stand-ins: each provider is one plug-in of the common servicer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from infra.local.providers import sdk
from infra.local.providers.check import Failure, check_inputs, parts, unknown_property
from infra.local.providers.diffing import Difference, DiffRules, difference
from infra.local.providers.naming import AutoName
from infra.local.providers.sdk import ResourceSchema
from infra.local.providers.values import DEFAULTS, UNKNOWN, Map, Value, as_secret


class RefusedError(Exception):
    """The cloud would have refused this operation; the message says why."""


class UnknownFunctionError(Exception):
    """A function nobody stands in for."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One configured provider: what `Configure` said on one connection."""

    config: Map = field(default_factory=dict[str, Value])
    urn: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource in one operation; `exists` says that it has been made before."""

    urn: str
    inputs: Map
    instance: Instance
    exists: bool = False

    @property
    def token(self) -> str:
        """The resource type."""
        return parts(self.urn)[1]

    @property
    def name(self) -> str:
        """The logical name."""
        return parts(self.urn)[2]

    @property
    def stack(self) -> str:
        """The stack's name."""
        return parts(self.urn)[0]

    def digest(self, generation: int, *salt: str) -> str:
        """Return stable hexadecimal digits: same stack, URN and generation, same digits."""
        content = "\0".join((self.urn, str(generation), *salt))
        return hashlib.sha256(content.encode()).hexdigest()


Checker = Callable[[Resource], "list[Failure]"]


def _completed(given: Value, old: Value, shape: sdk.Shape) -> Value:
    """An object of the program's with what AWS had added to it."""
    if isinstance(shape, sdk.ObjectOf) and isinstance(given, dict) and isinstance(old, dict):
        return {**old, **given}
    return given


# Finds the outputs of a resource by stack and id, for what AWS reads off another resource.
OutputsOf = Callable[[str, str], "Map | None"]


class Plugin:
    """A provider: what it knows about its types. Subclasses override what differs from this default."""

    package = ""
    version = ""

    def __init__(self) -> None:
        sdk.load_package(self.package)
        self.outputs_of: OutputsOf = lambda _stack, _identity: None

    def schema(self, token: str) -> ResourceSchema | None:
        """Return what the SDK says about a type, None where it does not know it."""
        return sdk.schema(token)

    def check(self, resource: Resource) -> list[Failure]:
        """Refuse what the real provider would refuse for shape, then what its own rules say."""
        schema = self.schema(resource.token)
        if schema is None:
            known = [token.rpartition(":")[2] for token in sdk.tokens(resource.token.rpartition(":")[0])]
            reason = unknown_property(
                resource.token, [*known, *sdk.tokens(resource.token.split("/")[0] + "/")][:400]
            )
            return [Failure("", f"{resource.token} is no resource type of this provider's SDK ({reason})")]
        failures = check_inputs(schema.inputs, resource.inputs)
        return failures or [
            failure for checker in self.checkers(resource.token) for failure in checker(resource)
        ]

    def check_config(self, resource: Resource) -> list[Failure]:
        """Check a provider's own inputs."""
        del resource
        return []

    def name(self, resource: Resource, olds: Map, seed: bytes) -> None:
        """Name a resource whose name is not a plain property."""

    def check_invoke(self, token: str, arguments: Map) -> list[Failure]:
        """Check the arguments of a function."""
        function = sdk.function(token)
        if function is None:
            return []
        return [
            Failure(name, unknown_property(name, function.arguments))
            for name in arguments
            if name not in function.arguments
        ]

    def checkers(self, token: str) -> list[Checker]:
        """List the rules beyond the SDK's types."""
        del token
        return []

    def normalise(self, token: str, inputs: Map) -> None:
        """Bring checked inputs into the form the real provider keeps."""

    def auto_name(self, token: str) -> AutoName | None:
        """Say how a type is named when the program gives no name."""
        del token
        return None

    def diff_rules(self, token: str) -> DiffRules:
        """Say how a type compares."""
        del token
        return DiffRules()

    def diff(self, resource: Resource, olds: Map, ignore: list[str], state: Map) -> Difference:
        """Compare the inputs of an existing resource with new ones; `state` is its outputs."""
        del state
        return difference(self.diff_rules(resource.token), olds, resource.inputs, ignore)

    def diff_config(self, olds: Map, news: Map) -> Difference:
        """Compare provider configurations; by default nothing makes resources unmanageable."""
        return difference(DiffRules(), olds, news)

    def create(self, resource: Resource, generation: int) -> tuple[str, Map]:
        """Return the id and outputs of a new resource."""
        raise NotImplementedError

    def update(self, resource: Resource, identity: str, generation: int, old: Map) -> Map:
        """Return the outputs of a changed resource."""
        raise NotImplementedError

    def refuse_delete(self, token: str, outputs: Map) -> str | None:
        """Say why the cloud would not delete this resource now, None where it would."""
        del token, outputs
        return None

    def plan(self, resource: Resource, old: Map | None) -> Map:
        """Return the outputs as far as a preview can know them."""
        schema = self.schema(resource.token)
        known: Map = {name: value for name, value in resource.inputs.items() if name != DEFAULTS}
        if schema is None:
            return known
        volatile = self.volatile(resource.token)
        for name, declared in schema.outputs.items():
            if name in known:
                known[name] = _completed(known[name], (old or {}).get(name), declared.shape)
                continue
            if old is not None and name in old and name not in volatile and name not in schema.inputs:
                known[name] = old[name]
            elif not declared.optional or name not in schema.inputs:
                known[name] = UNKNOWN
        return known

    def volatile(self, token: str) -> frozenset[str]:
        """List outputs that an update may change."""
        del token
        return frozenset()

    def secret_outputs(self, token: str) -> frozenset[str]:
        """List the outputs that are secret whatever the inputs were."""
        schema = self.schema(token)
        return schema.secrets if schema else frozenset()

    def conceal(self, token: str, properties: Map) -> Map:
        """Mark the properties secret that are so by their nature."""
        secret = self.secret_outputs(token)
        return {name: as_secret(value) if name in secret else value for name, value in properties.items()}

    def invoke(self, token: str, arguments: Map, instance: Instance) -> Map:
        """Answer a function.

        Raises:
            UnknownFunctionError: nobody stands in for it.
        """
        del arguments, instance
        raise UnknownFunctionError(token)
