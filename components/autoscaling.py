"""Who moves a service's replicas and sizes its pods: KEDA's ScaledObject and a VerticalPodAutoscaler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.base import Component
from components.cluster_site import ClusterSite
from infra.cluster import keda, scaling
from infra.cluster.labels import object_labels
from infra.model.service import (
    KafkaLagMetric,
    PrometheusMetric,
    ResourceMetric,
    Scaling,
    ScalingDirection,
    Service,
    VerticalScaling,
)
from infra.model.triggers import GENERAL_TRIGGERS, GeneralTriggers
from infra.naming import StackContext

CONFIGURATION_KEY = "scaling-config.yaml"
RESPONSE_METRIC = "response_time_to_objective"
FAILURES_BEFORE_FALLBACK = 3
"""Failed readings of a metric in a row after which KEDA falls back."""


@dataclass(frozen=True, kw_only=True)
class MetricSources:
    """Where autoscalers read metrics.

    Attributes:
        prometheus_address: URL of Prometheus inside the cluster.
        kafka_bootstrap_servers: Brokers' IAM listeners, `host:port` separated by commas; needed where a metric is
            a consumer group's lag. KEDA's operator reads it with its own identity
            (`infra.cluster.controller_policies.kafka_lag`).
    """

    prometheus_address: pulumi.Input[str]
    kafka_bootstrap_servers: pulumi.Input[str] | None = None


def refuse_two_owners(scaling_of: Scaling, service_name: str) -> None:
    """Refuse a replica metric on what a vertical autoscaler already moves.

    Raises:
        ValueError: When cpu or memory would have two owners; they oscillate.
    """
    if scaling_of.vertical is None:
        return
    shared = [metric.name for metric in scaling_of.metrics if isinstance(metric, ResourceMetric)]
    if shared:
        raise ValueError(
            f"{service_name}: {' and '.join(shared)} would move both the replicas and, by the vertical "
            "autoscaler, the size of the pods; one owner a metric: choose another replica metric or drop vertical"
        )


class Autoscaler(Component):
    """The one owner of a service's replica count, and of its size where the service scales vertically.

    KEDA makes the HPA, named `<service>-service-hpa`, with the specification's bounds, metrics and behavior. A
    service with `scaling.triggers` gets the ConfigMap `<service>-service-metrics` in the specification's format,
    and that text is the only source of its metrics and scale-up policies.

    Args:
        name: Logical name; distinct from the workload's, e.g. `auth-autoscaler`.
        context: Names, tags and protection of the stack.
        site: Cluster and namespace.
        service: The service as this stack runs it.
        deployment_name: Name of its Deployment, as an output of it, so that data flow orders them.
        sources: Where metrics are read.
        general: The specification's general triggers: response time over the objective adds pods of services
            that have objectives and no configuration of their own; none: it does not.
        opts: Options of the component itself.

    Outputs:
        hpa_name: Name of the HorizontalPodAutoscaler that KEDA makes.

    Raises:
        ValueError: When cpu or memory would have two owners, or a lag is to be read without brokers.
    """

    hpa_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        site: ClusterSite,
        service: Service,
        deployment_name: pulumi.Input[str],
        sources: MetricSources,
        general: GeneralTriggers | None = GENERAL_TRIGGERS,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Autoscaler", name, context=context, opts=opts)
        refuse_two_owners(service.scaling, service.workload_name)
        self._site, self._service, self._sources = site, service, sources
        self._general = general
        kafka = self._create_kafka_authentication()
        if service.scaling.triggers:
            triggers, scale_up = self._create_configured_triggers()
        else:
            triggers, scale_up = self._metric_triggers(kafka), service.scaling.scale_up
        scaled = self._create_scaled_object(triggers, _stated(scale_up, service), deployment_name)
        if service.scaling.vertical:
            self._create_vertical(service.scaling.vertical, deployment_name)

        # From the applied object, so that a reader of the name waits for its making.
        self.hpa_name = scaled.id.apply(lambda _: f"{service.workload_name}-hpa")
        self.register_outputs({"hpa_name": self.hpa_name})

    def _metadata(self, suffix: str = "") -> k8s.meta.v1.ObjectMetaArgs:
        return k8s.meta.v1.ObjectMetaArgs(
            name=f"{self._service.workload_name}{suffix}",
            namespace=self._site.namespace,
            labels=object_labels(self._service),
        )

    def _create_kafka_authentication(self) -> keda.Kafka | None:
        """Let KEDA sign in to the brokers with its operator's AWS identity; none where no lag is read."""
        if not any(isinstance(metric, KafkaLagMetric) for metric in self._service.scaling.metrics):
            return None
        brokers = self._sources.kafka_bootstrap_servers
        if brokers is None:
            raise ValueError(
                f"{self._service.workload_name} scales on a consumer group's lag; kafka_bootstrap_servers is missing"
            )
        self._create(
            "kafka",
            kind="TriggerAuthentication",
            suffix="-kafka",
            spec={"podIdentity": {"provider": "aws"}},
        )
        return keda.Kafka(
            bootstrap_servers=brokers,
            region=self.context.region,
            authentication=f"{self._service.workload_name}-kafka",
        )

    def _create_configured_triggers(self) -> tuple[list[Mapping[str, Any]], ScalingDirection]:
        """Write the specification's configuration and derive the triggers and steps from its text."""
        declared = self._service.scaling.triggers
        text = scaling.render(declared)
        k8s.core.v1.ConfigMap(
            f"{self._name}-metrics",
            metadata=self._metadata("-metrics"),
            data={CONFIGURATION_KEY: text},
            opts=self.child(provider=self._site.provider),
        )
        read = scaling.parse(text)
        triggers = keda.custom_triggers(
            read=read, declared=declared, server_address=self._sources.prometheus_address
        )
        return triggers, scaling.step_policies(read)

    def _metric_triggers(self, kafka: keda.Kafka | None) -> list[Mapping[str, Any]]:
        service = self._service
        triggers: list[Mapping[str, Any]] = []
        for metric in service.scaling.metrics:
            match metric:
                case ResourceMetric():
                    triggers.append(keda.resource_trigger(metric))
                case PrometheusMetric():
                    triggers.append(self._query(metric, absent_is_zero=False))
                case KafkaLagMetric() if kafka:
                    triggers.append(
                        keda.kafka_trigger(metric=metric, group=service.workload_name, kafka=kafka)
                    )
                case _:
                    raise ValueError(f"{service.workload_name}: metric {metric.name!r} has no source")
        if self._general and service.objectives:
            triggers.append(self._query(self._response_metric(self._general), absent_is_zero=True))
        return triggers

    def _query(self, metric: PrometheusMetric, *, absent_is_zero: bool) -> Mapping[str, Any]:
        return keda.prometheus_trigger(
            metric=metric, server_address=self._sources.prometheus_address, absent_is_zero=absent_is_zero
        )

    def _response_metric(self, general: GeneralTriggers) -> PrometheusMetric:
        query = scaling.response_query(
            service=self._service.workload_name, objectives=self._service.objectives, triggers=general
        )
        target = general.scale_up.response_to_objective
        return PrometheusMetric(name=RESPONSE_METRIC, query=query, threshold=target, per_pod=False)

    def _create_scaled_object(
        self,
        triggers: Sequence[Mapping[str, Any]],
        scale_up: ScalingDirection,
        deployment_name: pulumi.Input[str],
    ) -> k8s.apiextensions.CustomResource:
        bounds = self._service.scaling
        spec: dict[str, Any] = {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment_name},
            "minReplicaCount": bounds.min_replicas,
            "maxReplicaCount": bounds.max_replicas,
            "advanced": {
                # Deleting the autoscaler must not drop a loaded service to its first count.
                "restoreToOriginalReplicaCount": False,
                "horizontalPodAutoscalerConfig": {
                    "name": f"{self._service.workload_name}-hpa",
                    "behavior": scaling.behavior(scale_up=scale_up, scale_down=bounds.scale_down),
                },
            },
            "triggers": list(triggers),
        }
        # KEDA falls back on per-pod metrics only and refuses the setting where there is none.
        if any(trigger["metricType"] == "AverageValue" for trigger in triggers):
            spec["fallback"] = self._fallback()
        return self._create("scaled-object", kind="ScaledObject", suffix="", spec=spec)

    def _fallback(self) -> Mapping[str, Any]:
        """While a metric cannot be read, neither fewer pods than now nor fewer than the minimum."""
        return {
            "failureThreshold": FAILURES_BEFORE_FALLBACK,
            "replicas": self._service.scaling.min_replicas,
            "behavior": "currentReplicasIfHigher",
        }

    def _create_vertical(
        self, vertical: VerticalScaling, deployment_name: pulumi.Input[str]
    ) -> k8s.apiextensions.CustomResource:
        return self._create(
            "vertical",
            kind="VerticalPodAutoscaler",
            suffix="-vpa",
            api_version="autoscaling.k8s.io/v1",
            spec={
                "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment_name},
                "updatePolicy": {"updateMode": vertical.update_mode},
                "resourcePolicy": {
                    "containerPolicies": [
                        {
                            "containerName": self._service.workload_name,
                            "minAllowed": {"cpu": vertical.min_cpu, "memory": vertical.min_memory},
                            "maxAllowed": {"cpu": vertical.max_cpu, "memory": vertical.max_memory},
                            "controlledResources": ["cpu", "memory"],
                        }
                    ]
                },
            },
        )

    def _create(
        self,
        child: str,
        *,
        kind: str,
        suffix: str,
        spec: Mapping[str, Any],
        api_version: str = "keda.sh/v1alpha1",
    ) -> k8s.apiextensions.CustomResource:
        return k8s.apiextensions.CustomResource(
            f"{self._name}-{child}",
            api_version=api_version,
            kind=kind,
            metadata=self._metadata(suffix),
            spec=spec,
            # The kinds exist only once KEDA's and the VPA's releases have brought them.
            opts=self.child(provider=self._site.provider, depends_on=self._site.after),
        )


def _stated(scale_up: ScalingDirection | None, service: Service) -> ScalingDirection:
    if scale_up is None:
        raise ValueError(f"{service.workload_name}: neither scaleUp nor triggers say how fast it may grow")
    return scale_up
