"""Parking operations: entries, exits, searches; very high I/O, horizontal with a sharded table."""

from infra.model.load import Load
from infra.model.service import (
    CacheTtl,
    Consumption,
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
    Topic,
)

PARKING = Service(
    name="parking",
    path_prefixes=("/parking",),
    rule_priority=110,
    health=HealthCheck(path="/parking/health", tests="the database answers through the pool"),
    resources=Resources(cpu_request="500m", memory_request="1Gi", cpu_limit="2000m", memory_limit="4Gi"),
    scaling=Scaling(
        min_replicas=5,
        max_replicas=100,
        metrics=(
            ResourceMetric(name="cpu", utilization_percent=60),
            ResourceMetric(name="memory", utilization_percent=75),
            PrometheusMetric(
                name="database_connections_active",
                query='sum(database_connections_active{service="parking-service"})',
                threshold=80,
            ),
        ),
        scale_up=ScalingDirection(
            stabilization_window_seconds=30,
            policies=(ScalingPolicy(type="Pods", value=4, period_seconds=60),),
        ),
        scale_down=ScalingDirection(
            stabilization_window_seconds=180,
            policies=(ScalingPolicy(type="Percent", value=25, period_seconds=180),),
        ),
    ),
    # Searches and occupancy by users; entry, exit and a look at the place by each operation. Two thirds of the
    # reads are answered by Redis, hence the short mean time on a connection.
    load=Load(
        requests_per_user_minute=2.0,
        requests_per_transaction=3.0,
        cpu_ms_per_request=6.0,
        cpu_ms_per_message=1.0,
        database_ms_per_request=4.0,
        database_connections_per_pod=2,
    ),
    # Least connections with geographic affinity: long operations on location-specific data.
    load_balancing=LoadBalancing(
        target_group=TargetGroupAlgorithm.LEAST_OUTSTANDING_REQUESTS,
        mesh=MeshAlgorithm.LEAST_REQUEST,
        locality_affinity=True,
    ),
    availability_percent=99.9,
    error_class=ErrorClass.CRITICAL,
    objectives=(
        Objective(
            operation="vehicle-entry", target_ms=300, percentile=95, method="POST", path="/parking/entries"
        ),
        Objective(
            operation="vehicle-search", target_ms=500, percentile=95, method="GET", path="/parking/search"
        ),
        Objective(
            operation="exit-processing", target_ms=400, percentile=95, method="POST", path="/parking/exits"
        ),
    ),
    uses_database=True,
    writes_database=True,
    caches=("cache", "rate-limit"),
    produces=("vehicle-events", "notification-events"),
    topics=(
        # Entry and exit.
        Topic(
            name="vehicle-events",
            partitions=50,
            retention_days=7,
            compression="snappy",
            messages_per_transaction=2.0,
        ),
    ),
    consumption=Consumption(topics=("vehicle-events",), consumers=10, messages_per_second_each=50),
    called_by=("payment", "analytics"),
    application_cache=(
        CacheTtl(entry="location-configurations", ttl_seconds=3600, distinct=1000, entry_bytes=8192),
        CacheTtl(entry="rate-calculations", ttl_seconds=21_600, writes_per_second=20, distinct=500_000),
        CacheTtl(
            entry="search-results",
            ttl_seconds=300,
            writes_per_second=100,
            distinct=100_000,
            entry_bytes=16_384,
        ),
    ),
    edge_cache_seconds=300,
    criticality=Criticality.STANDARD,
    rate_limit_per_5_minutes=2000,
)
