"""A Valkey store: cache, sessions or rate limits, as its settings make it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from components.alarms import AlarmRule, AlarmTarget, create_alarm
from components.base import Component
from components.cache_users import ENGINE, CacheUsers
from components.data_site import DataSite, create_security_group
from infra.model.stack import CacheSettings, Environment
from infra.naming import StackContext
from infra.ports import REDIS
from infra.slo.severity import Severity
from infra.windows import quiet_windows

MEMORY_PERCENT = 80
CPU_PERCENT = 80
EVICTIONS_IN_5_MINUTES = 1000
LAG_SECONDS = 5
"""Half of the ten seconds that asynchronous durability may lose."""
LOG_RETENTION_DAYS = 30
"""Slow and engine logs are for finding faults, not for the record."""
_GROUP_ID_LIMIT = 40
_DURABLE_ENGINE = (9, 0)
RUNBOOK = "aws-cache"


def store_parameters(settings: CacheSettings) -> Mapping[str, str]:
    """Parameters of a store's nodes, by name; what they keep through a restart is not among them but `durability`.

    Args:
        settings: What happens when memory is full.
    """
    return {
        "cluster-enabled": "yes",
        "maxmemory-policy": settings.max_memory_policy,
        # Idle clients of a service that died without closing; longer than the 5 minutes that pools keep one.
        "timeout": "600",
    }


def store_rules(settings: CacheSettings) -> tuple[AlarmRule, ...]:
    """Alarm rules of one shard: CPU, memory, evictions and, with replicas, their lag."""
    keeps_all = settings.max_memory_policy == "noeviction"
    rules = (
        AlarmRule(
            key="cpu",
            metric="EngineCPUUtilization",
            statistic="Average",
            comparison="GreaterThanThreshold",
            threshold=CPU_PERCENT,
            why="commands run on one thread, and it is over 80% busy: look for slow commands, or add shards",
        ),
        AlarmRule(
            key="memory",
            metric="DatabaseMemoryUsageCountedForEvictPercentage",
            statistic="Maximum",
            comparison="GreaterThanThreshold",
            threshold=MEMORY_PERCENT,
            severity=Severity.CRITICAL if keeps_all else Severity.WARNING,
            why="writes are refused when memory is full: add shards or larger nodes"
            if keeps_all
            else "over 80% of memory is in use: keys will be evicted before their time",
        ),
        AlarmRule(
            key="evictions",
            metric="Evictions",
            statistic="Sum",
            comparison="GreaterThanThreshold",
            threshold=0 if keeps_all else EVICTIONS_IN_5_MINUTES,
            period_seconds=300,
            periods=3,
            breaching_periods=3,
            missing="notBreaching",
            why="keys are evicted before their time: the working set outgrows the memory",
        ),
    )
    if settings.replicas_per_shard == 0:
        return rules
    lag = AlarmRule(
        key="lag",
        metric="ReplicationLag",
        statistic="Maximum",
        comparison="GreaterThanThreshold",
        threshold=LAG_SECONDS,
        missing="notBreaching",
        why=f"a replica is more than {LAG_SECONDS} s behind: a failover now would lose that much",
    )
    return (*rules, lag)


class Cache(Component):
    """An ElastiCache replication group on Valkey, in cluster mode.

    Its settings say what it is for: eviction policy, durability (what became of append-only files) and daily
    snapshots. One shard is cluster mode too, since durability needs it. TLS is required, data at rest is under the
    customer's key, users are per service, slow and engine logs go to CloudWatch. A store that keeps anything is
    protected, and one with snapshots leaves a last one. AWS takes `durability` at creation only: changing it
    replaces the store.

    Engine versions change only by the program (no automatic minor upgrades), like the database's.

    Args:
        name: Logical name, e.g. `cache`, `sessions` or `rate-limit`; in AWS `parking-<environment>-<name>`.
        context: Names, tags and protection of the stack.
        settings: Node type, shards, replicas a shard, durability, snapshots (days), eviction policy.
        engine_version: Valkey version, e.g. `9.0`.
        site: Network, keys and alerting of the region.
        key_arn: KMS key of the data and its snapshots.
        services: Services that get a user; each may touch keys that start with `<service>:`.
        opts: Options of the component itself.

    Outputs:
        endpoint: DNS name that cluster clients start from (TLS).
        port: TCP port, 6379.
        arn: ARN of the replication group.
        replication_group_id: Its id.
        security_group_id: Its security group.
        secret_arns: Secret with `username` and `password`, by service.

    Raises:
        ValueError: When durability is asked of an engine before 9.0 or of shards without replicas.

    Source of the numbers: the architecture specification by way of `CachesSettings`.
    """

    endpoint: pulumi.Output[str]
    port: int
    arn: pulumi.Output[str]
    replication_group_id: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    secret_arns: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        settings: CacheSettings,
        engine_version: str,
        site: DataSite,
        key_arn: pulumi.Input[str],
        services: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Cache", name, context=context, opts=opts)
        _check(name, settings, engine_version)
        self._settings, self._engine_version, self._site = settings, engine_version, site
        access = create_security_group(self, name, site=site, ports=[REDIS])
        users = CacheUsers(
            name,
            context=context,
            services=services,
            secrets_key_arn=site.secrets_key_arn,
            opts=self.child(),
        )
        group = self._create_group(key_arn, access, users)
        self._create_alarms(group)

        self.endpoint, self.port = group.configuration_endpoint_address, REDIS
        self.arn, self.replication_group_id = group.arn, group.replication_group_id
        self.security_group_id, self.secret_arns = access.id, users.secret_arns
        self.register_outputs(
            {
                "endpoint": self.endpoint,
                "port": self.port,
                "arn": self.arn,
                "replication_group_id": self.replication_group_id,
                "security_group_id": self.security_group_id,
                "secret_arns": dict(self.secret_arns),
            }
        )

    def _create_group(
        self, key_arn: pulumi.Input[str], access: aws.ec2.SecurityGroup, users: CacheUsers
    ) -> aws.elasticache.ReplicationGroup:
        settings = self._settings
        windows = quiet_windows(region=self.context.region)
        physical_name = self.context.name(self._name, limit=_GROUP_ID_LIMIT)
        return aws.elasticache.ReplicationGroup(
            f"{self._name}-group",
            replication_group_id=physical_name,
            description=f"{self._name} store of {self.context.name()}",
            engine=ENGINE,
            engine_version=self._engine_version,
            auto_minor_version_upgrade=False,
            node_type=settings.node_type,
            cluster_mode="enabled",
            num_node_groups=settings.shards,
            replicas_per_node_group=settings.replicas_per_shard,
            # Cluster mode fails over by itself; a second zone to fail over to takes a replica.
            automatic_failover_enabled=True,
            multi_az_enabled=settings.replicas_per_shard > 0,
            durability=settings.durability,
            parameter_group_name=self._create_parameter_group().name,
            subnet_group_name=self._create_subnet_group().name,
            security_group_ids=[access.id],
            port=REDIS,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            at_rest_encryption_enabled=True,
            kms_key_id=key_arn,
            user_group_ids=[users.group_id],
            snapshot_retention_limit=settings.snapshot_retention_days,
            snapshot_window=windows.backup if settings.snapshot_retention_days else None,
            final_snapshot_identifier=self._final_snapshot_name(physical_name),
            maintenance_window=windows.maintenance,
            apply_immediately=self.context.environment is not Environment.PROD,
            log_delivery_configurations=[self._log_delivery("slow"), self._log_delivery("engine")],
            tags=self.tags(),
            opts=self.child(stateful=_keeps_data(settings), delete_before_replace=True),
        )

    def _final_snapshot_name(self, physical_name: str) -> pulumi.Output[str] | None:
        if not self._settings.snapshot_retention_days:
            return None
        # A snapshot's name stays taken, so each life of the store ends in a name of its own.
        suffix = random.RandomString(
            f"{self._name}-final-snapshot", length=8, special=False, upper=False, opts=self.child()
        )
        return pulumi.Output.concat(physical_name, "-final-", suffix.result)

    def _create_parameter_group(self) -> aws.elasticache.ParameterGroup:
        major = self._engine_version.split(".", maxsplit=1)[0]
        parameters = store_parameters(self._settings)
        return aws.elasticache.ParameterGroup(
            f"{self._name}-parameters",
            # With the family in the name, the next major version's group can exist beside this one.
            name=self.context.name(self._name, f"{ENGINE}{major}", limit=255),
            family=f"{ENGINE}{major}",
            description=f"Parameters of {self.context.name(self._name)}",
            parameters=[
                aws.elasticache.ParameterGroupParameterArgs(name=name, value=parameters[name])
                for name in sorted(parameters)
            ],
            tags=self.tags(),
            opts=self.child(),
        )

    def _create_subnet_group(self) -> aws.elasticache.SubnetGroup:
        return aws.elasticache.SubnetGroup(
            f"{self._name}-subnets",
            name=self.context.name(self._name, limit=255),
            description=f"Data subnets of {self.context.name(self._name)}",
            subnet_ids=list(self._site.subnet_ids),
            tags=self.tags(),
            opts=self.child(),
        )

    def _log_delivery(self, kind: str) -> aws.elasticache.ReplicationGroupLogDeliveryConfigurationArgs:
        group = aws.cloudwatch.LogGroup(
            f"{self._name}-{kind}-log",
            # This prefix is the one that log delivery may write to without growing the account's resource policy.
            name=f"/aws/vendedlogs/elasticache/{self.context.name(self._name)}/{kind}",
            kms_key_id=self._site.log_key_arn,
            retention_in_days=LOG_RETENTION_DAYS,
            tags=self.tags(),
            opts=self.child(),
        )
        return aws.elasticache.ReplicationGroupLogDeliveryConfigurationArgs(
            destination=group.name,
            destination_type="cloudwatch-logs",
            log_format="json",
            log_type=f"{kind}-log",
        )

    def _create_alarms(self, group: aws.elasticache.ReplicationGroup) -> None:
        """One alarm a rule and shard, on the worst of the shard's nodes.

        ElastiCache names the nodes `<group>-<shard>-<node>`, counting from 0001 and 001.
        """
        for shard in range(1, self._settings.shards + 1):
            nodes = [
                {
                    "CacheClusterId": pulumi.Output.format(
                        "{0}-{1:04d}-{2:03d}", group.replication_group_id, shard, node
                    )
                }
                for node in range(1, self._settings.replicas_per_shard + 2)
            ]
            target = AlarmTarget(
                namespace="AWS/ElastiCache",
                dimensions=nodes,
                alerting=self._site.alerting,
                runbook=RUNBOOK,
            )
            for rule in store_rules(self._settings):
                create_alarm(self, f"{self._name}-{shard:04}", rule=rule, target=target)


def _keeps_data(settings: CacheSettings) -> bool:
    return settings.durability != "disabled" or settings.snapshot_retention_days > 0


def _check(name: str, settings: CacheSettings, engine_version: str) -> None:
    """Refuse what ElastiCache would refuse."""
    if settings.durability == "disabled":
        return
    version = tuple(int(part) for part in engine_version.split("."))
    if version < _DURABLE_ENGINE or settings.replicas_per_shard < 1:
        raise ValueError(
            f"store {name!r}: durability {settings.durability} on engine {engine_version} with "
            f"{settings.replicas_per_shard} replicas a shard; it takes 9.0 or later and at least 1 replica"
        )
