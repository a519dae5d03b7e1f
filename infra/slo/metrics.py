"""Every metric that rules and dashboards read, with who makes it; a metric without a source is a mistake.

What services themselves must export is a contract with their authors (docs/observability.md): the names are
those that their autoscalers read, too (`services/`, `infra.cluster.scaling`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from infra.model.service import Objective

REQUESTS = "http_server_requests_total"
"""Counter of a service's answers, by `code`; Prometheus adds the label `service`."""
DURATION = "http_server_request_duration_seconds"
"""Histogram of a service's answers, by `operation`."""
BUCKET_FACTORS = (0.25, 0.5, 1, 2, 4)
"""Bounds of an operation's buckets, in multiples of its objective: where the general triggers compare, and where
the mesh gives it up."""


class Source(StrEnum):
    """Who exports a metric, and what makes Prometheus scrape it."""

    SERVICES = "the services, by their ServiceMonitors"
    PROMETHEUS = "Prometheus itself, for every target"
    KUBE_STATE = "kube-state-metrics, of kube-prometheus-stack"
    KUBELET = "cAdvisor in the kubelet, of kube-prometheus-stack"
    NODE = "the node exporter, of kube-prometheus-stack"
    KAFKA = "the Kafka exporter, by its chart's ServiceMonitor"
    POOLER = "PgBouncer's exporter, by the poolers' PodMonitors"
    INGRESS = "the ingress controller, by the PodMonitor `ingress-controller`"
    SIDECARS = "Envoy beside the ingress controller, by the PodMonitor `ingress-sidecars`"
    MESH = "istiod, by the PodMonitor `mesh-control-plane`"
    AUTOSCALER = "KEDA's operator, by the PodMonitor `replica-autoscaler`"


SOURCES: Mapping[str, Source] = {
    REQUESTS: Source.SERVICES,
    f"{DURATION}_bucket": Source.SERVICES,
    f"{DURATION}_count": Source.SERVICES,
    "database_connections_active": Source.SERVICES,
    "payment_queue_depth": Source.SERVICES,
    "payment_processing_seconds_bucket": Source.SERVICES,
    "analytics_query_queue_depth": Source.SERVICES,
    "up": Source.PROMETHEUS,
    "kube_horizontalpodautoscaler_status_current_replicas": Source.KUBE_STATE,
    "kube_horizontalpodautoscaler_spec_max_replicas": Source.KUBE_STATE,
    "kube_pod_container_resource_requests": Source.KUBE_STATE,
    "kube_pod_container_status_restarts_total": Source.KUBE_STATE,
    "kube_pod_status_unschedulable": Source.KUBE_STATE,
    "kube_pod_status_phase": Source.KUBE_STATE,
    "kube_node_info": Source.KUBE_STATE,
    "kube_node_status_allocatable": Source.KUBE_STATE,
    "container_cpu_usage_seconds_total": Source.KUBELET,
    "container_memory_working_set_bytes": Source.KUBELET,
    "node_memory_MemAvailable_bytes": Source.NODE,
    "node_memory_MemTotal_bytes": Source.NODE,
    "kafka_consumergroup_lag": Source.KAFKA,
    "kafka_consumergroup_current_offset": Source.KAFKA,
    "kafka_topic_partition_current_offset": Source.KAFKA,
    "pgbouncer_up": Source.POOLER,
    "pgbouncer_pools_client_waiting_connections": Source.POOLER,
    "pgbouncer_pools_client_active_connections": Source.POOLER,
    "pgbouncer_pools_client_maxwait_seconds": Source.POOLER,
    "pgbouncer_pools_server_active_connections": Source.POOLER,
    "pgbouncer_databases_pool_size": Source.POOLER,
    "nginx_ingress_nginx_http_requests_total": Source.INGRESS,
    "nginx_ingress_nginx_connections_active": Source.INGRESS,
    "nginx_ingress_controller_nginx_last_reload_status": Source.INGRESS,
    "istio_requests_total": Source.SIDECARS,
    "istio_request_duration_milliseconds_bucket": Source.SIDECARS,
    "pilot_xds": Source.MESH,
    "pilot_xds_pushes": Source.MESH,
    "pilot_proxy_convergence_time_bucket": Source.MESH,
    "keda_scaler_detail_errors_total": Source.AUTOSCALER,
    "keda_scaler_metrics_value": Source.AUTOSCALER,
}
"""Source of each metric by name."""


def bucket_bounds(objective: Objective) -> tuple[float, ...]:
    """Upper bounds of an operation's histogram, in seconds, the objective among them."""
    return tuple(objective.target_ms * factor / 1000 for factor in BUCKET_FACTORS)


def histogram_contract(objectives: Sequence[Objective]) -> list[Mapping[str, object]]:
    """What a service is told of its objectives, so that its histograms can be compared with them."""
    return [
        {
            "operation": objective.operation,
            "method": objective.method,
            "path": objective.path,
            "targetMs": objective.target_ms,
            "percentile": objective.percentile,
            "bucketsSeconds": list(bucket_bounds(objective)),
        }
        for objective in objectives
    ]
