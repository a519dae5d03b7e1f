"""Kafka of a region: three brokers, three copies, IAM over TLS, the topics of the services."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from components.streaming import Streaming
from infra.model.service import Topic
from infra.model.stack import StreamingSettings, TopicSettings
from services import topics as catalogue_topics
from tests.unit.components.building import Built, build, context
from tests.unit.components.sites import DATA_KEY, LOG_KEY, TOPIC, URGENT_TOPIC, ZONES, site
from tests.unit.recording import parsed

CLUSTER = "aws:msk/cluster:Cluster"
CONFIGURATION = "aws:msk/configuration:Configuration"
TOPICS = "aws:msk/topic:Topic"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
TARGET = "aws:appautoscaling/target:Target"
POLICY = "aws:appautoscaling/policy:Policy"
DAY_MS = 24 * 60 * 60 * 1000


def build_streaming(
    *,
    settings: StreamingSettings | None = None,
    topics: tuple[Topic, ...] | None = None,
    zones: tuple[str, ...] = ZONES,
    protect: bool = True,
) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        streaming = Streaming(
            "streaming",
            context=context(protect=protect),
            settings=settings or StreamingSettings(),
            topics=catalogue_topics() if topics is None else topics,
            site=site(zones=zones),
            key_arn=DATA_KEY,
            opts=opts,
        )
        return {"topics": dict(streaming.topic_arns), "name": streaming.cluster_name}

    return build(make)


@cache
def standard() -> Built:
    return build_streaming()


def properties(built: Built) -> dict[str, str]:
    lines = built.recorder.one(CONFIGURATION).inputs["serverProperties"].splitlines()
    return dict(line.split("=", maxsplit=1) for line in lines)


def test_the_cluster_has_the_brokers_and_the_storage_of_the_specification() -> None:
    inputs = standard().recorder.one(CLUSTER).inputs
    brokers = inputs["brokerNodeGroupInfo"]

    assert inputs["numberOfBrokerNodes"] == 3
    assert brokers["instanceType"] == "kafka.m5.2xlarge"
    assert brokers["storageInfo"]["ebsStorageInfo"]["volumeSize"] == 1024
    assert brokers["clientSubnets"] == ["subnet-a", "subnet-b", "subnet-c"]
    assert brokers["connectivityInfo"]["publicAccess"]["type"] == "DISABLED"


def test_clients_authenticate_by_iam_over_tls_and_in_no_other_way() -> None:
    inputs = standard().recorder.one(CLUSTER).inputs
    authentication = inputs["clientAuthentication"]

    assert authentication["sasl"] == {"iam": True, "scram": False}
    assert authentication["unauthenticated"] is False
    assert "tls" not in authentication
    assert inputs["encryptionInfo"]["encryptionInTransit"] == {"clientBroker": "TLS", "inCluster": True}
    assert inputs["encryptionInfo"]["encryptionAtRestKmsKeyArn"] == DATA_KEY


def test_the_brokers_keep_three_copies_acknowledge_with_two_and_elect_no_stale_leader() -> None:
    found = properties(standard())

    assert found["default.replication.factor"] == "3"
    assert found["min.insync.replicas"] == "2"
    assert found["unclean.leader.election.enable"] == "false"
    assert found["auto.create.topics.enable"] == "false"
    assert found["transaction.state.log.replication.factor"] == "3"
    assert found["transaction.state.log.min.isr"] == "2"
    assert found["offsets.topic.replication.factor"] == "3"


def test_consumer_offsets_outlive_the_longest_topic() -> None:
    minutes = int(properties(standard())["offsets.retention.minutes"])

    assert minutes >= max(topic.retention_days for topic in catalogue_topics()) * 24 * 60


def test_the_configuration_is_tied_to_no_version_and_the_cluster_follows_its_revision() -> None:
    built = standard()

    assert "kafkaVersions" not in built.recorder.one(CONFIGURATION).inputs
    followed = built.recorder.one(CLUSTER).inputs["configurationInfo"]
    assert followed["arn"].endswith("streaming-configuration")
    assert "revision" not in followed, "the mock gives a configuration no revision, so a constant stands here"


@pytest.mark.parametrize(
    ("name", "partitions", "retention_days", "compression"),
    [
        ("vehicle-events", 50, 7, "snappy"),
        ("payment-events", 20, 30, "gzip"),
        ("notification-events", 30, 3, "lz4"),
    ],
)
def test_each_topic_has_the_partitions_retention_and_compression_of_the_specification(
    name: str, partitions: int, retention_days: int, compression: str
) -> None:
    topic = standard().recorder.one(TOPICS, f"streaming-{name}").inputs

    assert topic["name"] == name
    assert topic["partitionCount"] == partitions
    assert topic["replicationFactor"] == 3
    assert parsed(topic["configs"]) == {
        "cleanup.policy": "delete",
        "compression.type": compression,
        "min.insync.replicas": "2",
        "retention.ms": str(retention_days * DAY_MS),
    }


def test_there_are_the_three_topics_and_no_other() -> None:
    built = standard()

    assert len(built.recorder.of_type(TOPICS)) == 3
    assert set(built.outputs["topics"]) == {"vehicle-events", "payment-events", "notification-events"}


def test_a_stack_may_say_another_number_of_partitions() -> None:
    settings = StreamingSettings(topics={"payment-events": TopicSettings(partitions=24)})
    built = build_streaming(settings=settings)

    assert built.recorder.one(TOPICS, "streaming-payment-events").inputs["partitionCount"] == 24
    assert built.recorder.one(TOPICS, "streaming-vehicle-events").inputs["partitionCount"] == 50


def test_cluster_and_topics_are_protected_where_the_stack_protects() -> None:
    assert standard().protected() == {
        (CLUSTER, "streaming-cluster"),
        (TOPICS, "streaming-vehicle-events"),
        (TOPICS, "streaming-payment-events"),
        (TOPICS, "streaming-notification-events"),
    }
    assert build_streaming(protect=False).protected() == set()


def test_volumes_grow_by_themselves_and_only_then_is_their_size_left_to_aws() -> None:
    growing = standard()
    fixed = build_streaming(settings=StreamingSettings(max_storage_gib=1024))
    target = growing.recorder.one(TARGET).inputs
    policy = growing.recorder.one(POLICY).inputs["targetTrackingScalingPolicyConfiguration"]

    assert target["maxCapacity"] == 2048
    assert target["scalableDimension"] == "kafka:broker-storage:VolumeSize"
    assert policy["targetValue"] == 60
    assert policy["disableScaleIn"] is True
    assert growing.options[CLUSTER, "streaming-cluster"].ignore_changes == [
        "brokerNodeGroupInfo.storageInfo.ebsStorageInfo.volumeSize"
    ]
    assert not fixed.options[CLUSTER, "streaming-cluster"].ignore_changes
    assert fixed.recorder.of_type(TARGET) == fixed.recorder.of_type(POLICY) == []


def test_metrics_are_per_topic_and_exporters_are_open_to_monitors_alone() -> None:
    built = standard()
    inputs = built.recorder.one(CLUSTER).inputs

    assert inputs["enhancedMonitoring"] == "PER_TOPIC_PER_BROKER"
    assert inputs["openMonitoring"]["prometheus"] == {
        "jmxExporter": {"enabledInBroker": True},
        "nodeExporter": {"enabledInBroker": True},
    }
    rules = {
        (r.inputs["referencedSecurityGroupId"], r.inputs["fromPort"]) for r in built.recorder.of_type(RULE)
    }
    assert rules == {
        ("sg-pools", 9098),
        ("sg-nodes", 9098),
        ("sg-prometheus", 11001),
        ("sg-prometheus", 11002),
    }


def test_broker_logs_go_to_an_encrypted_group() -> None:
    built = standard()
    group = built.recorder.one(LOG_GROUP).inputs
    delivery = built.recorder.one(CLUSTER).inputs["loggingInfo"]["brokerLogs"]

    assert group["kmsKeyId"] == LOG_KEY
    assert group["retentionInDays"] == 30
    assert delivery == {"cloudwatchLogs": {"enabled": True, "logGroup": group["name"]}}


def test_each_broker_is_watched_for_its_disk_and_copies_and_the_cluster_for_its_controller() -> None:
    alarms = {alarm.name: alarm.inputs for alarm in standard().recorder.of_type(ALARM)}

    assert set(alarms) == {
        *(
            f"streaming-broker-{broker}-{rule}-alarm"
            for broker in (1, 2, 3)
            for rule in ("disk", "under-replicated")
        ),
        "streaming-controller-alarm",
        "streaming-offline-alarm",
    }
    assert alarms["streaming-broker-2-disk-alarm"]["dimensions"] == {
        "Cluster Name": "parking-prod-streaming",
        "Broker ID": "2",
    }
    assert alarms["streaming-controller-alarm"]["comparisonOperator"] == "LessThanThreshold"
    assert alarms["streaming-controller-alarm"]["threshold"] == 1
    told = {name.removesuffix("-alarm"): alarm["alarmActions"] for name, alarm in alarms.items()}
    assert told["streaming-offline"] == told["streaming-broker-1-disk"] == [URGENT_TOPIC]
    assert told["streaming-broker-1-under-replicated"] == [TOPIC]


def test_the_order_of_the_topics_changes_nothing() -> None:
    def shown(built: Built) -> dict[str, dict[str, Any]]:
        return {topic.name: topic.inputs for topic in built.recorder.of_type(TOPICS)}

    assert shown(standard()) == shown(build_streaming(topics=tuple(reversed(catalogue_topics()))))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (StreamingSettings(brokers=4), "4 brokers over 3 zones: take a multiple of 3"),
        (StreamingSettings(replication_factor=4), "fewer must be required than there are copies"),
        (StreamingSettings(min_insync_replicas=3), "fewer must be required than there are copies"),
        (StreamingSettings(topics={"gone": TopicSettings(partitions=1)}), r"partitions of \['gone'\]"),
    ],
)
def test_what_msk_refuses_late_is_refused_early(settings: StreamingSettings, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_streaming(settings=settings)


def test_a_topic_with_two_owners_is_refused() -> None:
    twice = (*catalogue_topics(), catalogue_topics()[0])

    with pytest.raises(ValueError, match="one is named twice"):
        build_streaming(topics=twice)
