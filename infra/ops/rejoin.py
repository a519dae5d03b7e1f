"""Rejoin: a region whose writer was left behind becomes a replica of the new one, servers made anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.ops.cloud import Cloud, Server
from infra.ops.errors import CloudError, OpsError, RefusedError
from infra.ops.estate import Estate, Region
from infra.ops.failover import Patience
from infra.ops.journal import Journal
from infra.ops.status import EstateStatus, Holds, fence_groups
from infra.ops.steps import Step, wait_for

_GONE_SECONDS = 3600
_MADE_SECONDS = 6 * 3600
"""A replica of a terabyte takes hours."""
_SHAPE = {
    "DBInstanceClass": "DBInstanceClass",
    "MultiAZ": "MultiAZ",
    "Iops": "Iops",
    "StorageThroughput": "StorageThroughput",
    "StorageType": "StorageType",
    "KmsKeyId": "KmsKeyId",
    "CopyTagsToSnapshot": "CopyTagsToSnapshot",
    "PubliclyAccessible": "PubliclyAccessible",
    "AutoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "MonitoringInterval": "MonitoringInterval",
    "MonitoringRoleArn": "MonitoringRoleArn",
    "DeletionProtection": "DeletionProtection",
    "MaxAllocatedStorage": "MaxAllocatedStorage",
    "CACertificateIdentifier": "CACertificateIdentifier",
    "EnabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
    "PerformanceInsightsEnabled": "EnablePerformanceInsights",
    "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
}
"""What a server has, by what a replica is asked for with."""
_LATER = ("BackupRetentionPeriod", "PreferredBackupWindow", "PreferredMaintenanceWindow")
"""What RDS takes for a replica only once it is there."""


def check(status: EstateStatus, name: str) -> None:
    """See that a region needs to rejoin and can.

    Raises:
        RefusedError: When it is fine already, or nobody is there to follow.
    """
    one = status.of(name)
    writer = status.writer
    if writer is None:
        raise RefusedError("no region holds the writer: there is nothing to follow\n  to do: see `status`")
    if one.holds is Holds.WRITER:
        raise RefusedError(f"{name} holds the writer\n  to do: name the region that is to become a replica")
    if one.holds is Holds.UNREACHABLE:
        raise RefusedError(f"{name} does not answer: {one.error}\n  to do: wait until it does")
    if one.holds is Holds.MISSING:
        stack = one.region.stack
        raise RefusedError(
            f"{name} has no head {one.region.head}, whose shape a new one would take\n"
            f"  to do: `pulumi refresh --stack {stack}`, then `pulumi up --stack {stack}`, which makes it"
        )
    if one.holds is Holds.STRAY:
        raise RefusedError(
            f"{name} takes writes outside the writer's name: what was written there would be lost\n"
            "  to do: fence it first with `failover`, or save what it holds"
        )
    if one.holds is Holds.REPLICA and one.head and writer.head and one.head.source == writer.head.arn:
        raise RefusedError(f"{name} follows the writer already\n  to do: nothing")


@dataclass(frozen=True, kw_only=True)
class Rejoin:
    """The steps that make a region's servers replicas of the writer's again.

    Attributes:
        estate: The environment.
        cloud: The account.
        journal: Of this run.
        region: The region.
        writer: The region that holds the writer.
        patience: How often steps ask.
    """

    estate: Estate
    cloud: Cloud
    journal: Journal
    region: Region
    writer: Region
    patience: Patience

    def steps(self, prefix: str = "") -> Sequence[Step]:
        """The steps, in order."""
        name = self.region.name
        named = (
            ("record", f"write down how {name}'s servers are made", self.record),
            (
                "snapshot",
                "keep a snapshot of the former writer: it may hold writes nobody else has",
                self.snapshot,
            ),
            ("remove", f"delete {name}'s servers, readers first", self.remove),
            (
                "replicate",
                f"make {name}'s head anew as a replica of {self.writer.name}'s writer",
                self.replicate,
            ),
            ("readers", f"make {name}'s other replicas anew", self.readers),
            ("catch-up", "wait until it has what the writer has", self.catch_up),
            ("open", "take the fence away", self.open),
        )
        return [Step(name=f"{prefix}{step}", says=says, act=act) for step, says, act in named]

    def _key(self, what: str) -> str:
        return f"{what}:{self.region.name}"

    def record(self) -> str:
        """Remember every server's shape before any is deleted."""
        servers = [one for one in self.cloud.servers(self.region.name, self.region.head) if not one.is_scaled]
        shapes = {one.identifier: _shape(one) for one in servers}
        kept: dict[str, Any] = self.journal.remember(self._key("shapes"), shapes)
        return ", ".join(sorted(kept)) or "there is nothing left to record"

    @property
    def _shapes(self) -> Mapping[str, dict[str, Any]]:
        return self.journal.facts[self._key("shapes")]

    @property
    def _snapshot_name(self) -> str:
        return f"{self.region.head}-before-rejoin-{self.journal.run}"

    def snapshot(self) -> str:
        """Snapshot the former writer where it is still there."""
        head = self.cloud.server(self.region.name, self.region.head)
        if head is None or head.source:
            return "the head holds nothing of its own"
        try:
            self.cloud.ask(
                "rds",
                self.region.name,
                "create_db_snapshot",
                DBInstanceIdentifier=head.identifier,
                DBSnapshotIdentifier=self._snapshot_name,
            )
        except CloudError as error:
            if error.code not in ("DBSnapshotAlreadyExists", "DBSnapshotAlreadyExistsFault"):
                raise

        def made() -> bool:
            found = self.cloud.ask(
                "rds", self.region.name, "describe_db_snapshots", DBSnapshotIdentifier=self._snapshot_name
            )
            return found["DBSnapshots"][0]["Status"] == "available"

        wait_for(
            made, what=f"snapshot {self._snapshot_name}", seconds=_GONE_SECONDS, pause=self.patience.pause
        )
        return self._snapshot_name

    def remove(self) -> str:
        """Delete the region's servers that do not follow the writer yet, readers before what they follow."""
        doomed = [
            one for one in self.cloud.servers(self.region.name, self.region.head) if not self._is_new(one)
        ]
        for server in sorted(doomed, key=lambda one: one.identifier == self.region.head):
            self._delete(server)
        return ", ".join(one.identifier for one in doomed) or "nothing to delete"

    def _is_new(self, server: Server) -> bool:
        writer = self.cloud.server(self.writer.name, self.writer.head)
        if writer is None:
            raise OpsError(f"{self.writer.name} has no writer\n  to do: see `status`")
        return server.identifier == self.region.head and server.source == writer.arn

    def _delete(self, server: Server) -> None:
        region = self.region.name
        if server.raw.get("DeletionProtection"):
            self.cloud.ask(
                "rds",
                region,
                "modify_db_instance",
                DBInstanceIdentifier=server.identifier,
                DeletionProtection=False,
                ApplyImmediately=True,
            )
        if server.status != "deleting":
            self.cloud.ask(
                "rds",
                region,
                "delete_db_instance",
                DBInstanceIdentifier=server.identifier,
                SkipFinalSnapshot=True,
                DeleteAutomatedBackups=False,
            )
        wait_for(
            lambda: self.cloud.server(region, server.identifier) is None,
            what=f"{server.identifier} to be gone",
            seconds=_GONE_SECONDS,
            pause=self.patience.pause,
        )

    def replicate(self) -> str:
        """Make the head anew."""
        writer = self.cloud.server(self.writer.name, self.writer.head)
        if writer is None:
            raise OpsError(f"{self.writer.name} has no writer\n  to do: see `status`")
        self._make(self.region.head, source=writer.arn)
        return f"{self.region.head} follows {writer.arn}"

    def readers(self) -> str:
        """Make readers and further recovery replicas anew, each after what it follows."""
        writer = self.cloud.server(self.writer.name, self.writer.head)
        others = sorted(set(self._shapes) - {self.region.head})
        for identifier in others:
            crosses = str(self._shapes[identifier]["source"]).startswith("arn:")
            self._make(identifier, source=writer.arn if crosses and writer else self.region.head)
        return ", ".join(others) or "there are no others"

    def _make(self, identifier: str, *, source: str) -> None:
        region, shape = self.region.name, self._shapes.get(identifier)
        if self.cloud.server(region, identifier) is None:
            if shape is None:
                raise OpsError(
                    f"nobody knows how {identifier} was made\n  to do: refresh and apply stack {self.region.stack}"
                )
            crosses = source.startswith("arn:")
            arguments = {
                **shape["arguments"],
                **({"SourceRegion": self.writer.name} if crosses else {}),
                **({"DBSubnetGroupName": shape["subnets"]} if crosses else {}),
            }
            if not crosses:
                arguments.pop("KmsKeyId", None)
            self.cloud.ask(
                "rds",
                region,
                "create_db_instance_read_replica",
                DBInstanceIdentifier=identifier,
                SourceDBInstanceIdentifier=source,
                VpcSecurityGroupIds=self._groups(shape),
                **arguments,
            )

        def available() -> bool:
            now = self.cloud.server(region, identifier)
            return now is not None and now.status == "available"

        wait_for(
            available, what=f"{identifier} to be available", seconds=_MADE_SECONDS, pause=self.patience.pause
        )
        later = {key: value for key, value in (shape or {}).get("later", {}).items() if value}
        if later:
            self.cloud.ask(
                "rds",
                region,
                "modify_db_instance",
                DBInstanceIdentifier=identifier,
                ApplyImmediately=True,
                **later,
            )

    def _groups(self, shape: Mapping[str, Any]) -> list[str]:
        """The server's own groups; a fenced head's are those of its neighbours, or what the failover remembered."""
        fence = set(fence_groups(self.region, self.cloud))
        own = [group for group in shape["groups"] if group not in fence]
        neighbours = [
            group for other in self._shapes.values() for group in other["groups"] if group not in fence
        ]
        groups = own or list(dict.fromkeys(neighbours)) or self.journal.facts.get(self._key("groups"), [])
        if not groups:
            raise OpsError(
                f"the security group of {self.region.name}'s servers is not known: all are fenced\n"
                f"  to do: give the head its group back by hand, then run this again"
            )
        return list(groups)

    def catch_up(self) -> str:
        """Wait until the lag is one that a failover takes."""

        def caught_up() -> bool:
            lag = self.cloud.lag(self.region.name, self.region.head)
            return lag is not None and lag <= self.region.max_lag_seconds

        wait_for(
            caught_up,
            what=f"a replication lag of {self.region.max_lag_seconds} s or less in {self.region.name}",
            seconds=max(self.patience.drain, 1),
            pause=self.patience.pause,
        )
        return "it has caught up"

    def open(self) -> str:
        """Delete the fence, which nothing uses any more."""
        for group in fence_groups(self.region, self.cloud):
            self.cloud.ask("ec2", self.region.name, "delete_security_group", GroupId=group)
        return f"{self.region.name} is a recovery region again"


def _shape(server: Server) -> dict[str, Any]:
    raw = server.raw
    arguments = {asked: raw[has] for has, asked in _SHAPE.items() if raw.get(has) not in (None, "", [])}
    if raw.get("TagList"):
        arguments["Tags"] = raw["TagList"]
    if raw.get("DBParameterGroups"):
        arguments["DBParameterGroupName"] = raw["DBParameterGroups"][0]["DBParameterGroupName"]
    return {
        "arguments": arguments,
        "later": {key: raw.get(key) for key in _LATER},
        "groups": list(server.security_groups),
        "subnets": raw.get("DBSubnetGroup", {}).get("DBSubnetGroupName"),
        "source": server.source,
    }
