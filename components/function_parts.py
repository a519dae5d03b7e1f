"""What every Lambda function has beside its code: a role of its own, and a log group with a key and an end."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.base import Component
from infra.iam import service_trust


def function_name(owner: Component, name: str) -> str:
    """Physical name of a component's function."""
    return owner.context.name(name, limit=64)


def create_function_role(owner: Component, name: str, *, description: str) -> aws.iam.Role:
    """The role that a function takes; it may do nothing until policies are added.

    Args:
        owner: The component, which becomes the parent.
        name: Logical name of the component.
        description: What the function does with it.
    """
    return aws.iam.Role(
        f"{name}-role",
        name=owner.context.global_name(name, limit=64),
        description=description,
        assume_role_policy=service_trust("lambda.amazonaws.com"),
        tags=owner.tags(),
        opts=owner.child(),
    )


def create_function_log_group(
    owner: Component, name: str, *, key_arn: pulumi.Input[str], retention_days: int
) -> aws.cloudwatch.LogGroup:
    """The log group that Lambda writes to, made before the function would make one without key and end.

    Args:
        owner: The component, which becomes the parent.
        name: Logical name of the component.
        key_arn: KMS key of the log.
        retention_days: How long it is kept.
    """
    return aws.cloudwatch.LogGroup(
        f"{name}-log",
        name=f"/aws/lambda/{function_name(owner, name)}",
        kms_key_id=key_arn,
        retention_in_days=retention_days,
        tags=owner.tags(),
        opts=owner.child(),
    )
