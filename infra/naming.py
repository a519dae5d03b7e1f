"""Physical names and tags: one place that knows length limits and required tags."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from infra.model.stack import Environment, Role
from infra.tags import REQUIRED_TAGS

PROJECT = "parking"
_DIGEST_LENGTH = 6
_DIRECTIONS = re.compile("central|north|south|east|west")


class NamingError(ValueError):
    """A name or tag that AWS would refuse."""


def fit(name: str, *, limit: int) -> str:
    """Shorten a physical name to a service's limit without making two names equal.

    Args:
        name: The wished name.
        limit: Longest name the service takes, in characters.

    Returns:
        The name itself when it fits, else its head and a hash of the whole.

    Raises:
        NamingError: When the limit leaves no room for a head and a hash.
    """
    if len(name) <= limit:
        return name
    if limit < _DIGEST_LENGTH + 3:
        raise NamingError(f"a limit of {limit} characters is too short for a name with a hash")
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{name[: limit - _DIGEST_LENGTH - 1].rstrip('-')}-{digest}"


def region_code(region: str) -> str:
    """Short form of a region, e.g. `use1` for us-east-1, for names that are unique over an account."""
    area, *direction, number = region.split("-")
    return "".join(
        (area, *(_DIRECTIONS.sub(lambda match: match.group()[0], word) for word in direction), number)
    )


@dataclass(frozen=True, kw_only=True)
class StackContext:
    """What every component needs to know of the stack it is built in.

    Attributes:
        environment: Life of the stack (prod, staging, dev).
        region: AWS region, e.g. `eu-west-1`.
        role: Whether the region holds the database primary.
        owner: Team that answers for the resources (tag `owner`).
        cost_centre: Account that pays (tag `cost-centre`).
        protect: Whether stateful resources are protected against deletion.
    """

    environment: Environment
    region: str
    role: Role
    owner: str
    cost_centre: str
    protect: bool

    def name(self, *parts: str, limit: int = 63) -> str:
        """Physical name of a regional resource: `parking-<environment>-<parts>`, at most `limit` characters."""
        return fit("-".join((PROJECT, self.environment.value, *parts)), limit=limit)

    def global_name(self, *parts: str, limit: int = 63) -> str:
        """Physical name that must be unique over the account: with the region's short code."""
        return fit("-".join((PROJECT, self.environment.value, region_code(self.region), *parts)), limit=limit)

    def tags(self, component: str, **extra: str) -> Mapping[str, str]:
        """Tags of a resource.

        Args:
            component: The component it belongs to (tag `component`).
            **extra: Further tags; underscores in keys become hyphens.

        Raises:
            NamingError: When a required tag would be empty or a value is longer than AWS's 256 characters.
        """
        tags = {
            "project": PROJECT,
            "environment": self.environment.value,
            "region-role": self.role.value,
            "component": component,
            "owner": self.owner,
            "cost-centre": self.cost_centre,
            "managed-by": "pulumi",
            **{key.replace("_", "-"): value for key, value in extra.items()},
        }
        for key in REQUIRED_TAGS:
            if not tags[key]:
                raise NamingError(f"tag {key!r} of component {component!r} is empty; every resource needs it")
        for key, value in tags.items():
            if len(value) > 256:
                raise NamingError(f"tag {key!r} has {len(value)} characters; AWS allows 256")
        return tags
