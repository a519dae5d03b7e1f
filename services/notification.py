"""Notifications: messages to drivers and operators; cpu-heavy, horizontal by message queue.

The specification gives neither resources nor replica bounds for it. The requests follow its traffic matrix
(cpu high, memory low); the maximum is its topic's partitions, past which a pod would idle.
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
    Resources,
    Scaling,
    ScalingDirection,
    ScalingPolicy,
    Service,
    TargetGroupAlgorithm,
    Topic,
)

NOTIFICATION = Service(
    name="notification",
    path_prefixes=("/notifications",),
    rule_priority=130,
    health=HealthCheck(path="/notifications/health", tests="the consumer group is joined"),
    resources=Resources(cpu_request="500m", memory_request="256Mi", cpu_limit="1000m", memory_limit="1Gi"),
    scaling=Scaling(
        min_replicas=2,
        max_replicas=30,
        metrics=(KafkaLagMetric(name="consumer_lag", topic="notification-events", lag_per_pod=1000),),
        scale_up=ScalingDirection(
            stabilization_window_seconds=30,
            policies=(ScalingPolicy(type="Percent", value=100, period_seconds=60),),
        ),
        scale_down=ScalingDirection(
            stabilization_window_seconds=300,
            policies=(ScalingPolicy(type="Percent", value=50, period_seconds=300),),
        ),
    ),
    # Preferences and inboxes by users; its work comes by Kafka: rendering, and TLS to the providers.
    load=Load(requests_per_user_minute=0.1, cpu_ms_per_request=2.0, cpu_ms_per_message=8.0),
    load_balancing=LoadBalancing(
        target_group=TargetGroupAlgorithm.ROUND_ROBIN, mesh=MeshAlgorithm.LEAST_REQUEST
    ),
    availability_percent=99.5,
    error_class=ErrorClass.BACKGROUND,
    criticality=Criticality.BACKGROUND,
    caches=("cache", "rate-limit"),
    topics=(
        # The entry is confirmed and the receipt sent.
        Topic(
            name="notification-events",
            partitions=30,
            retention_days=3,
            compression="lz4",
            messages_per_transaction=2.0,
            message_bytes=2048,
        ),
    ),
    consumption=Consumption(topics=("notification-events",), consumers=8, messages_per_second_each=60),
    called_by=("auth", "parking", "payment"),
    calls_internet=True,
    rate_limit_per_5_minutes=500,
)
