"""Broker properties of the Kafka cluster, as data."""

from __future__ import annotations

from collections.abc import Mapping

from infra.model.service import Topic
from infra.model.stack import StreamingSettings

_MS_PER_DAY = 86_400_000
_DEFAULT_RETENTION_DAYS = 7
_OFFSETS_RETENTION_DAYS = 31
"""Longer than the longest topic (payment-events, 30 days): a consumer that was away finds its place again."""


def broker_properties(settings: StreamingSettings) -> Mapping[str, str]:
    """Properties of every broker, by name.

    Args:
        settings: Replication of the cluster.
    """
    replication = str(settings.replication_factor)
    insync = str(settings.min_insync_replicas)
    return {
        "auto.create.topics.enable": "false",
        "default.replication.factor": replication,
        "min.insync.replicas": insync,
        "unclean.leader.election.enable": "false",
        "offsets.topic.replication.factor": replication,
        "transaction.state.log.replication.factor": replication,
        "transaction.state.log.min.isr": insync,
        "log.retention.hours": str(_DEFAULT_RETENTION_DAYS * 24),
        "offsets.retention.minutes": str(_OFFSETS_RETENTION_DAYS * 24 * 60),
        # The topic's own compression is what is stored; a broker must not recompress what a producer sends.
        "compression.type": "producer",
        "replica.lag.time.max.ms": "30000",
        "num.io.threads": "8",
        "num.network.threads": "5",
        "num.replica.fetchers": "2",
        "delete.topic.enable": "true",
    }


def render(properties: Mapping[str, str]) -> str:
    """A properties file, sorted, so that order never makes a new revision."""
    return "".join(f"{key}={properties[key]}\n" for key in sorted(properties))


def topic_configs(topic: Topic, settings: StreamingSettings) -> Mapping[str, str]:
    """Kafka settings of one topic: retention in ms, compression, replicas that must acknowledge."""
    return {
        "cleanup.policy": "delete",
        "compression.type": topic.compression,
        "min.insync.replicas": str(settings.min_insync_replicas),
        "retention.ms": str(topic.retention_days * _MS_PER_DAY),
    }
