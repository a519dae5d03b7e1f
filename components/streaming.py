"""Kafka of one region: an MSK cluster and its topics."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.alarms import AlarmRule, AlarmTarget, create_alarm
from components.base import Component
from components.data_site import DataSite, create_security_group
from components.kafka_properties import broker_properties, render, topic_configs
from components.partition_guard import partitions_only_grow
from infra.model.service import Topic
from infra.model.stack import StreamingSettings
from infra.naming import StackContext
from infra.ports import KAFKA_IAM
from infra.slo.severity import Severity

EXPORTER_PORTS = (11001, 11002)
"""JMX and node exporter of every broker, for Prometheus."""
STORAGE_TARGET_PERCENT = 60
"""Use of a broker's disk from which it grows."""
STORAGE_ALARM_PERCENT = 80
"""Past the autoscaling target: growing failed, or waits for its six hours."""
RUNBOOK = "aws-kafka"
_VOLUME_SIZE = "brokerNodeGroupInfo.storageInfo.ebsStorageInfo.volumeSize"

BROKER_RULES = (
    AlarmRule(
        key="disk",
        metric="KafkaDataLogsDiskUsed",
        statistic="Maximum",
        comparison="GreaterThanThreshold",
        threshold=STORAGE_ALARM_PERCENT,
        severity=Severity.CRITICAL,
        why="over 80% of the broker's disk is used and autoscaling has not grown it: shorten retention or add storage",
    ),
    AlarmRule(
        key="under-replicated",
        metric="UnderReplicatedPartitions",
        statistic="Maximum",
        comparison="GreaterThanThreshold",
        threshold=0,
        periods=15,
        breaching_periods=15,
        why="partitions have had fewer replicas in sync than they should for 15 minutes, longer than a broker restart",
    ),
)
"""Rules of each broker."""
CLUSTER_RULES = (
    AlarmRule(
        key="controller",
        metric="ActiveControllerCount",
        statistic="Maximum",
        comparison="LessThanThreshold",
        threshold=1,
        missing="breaching",
        severity=Severity.CRITICAL,
        why="no broker is the controller: leaders are not elected and topics cannot change",
    ),
    AlarmRule(
        key="offline",
        metric="OfflinePartitionsCount",
        statistic="Maximum",
        comparison="GreaterThanThreshold",
        threshold=0,
        severity=Severity.CRITICAL,
        why="partitions without a leader: they take neither reads nor writes",
    ),
)
"""Rules of the cluster as a whole."""


