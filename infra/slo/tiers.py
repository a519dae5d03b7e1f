"""What the dashboard of each tier shows."""

from __future__ import annotations

from collections.abc import Mapping

from infra.slo import panels
from infra.slo.panels import CloudQuery, Panel, Query, cloud
from infra.slo.site import MetricsSite

GLOBAL_REGION = "us-east-1"
"""Where CloudFront's and its web ACL's metrics are."""


def tiers(site: MetricsSite) -> Mapping[str, tuple[Panel, ...]]:
    """Panels of each tier by its name, in the way of a request."""
    return {
        "edge": _edge(),
        "regional": _regional(),
        "mesh": _mesh(site),
        "cluster": _cluster(site),
        "data": _data(site),
    }


def _cloudfront(metric: str, statistic: str) -> CloudQuery:
    return CloudQuery(
        namespace="AWS/CloudFront",
        metric=metric,
        statistic=statistic,
        dimensions={"DistributionId": "*", "Region": "Global"},
        region=GLOBAL_REGION,
    )


def _edge() -> tuple[Panel, ...]:
    return (
        cloud("Requests at the edge", "short", _cloudfront("Requests", "Sum")),
        cloud("Server errors at the edge", "percent", _cloudfront("5xxErrorRate", "Average"), limit=5),
        cloud("Client errors at the edge", "percent", _cloudfront("4xxErrorRate", "Average")),
        cloud("Bytes to viewers", "bytes", _cloudfront("BytesDownloaded", "Sum")),
        cloud(
            "Requests refused by the global web ACL",
            "short",
            CloudQuery(
                namespace="AWS/WAFV2",
                metric="BlockedRequests",
                statistic="Sum",
                dimensions={"WebACL": "*", "Rule": "ALL"},
                region=GLOBAL_REGION,
            ),
        ),
        cloud(
            "Health of the regions, as Route 53 sees it",
            "none",
            CloudQuery(
                namespace="AWS/Route53",
                metric="HealthCheckStatus",
                statistic="Minimum",
                dimensions={"HealthCheckId": "*"},
                region=GLOBAL_REGION,
            ),
        ),
    )


def _balancer(metric: str, statistic: str, **dimensions: str) -> CloudQuery:
    return CloudQuery(
        namespace="AWS/ApplicationELB",
        metric=metric,
        statistic=statistic,
        dimensions={"LoadBalancer": "*", **dimensions},
    )


def _regional() -> tuple[Panel, ...]:
    return (
        cloud("Requests at the load balancer", "short", _balancer("RequestCount", "Sum")),
        cloud(
            "Server errors",
            "short",
            _balancer("HTTPCode_ELB_5XX_Count", "Sum"),
            _balancer("HTTPCode_Target_5XX_Count", "Sum"),
        ),
        cloud("Response time, 95th percentile", "s", _balancer("TargetResponseTime", "p95", TargetGroup="*")),
        cloud(
            "Unhealthy targets", "none", _balancer("UnHealthyHostCount", "Maximum", TargetGroup="*"), limit=1
        ),
        cloud(
            "Requests refused by the regional web ACL",
            "short",
            CloudQuery(
                namespace="AWS/WAFV2",
                metric="BlockedRequests",
                statistic="Sum",
                dimensions={"WebACL": "*", "Region": "*", "Rule": "ALL"},
            ),
        ),
        cloud(
            "The region from outside",
            "percent",
            CloudQuery(
                namespace="CloudWatchSynthetics",
                metric="SuccessPercent",
                statistic="Average",
                dimensions={"CanaryName": "*"},
            ),
        ),
        cloud(
            "Connections that a NAT gateway could not open",
            "short",
            CloudQuery(
                namespace="AWS/NATGateway",
                metric="ErrorPortAllocation",
                statistic="Sum",
                dimensions={"NatGatewayId": "*"},
            ),
        ),
    )


def _mesh(site: MetricsSite) -> tuple[Panel, ...]:
    sent = f'reporter="source",destination_service_namespace="{site.workload_namespace}"'
    by = "destination_service_name"
    return (
        Panel(
            title="Requests from the ingress, by service",
            unit="reqps",
            queries=[
                Query(
                    expr=f"sum by ({by}) (rate(istio_requests_total{{{sent}}}[5m]))", legend=f"{{{{{by}}}}}"
                )
            ],
        ),
        Panel(
            title="Failed requests as the ingress sees them",
            unit="percentunit",
            queries=[
                Query(
                    expr=(
                        f'sum by ({by}) (rate(istio_requests_total{{{sent},response_code=~"5.."}}[5m])) / '
                        f"sum by ({by}) (rate(istio_requests_total{{{sent}}}[5m]))"
                    ),
                    legend=f"{{{{{by}}}}}",
                )
            ],
        ),
        Panel(
            title="Response time as the ingress sees it, 95th percentile",
            unit="ms",
            queries=[
                Query(
                    expr=(
                        f"histogram_quantile(0.95, sum by (le, {by}) "
                        f"(rate(istio_request_duration_milliseconds_bucket{{{sent}}}[5m])))"
                    ),
                    legend=f"{{{{{by}}}}}",
                )
            ],
        ),
        Panel(
            title="Requests at NGINX",
            unit="reqps",
            queries=[
                Query(expr="sum(rate(nginx_ingress_nginx_http_requests_total[5m]))", legend="requests"),
                Query(expr="sum(nginx_ingress_nginx_connections_active)", legend="open connections"),
            ],
        ),
        Panel(
            title="Proxies that know their configuration",
            unit="none",
            queries=[
                Query(expr="sum(pilot_xds)", legend="connected"),
                Query(expr="sum by (type) (rate(pilot_xds_pushes[5m]))", legend="pushes {{type}}"),
            ],
        ),
        Panel(
            title="Time for a change to reach the proxies, 99th percentile",
            unit="s",
            queries=[
                Query(
                    expr=(
                        "histogram_quantile(0.99, sum by (le) (rate(pilot_proxy_convergence_time_bucket[5m])))"
                    ),
                    legend="convergence",
                )
            ],
        ),
    )


