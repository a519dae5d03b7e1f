"""What is wrong with a PostgreSQL server, as alarm rules."""

from __future__ import annotations

import pulumi_aws as aws

from components.alarms import AlarmRule, AlarmTarget, Alerting, create_alarm
from components.base import Component
from infra.model.stack import DatabaseSettings
from infra.slo.severity import Severity

_GIB = 1024**3
RUNBOOK = "aws-database"
CPU_PERCENT = 80
FREE_STORAGE_SHARE = 0.1
"""RDS grows the storage when a tenth is left: an alarm means that it could not."""
CONNECTIONS_SHARE = 0.8
READER_LAG_SECONDS = 30
"""As long as a reader's query may hold replay back (`max_standby_streaming_delay`)."""
RECOVERY_LAG_SECONDS = 60
"""Across regions; what a failover could lose."""
TRANSACTION_IDS = 1_000_000_000
"""Half way to the two billion at which PostgreSQL stops writing."""


def server_rules(settings: DatabaseSettings) -> tuple[AlarmRule, ...]:
    """Rules of every server: CPU, free storage, connections."""
    return (
        AlarmRule(
            key="cpu",
            metric="CPUUtilization",
            statistic="Average",
            comparison="GreaterThanThreshold",
            threshold=CPU_PERCENT,
            periods=10,
            breaching_periods=10,
            why="CPU over 80% for ten minutes: look for the statement in Database Insights",
        ),
        AlarmRule(
            key="storage",
            metric="FreeStorageSpace",
            statistic="Minimum",
            comparison="LessThanThreshold",
            threshold=settings.storage_gib * FREE_STORAGE_SHARE * _GIB,
            severity=Severity.CRITICAL,
            why="less than a tenth of the storage is free and autoscaling has not grown it (once in 6 hours at most)",
        ),
        AlarmRule(
            key="connections",
            metric="DatabaseConnections",
            statistic="Maximum",
            comparison="GreaterThanThreshold",
            threshold=settings.max_connections * CONNECTIONS_SHARE,
            severity=Severity.CRITICAL,
            why="over 80% of max_connections: a client goes around the pools, or a pool is too large",
        ),
    )


def writer_rules() -> tuple[AlarmRule, ...]:
    """Rules that only the writer has."""
    return (
        AlarmRule(
            key="transaction-ids",
            metric="MaximumUsedTransactionIDs",
            statistic="Maximum",
            comparison="GreaterThanThreshold",
            threshold=TRANSACTION_IDS,
            severity=Severity.CRITICAL,
            why="vacuum cannot freeze rows: find the oldest transaction or slot before ids run out",
        ),
    )


def replica_rules(*, lag_seconds: int) -> tuple[AlarmRule, ...]:
    """Rules that only replicas have.

    Args:
        lag_seconds: Lag behind the source that is too much.
    """
    return (
        AlarmRule(
            key="lag",
            metric="ReplicaLag",
            statistic="Maximum",
            comparison="GreaterThanThreshold",
            threshold=lag_seconds,
            missing="breaching",
            why=f"the replica has been more than {lag_seconds} s behind its source, or silent, for five minutes",
        ),
    )


def create_server_alarms(
    owner: Component,
    name: str,
    *,
    instance: aws.rds.Instance,
    rules: tuple[AlarmRule, ...],
    alerting: Alerting | None,
) -> None:
    """Create a server's alarms.

    Args:
        owner: Component that they belong to.
        name: Logical name of the server.
        instance: The server.
        rules: What to watch.
        alerting: Whom to tell; none: nobody.
    """
    target = AlarmTarget(
        namespace="AWS/RDS",
        dimensions=[{"DBInstanceIdentifier": instance.identifier}],
        alerting=alerting,
        runbook=RUNBOOK,
    )
    for rule in rules:
        create_alarm(owner, name, rule=rule, target=target)
