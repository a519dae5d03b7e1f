"""Kafka: brokers, topics and who consumes them."""

from __future__ import annotations

from collections.abc import Iterator

from infra.checks.subject import Subject, no_such_type
from infra.instances import BROKER_TYPES
from infra.problems import Problem


def check_streaming(subject: Subject) -> Iterator[Problem]:
    """Brokers, replication, storage and topics."""
    streaming, zones = subject.settings.streaming, len(subject.settings.network.zones)
    if streaming.broker_type not in BROKER_TYPES:
        yield no_such_type(
            "parking:streaming.brokerType", streaming.broker_type, sorted(BROKER_TYPES), "infra/instances.py"
        )
    if streaming.brokers % zones:
        yield Problem(
            key="parking:streaming.brokers",
            found=f"{streaming.brokers} brokers in {zones} zones",
            allowed=f"a multiple of {zones}",
            why="MSK places the same number of brokers in every zone",
            action="change brokers or network.zones",
        )
    if not streaming.min_insync_replicas < streaming.replication_factor <= streaming.brokers:
        yield Problem(
            key="parking:streaming.replicationFactor",
            found=f"minInsyncReplicas {streaming.min_insync_replicas}, replicationFactor "
            f"{streaming.replication_factor}, brokers {streaming.brokers}",
            allowed="minInsyncReplicas < replicationFactor <= brokers",
            why="with as many in-sync replicas required as there are, one lost broker stops every write",
            action="put the three in order",
        )
    if streaming.max_storage_gib < streaming.storage_gib:
        yield Problem(
            key="parking:streaming.maxStorageGib",
            found=str(streaming.max_storage_gib),
            allowed=f"{streaming.storage_gib} (storageGib) or more",
            why="broker storage only ever grows",
            action="raise maxStorageGib",
        )
    declared = {topic.name for service in subject.catalogue for topic in service.topics}
    for topic in sorted(set(streaming.topics) - declared):
        yield Problem(
            key=f"parking:streaming.topics.{topic}",
            found="a topic that no service declares",
            allowed=", ".join(sorted(declared)),
            why="topics belong to the service that owns them, in services/",
            action="correct the name, or declare the topic in its service",
        )


def check_consumers(subject: Subject) -> Iterator[Problem]:
    """No group has more members than its topic has partitions."""
    for service in subject.catalogue:
        own = subject.service_settings(service)
        if service.consumption:
            consumers = own.consumers if own and own.consumers else service.consumption.consumers
            for topic in service.consumption.topics:
                partitions = subject.partitions(topic)
                if partitions is not None and consumers > partitions:
                    yield _more_consumers(
                        f"parking:services.{service.name}.consumers", consumers, topic, partitions
                    )
        for metric in service.scaling.metrics:
            if metric.kind == "kafka":
                partitions, high = subject.partitions(metric.topic), subject.bounds(service)[1]
                if partitions is not None and high > partitions:
                    yield _more_consumers(
                        f"parking:services.{service.name}.maxReplicas", high, metric.topic, partitions
                    )


def _more_consumers(key: str, found: int, topic: str, partitions: int) -> Problem:
    return Problem(
        key=key,
        found=str(found),
        allowed=f"at most {partitions}, the partitions of {topic}",
        why="Kafka gives a partition to one member of a group: members past the partitions idle",
        action=f"lower it, or raise parking:streaming.topics.{topic}.partitions (they never shrink)",
    )
