"""Building one component on the recording mock, with the options of its children kept as well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pulumi
from pulumi.runtime import MockResourceArgs

from infra.model.stack import Environment, Role
from infra.naming import StackContext
from tests.unit.recording import ACCOUNT, REGION, Recorder, run_program

IDENTITY_CALL = "aws:index/getCallerIdentity:getCallerIdentity"


def context(*, protect: bool = True, region: str = REGION) -> StackContext:
    """A production stack's context."""
    return StackContext(
        environment=Environment.PROD,
        region=region,
        role=Role.PRIMARY,
        owner="platform",
        cost_centre="parking",
        protect=protect,
    )


class AccountRecorder(Recorder):
    """A recorder of an account: answers who is asking, and gives ECR's URLs and public addresses."""

    def __init__(self) -> None:
        super().__init__({IDENTITY_CALL: lambda _: {"accountId": ACCOUNT, "arn": "", "id": "", "userId": ""}})

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        identifier, state = super().new_resource(args)
        if args.typ == "aws:ecr/repository:Repository":
            state["repositoryUrl"] = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{state['name']}"
        if args.typ == "aws:ec2/eip:Eip":
            state["publicIp"] = f"address-of-{args.name}"
            state["allocationId"] = f"{args.name}-allocation"
        return identifier, state


@dataclass(frozen=True, kw_only=True)
class Built:
    """A component's registrations, its children's options by type and name, and its outputs."""

    recorder: Recorder
    options: dict[tuple[str, str], pulumi.ResourceOptions] = field(
        default_factory=dict[tuple[str, str], pulumi.ResourceOptions]
    )
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])

    def protected(self) -> set[tuple[str, str]]:
        """Type and name of every protected child."""
        return {key for key, options in self.options.items() if options.protect}

    def depends_on(self, type_token: str, name: str) -> list[str]:
        """Logical names that a child waits for beyond its data."""
        resources = cast("list[pulumi.Resource]", self.options[type_token, name].depends_on or [])
        return [resource.pulumi_resource_name for resource in resources]


def build(
    make: Callable[[pulumi.ResourceOptions], dict[str, Any]], *, recorder: AccountRecorder | None = None
) -> Built:
    """Build a component with `make(opts)`, which returns the outputs that the test looks at.

    Args:
        make: Makes the component.
        recorder: Answers what `AccountRecorder` alone does not.

    Raises:
        Exception: Whatever the component raised.
    """
    built = Built(recorder=recorder or AccountRecorder())

    def keep_options(args: pulumi.ResourceTransformationArgs) -> None:
        built.options[args.type_, args.name] = args.opts

    def program() -> pulumi.Output[None]:
        outputs = make(pulumi.ResourceOptions(transformations=[keep_options]))
        return pulumi.Output.from_input(outputs).apply(built.outputs.update)

    run_program(program, built.recorder)
    return built
