"""Failover: the writer goes to another region, by a way that can be repeated from any point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.ops import adopt
from infra.ops.cloud import Cloud
from infra.ops.errors import CloudError, OpsError, RefusedError
from infra.ops.estate import Estate, Region
from infra.ops.journal import Journal
from infra.ops.status import EstateStatus, Holds, RegionStatus, fence_groups, fence_name, observe
from infra.ops.steps import Step, wait_for
from infra.traffic.failover import WRITER_TTL_SECONDS

PROMOTION_SECONDS = 1800
DRAIN_SECONDS = 300
SPREAD_SECONDS = 180
NODE_POOLS = ("application", "database")
"""Pools that take over the other region's load; analytics can wait."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long steps wait, and how often they ask, in seconds; tests shorten them."""

    promotion: float = PROMOTION_SECONDS
    drain: float = DRAIN_SECONDS
    spread: float = SPREAD_SECONDS
    pause: float = 5.0


def losses(status: EstateStatus, target: str) -> list[str]:
    """What a failover to a region would lose, in words; empty when nothing is at stake.

    Args:
        status: The environment at this moment.
        target: The region that is to hold the writer.

    Raises:
        RefusedError: When the target cannot take over at all.
    """
    new = status.of(target)
    _check_target(status, new)
    found: list[str] = []
    writer = status.writer
    others = [one for one in status.regions if one is not new]
    if any(one.holds is Holds.UNREACHABLE for one in others) or writer is None:
        found.append(
            "the writer's region cannot be fenced: what it took after the last replicated moment is lost, and it may "
            "go on taking writes of clients that still reach it"
        )
    if new.holds is Holds.REPLICA:
        if new.lag_seconds is None:
            found.append(
                "the replication lag is not known: nobody can say how many of the newest writes are lost"
            )
        elif new.lag_seconds > new.region.max_lag_seconds:
            found.append(
                f"the replica lags {new.lag_seconds:g} s, over the {new.region.max_lag_seconds} s of "
                f"parking:recovery.maxLagSeconds: writes of that time are lost if the writer does not catch up"
            )
    return found


def _check_target(status: EstateStatus, new: RegionStatus) -> None:
    name = new.region.name
    if new.holds is Holds.WRITER:
        raise RefusedError(f"{name} holds the writer already\n  to do: nothing")
    if new.holds is not Holds.REPLICA or new.head is None:
        raise RefusedError(
            f"{name} cannot take over: its head is {new.holds.value}\n  allowed: a replica of the writer\n"
            "  to do: choose another region, or make it a replica with `rejoin`"
        )
    if new.head.status != "available":
        raise RefusedError(
            f"{name} cannot take over: its head is {new.head.status}\n  allowed: available\n  to do: wait, or choose "
            "another region"
        )
    writer = status.writer
    if (
        writer is not None
        and writer.head is not None
        and new.head.source
        not in (
            writer.head.arn,
            writer.head.identifier,
        )
    ):
        raise RefusedError(
            f"{name} cannot take over: it follows {new.head.source}, and the writer is {writer.head.arn}\n"
            "  to do: make it a replica of the writer with `rejoin`"
        )


def begin(status: EstateStatus, target: str, *, journal: Journal) -> dict[str, Any]:
    """What a run must not forget: where the writer was, and where it goes."""
    writer = status.writer
    old = (
        writer.region.name
        if writer
        else next((one.region.name for one in status.regions if one.region.role.value == "primary"), "")
    )
    new = status.of(target)
    return journal.remember(
        "failover",
        {
            "old": old,
            "new": new.region.name,
            "lag": new.lag_seconds,
            "began": datetime.now(UTC).isoformat(),
        },
    )


