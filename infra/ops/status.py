"""What the regions of an environment are at this moment, as AWS says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from infra.model.stack import Role
from infra.ops.cloud import Cloud, Server
from infra.ops.errors import CloudError
from infra.ops.estate import Estate, Region

FENCE = "fence"
"""Last part of the name of the security group that cuts a former writer off."""


class Holds(StrEnum):
    """What a region's head is."""

    WRITER = "writer"
    """The writer's name points to it and it takes writes."""
    REPLICA = "replica"
    FENCED = "fenced"
    """A former writer, cut off: it waits to be made anew as a replica."""
    STRAY = "stray"
    """Takes writes, but the writer's name does not point to it: it must be fenced."""
    MISSING = "missing"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, kw_only=True)
class RegionStatus:
    """One region at this moment."""

    region: Region
    holds: Holds
    head: Server | None
    lag_seconds: float | None
    name_points_here: bool
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class EstateStatus:
    """An environment at this moment.

    Attributes:
        estate: The environment.
        zone_id: Private zone of the writer's name; none when there is none.
        target: What the writer's name points to.
        regions: Its regions.
    """

    estate: Estate
    zone_id: str | None
    target: str | None
    regions: tuple[RegionStatus, ...]

    def of(self, name: str) -> RegionStatus:
        """Status of one region."""
        region = self.estate.region(name)
        return next(one for one in self.regions if one.region == region)

    @property
    def writer(self) -> RegionStatus | None:
        """The region that the writer's name points to and that takes writes."""
        return next((one for one in self.regions if one.holds is Holds.WRITER), None)

    def findings(self) -> list[str]:
        """What is wrong, in words; empty when all is well."""
        found: list[str] = []
        if self.zone_id is None:
            found.append(f"there is no private zone {self.estate.zone}: apply the stack that owns the edge")
        if self.writer is None:
            found.append("the writer's name points to no region's writer: nothing can be written")
        for one in self.regions:
            found += _findings(one)
        return found


def _findings(one: RegionStatus) -> list[str]:
    name, found = one.region.name, list[str]()
    if one.holds is Holds.UNREACHABLE:
        found.append(f"{name} does not answer: {one.error}")
    if one.holds is Holds.STRAY:
        found.append(f"{name}: its head takes writes while the writer's name points elsewhere")
    if one.holds is Holds.FENCED:
        found.append(
            f"{name}: a former writer waits behind its fence; `failback` or `rejoin` makes it a replica"
        )
    if one.holds is Holds.MISSING:
        found.append(f"{name}: there is no head {one.region.head}")
    if one.holds is Holds.REPLICA:
        if one.lag_seconds is None:
            found.append(f"{name}: no replication lag was measured in the last five minutes")
        elif one.lag_seconds > one.region.max_lag_seconds:
            found.append(
                f"{name}: replication lags {one.lag_seconds:g} s, over {one.region.max_lag_seconds} s"
            )
    holds_writer = one.holds is Holds.WRITER
    if holds_writer != (one.region.role is Role.PRIMARY) and one.holds is not Holds.UNREACHABLE:
        found.append(
            f"{name}: stack {one.region.stack} says role {one.region.role.value}, its head is {one.holds.value}"
        )
    return found


def observe(estate: Estate, cloud: Cloud) -> EstateStatus:
    """Ask AWS for the state of every region.

    Args:
        estate: The environment.
        cloud: The account.
    """
    zone_id, target = None, None
    try:
        zone_id = cloud.zone_id(estate.zone)
        target = cloud.name_target(zone_id, estate.writer_name) if zone_id else None
    except CloudError as error:
        if not error.unreachable:
            raise
    return EstateStatus(
        estate=estate,
        zone_id=zone_id,
        target=target,
        regions=tuple(_observe(region, cloud, target=target) for region in estate.regions),
    )


def _observe(region: Region, cloud: Cloud, *, target: str | None) -> RegionStatus:
    try:
        head = cloud.server(region.name, region.head)
        lag = cloud.lag(region.name, region.head) if head and head.source else None
        fenced = head is not None and is_fenced(region, cloud, head)
    except CloudError as error:
        if not error.unreachable:
            raise
        return RegionStatus(
            region=region,
            holds=Holds.UNREACHABLE,
            head=None,
            lag_seconds=None,
            name_points_here=False,
            error=str(error),
        )
    here = head is not None and bool(head.address) and head.address == target
    return RegionStatus(
        region=region,
        holds=_holds(head, here=here, fenced=fenced),
        head=head,
        lag_seconds=lag,
        name_points_here=here,
    )


def _holds(head: Server | None, *, here: bool, fenced: bool) -> Holds:
    if head is None:
        return Holds.MISSING
    if head.source:
        return Holds.REPLICA
    if fenced:
        return Holds.FENCED
    return Holds.WRITER if here else Holds.STRAY


def fence_name(region: Region) -> str:
    """Name of the security group without rules that cuts a region's head off."""
    return f"{region.head}-{FENCE}"


def is_fenced(region: Region, cloud: Cloud, head: Server) -> bool:
    """Whether a head has the fence as its only security group."""
    groups = fence_groups(region, cloud)
    return bool(groups) and set(head.security_groups) <= set(groups)


def fence_groups(region: Region, cloud: Cloud) -> list[str]:
    """Ids of the region's fence; one or none."""
    found = cloud.ask(
        "ec2",
        region.name,
        "describe_security_groups",
        Filters=[{"Name": "group-name", "Values": [fence_name(region)]}],
    )
    return [group["GroupId"] for group in found["SecurityGroups"]]
