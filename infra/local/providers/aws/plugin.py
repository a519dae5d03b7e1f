"""The plug-in for pulumi-aws."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Final

from infra.local.providers import sdk
from infra.local.providers.aws import (
    regions,
    rules,
    table_compute,
    table_data,
    table_edge,
    table_network,
    table_operations,
    table_storage,
    templates,
)
from infra.local.providers.aws.functions import answer, missing
from infra.local.providers.aws.kinds import Kind, arn, short
from infra.local.providers.check import Failure, unknown_property
from infra.local.providers.diffing import Change, Difference, DiffRules, same
from infra.local.providers.naming import AutoName
from infra.local.providers.plugin import Checker, Instance, Plugin, RefusedError, Resource
from infra.local.providers.sdk import ListOf, MapOf, ObjectOf, OneOf, Property, Scalar, Shape
from infra.local.providers.values import (
    DEFAULTS,
    UNKNOWN,
    Map,
    Secret,
    Unknown,
    Value,
    fields,
    number,
    plain,
    reveal,
    text,
)
from infra.local.value_checks.judge import Judge

KINDS: Final[Mapping[str, Kind]] = {
    **table_network.KINDS,
    **table_compute.KINDS,
    **table_data.KINDS,
    **table_storage.KINDS,
    **table_edge.KINDS,
    **table_operations.KINDS,
}
# For types without a row: what nearly always identifies a resource in Terraform's provider.
_IDENTITY: Final = frozenset({
    "name", "namePrefix", "availabilityZone", "vpcId", "engine", "cidrBlock", "kmsKeyId", "snapshotIdentifier",
    "storageEncrypted", "bucket", "clusterName", "clusterArn", "subnetId", "zoneId", "type", "path", "apiId", "restApi",
    "userPoolId", "domainName", "functionName", "resourceArn",
})  # fmt: skip
_ADDED: Final = (Change.ADD, Change.ADD_REPLACE)
_TAKEN_AWAY: Final = (Change.DELETE, Change.DELETE_REPLACE)
_PLAIN: Final[Mapping[str, Value]] = {"string": "", "boolean": False, "integer": 0, "number": 0}


def region_of(instance: Instance, inputs: Map | None = None) -> str:
    """Return the region a resource lives in: its own, else its provider's."""
    return text((inputs or {}).get("region")) or text(instance.config.get("region")) or regions.DEFAULT_REGION


def default_tags(instance: Instance) -> Map:
    """Return the tags the provider puts on everything; nested configuration arrives as JSON text."""
    given = plain(instance.config.get("defaultTags"))
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            return {}
    return fields(fields(given).get("tags"))


def _empty(shape: Shape, name: str, facts: templates.Facts) -> Value:
    """Make the least value of a type for an output the class promises and no row fills."""
    if isinstance(shape, Scalar):
        if shape.kind == "string" and name == "arn":
            service, kind = short(facts.resource.token).split(":")
            return facts.text(arn(service, f"{kind.lower()}/{facts.id}"))
        return _PLAIN.get(shape.kind)
    if isinstance(shape, ListOf):
        return []
    if isinstance(shape, MapOf):
        return {}
    if isinstance(shape, ObjectOf):
        declared = shape.properties.items()
        return {key: _empty(field.shape, key, facts) for key, field in declared if not field.optional}
    return _empty(shape.shapes[0], name, facts) if isinstance(shape, OneOf) else shape.values[0]


