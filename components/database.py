"""PostgreSQL of one region: its head (writer or recovery replica) and the readers behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from components.base import Component
from components.data_site import DataSite, create_security_group
from components.database_alarms import (
    RECOVERY_LAG_SECONDS,
    create_server_alarms,
    replica_rules,
    server_rules,
    writer_rules,
)
from components.database_instance import Ownership, Server, ServerFrame, create_server
from components.database_replicas import STRIPED_STORAGE_GIB, DatabaseReaders, RecoveryReplicas, ReplicaSite
from components.postgres_parameters import catalogue, family
from components.secret import GeneratedSecret, SecretOptions
from infra.iam import service_trust
from infra.model.stack import DatabaseSettings, Environment
from infra.naming import PROJECT, StackContext
from infra.ports import POSTGRES
from infra.windows import quiet_windows

MAX_REPLICAS = 15
"""AWS quota: replicas of one RDS instance, readers made by autoscaling included."""
OWNER_NAME = f"{PROJECT}_owner"
"""Owner of the database; services get roles of their own."""
_MONITORING_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"


@dataclass(frozen=True, kw_only=True)
class ReplicationSource:
    """The writer that a secondary region copies.

    Attributes:
        arn: ARN of the primary region's writer.
    """

    arn: pulumi.Input[str]


class Database(Component):
    """RDS for PostgreSQL in one region.

    The region's *head* is the writer, or with a `source` the first recovery replica: class, storage, Multi-AZ
    and backups of the two are the same and so are all names, so that a change of role changes no more than the
    source. Taking `source` away promotes the head in place. Giving one to a former writer changes nothing of it,
    because RDS cannot demote and no change of a setting may cost a database: it stays as the failover left it, fenced,
    until `python -m infra.ops failback` makes it anew as a replica. Readers always replicate from their
    region's head. A secondary's further recovery replicas copy the primary's writer.

    The head keeps its daily backups and its storage key; the owner's credentials are in each region's Secrets
    Manager under its own key, and a writer leaves a final snapshot. In production changes wait for the maintenance
    window, elsewhere they do not.

    Args:
        name: Logical name, e.g. `database`; the head is `<name>-head`, in AWS `parking-<environment>-<name>`.
        context: Names, tags and protection of the stack.
        settings: Classes, storage (GiB), IOPS, connections, readers, retention (days).
        site: Network, keys and alerting of the region.
        key_arn: KMS key, of this region, for storage, snapshots and Performance Insights.
        source: The writer to copy; none: this region holds the writer.
        owner_password: Password of the database's owner where another stack generated it; none: it is generated.
        opts: Options of the component itself.

    Outputs:
        identifier: Identifier of the head.
        arn: ARN of the head; what a secondary region replicates.
        resource_id: Immutable id of the head (`db-...`), for IAM policies.
        address: DNS name of the head: the writer's in the primary region.
        port: TCP port, 5432.
        reader_addresses: DNS name of each reader.
        reader_identifiers: Identifier of each reader.
        recovery_addresses: DNS name of each further recovery replica; empty in the primary region.
        security_group_id: Security group of every server.
        parameter_group_name: Parameter group of every server.
        owner_secret: Logical name of the secret with the owner's credentials, the same in every region.
        secret_arn: This region's secret with the owner's credentials.
        owner_password: The owner's first password, before rotation; secret.

    Raises:
        ValueError: When replicas exceed the 15 of AWS, IOPS are given for less than 400 GiB, or a secondary
            region is to keep no recovery replica.

    Source of the numbers: the architecture specification by way of `DatabaseSettings`; the rest is explained where
    it stands.
    """

    identifier: pulumi.Output[str]
    arn: pulumi.Output[str]
    resource_id: pulumi.Output[str]
    address: pulumi.Output[str]
    port: int
    reader_addresses: pulumi.Output[Sequence[str]]
    reader_identifiers: pulumi.Output[Sequence[str]]
    recovery_addresses: pulumi.Output[Sequence[str]]
    security_group_id: pulumi.Output[str]
    parameter_group_name: pulumi.Output[str]
    owner_secret: str
    secret_arn: pulumi.Output[str]
    owner_password: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        settings: DatabaseSettings,
        site: DataSite,
        key_arn: pulumi.Input[str],
        source: ReplicationSource | None = None,
        owner_password: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Database", name, context=context, opts=opts)
        _check(settings, source)
        self._settings, self._site, self._source = settings, site, source
        self._subnet_group = self._create_subnet_group()
        self._frame = self._create_frame(key_arn)
        self._create_owner(owner_password)
        head = self._create_head(None if source is not None else self._create_ownership())
        readers = self._create_readers(head)
        recovery = None if source is None else self._create_recovery_replicas(source)

        self.identifier, self.arn, self.resource_id = head.identifier, head.arn, head.resource_id
        self.address, self.port = head.address, POSTGRES
        self.reader_addresses, self.reader_identifiers = readers.addresses, readers.identifiers
        self.recovery_addresses = recovery.addresses if recovery else pulumi.Output.from_input([])
        self.register_outputs(
            {
                "identifier": self.identifier,
                "arn": self.arn,
                "resource_id": self.resource_id,
                "address": self.address,
                "port": self.port,
                "reader_addresses": self.reader_addresses,
                "reader_identifiers": self.reader_identifiers,
                "recovery_addresses": self.recovery_addresses,
                "security_group_id": self.security_group_id,
                "parameter_group_name": self.parameter_group_name,
                "secret_arn": self.secret_arn,
            }
        )

    def _create_subnet_group(self) -> aws.rds.SubnetGroup:
        return aws.rds.SubnetGroup(
            f"{self._name}-subnets",
            name=self.context.name(self._name, limit=255),
            description=f"Data subnets of {self.context.name(self._name)}",
            subnet_ids=list(self._site.subnet_ids),
            tags=self.tags(),
            opts=self.child(),
        )

    def _create_frame(self, key_arn: pulumi.Input[str]) -> ServerFrame:
        group = create_security_group(self, self._name, site=self._site, ports=[POSTGRES])
        parameters = self._create_parameter_group()
        self.security_group_id, self.parameter_group_name = group.id, parameters.name
        return ServerFrame(
            settings=self._settings,
            parameter_group_name=parameters.name,
            security_group_id=group.id,
            monitoring_role_arn=self._create_monitoring_role(),
            key_arn=key_arn,
            log_key_arn=self._site.log_key_arn,
            windows=quiet_windows(region=self.context.region),
            apply_immediately=self.context.environment is not Environment.PROD,
        )

    def _create_parameter_group(self) -> aws.rds.ParameterGroup:
        group_family = family(self._settings.engine_version)
        return aws.rds.ParameterGroup(
            f"{self._name}-parameters",
            # With the family in the name, the next major version's group can exist beside this one.
            name=self.context.name(self._name, group_family, limit=255),
            family=group_family,
            description=f"Parameters of {self.context.name(self._name)}",
            parameters=[
                aws.rds.ParameterGroupParameterArgs(
                    name=parameter.name, value=parameter.value, apply_method=parameter.apply.value
                )
                for parameter in catalogue(max_connections=self._settings.max_connections)
            ],
            tags=self.tags(),
            opts=self.child(),
        )

    def _create_monitoring_role(self) -> pulumi.Output[str]:
        role = aws.iam.Role(
            f"{self._name}-monitoring",
            name=self.context.global_name(self._name, "monitoring", limit=64),
            description="Lets RDS write operating system metrics to CloudWatch Logs",
            assume_role_policy=service_trust("monitoring.rds.amazonaws.com"),
            tags=self.tags(),
            opts=self.child(),
        )
        attachment = aws.iam.RolePolicyAttachment(
            f"{self._name}-monitoring-policy",
            role=role.name,
            policy_arn=_MONITORING_POLICY,
            opts=self.child(),
        )
        # By way of the attachment: RDS refuses a role that cannot write yet.
        return pulumi.Output.all(role.arn, attachment.id).apply(lambda values: str(values[0]))

    def _create_owner(self, password: pulumi.Input[str] | None) -> None:
        self.owner_secret = f"{self._name}-owner"
        secret = GeneratedSecret(
            self.owner_secret,
            context=self.context,
            description=f"Owner of {self.context.name(self._name)}",
            key_arn=self._site.secrets_key_arn,
            fields={"engine": "postgres", "username": OWNER_NAME, "dbname": PROJECT, "port": str(POSTGRES)},
            options=SecretOptions(stateful=True, value=password, rotated=True),
            opts=self.child(),
        )
        self.secret_arn, self.owner_password = secret.arn, secret.value

    def _create_ownership(self) -> Ownership:
        # A snapshot's name is taken for ever, so each life of the database ends in a name of its own.
        suffix = random.RandomString(
            f"{self._name}-final-snapshot", length=8, special=False, upper=False, opts=self.child()
        )
        return Ownership(
            database=PROJECT,
            username=OWNER_NAME,
            password=self.owner_password,
            final_snapshot=pulumi.Output.concat(self.context.name(self._name), "-final-", suffix.result),
        )

    def _create_head(self, ownership: Ownership | None) -> aws.rds.Instance:
        settings, source = self._settings, self._source
        head = create_server(
            self,
            f"{self._name}-head",
            frame=self._frame,
            server=Server(
                identifier=self.context.name(self._name),
                instance_class=settings.instance_class,
                iops=settings.iops,
                throughput_mibps=settings.throughput_mibps,
                source=None if source is None else source.arn,
                subnet_group_name=self._subnet_group.name,
                multi_az=settings.multi_az,
                backup_retention_days=settings.backup_retention_days,
                log_exports=("postgresql", "upgrade"),
                ownership=ownership,
                deletion_protection=self.context.protect,
            ),
            options=self._head_options(),
        )
        role_rules = writer_rules() if source is None else replica_rules(lag_seconds=RECOVERY_LAG_SECONDS)
        create_server_alarms(
            self,
            f"{self._name}-head",
            instance=head,
            rules=(*server_rules(settings), *role_rules),
            alerting=self._site.alerting,
        )
        return head

    def _head_options(self) -> pulumi.ResourceOptions:
        if self._source is None:
            # A promoted replica has its source's owner and database; to name them then would replace it.
            # Its password is the first one, which rotation has changed since.
            return self.child(
                stateful=True, ignore_changes=["username", "dbName", "password"], delete_before_replace=True
            )
        return self.child(
            stateful=True,
            # RDS can take a source away (promotion) but give none: a former writer stays as the failover left it,
            # behind its fence, until the operations tool makes it anew; a setting alone never costs a database.
            ignore_changes=["replicateSourceDb", "vpcSecurityGroupIds"],
            delete_before_replace=True,
        )

    def _replica_site(self) -> ReplicaSite:
        return ReplicaSite(zones=self._site.zones, alerting=self._site.alerting)

    def _create_readers(self, head: aws.rds.Instance) -> DatabaseReaders:
        return DatabaseReaders(
            f"{self._name}-reader",
            context=self.context,
            frame=self._frame,
            site=self._replica_site(),
            head=head,
            opts=self.child(),
        )

    def _create_recovery_replicas(self, source: ReplicationSource) -> RecoveryReplicas:
        return RecoveryReplicas(
            f"{self._name}-recovery",
            context=self.context,
            frame=self._frame,
            site=self._replica_site(),
            source_arn=source.arn,
            subnet_group_name=self._subnet_group.name,
            opts=self.child(),
        )


def _check(settings: DatabaseSettings, source: ReplicationSource | None) -> None:
    """Refuse what RDS would refuse after half an hour of creating."""
    replicas = max(settings.readers, settings.max_readers) + settings.recovery_replicas
    if replicas > MAX_REPLICAS:
        raise ValueError(
            f"{settings.max_readers} readers at most and {settings.recovery_replicas} recovery replicas are {replicas} "
            f"replicas; RDS allows {MAX_REPLICAS} a source: lower one of the two"
        )
    if settings.storage_gib < STRIPED_STORAGE_GIB and (settings.iops or settings.throughput_mibps):
        raise ValueError(
            f"{settings.storage_gib} GiB of gp3 with {settings.iops} IOPS and {settings.throughput_mibps} MiB/s: RDS "
            f"lets both be chosen from {STRIPED_STORAGE_GIB} GiB on: leave them out or take more storage"
        )
    if source is not None and settings.recovery_replicas < 1:
        raise ValueError(
            "a secondary region without a recovery replica has nothing to promote: set recoveryReplicas to 1 or more"
        )
