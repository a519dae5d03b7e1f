"""KEDA triggers (`spec.triggers` of a ScaledObject, keda.sh/v1alpha1) from the services' metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from infra.cluster.scaling import Trigger, Unit
from infra.model.service import KafkaLagMetric, PrometheusMetric, ResourceMetric, ScalingTrigger


@dataclass(frozen=True, kw_only=True)
class Kafka:
    """How KEDA reaches the cluster whose lag it reads.

    Attributes:
        bootstrap_servers: Comma-separated `host:port` of the IAM listeners.
        region: AWS region of the cluster, for signing.
        authentication: Name of the TriggerAuthentication beside the ScaledObject.
    """

    bootstrap_servers: pulumi.Input[str]
    region: str
    authentication: str


def resource_trigger(metric: ResourceMetric) -> Mapping[str, Any]:
    """Mean utilisation of the pods' requests."""
    return {
        "type": metric.name,
        "name": metric.name,
        "metricType": "Utilization",
        "metadata": {"value": str(metric.utilization_percent)},
    }


def prometheus_trigger(
    *, metric: PrometheusMetric, server_address: pulumi.Input[str], absent_is_zero: bool
) -> Mapping[str, Any]:
    """A query; per pod it is divided by the replicas (AverageValue), else taken as it is (Value).

    Args:
        metric: Name, query and threshold.
        server_address: URL of Prometheus.
        absent_is_zero: Whether an empty or undefined answer means nothing to do. A load that nobody reports is
            unknown, not zero: scaling down on it would follow every outage of the monitoring.
    """
    return {
        "type": "prometheus",
        "name": metric.name,
        "metricType": "AverageValue" if metric.per_pod else "Value",
        "metadata": {
            "serverAddress": server_address,
            "query": metric.query,
            "threshold": f"{metric.threshold:g}",
            "ignoreNullValues": "true" if absent_is_zero else "false",
        },
    }


def kafka_trigger(*, metric: KafkaLagMetric, group: str, kafka: Kafka) -> Mapping[str, Any]:
    """Lag of a consumer group, in messages a pod; never more pods than the topic has partitions."""
    return {
        "type": "apache-kafka",
        "name": metric.name,
        "metricType": "AverageValue",
        "metadata": {
            "bootstrapServers": kafka.bootstrap_servers,
            "consumerGroup": group,
            "topic": metric.topic,
            "lagThreshold": str(metric.lag_per_pod),
            "offsetResetPolicy": "earliest",
            "allowIdleConsumers": "false",
            "sasl": "aws_msk_iam",
            "tls": "enable",
            "awsRegion": kafka.region,
        },
        "authenticationRef": {"name": kafka.authentication},
    }


def custom_triggers(
    *, read: Sequence[Trigger], declared: Sequence[ScalingTrigger], server_address: pulumi.Input[str]
) -> list[Mapping[str, Any]]:
    """Prometheus triggers of a scaling configuration; only the queries come from the declaration.

    A threshold is of the whole service, not of a pod, hence `Value`. A share or a latency without traffic is
    undefined and means nothing to do; a count that is not reported is unknown.

    Raises:
        ValueError: When a metric of the configuration has no query.
    """
    queries = {trigger.metric: trigger.query for trigger in declared}
    unknown = [trigger.metric for trigger in read if trigger.metric not in queries]
    if unknown:
        raise ValueError(
            f"no query is declared for {', '.join(unknown)}; known are {', '.join(sorted(queries))}"
        )
    return [
        prometheus_trigger(
            metric=PrometheusMetric(
                name=trigger.metric, query=queries[trigger.metric], threshold=trigger.threshold, per_pod=False
            ),
            server_address=server_address,
            absent_is_zero=trigger.unit is not Unit.COUNT,
        )
        for trigger in read
    ]
