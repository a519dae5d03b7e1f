"""One PostgreSQL server: what all servers of a region share, and what one of them adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.base import Component
from infra.model.stack import DatabaseSettings
from infra.ports import POSTGRES
from infra.windows import Windows

CERTIFICATE_AUTHORITY = "rds-ca-rsa2048-g1"
MONITORING_INTERVAL_SECONDS = 30
INSIGHTS_RETENTION_DAYS = 7
"""What Performance Insights keeps without charge."""


@dataclass(frozen=True, kw_only=True)
class ServerFrame:
    """What all servers of a region share.

    Attributes:
        settings: The database's settings.
        parameter_group_name: Their parameter group.
        security_group_id: Their security group.
        monitoring_role_arn: Role of enhanced monitoring.
        key_arn: KMS key of storage, snapshots and insights.
        log_key_arn: KMS key of the log groups.
        windows: Quiet hours of the region.
        apply_immediately: Whether changes skip the maintenance window.
    """

    settings: DatabaseSettings
    parameter_group_name: pulumi.Input[str]
    security_group_id: pulumi.Input[str]
    monitoring_role_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    log_key_arn: pulumi.Input[str]
    windows: Windows
    apply_immediately: bool


@dataclass(frozen=True, kw_only=True)
class Ownership:
    """What only a server without a source has: its owner's credentials, a database, a final snapshot.

    Attributes:
        database: Name of the first database.
        username: Name of the owner.
        password: Password of the owner, secret.
        final_snapshot: Name of the snapshot that its deletion leaves.
    """

    database: str
    username: str
    password: pulumi.Input[str]
    final_snapshot: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class Server:
    """What one server adds to the frame.

    Attributes:
        identifier: Physical identifier, at most 63 characters.
        instance_class: e.g. `db.r6g.2xlarge`.
        iops: Provisioned gp3 IOPS; none: gp3's fixed 3,000 under 400 GiB.
        throughput_mibps: Provisioned gp3 throughput in MiB/s; none: gp3's fixed 125 under 400 GiB.
        source: Identifier (same region) or ARN (other region) of the server it replicates; none: a writer.
        subnet_group_name: Needed but for a replica in its source's region, which takes its source's.
        availability_zone: Fixed zone; none where AWS chooses (always so with `multi_az`).
        multi_az: Whether a synchronous standby waits in another zone.
        backup_retention_days: Days of point-in-time recovery; 0: none, and nothing can replicate from it.
        log_exports: Server logs that go to CloudWatch.
        ownership: For a writer only.
        deletion_protection: Whether AWS refuses to delete it.
    """

    identifier: str
    instance_class: str
    iops: int | None
    throughput_mibps: int | None
    source: pulumi.Input[str] | None
    subnet_group_name: pulumi.Input[str] | None = None
    availability_zone: str | None = None
    multi_az: bool = False
    backup_retention_days: int = 0
    log_exports: Sequence[str] = ("postgresql",)
    ownership: Ownership | None = None
    deletion_protection: bool = False


def create_server(
    owner: Component, name: str, *, frame: ServerFrame, server: Server, options: pulumi.ResourceOptions
) -> aws.rds.Instance:
    """Create a server and the log groups it writes to.

    Engine versions change only by the program (no automatic minor upgrades): replicas have to be upgraded before
    their source, `pulumi up --target` on the replicas first.

    Args:
        owner: Component that the server belongs to.
        name: Logical name.
        frame: What all servers of the region share.
        server: What this one adds.
        options: Options of the instance, which get the order after the log groups.
    """
    log_groups = _create_log_groups(owner, name, frame=frame, server=server)
    settings, ownership = frame.settings, server.ownership
    return aws.rds.Instance(
        name,
        identifier=server.identifier,
        engine="postgres",
        engine_version=settings.engine_version,
        auto_minor_version_upgrade=False,
        instance_class=server.instance_class,
        replicate_source_db=server.source,
        db_name=ownership and ownership.database,
        username=ownership and ownership.username,
        password=ownership and ownership.password,
        port=POSTGRES,
        allocated_storage=settings.storage_gib,
        max_allocated_storage=settings.max_storage_gib,
        storage_type="gp3",
        iops=server.iops,
        storage_throughput=server.throughput_mibps,
        storage_encrypted=True,
        kms_key_id=frame.key_arn,
        db_subnet_group_name=server.subnet_group_name,
        vpc_security_group_ids=[frame.security_group_id],
        publicly_accessible=False,
        availability_zone=server.availability_zone,
        multi_az=server.multi_az,
        ca_cert_identifier=CERTIFICATE_AUTHORITY,
        parameter_group_name=frame.parameter_group_name,
        backup_retention_period=server.backup_retention_days,
        backup_window=frame.windows.backup,
        delete_automated_backups=False,
        copy_tags_to_snapshot=True,
        skip_final_snapshot=ownership is None,
        final_snapshot_identifier=ownership and ownership.final_snapshot,
        deletion_protection=server.deletion_protection,
        maintenance_window=frame.windows.maintenance,
        apply_immediately=frame.apply_immediately,
        enabled_cloudwatch_logs_exports=list(server.log_exports),
        monitoring_interval=MONITORING_INTERVAL_SECONDS,
        monitoring_role_arn=frame.monitoring_role_arn,
        database_insights_mode="standard",
        performance_insights_enabled=True,
        performance_insights_kms_key_id=frame.key_arn,
        performance_insights_retention_period=INSIGHTS_RETENTION_DAYS,
        tags=owner.tags(),
        # RDS would make the groups itself, without key or retention, when its first line came before ours.
        opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=log_groups)),
    )


def _create_log_groups(
    owner: Component, name: str, *, frame: ServerFrame, server: Server
) -> list[aws.cloudwatch.LogGroup]:
    return [
        aws.cloudwatch.LogGroup(
            f"{name}-{export}-log",
            name=f"/aws/rds/instance/{server.identifier}/{export}",
            kms_key_id=frame.log_key_arn,
            retention_in_days=frame.settings.log_retention_days,
            tags=owner.tags(),
            opts=owner.child(),
        )
        for export in server.log_exports
    ]