def _cluster(site: MetricsSite) -> tuple[Panel, ...]:
    here = f'{{namespace="{site.workload_namespace}"}}'
    requested = 'kube_pod_container_resource_requests{resource="%s"}'
    allocatable = 'kube_node_status_allocatable{resource="%s"}'
    return (
        Panel(
            title="Nodes",
            unit="none",
            queries=[Query(expr="count(kube_node_info)", legend="nodes")],
        ),
        Panel(
            title="Requested of what nodes offer",
            unit="percentunit",
            queries=[
                Query(expr=f"sum({requested % what}) / sum({allocatable % what})", legend=what)
                for what in ("cpu", "memory")
            ],
        ),
        Panel(
            title="Free memory of nodes",
            unit="percentunit",
            queries=[
                Query(
                    expr="node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", legend="{{instance}}"
                )
            ],
        ),
        Panel(
            title="Pods by phase",
            unit="none",
            queries=[Query(expr=f"sum by (phase) (kube_pod_status_phase{here})", legend="{{phase}}")],
        ),
        Panel(
            title="Pods without a node",
            unit="none",
            queries=[Query(expr=f"sum(kube_pod_status_unschedulable{here})", legend="unschedulable")],
            limit=1,
        ),
        Panel(
            title="Restarts in an hour",
            unit="none",
            queries=[
                Query(
                    expr=f"sum by (container) (increase(kube_pod_container_status_restarts_total{here}[1h]))",
                    legend="{{container}}",
                )
            ],
        ),
        panels.cpu(),
        panels.memory(),
        panels.replicas(),
        Panel(
            title="What the autoscalers read",
            unit="short",
            queries=[
                Query(
                    expr="max by (scaledObject, metric) (keda_scaler_metrics_value)",
                    legend="{{scaledObject}} {{metric}}",
                )
            ],
        ),
    )


def _database(metric: str, statistic: str) -> CloudQuery:
    return CloudQuery(
        namespace="AWS/RDS", metric=metric, statistic=statistic, dimensions={"DBInstanceIdentifier": "*"}
    )


def _store(metric: str, statistic: str) -> CloudQuery:
    return CloudQuery(
        namespace="AWS/ElastiCache", metric=metric, statistic=statistic, dimensions={"CacheClusterId": "*"}
    )


def _brokers(metric: str, statistic: str) -> CloudQuery:
    return CloudQuery(
        namespace="AWS/Kafka",
        metric=metric,
        statistic=statistic,
        dimensions={"Cluster Name": "*", "Broker ID": "*"},
    )


def _data(site: MetricsSite) -> tuple[Panel, ...]:
    return (
        panels.pool_use(),
        panels.pool_waits(site),
        Panel(
            title="Clients of the poolers",
            unit="short",
            queries=[
                Query(
                    expr="sum by (job, database) (pgbouncer_pools_client_active_connections)",
                    legend="{{job}} {{database}}",
                )
            ],
            key=(panels.KeyMetric.POOL,),
        ),
        cloud("CPU of the databases", "percent", _database("CPUUtilization", "Average"), limit=80),
        cloud("Connections to the databases", "short", _database("DatabaseConnections", "Maximum")),
        cloud("Replicas behind the writer", "s", _database("ReplicaLag", "Maximum"), limit=30),
        cloud("CPU of Redis", "percent", _store("EngineCPUUtilization", "Average"), limit=80),
        cloud(
            "Memory of Redis",
            "percent",
            _store("DatabaseMemoryUsageCountedForEvictPercentage", "Maximum"),
            limit=80,
        ),
        cloud("Evicted keys", "short", _store("Evictions", "Sum")),
        panels.lag(),
        panels.queues(),
        Panel(
            title="Messages written a second",
            unit="short",
            queries=[
                Query(
                    expr="sum by (topic) (rate(kafka_topic_partition_current_offset[5m]))", legend="{{topic}}"
                )
            ],
        ),
        cloud("Disk of the brokers", "percent", _brokers("KafkaDataLogsDiskUsed", "Maximum"), limit=80),
        cloud("Partitions short of a replica", "none", _brokers("UnderReplicatedPartitions", "Maximum")),
    )