@dataclass(frozen=True, kw_only=True)
class Failover:
    """The steps from one region to another.

    Attributes:
        estate: The environment.
        cloud: The account.
        journal: Of this run.
        old: Region that holds the writer; it may not answer.
        new: Region that takes over.
        accept_loss: Whether to go on where writes may be lost.
        patience: How long steps wait.
    """

    estate: Estate
    cloud: Cloud
    journal: Journal
    old: Region
    new: Region
    accept_loss: bool
    patience: Patience

    def steps(self, prefix: str = "") -> Sequence[Step]:
        """The steps, in order."""
        old, new = self.old.name, self.new.name
        named = (
            ("fence", f"cut {old}'s writer off from every client, and its open connections", self.fence),
            ("drain", f"wait until {new} has everything that {old} took", self.drain),
            ("promote", f"make {new}'s replica a writer", self.promote),
            ("move-name", f"point {self.estate.writer_name} to {new}", self.move_name),
            ("scale-up", f"start nodes in {new} for the other region's load", self.scale_up),
            ("verify", "see that one region takes writes, and only that one", self.verify),
        )
        return [Step(name=prefix + name, says=says, act=act) for name, says, act in named]

    def fence(self) -> str:
        """Give the old writer a security group without rules, and restart it, which ends open connections."""
        try:
            head = self.cloud.server(self.old.name, self.old.head)
            if head is None:
                return "there is no old writer any more"
            if head.source:
                return "the old head is a replica: it takes no writes"
            self.journal.remember("groups:" + self.old.name, list(head.security_groups))
            group = self._fence_group(head.raw["DBSubnetGroup"]["VpcId"])
            if set(head.security_groups) != {group}:
                self._change_groups(self.old, [group])
                self.cloud.ask("rds", self.old.name, "reboot_db_instance", DBInstanceIdentifier=self.old.head)
        except CloudError as error:
            if not (error.unreachable and self.accept_loss):
                raise
            self.journal.remember("unfenced", self.old.name)
            return f"{self.old.name} does not answer: NOT fenced; fence it before clients reach it again"
        return f"only {fence_name(self.old)} is left"

    def _fence_group(self, vpc_id: str) -> str:
        known = fence_groups(self.old, self.cloud)
        if known:
            return known[0]
        made = self.cloud.ask(
            "ec2",
            self.old.name,
            "create_security_group",
            GroupName=fence_name(self.old),
            Description="Nothing reaches a former writer",
            VpcId=vpc_id,
        )
        return str(made["GroupId"])

    def _change_groups(self, region: Region, groups: list[str]) -> None:
        self.cloud.ask(
            "rds",
            region.name,
            "modify_db_instance",
            DBInstanceIdentifier=region.head,
            VpcSecurityGroupIds=groups,
            ApplyImmediately=True,
        )

    def drain(self) -> str:
        """Wait for a lag of zero that was measured after the fence stood."""
        if "unfenced" in self.journal.facts:
            return "the old writer does not answer: what it had not sent is lost"
        head = self.cloud.server(self.new.name, self.new.head)
        if head is not None and not head.source:
            return "promoted already"
        fenced_at = datetime.fromisoformat(self.journal.remember("fenced-at", datetime.now(UTC).isoformat()))

        def drained() -> bool:
            lag = self.cloud.lag(self.new.name, self.new.head, since=fenced_at)
            return lag is not None and lag <= 0

        try:
            wait_for(
                drained,
                what=f"a replication lag of 0 in {self.new.name}, measured after the fence",
                seconds=self.patience.drain,
                pause=self.patience.pause,
            )
        except OpsError:
            if not self.accept_loss:
                raise
            return "the lag did not reach 0 in time: writes may be lost, as accepted"
        return "everything has arrived"

    def promote(self) -> str:
        """Promote the replica where it is one still, and wait until it serves as a writer."""
        head = self._head()
        if head.source and head.status == "available":
            try:
                self.cloud.ask(
                    "rds", self.new.name, "promote_read_replica", DBInstanceIdentifier=self.new.head
                )
            except CloudError as error:
                if error.code not in ("InvalidDBInstanceState", "InvalidDBInstanceStateFault"):
                    raise  # a promotion that began already is waited for below

        def promoted() -> bool:
            now = self._head()
            return now.source is None and now.status == "available"

        wait_for(
            promoted,
            what=f"{self.new.head} in {self.new.name} to be an available writer",
            seconds=self.patience.promotion,
            pause=self.patience.pause,
        )
        return f"{self.new.head} takes writes"

    def _head(self) -> Any:
        head = self.cloud.server(self.new.name, self.new.head)
        if head is None:
            raise OpsError(f"{self.new.name} has no {self.new.head} any more\n  to do: see `status`")
        return head

    def move_name(self) -> str:
        """Move the writer's name, and wait until all of Route 53's servers know."""
        zone_id = self.cloud.zone_id(self.estate.zone)
        if zone_id is None:
            raise OpsError(
                f"there is no private zone {self.estate.zone}\n  to do: apply the stack that owns the edge"
            )
        address = self._head().address
        if self.cloud.name_target(zone_id, self.estate.writer_name) == address:
            return "it points there already"
        change = self.cloud.move_name(
            zone_id, self.estate.writer_name, target=address, ttl=WRITER_TTL_SECONDS
        )
        wait_for(
            lambda: self.cloud.name_is_spread(change),
            what=f"Route 53 to spread change {change}",
            seconds=self.patience.spread,
            pause=self.patience.pause,
        )
        return f"{self.estate.writer_name} is {address}"

    def scale_up(self) -> str:
        """Ask for as many nodes again as the old region ran, within the groups' bounds."""
        groups = self.cloud.node_groups(self.new.name, self.new.cluster)
        wanted: dict[str, dict[str, int]] = self.journal.remember("nodes", _wanted(groups))
        for name, scaling in wanted.items():
            if groups.get(name) not in (None, scaling):
                self.cloud.ask(
                    "eks",
                    self.new.name,
                    "update_nodegroup_config",
                    clusterName=self.new.cluster,
                    nodegroupName=name,
                    scalingConfig=scaling,
                )
        changes = ", ".join(f"{name} {scaling['desiredSize']}" for name, scaling in sorted(wanted.items()))
        return f"desired nodes: {changes or 'no node groups there'}"

    def verify(self) -> str:
        """See that the new region holds the writer and no other takes writes."""
        status = observe(self.estate, self.cloud)
        writer = status.writer
        if writer is None or writer.region != self.new:
            holds = {one.region.name: one.holds.value for one in status.regions}
            raise OpsError(f"{self.new.name} is not the writer: {holds}\n  to do: see `status`")
        stray = [one.region.name for one in status.regions if one.holds is Holds.STRAY]
        if stray:
            raise OpsError(f"{', '.join(stray)} takes writes as well\n  to do: see `status`")
        head = self._head()
        if not head.raw.get("BackupRetentionPeriod"):
            raise OpsError(
                f"{self.new.head} keeps no backups\n  to do: set its backup retention, then run this again"
            )
        return f"{self.new.name} holds the writer"


