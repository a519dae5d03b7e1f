"""What a stack promises to the environment's others: typed, versioned and validated when read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Annotated, cast

import pulumi
import pydantic
from pydantic import Field

from infra.model.base import Model
from infra.naming import PROJECT
from infra.traffic.routing import MAX_ORIGIN_SECRETS

VERSION = 3
"""Raised whenever a field is added, renamed or given another meaning."""
OUTPUT = "contract"
ORIGIN_OUTPUT = "originSecrets"
PASSWORDS_OUTPUT = "databasePasswords"
_APPLY_FIRST = (
    "Run `pulumi up --stack {stack}` first (on this machine: `bin/pulumi-local up --yes --stack {stack}`)."
)
_NAMED_BY = "which this stack names in parking:primaryStack, edgeStack or peerStacks"
_Arn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:")]


class RegionContract(Model):
    """Everything that a region needs of another: of the primary, of the edge's owner, of a network's peer."""

    version: int
    region: str
    """Region of the stack that offers it."""
    vpc_id: str
    vpc_cidr: str
    private_cidrs: Annotated[tuple[str, ...], Field(min_length=2)]
    """Ranges of its nodes and pods, which may reach databases of other regions."""
    route_table_ids: dict[str, str]
    """Its private and database route tables, by a name that stays."""
    database_security_group_id: str
    """Security group of its database servers."""
    zone_id: str
    """Hosted zone of the environment's domain."""
    origin_domain: str
    """Name under which CloudFront reaches the regions' load balancers."""
    private_zone_id: str
    """Private hosted zone of the environment, which every region's VPC sees."""
    writer_name: str
    """Name in it under which every region reaches the writer, wherever it is."""
    database_arn: _Arn
    """Head of its database: in the primary the writer, which recovery replicas follow."""
    database_endpoint: str
    """Host name of that head."""


class ContractError(pulumi.RunError):
    """The primary's stack does not offer what this one needs; shown without a traceback."""


def offer(**fields: object) -> dict[str, object]:
    """The contract of this stack, to be exported.

    Args:
        **fields: Every field of `RegionContract` but `version`, by its Python name.

    Raises:
        ValueError: When a field is missing or unknown.
    """
    expected = set(RegionContract.model_fields) - {"version"}
    if set(fields) != expected:
        raise ValueError(f"the contract needs exactly {sorted(expected)}, got {sorted(fields)}")
    aliases = {name: field.alias or name for name, field in RegionContract.model_fields.items()}
    return {"version": VERSION, **{aliases[name]: value for name, value in fields.items()}}


def validate(raw: object, *, stack: str) -> RegionContract:
    """Check what another stack exported.

    Args:
        raw: The value of its `contract` output; None when it has none.
        stack: Its name, for messages.

    Raises:
        ContractError: When there is no contract, it has another version, or a field is missing or malformed.
    """
    if raw is None:
        raise ContractError(
            f"Stack {stack}, {_NAMED_BY}, has no output {OUTPUT!r}: it has not been applied yet. "
            + _APPLY_FIRST.format(stack=stack)
        )
    fields = cast("dict[str, object]", raw) if isinstance(raw, dict) else {}
    found = fields.get("version")
    if found != VERSION:
        raise ContractError(
            f"Stack {stack} offers contract version {found}, this program needs version {VERSION}. "
            f"Apply that stack with the same version of this program first: `pulumi up --stack {stack}`."
        )
    try:
        # The engine's numbers are all floating point.
        return RegionContract.model_validate_json(json.dumps({**fields, "version": VERSION}))
    except pydantic.ValidationError as error:
        details = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ContractError(
            f"Stack {stack} offers a contract of version {VERSION} that is not valid: {details}. "
            f"Apply that stack again: `pulumi up --stack {stack}`."
        ) from None


class Peer:
    """Another region's contract and secrets.

    The contract is read and validated at once, so that a missing or older stack stops the program before it
    registers anything; the secrets come through a StackReference, which keeps them secret.

    Args:
        stack: Name of the other stack, in the same organization and project.

    Raises:
        ContractError: When the stack or its contract is missing, of another version, or malformed.
    """

    contract: RegionContract

    def __init__(self, *, stack: str) -> None:
        full_name = f"{pulumi.get_organization()}/{PROJECT}/{stack}"
        self.contract = validate(_outputs(full_name, stack=stack).get(OUTPUT), stack=stack)
        reference = pulumi.StackReference(stack, stack_name=full_name)
        self._origin_secrets = pulumi.Output.secret(reference.get_output(ORIGIN_OUTPUT))
        self._passwords = pulumi.Output.secret(reference.get_output(PASSWORDS_OUTPUT))

    @property
    def origin_secrets(self) -> Sequence[pulumi.Output[str]]:
        """Accepted values of the header that proves a request came through CloudFront; secret.

        Only the edge's owner has them: of any other stack, ask none.
        """
        return [self._origin_secrets.apply(_item(index)) for index in range(MAX_ORIGIN_SECRETS)]

    def database_password(self, role: str) -> pulumi.Output[str]:
        """Password of a database role, the same in every region since replicas share their writer's; secret."""
        return self._passwords.apply(lambda passwords: str(passwords[role]))


def _outputs(full_name: str, *, stack: str) -> dict[str, object]:
    """Outputs of another stack, by the engine's own function for it."""
    try:
        result = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": full_name})
    except Exception as error:  # noqa: BLE001 - the SDK raises a bare Exception when a function fails
        raise ContractError(
            f"Stack {stack}, {_NAMED_BY}, cannot be read: {error}. " + _APPLY_FIRST.format(stack=stack)
        ) from None
    found = cast("dict[str, dict[str, object]]", result.value or {})
    return found.get("outputs", {})


def _item(index: int) -> Callable[[Sequence[str]], str]:
    return lambda values: values[index]
