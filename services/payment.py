"""Payments: fees and card payments; very high I/O, horizontal by queue."""

from infra.model.load import Load
from infra.model.service import (
    Consumption,
    Criticality,
    ErrorClass,
    HealthCheck,
    LoadBalancing,
    MeshAlgorithm,
    Objective,
    Resources,
    Scaling,
    ScalingDirection,
    ScalingPolicy,
    ScalingTrigger,
    Service,
    TargetGroupAlgorithm,
    Topic,
)

PAYMENT = Service(
    name="payment",
    path_prefixes=("/payments",),
    rule_priority=120,
    health=HealthCheck(path="/payments/health", tests="the payment gateway answers"),
    resources=Resources(cpu_request="300m", memory_request="512Mi", cpu_limit="1500m", memory_limit="3Gi"),
    scaling=Scaling(
        min_replicas=3,
        max_replicas=30,
        triggers=(
            ScalingTrigger(
                metric="queue_depth",
                threshold="1000",
                query='sum(payment_queue_depth{service="payment-service"})',
                scale_up=2,
                cooldown_seconds=60,
            ),
            ScalingTrigger(
                metric="processing_latency",
                threshold="500ms",
                query=(
                    "1000 * histogram_quantile(0.95, sum by (le) "
                    '(rate(payment_processing_seconds_bucket{service="payment-service"}[1m])))'
                ),
                scale_up=1,
                cooldown_seconds=120,
            ),
            ScalingTrigger(
                metric="error_rate",
                threshold="5%",
                query=(
                    '100 * sum(rate(http_server_requests_total{service="payment-service",code=~"5.."}[1m]))'
                    ' / sum(rate(http_server_requests_total{service="payment-service"}[1m]))'
                ),
                scale_up=3,
                cooldown_seconds=30,
            ),
        ),
        # The specification is silent on the way down: the cautious one of auth.
        scale_down=ScalingDirection(
            stabilization_window_seconds=300,
            policies=(ScalingPolicy(type="Percent", value=50, period_seconds=300),),
        ),
    ),
    # Fee, payment, and the status asked twice, for each operation. A payment waits for the gateway, not for a cpu.
    load=Load(
        requests_per_user_minute=0.2,
        requests_per_transaction=4.0,
        cpu_ms_per_request=3.0,
        cpu_ms_per_message=1.0,
        database_ms_per_request=6.0,
        database_connections_per_pod=6,
    ),
    # IP hash with failover: an ALB has none, so its cookie there and the client address in the mesh.
    load_balancing=LoadBalancing(
        target_group=TargetGroupAlgorithm.ROUND_ROBIN,
        mesh=MeshAlgorithm.CLIENT_ADDRESS_HASH,
        sticky_cookie_seconds=3600,
    ),
    availability_percent=99.95,
    error_class=ErrorClass.CRITICAL,
    objectives=(
        Objective(
            operation="fee-calculation", target_ms=200, percentile=95, method="GET", path="/payments/fees"
        ),
        Objective(
            operation="payment-processing", target_ms=2000, percentile=95, method="POST", path="/payments"
        ),
        Objective(
            operation="payment-status", target_ms=100, percentile=95, method="GET", path="/payments/status"
        ),
    ),
    criticality=Criticality.CRITICAL,
    uses_database=True,
    writes_database=True,
    caches=("cache", "rate-limit"),
    produces=("payment-events", "notification-events"),
    topics=(
        # Asked for and settled; one of two in a message of both.
        Topic(
            name="payment-events",
            partitions=20,
            retention_days=30,
            compression="gzip",
            messages_per_transaction=1.5,
        ),
    ),
    consumption=Consumption(topics=("payment-events",), consumers=5, messages_per_second_each=80),
    called_by=("parking",),
    calls_internet=True,
    rate_limit_per_5_minutes=500,
)
