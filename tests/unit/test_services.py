"""The catalogue against the specification: every number that it gives of a service."""

from __future__ import annotations

import pytest

from infra.model.cache_policy import QUERY_CACHE
from infra.model.service import (
    Criticality,
    ErrorClass,
    KafkaLagMetric,
    MeshAlgorithm,
    Pool,
    PrometheusMetric,
    ResourceMetric,
    ScalingDirection,
    Service,
    TargetGroupAlgorithm,
)
from services import CATALOGUE, topics

BY_NAME = {service.name: service for service in CATALOGUE}
HOUR, DAY = 3600, 86_400


def one(direction: ScalingDirection | None) -> tuple[int, str, int, int]:
    """Window, type, value and period of a direction with one policy."""
    assert direction is not None
    (policy,) = direction.policies
    return direction.stabilization_window_seconds, policy.type, policy.value, policy.period_seconds


def test_the_six_services_of_the_specification_are_there() -> None:
    assert set(BY_NAME) == {"auth", "parking", "payment", "notification", "analytics", "configuration"}


@pytest.mark.parametrize(
    ("name", "resources"),
    [
        ("auth", ("200m", "512Mi", "1000m", "2Gi")),
        ("parking", ("500m", "1Gi", "2000m", "4Gi")),
        ("payment", ("300m", "512Mi", "1500m", "3Gi")),
        ("analytics", ("1000m", "2Gi", "4000m", "16Gi")),
    ],
)
def test_resources(name: str, resources: tuple[str, str, str, str]) -> None:
    asked = BY_NAME[name].resources

    assert (asked.cpu_request, asked.memory_request, asked.cpu_limit, asked.memory_limit) == resources


@pytest.mark.parametrize(
    ("name", "bounds"),
    [("auth", (3, 50)), ("parking", (5, 100)), ("payment", (3, 30)), ("analytics", (2, 20))],
)
def test_replicas(name: str, bounds: tuple[int, int]) -> None:
    scaling = BY_NAME[name].scaling

    assert (scaling.min_replicas, scaling.max_replicas) == bounds


@pytest.mark.parametrize(
    ("name", "cpu", "memory", "custom", "threshold"),
    [
        ("auth", 70, 80, "requests_per_second", 100),
        ("parking", 60, 75, "database_connections_active", 80),
    ],
)
def test_hpa_metrics(name: str, cpu: int, memory: int, custom: str, threshold: int) -> None:
    metrics = BY_NAME[name].scaling.metrics
    resources = {m.name: m.utilization_percent for m in metrics if isinstance(m, ResourceMetric)}
    queries = {m.name: (m.threshold, m.per_pod) for m in metrics if isinstance(m, PrometheusMetric)}

    assert resources == {"cpu": cpu, "memory": memory}
    assert queries == {custom: (threshold, True)}


def test_hpa_behavior_of_auth_and_parking() -> None:
    auth, parking = BY_NAME["auth"].scaling, BY_NAME["parking"].scaling

    assert one(auth.scale_up) == (60, "Percent", 100, 60)
    assert one(auth.scale_down) == (300, "Percent", 50, 300)
    assert one(parking.scale_up) == (30, "Pods", 4, 60)
    assert one(parking.scale_down) == (180, "Percent", 25, 180)


def test_payments_triggers() -> None:
    scaling = BY_NAME["payment"].scaling

    assert [(t.metric, t.threshold, t.scale_up, t.cooldown_seconds) for t in scaling.triggers] == [
        ("queue_depth", "1000", 2, 60),
        ("processing_latency", "500ms", 1, 120),
        ("error_rate", "5%", 3, 30),
    ]
    assert scaling.metrics == ()


def test_analytics_is_sized_vertically_and_counted_by_other_metrics() -> None:
    scaling = BY_NAME["analytics"].scaling
    vertical = scaling.vertical

    assert vertical
    assert vertical.update_mode == "Auto"
    assert (vertical.min_cpu, vertical.min_memory) == ("500m", "1Gi")
    assert (vertical.max_cpu, vertical.max_memory) == ("4", "16Gi")
    assert {m.name for m in scaling.metrics} == {"consumer_lag", "query_queue_depth"}


def test_configuration_scales_vertically_behind_the_edges_cache() -> None:
    configuration = BY_NAME["configuration"]

    assert configuration.scaling.vertical
    assert (configuration.scaling.min_replicas, configuration.scaling.max_replicas) == (2, 4)
    assert configuration.edge_cache_seconds == HOUR


@pytest.mark.parametrize(
    ("name", "target_group", "mesh"),
    [
        ("auth", TargetGroupAlgorithm.ROUND_ROBIN, MeshAlgorithm.COOKIE_HASH),
        ("parking", TargetGroupAlgorithm.LEAST_OUTSTANDING_REQUESTS, MeshAlgorithm.LEAST_REQUEST),
        ("payment", TargetGroupAlgorithm.ROUND_ROBIN, MeshAlgorithm.CLIENT_ADDRESS_HASH),
        ("analytics", TargetGroupAlgorithm.WEIGHTED_RANDOM, MeshAlgorithm.RESOURCE_AWARE),
        ("notification", TargetGroupAlgorithm.ROUND_ROBIN, MeshAlgorithm.LEAST_REQUEST),
        ("configuration", TargetGroupAlgorithm.ROUND_ROBIN, MeshAlgorithm.LEAST_REQUEST),
    ],
)
def test_load_balancing_algorithms(
    name: str, target_group: TargetGroupAlgorithm, mesh: MeshAlgorithm
) -> None:
    balancing = BY_NAME[name].load_balancing

    assert (balancing.target_group, balancing.mesh) == (target_group, mesh)