def _wanted(groups: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    return {
        name: {**scaling, "desiredSize": min(scaling["maxSize"], max(1, scaling["desiredSize"]) * 2)}
        for name, scaling in groups.items()
        if name.startswith(NODE_POOLS) or any(f"-{pool}-" in name for pool in NODE_POOLS)
    }


def reconcile(estate: Estate, *, old: Region, new: Region) -> str:
    """How the stack files and Pulumi's state learn of a failover."""
    lines = [
        "Pulumi does not know yet. Reconcile it, the new primary first:",
        f"  pulumi config set parking:role primary --stack {new.stack}",
        f"  pulumi config rm parking:primaryStack --stack {new.stack}",
    ]
    edge = next((region for region in estate.regions if region.edge), None)
    if edge is not None and edge != new:
        lines.append(f"  pulumi config set parking:edgeStack {edge.stack} --stack {new.stack}")
    lines += [
        f"  {adopt.command(estate.environment)}   # first: a refresh drops servers that a rejoin made anew",
        f"  pulumi refresh --stack {new.stack}",
        f"  pulumi up --stack {new.stack}",
        f"  pulumi config set parking:role secondary --stack {old.stack}",
        f"  pulumi config set parking:primaryStack {new.stack} --stack {old.stack}",
    ]
    lines += [
        f"  pulumi config set parking:primaryStack {new.stack} --stack {region.stack}"
        for region in estate.regions
        if region not in (old, new)
    ]
    lines += [
        f"  pulumi refresh --stack {old.stack}   # once its region answers",
        f"  pulumi up --stack {old.stack}",
        "No database is replaced by this. Commit the changed stack files.",
    ]
    return "\n".join(lines)
