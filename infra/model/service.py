"""What a service is, as data: the types that the files of `services/` fill in.

Every number of the specification about a service is a field here, so that components, capacity and cost
arithmetic, objectives and tests read one description.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from infra.model.base import DomainName, Model, Quantity
from infra.model.load import Load


class Resources(Model):
    """Requests and limits of a service's container, as Kubernetes quantities."""

    cpu_request: Quantity
    memory_request: Quantity
    cpu_limit: Quantity
    memory_limit: Quantity


class TargetGroupAlgorithm(StrEnum):
    """Routing algorithm of an ALB target group (`load_balancing.algorithm.type`)."""

    ROUND_ROBIN = "round_robin"
    LEAST_OUTSTANDING_REQUESTS = "least_outstanding_requests"
    WEIGHTED_RANDOM = "weighted_random"


class MeshAlgorithm(StrEnum):
    """How the mesh picks a pod of a service."""

    LEAST_REQUEST = "least-request"
    COOKIE_HASH = "cookie-hash"
    CLIENT_ADDRESS_HASH = "client-address-hash"
    RESOURCE_AWARE = "resource-aware"


class LoadBalancing(Model):
    """How requests of one service are spread in tiers 2 (ALB) and 3 (mesh)."""

    target_group: TargetGroupAlgorithm
    mesh: MeshAlgorithm
    sticky_cookie_seconds: int | None = Field(default=None, ge=1, le=604_800)
    """Life of the ALB's cookie in seconds; none: no stickiness."""
    anomaly_mitigation: bool = False
    slow_start_seconds: int = Field(default=0, ge=0, le=900)
    """ALB slow start in seconds, 0 off; AWS allows it with round_robin only, from 30 s."""
    deregistration_delay_seconds: int = Field(default=30, ge=0, le=3600)
    locality_affinity: bool = False
    """Prefer pods in the caller's zone, fail over to others."""

    @model_validator(mode="after")
    def _aws_limits(self) -> LoadBalancing:
        if self.anomaly_mitigation and self.target_group is not TargetGroupAlgorithm.WEIGHTED_RANDOM:
            raise ValueError("anomaly mitigation works with weighted_random only")
        if self.sticky_cookie_seconds and self.target_group is TargetGroupAlgorithm.WEIGHTED_RANDOM:
            raise ValueError("weighted_random cannot be combined with stickiness")
        if self.slow_start_seconds and self.target_group is not TargetGroupAlgorithm.ROUND_ROBIN:
            raise ValueError("slow start works with round_robin only")
        if 0 < self.slow_start_seconds < 30:
            raise ValueError("slow start is 0 (off) or 30 to 900 s")
        return self


class HealthCheck(Model):
    """The health path of a service, what it tests, and how often tier 2 asks."""

    path: Annotated[str, Field(pattern=r"^/[a-z0-9/_-]+$")]
    tests: str
    """What a 200 says beyond a live process, e.g. a token validated."""
    interval_seconds: int = Field(default=10, ge=5, le=300)
    timeout_seconds: int = Field(default=5, ge=2, le=120)
    healthy_threshold: int = Field(default=2, ge=2, le=10)
    unhealthy_threshold: int = Field(default=2, ge=2, le=10)
    """Two checks of 10 s and 5 s of waiting: 25 s, within the 30 s of a service's restart; three would miss it."""


class ResourceMetric(Model):
    """Mean utilisation of requested cpu or memory, in percent."""

    kind: Literal["resource"] = "resource"
    name: Literal["cpu", "memory"]
    utilization_percent: int = Field(ge=1, le=100)


class PrometheusMetric(Model):
    """A value read from Prometheus, compared per pod (AverageValue) or as it is (Value)."""

    kind: Literal["prometheus"] = "prometheus"
    name: str
    query: str
    threshold: float = Field(gt=0)
    per_pod: bool = True


class KafkaLagMetric(Model):
    """Lag of a consumer group on a topic, in messages a pod."""

    kind: Literal["kafka"] = "kafka"
    name: str
    topic: str
    lag_per_pod: int = Field(gt=0)


