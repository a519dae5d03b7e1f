"""What the modules of faults share: putting a function round one of moto's, and asking whether something is there."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

Wrapper = Callable[..., Any]


def around(owner: Any, name: str, wrapper: Wrapper) -> None:
    """Put a function round a method of moto's.

    Args:
        owner: The class.
        name: The method.
        wrapper: Takes the method as it was, then what the method takes.
    """
    original = getattr(owner, name)

    @functools.wraps(original)
    def mended(*args: Any, **kwargs: Any) -> Any:
        return wrapper(original, *args, **kwargs)

    setattr(owner, name, mended)


def part(module: str) -> Any:
    """A module of moto, by its name under moto; moto has no complete types."""
    return importlib.import_module(f"moto.{module}")


def key_exists(account: str, region: str, key: str) -> bool:
    """Whether a KMS key, by id, alias or ARN, can be used; AWS's own keys always can."""
    where, name = region, key
    if key.startswith("arn:"):
        where, name = key.split(":")[3], key.split(":", 5)[5].removeprefix("key/")
    if name.startswith("alias/aws/"):
        return True
    backend = part("kms.models").kms_backends[account][where]
    found = backend.keys.get(backend.get_key_id_from_alias(name) if name.startswith("alias/") else name)
    return found is not None and found.key_state == "Enabled"


def vpc_exists(account: str, region: str, vpc: str) -> bool:
    """Whether a VPC is there."""
    return vpc in part("ec2.models").ec2_backends[account][region].vpcs


def subnets_missing(account: str, region: str, subnets: list[str]) -> list[str]:
    """Which of some subnets are not there."""
    backend = part("ec2.models").ec2_backends[account][region]
    known = {subnet_id for zone in backend.subnets.values() for subnet_id in zone}
    return [subnet for subnet in subnets if subnet not in known]


def groups_missing(account: str, region: str, groups: list[str]) -> list[str]:
    """Which of some security groups are not there."""
    backend = part("ec2.models").ec2_backends[account][region]
    known = {group_id for vpc in backend.groups.values() for group_id in vpc}
    return [group for group in groups if group not in known]


def role_exists(account: str, arn: str) -> bool:
    """Whether a role is there, by its ARN."""
    backend = part("iam.models").iam_backends[account][arn.split(":")[1]]
    return any(role.arn == arn for role in backend.get_roles())
