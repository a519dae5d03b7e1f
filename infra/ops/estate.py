"""What an environment consists of, by its stack files: regions, roles, names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from infra import settings, stack_files
from infra.model.service import Service
from infra.model.stack import Role, StackSettings
from infra.naming import StackContext
from infra.ops.errors import OpsError
from infra.traffic.failover import private_domain, writer_name

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Region:
    """One region of an environment, by its stack file.

    Attributes:
        stack: Its stack.
        name: The AWS region.
        role: What the stack file says of its database.
        edge: Whether it owns the edge, and with it the writer's name.
        head: Identifier of its head, writer or recovery replica.
        cluster: Name of its Kubernetes cluster.
        max_lag_seconds: Lag above which a failover to it is refused.
    """

    stack: str
    name: str
    role: Role
    edge: bool
    head: str
    cluster: str
    max_lag_seconds: int


@dataclass(frozen=True, kw_only=True)
class Estate:
    """An environment.

    Attributes:
        environment: e.g. `prod`.
        regions: Its regions, the primary first.
    """

    environment: str
    regions: tuple[Region, ...]

    @property
    def zone(self) -> str:
        """Private zone of the writer's name."""
        return private_domain(self.environment)

    @property
    def writer_name(self) -> str:
        """Name that follows the writer."""
        return writer_name(self.environment)

    def region(self, name: str) -> Region:
        """The region of a name.

        Raises:
            OpsError: When the environment has no such region.
        """
        for region in self.regions:
            if name in (region.name, region.stack):
                return region
        there = ", ".join(region.name for region in self.regions)
        raise OpsError(
            f"environment {self.environment} has no region {name!r}\n  there are: {there}\n  to do: name one of them"
        )


def read(environment: str, *, catalogue: tuple[Service, ...], root: Path = ROOT) -> Estate:
    """The environment that the stack files describe.

    Args:
        environment: e.g. `prod`.
        catalogue: The services that a stack deploys.
        root: Folder with the stack files.

    Raises:
        OpsError: When no stack file is of that environment.
        SettingsError: When one of them is wrong.
    """
    loaded = {
        stack: settings.from_file(stack, catalogue=catalogue, root=root) for stack in stack_files.names(root)
    }
    regions = [_region(stack, one) for stack, one in loaded.items() if one.environment.value == environment]
    if not regions:
        known = ", ".join(sorted({one.environment.value for one in loaded.values()}))
        raise OpsError(f"no stack file is of environment {environment!r}\n  there are: {known}")
    return Estate(environment=environment, regions=tuple(_primary_first(regions)))


def _region(stack: str, one: StackSettings) -> Region:
    context = StackContext(
        environment=one.environment,
        region=one.region,
        role=one.role,
        owner=one.owner,
        cost_centre=one.cost_centre,
        protect=one.deletion_protection,
    )
    return Region(
        stack=stack,
        name=one.region,
        role=one.role,
        edge=one.edge.enabled,
        head=context.name("database"),
        cluster=context.name(),
        max_lag_seconds=one.recovery.max_lag_seconds,
    )


def _primary_first(regions: Iterable[Region]) -> list[Region]:
    return sorted(regions, key=lambda region: (region.role is not Role.PRIMARY, region.name))