class Streaming(Component):
    """MSK with provisioned brokers, IAM authentication over TLS only, and its topics.

    Brokers spread evenly over the zones, keep three copies and acknowledge with two. The volumes grow by
    themselves up to a ceiling and never shrink; only then is their size left to AWS. The configuration is tied to no
    Kafka version, so that an upgrade does not need another one.

    MSK itself chooses the kind of EBS volume of these brokers; there is nothing to ask for gp3 with.

    Args:
        name: Logical name, e.g. `streaming`; in AWS `parking-<environment>-<name>`.
        context: Names, tags and protection of the stack.
        settings: Version, brokers, storage (GiB a broker), replication, partition counts that differ, retention
            of broker logs (days).
        topics: Topics to make; their order does not matter.
        site: Network, keys and alerting of the region; its monitors reach the metric exporters.
        key_arn: KMS key of the brokers' volumes.
        opts: Options of the component itself.

    Outputs:
        arn: ARN of the cluster.
        cluster_name: Its name, the dimension of its metrics.
        bootstrap_brokers: Brokers that clients start from, `host:9098` separated by commas (TLS, IAM).
        topic_arns: ARN of each topic, by name.
        security_group_id: Security group of the brokers.

    Raises:
        ValueError: When brokers do not divide over the zones, replication does not fit the brokers, or the
            settings name a topic that is not made here.

    Source of the numbers: the architecture specification by way of `StreamingSettings` and the topics' owners.
    """

    arn: pulumi.Output[str]
    cluster_name: pulumi.Output[str]
    bootstrap_brokers: pulumi.Output[str]
    topic_arns: Mapping[str, pulumi.Output[str]]
    security_group_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        settings: StreamingSettings,
        topics: Sequence[Topic],
        site: DataSite,
        key_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Streaming", name, context=context, opts=opts)
        _check(settings, topics, site)
        self._settings, self._site = settings, site
        access = create_security_group(self, name, site=site, ports=[KAFKA_IAM], monitor_ports=EXPORTER_PORTS)
        cluster = self._create_cluster(key_arn, access, self._create_configuration())
        if self._grows:
            self._create_storage_autoscaling(cluster)
        self._only_grow = partitions_only_grow(name)
        created = {topic.name: self._create_topic(topic, cluster) for topic in topics}
        self._create_alarms(cluster)

        self.arn, self.cluster_name = cluster.arn, cluster.cluster_name
        self.bootstrap_brokers = cluster.bootstrap_brokers_sasl_iam
        self.topic_arns = {topic: created[topic].arn for topic in sorted(created)}
        self.security_group_id = access.id
        self.register_outputs(
            {
                "arn": self.arn,
                "cluster_name": self.cluster_name,
                "bootstrap_brokers": self.bootstrap_brokers,
                "topic_arns": dict(self.topic_arns),
                "security_group_id": self.security_group_id,
            }
        )

    @property
    def _grows(self) -> bool:
        return self._settings.max_storage_gib > self._settings.storage_gib

    def _create_configuration(self) -> aws.msk.Configuration:
        return aws.msk.Configuration(
            f"{self._name}-configuration",
            name=self.context.name(self._name, limit=64),
            description=f"Brokers of {self.context.name(self._name)}",
            server_properties=render(broker_properties(self._settings)),
            opts=self.child(),
        )

    def _create_cluster(
        self,
        key_arn: pulumi.Input[str],
        access: aws.ec2.SecurityGroup,
        configuration: aws.msk.Configuration,
    ) -> aws.msk.Cluster:
        settings = self._settings
        return aws.msk.Cluster(
            f"{self._name}-cluster",
            cluster_name=self.context.name(self._name, limit=64),
            kafka_version=settings.kafka_version,
            number_of_broker_nodes=settings.brokers,
            broker_node_group_info=self._brokers(access),
            client_authentication=aws.msk.ClusterClientAuthenticationArgs(
                sasl=aws.msk.ClusterClientAuthenticationSaslArgs(iam=True, scram=False), unauthenticated=False
            ),
            configuration_info=aws.msk.ClusterConfigurationInfoArgs(
                arn=configuration.arn, revision=configuration.latest_revision
            ),
            encryption_info=aws.msk.ClusterEncryptionInfoArgs(
                encryption_at_rest_kms_key_arn=key_arn,
                encryption_in_transit=aws.msk.ClusterEncryptionInfoEncryptionInTransitArgs(
                    client_broker="TLS", in_cluster=True
                ),
            ),
            enhanced_monitoring="PER_TOPIC_PER_BROKER",
            open_monitoring=aws.msk.ClusterOpenMonitoringArgs(
                prometheus=aws.msk.ClusterOpenMonitoringPrometheusArgs(
                    jmx_exporter=aws.msk.ClusterOpenMonitoringPrometheusJmxExporterArgs(
                        enabled_in_broker=True
                    ),
                    node_exporter=aws.msk.ClusterOpenMonitoringPrometheusNodeExporterArgs(
                        enabled_in_broker=True
                    ),
                )
            ),
            logging_info=self._logging(),
            tags=self.tags(),
            # Storage autoscaling owns the volumes' size from the first growth on.
            opts=self.child(stateful=True, ignore_changes=[_VOLUME_SIZE] if self._grows else None),
        )

    def _brokers(self, access: aws.ec2.SecurityGroup) -> aws.msk.ClusterBrokerNodeGroupInfoArgs:
        return aws.msk.ClusterBrokerNodeGroupInfoArgs(
            instance_type=self._settings.broker_type,
            client_subnets=list(self._site.subnet_ids),
            security_groups=[access.id],
            az_distribution="DEFAULT",
            connectivity_info=aws.msk.ClusterBrokerNodeGroupInfoConnectivityInfoArgs(
                public_access=aws.msk.ClusterBrokerNodeGroupInfoConnectivityInfoPublicAccessArgs(
                    type="DISABLED"
                )
            ),
            storage_info=aws.msk.ClusterBrokerNodeGroupInfoStorageInfoArgs(
                ebs_storage_info=aws.msk.ClusterBrokerNodeGroupInfoStorageInfoEbsStorageInfoArgs(
                    volume_size=self._settings.storage_gib
                )
            ),
        )

    def _logging(self) -> aws.msk.ClusterLoggingInfoArgs:
        group = aws.cloudwatch.LogGroup(
            f"{self._name}-log",
            name=f"/aws/vendedlogs/msk/{self.context.name(self._name)}",
            kms_key_id=self._site.log_key_arn,
            retention_in_days=self._settings.log_retention_days,
            tags=self.tags(),
            opts=self.child(),
        )
        return aws.msk.ClusterLoggingInfoArgs(
            broker_logs=aws.msk.ClusterLoggingInfoBrokerLogsArgs(
                cloudwatch_logs=aws.msk.ClusterLoggingInfoBrokerLogsCloudwatchLogsArgs(
                    enabled=True, log_group=group.name
                )
            )
        )

    def _create_storage_autoscaling(self, cluster: aws.msk.Cluster) -> None:
        target = aws.appautoscaling.Target(
            f"{self._name}-storage",
            service_namespace="kafka",
            scalable_dimension="kafka:broker-storage:VolumeSize",
            resource_id=cluster.arn,
            min_capacity=1,
            max_capacity=self._settings.max_storage_gib,
            tags=self.tags(),
            opts=self.child(),
        )
        aws.appautoscaling.Policy(
            f"{self._name}-storage-policy",
            name=self.context.name(self._name, "storage", limit=256),
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            target_tracking_scaling_policy_configuration=aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs(
                target_value=STORAGE_TARGET_PERCENT,
                disable_scale_in=True,
                predefined_metric_specification=(
                    aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs(
                        predefined_metric_type="KafkaBrokerStorageUtilization"
                    )
                ),
            ),
            opts=self.child(),
        )

    def _create_topic(self, topic: Topic, cluster: aws.msk.Cluster) -> aws.msk.Topic:
        override = self._settings.topics.get(topic.name)
        return aws.msk.Topic(
            f"{self._name}-{topic.name}",
            name=topic.name,
            cluster_arn=cluster.arn,
            partition_count=topic.partitions if override is None else override.partitions,
            replication_factor=self._settings.replication_factor,
            configs=json.dumps(topic_configs(topic, self._settings), sort_keys=True),
            opts=pulumi.ResourceOptions.merge(
                # Another name, cluster or number of copies would replace the topic, and what it holds be gone.
                self.child(stateful=True),
                pulumi.ResourceOptions(hooks=self._only_grow),
            ),
        )

    def _create_alarms(self, cluster: aws.msk.Cluster) -> None:
        watched = [
            (
                f"{self._name}-broker-{broker}",
                {"Cluster Name": cluster.cluster_name, "Broker ID": str(broker)},
                rule,
            )
            for broker in range(1, self._settings.brokers + 1)
            for rule in BROKER_RULES
        ]
        watched += [(self._name, {"Cluster Name": cluster.cluster_name}, rule) for rule in CLUSTER_RULES]
        for name, dimensions, rule in watched:
            target = AlarmTarget(
                namespace="AWS/Kafka",
                dimensions=[dimensions],
                alerting=self._site.alerting,
                runbook=RUNBOOK,
            )
            create_alarm(self, name, rule=rule, target=target)


def _check(settings: StreamingSettings, topics: Sequence[Topic], site: DataSite) -> None:
    """Refuse what MSK would refuse after half an hour of creating."""
    zones = len(site.subnet_ids)
    if settings.brokers % zones:
        raise ValueError(f"{settings.brokers} brokers over {zones} zones: take a multiple of {zones}")
    if not settings.min_insync_replicas < settings.replication_factor <= settings.brokers:
        raise ValueError(
            f"{settings.min_insync_replicas} replicas in sync of {settings.replication_factor} on {settings.brokers} "
            "brokers: fewer must be required than there are copies, and a broker holds one copy at most"
        )
    names = [topic.name for topic in topics]
    if len(set(names)) != len(names):
        raise ValueError(f"topics {sorted(names)}: each belongs to one owner, yet one is named twice")
    unknown = sorted(set(settings.topics) - set(names))
    if unknown:
        raise ValueError(f"settings change the partitions of {unknown}; the topics are {sorted(names)}")
