"""Analytics: dashboards and reports; very high cpu and memory, horizontal on read replicas.

A VPA sizes its pods, so its replica count follows lag and queued queries, never cpu or memory.
"""

from infra.model.load import Load
from infra.model.service import (
    Consumption,
    Criticality,
    ErrorClass,
    HealthCheck,
    KafkaLagMetric,
    LoadBalancing,
    MeshAlgorithm,
    Objective,
    Pool,
    PrometheusMetric,
    Resources,
    Scaling,
    ScalingDirection,
    ScalingPolicy,
    Service,
    TargetGroupAlgorithm,
    VerticalScaling,
)

ANALYTICS = Service(
    name="analytics",
    path_prefixes=("/analytics",),
    rule_priority=140,
    health=HealthCheck(path="/analytics/health", tests="a reference query answers in time"),
    resources=Resources(cpu_request="1000m", memory_request="2Gi", cpu_limit="4000m", memory_limit="16Gi"),
    scaling=Scaling(
        min_replicas=2,
        max_replicas=20,
        metrics=(
            KafkaLagMetric(name="consumer_lag", topic="vehicle-events", lag_per_pod=5000),
            PrometheusMetric(
                name="query_queue_depth",
                query='sum(analytics_query_queue_depth{service="analytics-service"})',
                threshold=10,
            ),
        ),
        scale_up=ScalingDirection(
            stabilization_window_seconds=60,
            policies=(ScalingPolicy(type="Pods", value=4, period_seconds=60),),
        ),
        scale_down=ScalingDirection(
            stabilization_window_seconds=300,
            policies=(ScalingPolicy(type="Percent", value=25, period_seconds=180),),
        ),
        vertical=VerticalScaling(min_cpu="500m", min_memory="1Gi", max_cpu="4", max_memory="16Gi"),
    ),
    # One user in twenty looks at a dashboard each minute; reports run on the readers.
    load=Load(
        requests_per_user_minute=0.05,
        cpu_ms_per_request=150.0,
        cpu_ms_per_message=2.0,
        database_ms_per_request=250.0,
        database_connections_per_pod=8,
    ),
    # Resource-based: the ALB avoids anomalous targets, the mesh weighs pods by the load they report.
    load_balancing=LoadBalancing(
        target_group=TargetGroupAlgorithm.WEIGHTED_RANDOM,
        mesh=MeshAlgorithm.RESOURCE_AWARE,
        anomaly_mitigation=True,
    ),
    availability_percent=99.5,
    error_class=ErrorClass.STANDARD,
    objectives=(
        Objective(
            operation="dashboard-load",
            target_ms=1000,
            percentile=95,
            method="GET",
            path="/analytics/dashboards",
        ),
        Objective(
            operation="report-generation",
            target_ms=5000,
            percentile=90,
            method="POST",
            path="/analytics/reports",
        ),
        Objective(
            operation="real-time-metrics",
            target_ms=200,
            percentile=95,
            method="GET",
            path="/analytics/metrics",
        ),
    ),
    pool=Pool.ANALYTICS,
    criticality=Criticality.BACKGROUND,
    uses_database=True,
    caches=("cache", "rate-limit"),
    consumption=Consumption(
        topics=("vehicle-events", "payment-events"), consumers=15, messages_per_second_each=100
    ),
    rate_limit_per_5_minutes=500,
    # Longer than the slowest report, so that a drain cuts none.
    termination_grace_seconds=120,
)