class AwsPlugin(Plugin):
    """AWS as far as a record can be it."""

    package = "aws"
    version = "7.51.1"

    def __init__(self, judge: Judge | None = None) -> None:
        super().__init__()
        self._judge = judge

    def check(self, resource: Resource) -> list[Failure]:
        """Refuse wrong shapes, then what our rules refuse, then values that cfn-lint knows AWS not to take."""
        failures = super().check(resource)
        if failures or self._judge is None:
            return failures
        return self._judge.failures(resource, region_of(resource.instance, resource.inputs))

    def kind(self, token: str) -> Kind | None:
        """Return the facts about a type."""
        return KINDS.get(short(token))

    def check_config(self, resource: Resource) -> list[Failure]:
        """Refuse a provider without a region, or in one that does not exist."""
        region = plain(resource.inputs.get("region"))
        known = rules.region_names()
        if isinstance(region, Unknown):
            return []
        if region is None:
            if os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"):
                resource.inputs["region"] = os.environ.get("AWS_REGION") or os.environ.get(
                    "AWS_DEFAULT_REGION"
                )
                return []
            return [Failure("region", "missing: set aws:region in the stack file or region on the provider")]
        if text(region) not in known:
            return [Failure("region", f"is {region!r}; {unknown_property(text(region), known)}")]
        return []

    def auto_name(self, token: str) -> AutoName | None:
        """Name what the SDK lets go unnamed."""
        kind = self.kind(token)
        if kind is not None:
            return kind.name
        schema = self.schema(token)
        name = schema.inputs.get("name") if schema else None
        return (
            AutoName() if name is not None and not name.required and name.shape == Scalar("string") else None
        )

    def checkers(self, token: str) -> list[Checker]:
        """Apply the hand-written rules."""
        return rules.checkers(short(token))

    def normalise(self, token: str, inputs: Map) -> None:
        """Write policy documents given as objects as JSON text, the form the provider keeps."""
        schema = self.schema(token)
        for name, declared in (schema.inputs if schema else dict[str, Property]()).items():
            given = plain(inputs.get(name))
            takes_text = isinstance(declared.shape, OneOf) and Scalar("string") in declared.shape.shapes
            if takes_text and isinstance(given, dict):
                document = json.dumps(reveal(given)) if not rules.is_unknown(given) else UNKNOWN
                inputs[name] = Secret(document) if isinstance(inputs[name], Secret) else document

    def diff_rules(self, token: str) -> DiffRules:
        """Say what replaces: the row's properties, or identity in general; a move to another region always."""
        kind = self.kind(token)
        if kind is None:
            schema = self.schema(token)
            names = list(schema.inputs) if schema else []
            identity = {name for name in names if name in _IDENTITY or name.endswith("Identifier")}
            return DiffRules(replaces=frozenset({"region", *identity}))
        if kind.replaces == "all":
            schema = self.schema(token)
            names = set(schema.inputs if schema else ()) - {"tags"}
            return DiffRules(replaces=frozenset(names), unordered=frozenset(kind.unordered.split()))
        return DiffRules(
            replaces=frozenset(["region", *kind.replaces.split()]),
            unordered=frozenset(kind.unordered.split()),
            replaces_if=kind.replaces_if,
        )

    def diff(self, resource: Resource, olds: Map, ignore: list[str], state: Map) -> Difference:
        """Compare; types that cannot exist twice go before their successor comes.

        A provider that moved to another region keeps what is global, such as roles, and replaces the rest.
        """
        found = super().diff(resource, olds, ignore, state)
        kind = self.kind(resource.token)
        keeps = kind.keeps.split() if kind else []
        for path, change in list(found.changes.items()):
            # The state has what a server is; the program may come to say it, or leave it to be as it is.
            said = change in _ADDED and path in state and same(state[path], resource.inputs.get(path))
            if said or (change in _TAKEN_AWAY and path in keeps):
                del found.changes[path]
        before = text(state.get("region"))
        if before and before != region_of(resource.instance, resource.inputs) and "region" not in ignore:
            found.changes["region"] = Change.UPDATE_REPLACE
        found.delete_before_replace = bool(found.replaced and kind and kind.before)
        return found

    def create(self, resource: Resource, generation: int) -> tuple[str, Map]:
        """Make up the id and what AWS computes."""
        kind = self.kind(resource.token) or Kind(id=self._generic_id(resource.token))
        facts = self._facts(kind, resource, generation)
        facts.id = facts.text(kind.id) or facts.digits("", "uuid", "")
        return facts.id, self._outputs(facts)

    def adopt(self, resource: Resource, generation: int, identity: str, shown: Map) -> Map:
        """Return the outputs of what the cloud made: as it shows them, the rest made up around its id.

        Args:
            resource: What was asked for.
            generation: Which one of its URN it is.
            identity: The id that the cloud gave it.
            shown: Outputs that the cloud shows.
        """
        kind = self.kind(resource.token) or Kind(id=self._generic_id(resource.token))
        facts = self._facts(kind, resource, generation)
        facts.id, facts.shown = identity, shown
        return self._outputs(facts)

    def _facts(self, kind: Kind, resource: Resource, generation: int) -> templates.Facts:
        region = region_of(resource.instance, resource.inputs)
        return templates.Facts(kind, resource, generation, region, self.outputs_of)

    def _generic_id(self, token: str) -> str:
        rule = self.auto_name(token)
        return "{name}" if rule is not None else "{uuid}"

    def _outputs(self, facts: templates.Facts) -> Map:
        resource, schema = facts.resource, self.schema(facts.resource.token)
        given: Map = {
            name: value for name, value in resource.inputs.items() if name != DEFAULTS and value is not None
        }
        made: Map = {name: facts.render(template) for name, template in facts.kind.outputs.items()}
        hook = templates.HOOKS.get(short(resource.token))
        made.update(hook(facts) if hook else {})
        for name, value in facts.shown.items():
            below = made.get(name)
            made[name] = {**below, **value} if isinstance(below, dict) and isinstance(value, dict) else value
        declared = schema.outputs if schema else dict[str, Property]()
        outputs: Map = {name: value for name, value in made.items() if name in declared}
        for name, value in given.items():
            below, above = plain(outputs.get(name)), plain(value)
            # A list AWS completes (a certificate's names) stays completed; an object is laid over the defaults.
            if isinstance(below, dict) and isinstance(above, dict):
                outputs[name] = {**below, **above}
            elif not (name == "subjectAlternativeNames" and isinstance(below, list)):
                outputs[name] = value
        self._common(facts, outputs)
        for name, output in declared.items():
            if name not in outputs and not output.optional:
                outputs[name] = _empty(output.shape, name, facts)
        return outputs

    def _common(self, facts: templates.Facts, outputs: Map) -> None:
        schema = self.schema(facts.resource.token)
        declared = schema.outputs if schema else dict[str, Property]()
        if "tagsAll" in declared:
            outputs["tagsAll"] = {
                **default_tags(facts.resource.instance),
                **fields(facts.resource.inputs.get("tags")),
            }
        if "region" in declared:
            outputs["region"] = facts.region

    def update(self, resource: Resource, identity: str, generation: int, old: Map) -> Map:
        """Lay the new inputs over what AWS had computed.

        Raises:
            RefusedError: When a number shrinks that the service lets grow only.
        """
        return self.readopt(resource, identity, generation, old, {})

    def readopt(self, resource: Resource, identity: str, generation: int, old: Map, shown: Map) -> Map:
        """Do as `update`, with outputs that the cloud shows of what it changed."""
        kind = self.kind(resource.token) or Kind()
        _refuse_shrinking(kind, resource.inputs, old)
        facts = self._facts(kind, resource, generation)
        facts.id, facts.shown = identity, shown
        outputs = self._outputs(facts)
        schema = self.schema(resource.token)
        inputs = schema.inputs if schema else dict[str, Property]()
        volatile = self.volatile(resource.token)
        hook = templates.HOOKS.get(short(resource.token))
        hooked = set(hook(facts)) if hook else set[str]()
        for name, value in old.items():
            if name in shown:
                continue
            if name in volatile:
                outputs[name] = _next(name, value, resource.inputs)
            elif name not in inputs and name not in {"tagsAll", *hooked}:
                outputs[name] = value
        return outputs

    def plan(self, resource: Resource, old: Map | None) -> Map:
        """Know region and tags already in a preview."""
        known = super().plan(resource, old)
        kind = self.kind(resource.token)
        facts = self._facts(kind or Kind(), resource, 1)
        self._common(facts, known)
        if isinstance(plain(resource.inputs.get("tags")), Unknown):
            known["tagsAll"] = UNKNOWN
        return known

    def volatile(self, token: str) -> frozenset[str]:
        """List the outputs an update changes, such as the version of a launch template."""
        kind = self.kind(token)
        return frozenset(kind.updates.split()) if kind else frozenset()

    def secret_outputs(self, token: str) -> frozenset[str]:
        """List what is secret by the SDK's word or by ours."""
        kind = self.kind(token)
        return super().secret_outputs(token) | frozenset(kind.secrets.split() if kind else ())

    def refuse_delete(self, token: str, outputs: Map) -> str | None:
        """Refuse to delete what protects itself, as the service or the provider would."""
        for name in ("deletionProtection", "enableDeletionProtection", "deletionProtectionEnabled"):
            if plain(outputs.get(name)) is True:
                return (
                    f"OperationNotPermitted: {name} is true, so AWS refuses to delete this resource; "
                    f"set {name} to false, apply that, then delete"
                )
        keeps = (
            short(token) in {"rds:Instance", "rds:Cluster"}
            and plain(outputs.get("skipFinalSnapshot")) is not True
        )
        if keeps and not text(outputs.get("finalSnapshotIdentifier")):
            return (
                "finalSnapshotIdentifier is required to delete a database when skipFinalSnapshot is not true"
            )
        return None

    def check_invoke(self, token: str, arguments: Map) -> list[Failure]:
        """Check the arguments of a function."""
        absent = [Failure(name, "missing: it is required") for name in missing(token, arguments)]
        return absent + super().check_invoke(token, arguments)

    def invoke(self, token: str, arguments: Map, instance: Instance) -> Map:
        """Answer a function."""
        result = answer(token, arguments, region_of(instance, arguments))
        function = sdk.function(token)
        for name, declared in (function.results if function else dict[str, Property]()).items():
            if name not in result and not declared.optional:
                result[name] = _least(declared.shape)
        return result


def _refuse_shrinking(kind: Kind, inputs: Map, old: Map) -> None:
    for name in kind.grows.split():
        before, after = number(old.get(name)), number(inputs.get(name))
        if before is not None and after is not None and after < before:
            raise RefusedError(
                f"BadRequestException: {name} is {before:.0f} and can only grow; asked for {after:.0f}"
            )


def _least(shape: Shape) -> Value:
    if isinstance(shape, Scalar):
        return _PLAIN.get(shape.kind)
    return [] if isinstance(shape, ListOf) else {}


def _next(name: str, value: Value, inputs: Map) -> Value:
    """Move a version on: numbers count up, other texts stay."""
    if name == "defaultVersion" and plain(inputs.get("updateDefaultVersion")) is not True:
        return value
    counted = number(value)
    return value if counted is None else counted + 1