ScalingMetric = Annotated[ResourceMetric | PrometheusMetric | KafkaLagMetric, Field(discriminator="kind")]


class ScalingPolicy(Model):
    """One HPA policy: at most `value` pods or percent within `period_seconds`."""

    type: Literal["Pods", "Percent"]
    value: int = Field(gt=0)
    period_seconds: int = Field(gt=0, le=1800)


class ScalingDirection(Model):
    """Policies of one direction and how long the controller looks back before it acts, in seconds."""

    stabilization_window_seconds: int = Field(ge=0, le=3600)
    policies: tuple[ScalingPolicy, ...] = Field(min_length=1)


class VerticalScaling(Model):
    """Bounds of a VerticalPodAutoscaler; it sizes cpu and memory, so no replica metric may be either."""

    update_mode: Literal["Auto", "Initial", "Recreate", "InPlaceOrRecreate", "Off"] = "Auto"
    min_cpu: Quantity
    min_memory: Quantity
    max_cpu: Quantity
    max_memory: Quantity


class ScalingTrigger(Model):
    """One trigger of the specification's custom-metric format: over `threshold` add `scale_up` pods."""

    metric: str
    threshold: str
    """As the specification writes it, unit included: `1000`, `500ms`, `5%`."""
    query: str
    scale_up: int = Field(gt=0)
    cooldown_seconds: int = Field(gt=0)


class Scaling(Model):
    """Replica bounds and who moves them: KEDA for the count, a VPA for the size."""

    min_replicas: int = Field(ge=1)
    max_replicas: int = Field(ge=1)
    metrics: tuple[ScalingMetric, ...] = ()
    triggers: tuple[ScalingTrigger, ...] = ()
    """Custom-metric triggers, delivered in the ConfigMap `<service>-metrics`."""
    scale_up: ScalingDirection | None = None
    """None only where `triggers` say the steps."""
    scale_down: ScalingDirection
    vertical: VerticalScaling | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Scaling:
        if self.min_replicas > self.max_replicas:
            raise ValueError(f"minReplicas {self.min_replicas} is over maxReplicas {self.max_replicas}")
        if not self.metrics and not self.triggers:
            raise ValueError("at least one metric or trigger must move the replicas")
        if self.scale_up is None and not self.triggers:
            raise ValueError("scaleUp is missing and no trigger says the steps")
        if self.vertical and any(isinstance(m, ResourceMetric) for m in self.metrics):
            raise ValueError("a VPA owns cpu and memory here: replica metrics must be other ones")
        return self


class Topic(Model):
    """A Kafka topic; partitions can grow but never shrink."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,248}$")]
    partitions: int = Field(ge=1, le=2000)
    retention_days: int = Field(ge=1, le=365)
    compression: Literal["snappy", "gzip", "lz4", "zstd", "producer", "uncompressed"]
    messages_per_transaction: float = Field(default=1.0, ge=0)
    """Messages that one parking operation writes; an assumption, as in `infra.model.load`."""
    message_bytes: int = Field(default=1024, ge=1)
    """Size of a message before compression; an assumption."""


class Consumption(Model):
    """A consumer group of the service on some topics, with its members at design load."""

    topics: tuple[str, ...] = Field(min_length=1)
    consumers: int = Field(ge=1)
    messages_per_second_each: float = Field(default=100.0, gt=0)
    """Messages that one member handles in a second; an assumption, as in `infra.model.load`."""


class CacheTtl(Model):
    """How long one kind of entry lives in a cache level, in seconds."""

    entry: str
    ttl_seconds: int = Field(gt=0)
    writes_per_second: float = Field(default=1.0, gt=0)
    """New entries a second at the specification's peak; an assumption, for the check that memory suffices."""
    distinct: int = Field(default=100_000, ge=1)
    """Different entries there can be at all."""
    entry_bytes: int = Field(default=1024, ge=1)
    """Size of one value, in bytes."""
    store: Literal["cache", "sessions", "rate-limit"] = "cache"


