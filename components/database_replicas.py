"""Replicas of a region's PostgreSQL: readers that share the load, recovery replicas that wait for the worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.alarms import Alerting
from components.base import Component
from components.database_alarms import (
    READER_LAG_SECONDS,
    RECOVERY_LAG_SECONDS,
    create_server_alarms,
    replica_rules,
    server_rules,
)
from components.database_instance import Server, ServerFrame, create_server
from infra.naming import StackContext

STRIPED_STORAGE_GIB = 400
"""From this size on RDS stripes gp3 and its IOPS and throughput can be chosen."""
BASELINE_IOPS = 12_000
BASELINE_THROUGHPUT_MIBPS = 500
"""What gp3 gives from 400 GiB on without extra charge."""


@dataclass(frozen=True, kw_only=True)
class ReplicaSite:
    """Where replicas stand and whom their alarms tell.

    Attributes:
        zones: Zones of the region; replicas take them in turn, in alphabetical order.
        alerting: Whom the alarms tell; none: nobody.
    """

    zones: Sequence[str]
    alerting: Alerting | None


class DatabaseReaders(Component):
    """Readers of one region: replicas of the region's head, spread over its zones.

    They hold no data of their own, so nothing protects them; gp3 runs at its baseline (12,000 IOPS, 500 MiB/s
    from 400 GiB on), since a reader only replays what the writer wrote. Their number is the floor of reader
    autoscaling, which never touches them.

    Args:
        name: Logical name; readers are `<name>-1`, `<name>-2` and so on, here and in AWS.
        context: Names, tags and protection of the stack.
        frame: What all servers of the region share.
        site: Zones and alerting.
        head: The region's head, which they replicate from.
        opts: Options of the component itself.

    Outputs:
        addresses: DNS name of each reader, in order.
        identifiers: Identifier of each reader, in order.

    Source of the numbers: the architecture specification (3 readers of db.r6g.xlarge a region).
    """

    addresses: pulumi.Output[Sequence[str]]
    identifiers: pulumi.Output[Sequence[str]]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        frame: ServerFrame,
        site: ReplicaSite,
        head: aws.rds.Instance,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("DatabaseReaders", name, context=context, opts=opts)
        readers = [self._create_reader(index, frame, site, head) for index in range(frame.settings.readers)]
        self.addresses = pulumi.Output.all(*(reader.address for reader in readers)).apply(list[str])
        self.identifiers = pulumi.Output.all(*(reader.identifier for reader in readers)).apply(list[str])
        self.register_outputs({"addresses": self.addresses, "identifiers": self.identifiers})

    def _create_reader(
        self, index: int, frame: ServerFrame, site: ReplicaSite, head: aws.rds.Instance
    ) -> aws.rds.Instance:
        name = f"{self._name}-{index + 1}"
        striped = frame.settings.storage_gib >= STRIPED_STORAGE_GIB
        zones = sorted(site.zones)
        reader = create_server(
            self,
            name,
            frame=frame,
            server=Server(
                identifier=self.context.name(name),
                instance_class=frame.settings.reader_class,
                iops=BASELINE_IOPS if striped else None,
                throughput_mibps=BASELINE_THROUGHPUT_MIBPS if striped else None,
                source=head.identifier,
                availability_zone=zones[index % len(zones)],
            ),
            options=pulumi.ResourceOptions.merge(
                # A zone added to the region later must not rebuild a running reader elsewhere.
                self.child(ignore_changes=["availabilityZone"], delete_before_replace=True),
                # A head made anew has the old one's name, but RDS gives a replica no other source.
                pulumi.ResourceOptions(replace_with=[head]),
            ),
        )
        rules = (*server_rules(frame.settings), *replica_rules(lag_seconds=READER_LAG_SECONDS))
        create_server_alarms(self, name, instance=reader, rules=rules, alerting=site.alerting)
        return reader


class RecoveryReplicas(Component):
    """The recovery replicas beside a secondary region's head, which is the first of them.

    Of the writer's class and storage, so that each could take its place. They replicate from the primary
    region's writer, not from the head, so that the loss of one leaves the other. Neither Pulumi nor AWS protects
    them: when the head is promoted they have served, and the same `up` that settles its new role removes them.

    Args:
        name: Logical name; replicas are `<name>-2`, `<name>-3` and so on, the head being number 1.
        context: Names, tags and protection of the stack.
        frame: What all servers of the region share.
        site: Zones and alerting.
        source_arn: ARN of the primary region's writer.
        subnet_group_name: Subnet group of the region.
        opts: Options of the component itself.

    Outputs:
        addresses: DNS name of each replica, in order.

    Source of the numbers: the architecture specification (2 cross-region replicas).
    """

    addresses: pulumi.Output[Sequence[str]]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        frame: ServerFrame,
        site: ReplicaSite,
        source_arn: pulumi.Input[str],
        subnet_group_name: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("RecoveryReplicas", name, context=context, opts=opts)
        replicas = [
            self._create_replica(number, frame, site, (source_arn, subnet_group_name))
            for number in range(2, frame.settings.recovery_replicas + 1)
        ]
        self.addresses = pulumi.Output.all(*(replica.address for replica in replicas)).apply(list[str])
        self.register_outputs({"addresses": self.addresses})

    def _create_replica(
        self,
        number: int,
        frame: ServerFrame,
        site: ReplicaSite,
        origin: tuple[pulumi.Input[str], pulumi.Input[str]],
    ) -> aws.rds.Instance:
        name = f"{self._name}-{number}"
        settings, zones = frame.settings, sorted(site.zones)
        source_arn, subnet_group_name = origin
        replica = create_server(
            self,
            name,
            frame=frame,
            server=Server(
                identifier=self.context.name(name),
                instance_class=settings.instance_class,
                iops=settings.iops,
                throughput_mibps=settings.throughput_mibps,
                source=source_arn,
                subnet_group_name=subnet_group_name,
                availability_zone=zones[(number - 1) % len(zones)],
                backup_retention_days=settings.backup_retention_days,
            ),
            options=pulumi.ResourceOptions.merge(
                # A zone added to the region later must not rebuild a running replica elsewhere.
                self.child(ignore_changes=["availabilityZone"], delete_before_replace=True),
                # RDS gives a replica no other source; it has to be made anew.
                pulumi.ResourceOptions(replace_on_changes=["replicateSourceDb"]),
            ),
        )
        rules = (*server_rules(settings), *replica_rules(lag_seconds=RECOVERY_LAG_SECONDS))
        create_server_alarms(self, name, instance=replica, rules=rules, alerting=site.alerting)
        return replica
