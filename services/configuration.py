"""Configuration: tenants, feature flags, business rules; low load, vertical scaling behind the CDN.

The specification gives no resources for it. A VPA sizes the pods; the count stays within 2 to 4.
"""

from infra.model.load import Load
from infra.model.service import (
    CacheTtl,
    Criticality,
    ErrorClass,
    HealthCheck,
    LoadBalancing,
    MeshAlgorithm,
    PrometheusMetric,
    Resources,
    Scaling,
    ScalingDirection,
    ScalingPolicy,
    Service,
    TargetGroupAlgorithm,
    VerticalScaling,
)

CONFIGURATION = Service(
    name="configuration",
    path_prefixes=("/config",),
    rule_priority=150,
    health=HealthCheck(path="/config/health", tests="the latest configuration is loaded"),
    resources=Resources(cpu_request="100m", memory_request="256Mi", cpu_limit="1000m", memory_limit="1Gi"),
    scaling=Scaling(
        min_replicas=2,
        max_replicas=4,
        metrics=(
            PrometheusMetric(
                name="requests_per_second",
                query='sum(rate(http_server_requests_total{service="configuration-service"}[1m]))',
                threshold=200,
            ),
        ),
        scale_up=ScalingDirection(
            stabilization_window_seconds=60,
            policies=(ScalingPolicy(type="Pods", value=1, period_seconds=60),),
        ),
        scale_down=ScalingDirection(
            stabilization_window_seconds=300,
            policies=(ScalingPolicy(type="Pods", value=1, period_seconds=300),),
        ),
        vertical=VerticalScaling(min_cpu="100m", min_memory="256Mi", max_cpu="1", max_memory="1Gi"),
    ),
    # The edge answers nineteen of twenty requests of users; services look one operation in ten up.
    load=Load(
        requests_per_user_minute=0.05,
        requests_per_transaction=0.1,
        cpu_ms_per_request=2.0,
        database_ms_per_request=2.0,
        database_connections_per_pod=5,
    ),
    load_balancing=LoadBalancing(
        target_group=TargetGroupAlgorithm.ROUND_ROBIN, mesh=MeshAlgorithm.LEAST_REQUEST
    ),
    availability_percent=99.99,
    error_class=ErrorClass.STANDARD,
    criticality=Criticality.STANDARD,
    uses_database=True,
    writes_database=True,
    caches=("cache",),
    called_by=("auth", "parking", "payment", "notification", "analytics"),
    application_cache=(
        CacheTtl(entry="tenant-configs", ttl_seconds=86_400, distinct=10_000, entry_bytes=16_384),
        CacheTtl(entry="feature-flags", ttl_seconds=3600, distinct=10_000),
        CacheTtl(entry="business-rules", ttl_seconds=7200, distinct=10_000, entry_bytes=4096),
    ),
    edge_cache_seconds=3600,
    rate_limit_per_5_minutes=1000,
)