def test_affinities() -> None:
    sticky = {name for name, service in BY_NAME.items() if service.load_balancing.sticky_cookie_seconds}
    local = {name for name, service in BY_NAME.items() if service.load_balancing.locality_affinity}
    careful = {name for name, service in BY_NAME.items() if service.load_balancing.anomaly_mitigation}

    assert (sticky, local, careful) == ({"auth", "payment"}, {"parking"}, {"analytics"})


@pytest.mark.parametrize(
    ("name", "path", "tested"),
    [
        ("auth", "/auth/health", "token"),
        ("parking", "/parking/health", "database"),
        ("payment", "/payments/health", "payment gateway"),
        ("analytics", "/analytics/health", "query"),
        ("notification", "/notifications/health", "consumer group"),
        ("configuration", "/config/health", "configuration"),
    ],
)
def test_health_checks(name: str, path: str, tested: str) -> None:
    health = BY_NAME[name].health

    assert health.path == path
    assert tested in health.tests


@pytest.mark.parametrize(
    ("name", "lifetimes"),
    [
        (
            "auth",
            {"user-sessions": HOUR, "jwt-validation": 15 * 60, "permission-lookups": 30 * 60},
        ),
        (
            "parking",
            {"location-configurations": HOUR, "rate-calculations": 6 * HOUR, "search-results": 5 * 60},
        ),
        (
            "configuration",
            {"tenant-configs": DAY, "feature-flags": HOUR, "business-rules": 2 * HOUR},
        ),
    ],
)
def test_level_1_cache_lifetimes(name: str, lifetimes: dict[str, int]) -> None:
    assert {entry.entry: entry.ttl_seconds for entry in BY_NAME[name].application_cache} == lifetimes


def test_level_3_cache_lifetimes() -> None:
    assert {entry.entry: entry.ttl_seconds for entry in QUERY_CACHE} == {
        "frequently-accessed-queries": 15 * 60,
        "statistics-queries": 5 * 60,
        "location-based-queries": 30 * 60,
    }


def test_topics() -> None:
    assert {t.name: (t.partitions, t.retention_days, t.compression) for t in topics()} == {
        "vehicle-events": (50, 7, "snappy"),
        "payment-events": (20, 30, "gzip"),
        "notification-events": (30, 3, "lz4"),
    }


def test_consumer_groups() -> None:
    consumers = {s.name: s.consumption.consumers for s in CATALOGUE if s.consumption}

    assert consumers == {"parking": 10, "payment": 5, "analytics": 15, "notification": 8}


@pytest.mark.parametrize(
    ("name", "objectives"),
    [
        ("auth", {"login": (200, 95), "token-validation": (50, 99), "user-lookup": (100, 95)}),
        ("parking", {"vehicle-entry": (300, 95), "vehicle-search": (500, 95), "exit-processing": (400, 95)}),
        (
            "payment",
            {"fee-calculation": (200, 95), "payment-processing": (2000, 95), "payment-status": (100, 95)},
        ),
        (
            "analytics",
            {"dashboard-load": (1000, 95), "report-generation": (5000, 90), "real-time-metrics": (200, 95)},
        ),
        ("notification", {}),
        ("configuration", {}),
    ],
)
def test_latency_objectives(name: str, objectives: dict[str, tuple[int, int]]) -> None:
    assert {o.operation: (o.target_ms, o.percentile) for o in BY_NAME[name].objectives} == objectives


def test_availability() -> None:
    assert {service.name: service.availability_percent for service in CATALOGUE} == {
        "auth": 99.95,
        "parking": 99.9,
        "payment": 99.95,
        "notification": 99.5,
        "analytics": 99.5,
        "configuration": 99.99,
    }


def test_error_budgets() -> None:
    assert {c: c.max_error_percent for c in ErrorClass} == {
        ErrorClass.CRITICAL: 0.1,
        ErrorClass.STANDARD: 1.0,
        ErrorClass.BACKGROUND: 5.0,
    }


def test_analytics_alone_runs_on_the_analytics_pool() -> None:
    assert {service.name for service in CATALOGUE if service.pool is Pool.ANALYTICS} == {"analytics"}


def test_payment_and_auth_are_critical_and_analytics_is_not() -> None:
    critical = {service.name for service in CATALOGUE if service.criticality is Criticality.CRITICAL}

    assert critical == {"auth", "payment"}
    assert BY_NAME["analytics"].criticality is Criticality.BACKGROUND


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_lag_scales_on_topics_that_the_service_reads_and_within_their_partitions(service: Service) -> None:
    partitions = {topic.name: topic.partitions for topic in topics()}

    for metric in service.scaling.metrics:
        if isinstance(metric, KafkaLagMetric):
            assert service.consumption
            assert metric.topic in service.consumption.topics
            assert service.scaling.max_replicas <= partitions[metric.topic]


def test_every_topic_is_produced_and_consumed_by_somebody() -> None:
    declared = {topic.name for topic in topics()}

    assert {name for service in CATALOGUE for name in service.produces} == declared
    assert {name for s in CATALOGUE if s.consumption for name in s.consumption.topics} == declared


def test_paths_and_rule_priorities_are_unique() -> None:
    prefixes = [prefix for service in CATALOGUE for prefix in service.path_prefixes]
    priorities = [service.rule_priority for service in CATALOGUE]

    assert len(set(prefixes)) == len(prefixes)
    assert len(set(priorities)) == len(priorities)