class Objective(Model):
    """A latency objective: `percentile` percent of an operation's requests answer under the target."""

    operation: str
    target_ms: int = Field(gt=0)
    percentile: float = Field(gt=0, lt=100)
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: Annotated[str, Field(pattern=r"^/")]
    timeout_ms: int | None = Field(default=None, gt=0)
    """When the mesh gives the operation up; none: a multiple of the target (`infra.traffic.timeouts.operation_ms`)."""

    @property
    def is_idempotent(self) -> bool:
        """Whether a request may be sent again without harm."""
        return self.method == "GET"


class ErrorClass(StrEnum):
    """Error budget class of the specification, by the share of requests that may fail."""

    CRITICAL = "critical"
    STANDARD = "standard"
    BACKGROUND = "background"

    @property
    def max_error_percent(self) -> float:
        """Share of failed requests allowed, in percent: 0.1, 1 or 5 (specification, error rate budgets)."""
        return {"critical": 0.1, "standard": 1.0, "background": 5.0}[self.value]


class Pool(StrEnum):
    """The node pools that pods may be sent to."""

    APPLICATION = "application"
    DATABASE = "database"
    ANALYTICS = "analytics"


class Criticality(StrEnum):
    """Scheduling priority of a service's pods, highest first."""

    CRITICAL = "critical"
    STANDARD = "standard"
    BACKGROUND = "background"


class Service(Model):
    """One application workload.

    `name` is the short key (`auth`); the Kubernetes objects are called `<name>-service`, as in the
    specification.
    """

    name: Annotated[str, Field(pattern=r"^[a-z]{2,16}$")]
    path_prefixes: tuple[str, ...] = Field(min_length=1)
    """URL path prefixes routed to this service, each starting with `/`."""
    rule_priority: int = Field(ge=1, le=50_000)
    """Priority of the ALB listener rule; unique over the catalogue."""
    health: HealthCheck
    resources: Resources
    scaling: Scaling
    load: Load
    """What it sees of the platform's traffic; assumptions, for the capacity model."""
    load_balancing: LoadBalancing
    availability_percent: float = Field(gt=0, lt=100)
    error_class: ErrorClass
    objectives: tuple[Objective, ...] = ()
    pool: Pool = Pool.APPLICATION
    criticality: Criticality = Criticality.STANDARD
    port: int = Field(default=8080, ge=1024, le=65_535)
    metrics_port: int = Field(default=9090, ge=1024, le=65_535)
    uses_database: bool = False
    writes_database: bool = False
    caches: tuple[Literal["cache", "sessions", "rate-limit"], ...] = ()
    produces: tuple[str, ...] = ()
    """Names of the topics it may write."""
    topics: tuple[Topic, ...] = ()
    """Topics that this service owns, i.e. declares."""
    consumption: Consumption | None = None
    called_by: tuple[str, ...] = ()
    """Services that may call it inside the mesh; the ingress always may."""
    calls_internet: bool = False
    """Whether it calls HTTPS services outside the platform, e.g. a payment gateway."""
    internet_hosts: tuple[DomainName, ...] = ()
    """The hosts it may call there; none, where it calls the internet: any."""
    canary_percent: int = Field(default=0, ge=0, le=50)
    """Share of requests sent to the canary subset."""
    application_cache: tuple[CacheTtl, ...] = ()
    """Level 1 of the caching strategy: Redis."""
    edge_cache_seconds: int = Field(default=0, ge=0)
    """Level 2: how long CloudFront keeps anonymous GET answers; 0 never."""
    rate_limit_per_5_minutes: int = Field(ge=10)
    """Requests one client address may make to these paths in five minutes (regional web ACL)."""
    max_surge_percent: int = Field(default=25, ge=1, le=100)
    termination_grace_seconds: int = Field(default=75, ge=1)
    """Longer than preStop plus the longest request; see `LoadBalancing.deregistration_delay_seconds`."""

    @property
    def workload_name(self) -> str:
        """Name of its Deployment, Service and ServiceAccount, e.g. `auth-service`."""
        return f"{self.name}-service"
