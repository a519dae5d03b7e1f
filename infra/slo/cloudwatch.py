"""The body of a region's CloudWatch dashboard: its AWS parts, without the cluster's Grafana."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.slo.tiers import GLOBAL_REGION

WIDTH, HEIGHT, COLUMNS = 8, 6, 24
PERIOD_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class DashboardParts:
    """What the dashboard shows.

    Attributes:
        prefix: How the names of the stack's stores begin.
        region: The stack's region.
        load_balancer: Dimension `LoadBalancer`.
        web_acl: Dimension `WebACL` of the regional web ACL.
        canary: Name of the check from outside.
        distribution: CloudFront distribution; empty in a stack without the edge.
        global_web_acl: Dimension `WebACL` of the global web ACL; empty likewise.
    """

    prefix: str
    region: str
    load_balancer: str
    web_acl: str
    canary: str
    distribution: str = ""
    global_web_acl: str = ""


def dashboard_body(parts: DashboardParts) -> str:
    """JSON of the dashboard."""
    widgets = [
        {
            "type": "metric",
            "x": index * WIDTH % COLUMNS,
            "y": index * WIDTH // COLUMNS * HEIGHT,
            "width": WIDTH,
            "height": HEIGHT,
            "properties": {"view": "timeSeries", "period": PERIOD_SECONDS, **properties},
        }
        for index, properties in enumerate((*_edge(parts), *_way_in(parts), *_stores(parts)))
    ]
    return json.dumps({"widgets": widgets}, sort_keys=True)


def _widget(title: str, region: str, stat: str, *metrics: list[Any]) -> dict[str, Any]:
    return {"title": title, "region": region, "stat": stat, "metrics": list(metrics)}


def _edge(parts: DashboardParts) -> Iterator[dict[str, Any]]:
    if not parts.distribution:
        return
    of = ["DistributionId", parts.distribution, "Region", "Global"]
    yield _widget(
        "CloudFront: failed requests, %",
        GLOBAL_REGION,
        "Average",
        ["AWS/CloudFront", "5xxErrorRate", *of],
        ["AWS/CloudFront", "4xxErrorRate", *of],
    )
    yield _widget("CloudFront: requests", GLOBAL_REGION, "Sum", ["AWS/CloudFront", "Requests", *of])
    yield _widget(
        "Global web ACL: refused",
        GLOBAL_REGION,
        "Sum",
        ["AWS/WAFV2", "BlockedRequests", "WebACL", parts.global_web_acl, "Rule", "ALL"],
    )


def _way_in(parts: DashboardParts) -> Iterator[dict[str, Any]]:
    elb, of = "AWS/ApplicationELB", ["LoadBalancer", parts.load_balancer]
    yield _widget(
        "Load balancer: requests and failures",
        parts.region,
        "Sum",
        [elb, "RequestCount", *of],
        [elb, "HTTPCode_ELB_5XX_Count", *of],
        [elb, "HTTPCode_Target_5XX_Count", *of],
    )
    yield _widget("Load balancer: 95th percentile", parts.region, "p95", [elb, "TargetResponseTime", *of])
    yield _widget(
        "Regional web ACL: refused",
        parts.region,
        "Sum",
        ["AWS/WAFV2", "BlockedRequests", "WebACL", parts.web_acl, "Region", parts.region, "Rule", "ALL"],
    )
    yield _widget(
        "The region from outside, % of good runs",
        parts.region,
        "Average",
        ["CloudWatchSynthetics", "SuccessPercent", "CanaryName", parts.canary],
    )
    yield _search(
        parts, "NAT gateways: failed allocations", "AWS/NATGateway,NatGatewayId", "ErrorPortAllocation", "Sum"
    )


def _stores(parts: DashboardParts) -> Iterator[dict[str, Any]]:
    own = f'"{parts.prefix}"'
    for title, metric, stat in (
        ("PostgreSQL: CPU, %", "CPUUtilization", "Average"),
        ("PostgreSQL: connections", "DatabaseConnections", "Maximum"),
        ("PostgreSQL: replicas behind, s", "ReplicaLag", "Maximum"),
        ("PostgreSQL: free storage, bytes", "FreeStorageSpace", "Minimum"),
    ):
        yield _search(parts, title, "AWS/RDS,DBInstanceIdentifier", metric, stat, own)
    for title, metric, stat in (
        ("Redis: CPU, %", "EngineCPUUtilization", "Average"),
        ("Redis: memory, %", "DatabaseMemoryUsageCountedForEvictPercentage", "Maximum"),
    ):
        yield _search(parts, title, "AWS/ElastiCache,CacheClusterId", metric, stat, own)
    for title, metric, stat in (
        ("Kafka: disk, %", "KafkaDataLogsDiskUsed", "Maximum"),
        ("Kafka: partitions short of a replica", "UnderReplicatedPartitions", "Maximum"),
    ):
        yield _search(parts, title, 'AWS/Kafka,"Broker ID","Cluster Name"', metric, stat, own)


def _search(
    parts: DashboardParts, title: str, schema: str, metric: str, stat: str, own: str = ""
) -> dict[str, Any]:
    """Every metric of a kind: a search also finds readers that autoscaling has added since."""
    wanted = f'{{{schema}}} MetricName="{metric}" {own}'.strip()
    expression = f"SEARCH('{wanted}', '{stat}', {PERIOD_SECONDS})"
    return {"title": title, "region": parts.region, "metrics": [[{"expression": expression, "label": ""}]]}
