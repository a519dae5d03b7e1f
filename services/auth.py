"""Authentication: sessions and token validation; low cpu, high I/O, horizontal with caching."""

from infra.model.load import Load
from infra.model.service import (
    CacheTtl,
    Criticality,
    ErrorClass,
    HealthCheck,
    LoadBalancing,
    MeshAlgorithm,
    Objective,
    PrometheusMetric,
    ResourceMetric,
    Resources,
    Scaling,
    ScalingDirection,
    ScalingPolicy,
    Service,
    TargetGroupAlgorithm,
)

AUTH = Service(
    name="auth",
    path_prefixes=("/auth",),
    rule_priority=100,
    health=HealthCheck(path="/auth/health", tests="a token is signed and validated"),
    resources=Resources(cpu_request="200m", memory_request="512Mi", cpu_limit="1000m", memory_limit="2Gi"),
    scaling=Scaling(
        min_replicas=3,
        max_replicas=50,
        metrics=(
            ResourceMetric(name="cpu", utilization_percent=70),
            ResourceMetric(name="memory", utilization_percent=80),
            PrometheusMetric(
                name="requests_per_second",
                query='sum(rate(http_server_requests_total{service="auth-service"}[1m]))',
                threshold=100,
            ),
        ),
        scale_up=ScalingDirection(
            stabilization_window_seconds=60,
            policies=(ScalingPolicy(type="Percent", value=100, period_seconds=60),),
        ),
        scale_down=ScalingDirection(
            stabilization_window_seconds=300,
            policies=(ScalingPolicy(type="Percent", value=50, period_seconds=300),),
        ),
    ),
    # Clients renew and validate tokens; services validate most by themselves and keep the answer for 15 minutes.
    # 1.2 ms on a pod of 200m agrees with the specification's 100 requests a second at 70% cpu.
    load=Load(
        requests_per_user_minute=1.5,
        requests_per_transaction=1.0,
        cpu_ms_per_request=1.2,
        database_ms_per_request=1.0,
        database_connections_per_pod=4,
    ),
    # Weighted round robin with session affinity: the ALB's cookie, then a cookie hash in the mesh.
    load_balancing=LoadBalancing(
        target_group=TargetGroupAlgorithm.ROUND_ROBIN,
        mesh=MeshAlgorithm.COOKIE_HASH,
        sticky_cookie_seconds=3600,
        slow_start_seconds=30,
    ),
    availability_percent=99.95,
    error_class=ErrorClass.CRITICAL,
    objectives=(
        Objective(operation="login", target_ms=200, percentile=95, method="POST", path="/auth/login"),
        Objective(
            operation="token-validation", target_ms=50, percentile=99, method="GET", path="/auth/validate"
        ),
        Objective(operation="user-lookup", target_ms=100, percentile=95, method="GET", path="/auth/users"),
    ),
    criticality=Criticality.CRITICAL,
    uses_database=True,
    writes_database=True,
    caches=("cache", "sessions", "rate-limit"),
    called_by=("parking", "payment", "notification", "analytics", "configuration"),
    application_cache=(
        CacheTtl(
            entry="user-sessions",
            ttl_seconds=3600,
            writes_per_second=20,
            distinct=100_000,
            entry_bytes=4096,
            store="sessions",
        ),
        CacheTtl(
            entry="jwt-validation", ttl_seconds=900, writes_per_second=100, distinct=200_000, entry_bytes=512
        ),
        CacheTtl(
            entry="permission-lookups",
            ttl_seconds=1800,
            writes_per_second=50,
            distinct=100_000,
            entry_bytes=2048,
        ),
    ),
    rate_limit_per_5_minutes=1000,
)
