"""What a stack file may say, with the specification's production numbers as the defaults.

Everything here is shape and single-field limits; checks over several fields are in `infra.checks`.
Sizes are GiB, times carry their unit in the name, capacities are counts.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from infra.model.base import DomainName, Model, Quantity
from infra.model.cost import BudgetSettings, PurchasingSettings, UsageSettings

Cidr = Annotated[str, Field(pattern=r"^(\d{1,3}\.){3}\d{1,3}/\d{1,2}$")]
InstanceType = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*(\.[a-z0-9-]+){1,2}$")]
AlertEndpoint = Annotated[str, Field(pattern=r"^(https://[^\s]+|[^@\s:/]+@[^@\s:/]+\.[a-z]{2,})$")]
LogRetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653]


class Environment(StrEnum):
    """Which life a stack leads."""

    PROD = "prod"
    STAGING = "staging"
    DEV = "dev"


class Role(StrEnum):
    """Who holds the database primary of an environment."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class DemandSettings(Model):
    """What the platform must carry: the specification's traffic, of which `infra.capacity` makes pods and nodes."""

    concurrent_users: int = Field(default=10_000, ge=1)
    """Users at once in the busiest hour, today."""
    transactions_per_day: int = Field(default=1_000_000, ge=1)
    """Parking operations a day, today."""
    busiest_hour_percent: float = Field(default=12.5, ge=4.2, le=100)
    """Share of a day's operations in its busiest hour; an assumption: 12 open hours, the busiest half as much again."""
    season_percent: int = Field(default=40, ge=0, le=1000)
    """How much more there is in the season (specification: 40%)."""
    growth_percent: int = Field(default=300, ge=0, le=10_000)
    """How much more there will be after `growthMonths` (specification: 300% growth, i.e. four times as much)."""
    growth_months: int = Field(default=18, ge=1, le=120)
    region_percent: int = Field(default=100, ge=1, le=100)
    """Share that this region must be able to carry; 100: all, so that it can stand in for another."""


class NetworkSettings(Model):
    """The VPC of a region."""

    cidr: Cidr
    """VPC range; a /16, disjoint from every other stack's."""
    zones: tuple[str, ...] = Field(min_length=2, max_length=4)
    """Availability zones, e.g. `us-east-1a`; each zone's addresses follow from its letter (a to d)."""
    nat_per_zone: bool = True
    """One NAT gateway a zone; false: one for all, cheaper and not zone-redundant."""
    interface_endpoints: tuple[str, ...] = ("ecr.api", "ecr.dkr", "sts", "logs", "secretsmanager", "kms")
    """AWS services reached privately, as in `com.amazonaws.<region>.<name>`; S3's gateway is always there."""
    flow_log_retention_days: LogRetentionDays = 90


class EdgeSettings(Model):
    """The global tier: CloudFront, global web ACL, DNS. Exactly one stack of an environment has it enabled."""

    enabled: bool
    """Whether this stack owns the environment's global tier."""
    domain: DomainName
    """Public zone of the environment; the API is `api.<domain>`."""
    price_class: Literal["PriceClass_100", "PriceClass_200", "PriceClass_All"] = "PriceClass_All"
    shield_advanced: bool = False
    """Shield Advanced costs 3,000 USD a month on a one-year commitment, hence off."""
    web_acl_mode: Literal["count", "block"] = "block"
    origin_secret_generation: int = Field(default=1, ge=1)
    """Raise it by one to rotate the header that proves a request came through CloudFront."""
    rate_limit_per_5_minutes: int = Field(default=3000, ge=10, le=2_000_000_000)
    """Requests one address may make in five minutes over all paths."""
    login_rate_limit_per_5_minutes: int = Field(default=100, ge=10, le=2_000_000_000)


class ClusterSettings(Model):
    """The EKS control plane."""

    version: Annotated[str, Field(pattern=r"^1\.\d{2}$")] = "1.36"
    """Kubernetes minor version, in standard support."""
    scaling_tier: Literal["standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl"] = "standard"
    """Control plane scaling tier; stands for the specification's three c5.2xlarge masters."""
    public_access_cidrs: tuple[Cidr, ...] = ()
    """Ranges that reach the API endpoint from outside the VPC; empty: private only."""
    service_cidr: Cidr = "172.20.0.0/16"
    log_retention_days: LogRetentionDays = 90
    administrator_role_arns: tuple[Annotated[str, Field(pattern=r"^arn:aws:iam::\d{12}:role/.+$")], ...] = ()
    """IAM roles that get cluster administration by an access entry."""


class PoolSettings(Model):
    """Capacity of a node pool; a pool with `spotShare` is an on-demand and a spot group."""

    instance_types: tuple[InstanceType, ...] = Field(min_length=1)
    """On-demand type first; the spot group adds `spotInstanceTypes`."""
    spot_instance_types: tuple[InstanceType, ...] = ()
    min_size: int = Field(ge=0)
    max_size: int = Field(ge=1)
    desired_size: int | None = Field(default=None, ge=0)
    """Size at creation, afterwards the Cluster Autoscaler's; none: the minimum."""
    spot_share: float = Field(default=0.0, ge=0.0, le=0.3)
    """Largest share of spot nodes, 0 to 0.3 (specification: 30%)."""
    disk_gib: int = Field(default=100, ge=20, le=16_384)
    max_unavailable_percent: int = Field(default=20, ge=1, le=100)
    """Nodes of a group that an update may take away at once, in percent."""
    node_repair: bool = True
    """Whether EKS replaces nodes whose health fails for long."""

    @property
    def start_size(self) -> int:
        """Nodes at creation."""
        return self.min_size if self.desired_size is None else self.desired_size


class HeadRoomSettings(Model):
    """Pods that do nothing but keep room on the application pool, and leave at once when others need it.

    A spike finds room while new nodes still start: the defaults are what all services' policies together may add in
    the two minutes that a node takes.
    """

    pods: int = Field(default=5, ge=0, le=100)
    """How many; 0: none, and a spike waits for nodes."""
    cpu: Quantity = "3500m"
    """Room that each keeps, as a Kubernetes quantity."""
    memory: Quantity = "6Gi"


class PoolsSettings(Model):
    """The four node pools of the specification ("GPU-enabled" is the fourth: c5.9xlarge has no GPU)."""

    application: PoolSettings = PoolSettings(
        instance_types=("c5.4xlarge",),
        spot_instance_types=("c5.4xlarge", "c5a.4xlarge", "c6i.4xlarge", "m5.4xlarge"),
        min_size=5,
        max_size=50,
        desired_size=10,
        spot_share=0.3,
    )
    database: PoolSettings = PoolSettings(instance_types=("r5.2xlarge",), min_size=3, max_size=10)
    analytics: PoolSettings = PoolSettings(instance_types=("c5.9xlarge",), min_size=2, max_size=20)
    analytics_gpu: PoolSettings = PoolSettings(instance_types=("g5.2xlarge",), min_size=0, max_size=4)
    head_room: HeadRoomSettings = HeadRoomSettings()


class NodeScalingSettings(Model):
    """How the Cluster Autoscaler adds and removes nodes.

    The specification wants "aggressive scale-down policies during low traffic": idle nodes go after half the
    autoscaler's own ten minutes. Lower still means nodes that come back soon after they went.
    """

    scale_down: bool = True
    """Whether idle nodes go at all; false freezes the pools at what they have, e.g. for a launch."""
    scale_down_unneeded_minutes: int = Field(default=5, ge=1, le=120)
    """How long a node must be idle before it goes."""
    scale_down_after_add_minutes: int = Field(default=10, ge=1, le=120)
    """How long after a node was added none goes."""
    scale_down_utilization_percent: int = Field(default=50, ge=1, le=90)
    """Requested share of a node under which it counts as idle."""
    spot_first: bool = True
    """Whether spot groups are filled first, up to their share; false: on-demand first."""
    max_provision_minutes: int = Field(default=5, ge=1, le=60)
    """How long a node may take to come before another group is tried: spot that is sold out must not hold pods up."""


class DatabaseSettings(Model):
    """RDS for PostgreSQL: the writer in the primary region, readers in every region."""

    engine_version: Annotated[str, Field(pattern=r"^\d{2}\.\d{1,2}$")] = "17.10"
    instance_class: InstanceType = "db.r6g.2xlarge"
    storage_gib: int = Field(default=1024, ge=20, le=65_536)
    max_storage_gib: int = Field(default=4096, ge=20, le=65_536)
    """Ceiling of storage autoscaling."""
    iops: int | None = Field(default=16_000, ge=3000, le=64_000)
    """Provisioned gp3 IOPS; none under 400 GiB, where AWS fixes 3,000."""
    throughput_mibps: int | None = Field(default=1000, ge=125, le=4000)
    multi_az: bool = True
    max_connections: int = Field(default=500, ge=50, le=5000)
    reserved_connections: int = Field(default=50, ge=5)
    """Connections kept for administration, replication and monitoring; pools may use the rest."""
    reader_class: InstanceType = "db.r6g.xlarge"
    readers: int = Field(default=3, ge=0, le=15)
    max_readers: int = Field(default=6, ge=0, le=15)
    """Ceiling of reader autoscaling (target 70% mean CPU)."""
    recovery_replicas: int = Field(default=2, ge=0, le=5)
    """Cross-region replicas that a secondary region keeps for disaster recovery."""
    backup_retention_days: int = Field(default=14, ge=1, le=35)
    log_retention_days: LogRetentionDays = 90


class RecoverySettings(Model):
    """Backups beside the database's own, and what a failover may lose and last."""

    backup_interval_hours: Literal[1, 2, 3, 4, 6, 8, 12, 24] = 6
    """Hours between the backups that are copied to the other regions."""
    backup_retention_days: int = Field(default=35, ge=1, le=365)
    copy_retention_days: int = Field(default=35, ge=1, le=365)
    """Days that the copies in other regions are kept."""
    vault_lock: Literal["none", "governance", "compliance"] = "governance"
    """Who may shorten a backup's life: anyone allowed to, administrators, or nobody (after three days of grace)."""
    vault_lock_days: int = Field(default=7, ge=1, le=365)
    """Days for which the lock keeps every backup at least."""
    max_lag_seconds: int = Field(default=60, ge=1, le=3600)
    """Replication lag above which a failover is refused unless told otherwise: what it may lose."""
    decision_seconds: int = Field(default=120, ge=0, le=3600)
    """Time that people take to decide for a failover, part of the computed recovery time."""
    max_backup_loss_hours: int = Field(default=12, ge=1, le=168)
    """Age that the newest copy in another region may reach."""
    accepted_over: tuple[
        Literal["service-restart", "region-failover", "database-failover", "full-recovery"], ...
    ] = ()
    """Recovery objectives whose computed time exceeds them knowingly; any other that does is an error."""


class ConnectionPoolSettings(Model):
    """PgBouncer between the services and the database."""

    replicas: int = Field(default=2, ge=2, le=10)
    """Pods of each of the two poolers: read-write and read-only."""
    client_connections: int = Field(default=200, ge=10, le=10_000)
    """Client connections a service may hold, over all its pods."""
    multiplexing_ratio: int = Field(default=10, ge=1, le=100)
    """Client connections per server connection."""
    regions: int = Field(default=1, ge=1, le=10)
    """Regions whose pools reach the same writer, this one included."""
    statement_timeout_seconds: int = Field(default=30, ge=1, le=3600)
    idle_timeout_seconds: int = Field(default=300, ge=10, le=86_400)

    @property
    def server_connections(self) -> int:
        """Server connections of one pool of one service in one PgBouncer pod."""
        return -(-self.client_connections // self.multiplexing_ratio)


class CacheSettings(Model):
    """One ElastiCache store (Valkey)."""

    node_type: InstanceType
    shards: int = Field(ge=1, le=500)
    replicas_per_shard: int = Field(ge=0, le=5)
    durability: Literal["async", "sync", "disabled"]
    """What became of AOF: `async` or `sync` write durability (Valkey 9, cluster mode, Multi-AZ, TLS)."""
    snapshot_retention_days: int = Field(ge=0, le=35)
    """Daily RDB snapshots kept; 0: none."""
    max_memory_policy: Literal["volatile-lru", "allkeys-lru", "volatile-ttl", "noeviction"]

    @property
    def nodes(self) -> int:
        """Nodes of the store over all shards."""
        return self.shards * (1 + self.replicas_per_shard)


class CachesSettings(Model):
    """The three stores of the specification, apart so that one's eviction never hits another's data."""

    engine_version: Annotated[str, Field(pattern=r"^\d\.\d$")] = "9.0"
    cache: CacheSettings = CacheSettings(
        node_type="cache.r6g.xlarge",
        shards=3,
        replicas_per_shard=1,
        durability="async",
        snapshot_retention_days=7,
        max_memory_policy="volatile-lru",
    )
    sessions: CacheSettings = CacheSettings(
        node_type="cache.r6g.large",
        shards=1,
        replicas_per_shard=2,
        durability="sync",
        snapshot_retention_days=0,
        max_memory_policy="noeviction",
    )
    rate_limit: CacheSettings = CacheSettings(
        node_type="cache.m6g.large",
        shards=1,
        replicas_per_shard=2,
        durability="disabled",
        snapshot_retention_days=0,
        max_memory_policy="volatile-ttl",
    )


class TopicSettings(Model):
    """What a stack may change of a topic; the rest is the owning service's."""

    partitions: int = Field(ge=1, le=2000)


class StreamingSettings(Model):
    """The MSK cluster."""

    kafka_version: Annotated[str, Field(pattern=r"^\d\.\d\.(x|\d)(\.kraft)?$")] = "3.9.x"
    broker_type: InstanceType = "kafka.m5.2xlarge"
    brokers: int = Field(default=3, ge=2, le=30)
    """Over all zones; a multiple of the number of zones."""
    storage_gib: int = Field(default=1024, ge=1, le=16_384)
    """Per broker."""
    max_storage_gib: int = Field(default=2048, ge=1, le=16_384)
    """Ceiling of storage autoscaling per broker."""
    replication_factor: int = Field(default=3, ge=2, le=5)
    min_insync_replicas: int = Field(default=2, ge=1, le=4)
    topics: dict[str, TopicSettings] = Field(default_factory=dict)
    """Partition counts that differ from the catalogue's, by topic name."""
    log_retention_days: LogRetentionDays = 30


class ObservabilitySettings(Model):
    """Who is told when something is wrong, and how long metrics are kept."""

    critical_endpoints: tuple[AlertEndpoint, ...] = ()
    """E-mail and `https://` addresses that are told at once of what hurts users; production has one at least."""
    warning_endpoints: tuple[AlertEndpoint, ...] = ()
    """The same for what can wait for the next working day."""
    runbooks_url: Annotated[str, Field(pattern=r"^[^\s]*[^\s/]$")] = "docs/runbooks"
    """Address under which the pages of `docs/runbooks` are published, without a slash at its end; alerts link there."""
    metrics_retention_days: int = Field(default=35, ge=4, le=365)
    """How long Prometheus keeps samples: over the 30 days of an error budget; alerts look back three days."""
    metrics_storage_gib: int = Field(default=100, ge=10, le=16_384)
    """Volume of each Prometheus pod."""
    synthetic_interval_minutes: Literal[1, 2, 3, 5, 10, 15, 30, 60] = 5
    """How often the region is asked from outside, as its users ask it."""


class ImageSettings(Model):
    """Which image a service runs: an immutable tag or a digest, exactly one."""

    repository: Annotated[str, Field(pattern=r"^[a-z0-9]+([._/-][a-z0-9]+)*$")] | None = None
    """Path below the registry; none: `parking/<service>-service`."""
    tag: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")] | None = None
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None


class ServiceSettings(Model):
    """What a stack says of one service; numbers left out are the catalogue's (the specification's)."""

    image: ImageSettings
    min_replicas: int | None = Field(default=None, ge=1)
    max_replicas: int | None = Field(default=None, ge=1)
    consumers: int | None = Field(default=None, ge=1)
    """Members of its Kafka consumer group."""
    vertical_max_cpu: Quantity | None = None
    """Ceiling of its vertical autoscaler, where it has one."""
    vertical_max_memory: Quantity | None = None
    """Ceiling of its vertical autoscaler, where it has one; a pod that large must fit a node of its pool."""
    canary_percent: int = Field(default=0, ge=0, le=50)
    """Share of requests sent to the canary subset; needs `canaryTag`."""
    canary_tag: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")] | None = None
    """Tag of the image on trial, in the service's repository; none: there are no canary pods."""
    internet_hosts: tuple[DomainName, ...] = ()
    """Hosts outside the platform that it may call over HTTPS, e.g. the payment gateway's; none: the catalogue's."""


class StackSettings(Model):
    """Everything a stack file says under `parking:`, and the region from `aws:region`."""

    environment: Environment
    role: Role
    """Whether this region holds the database primary; a failover changes it."""
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    primary_stack: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")] | None = None
    """Name of the primary's stack, whose outputs a secondary reads; only for a secondary."""
    edge_stack: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")] | None = None
    """Stack that owns the environment's edge, names and passwords; none: this one, or else the primary's."""
    peer_stacks: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")], ...] = ()
    """Further stacks whose networks this one connects to, each applied before it; the edge's stack is always one."""
    owner: Annotated[str, Field(min_length=1, max_length=128)]
    cost_centre: Annotated[str, Field(min_length=1, max_length=128)]
    deletion_protection: bool = True
    """Whether stateful resources refuse deletion; set it to false and `up` before a `destroy`."""
    budget: BudgetSettings = BudgetSettings()
    purchasing: PurchasingSettings = PurchasingSettings()
    usage: UsageSettings = UsageSettings()
    demand: DemandSettings = DemandSettings()
    network: NetworkSettings
    edge: EdgeSettings
    cluster: ClusterSettings = ClusterSettings()
    node_pools: PoolsSettings = PoolsSettings()
    node_scaling: NodeScalingSettings = NodeScalingSettings()
    database: DatabaseSettings = DatabaseSettings()
    recovery: RecoverySettings = RecoverySettings()
    connection_pool: ConnectionPoolSettings = ConnectionPoolSettings()
    caches: CachesSettings = CachesSettings()
    streaming: StreamingSettings = StreamingSettings()
    observability: ObservabilitySettings = ObservabilitySettings()
    registry: Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:\d+)?(/[a-z0-9._/-]+)?$")] | None = None
    """Image registry; none: the region's own container registries, which the stack makes."""
    services: dict[str, ServiceSettings]
    """Every service of the catalogue, by name."""

    @property
    def global_stack(self) -> str | None:
        """The stack that owns names, edge and passwords of the environment; none: this one does."""
        return None if self.edge.enabled else self.edge_stack or self.primary_stack

    @property
    def connected_stacks(self) -> tuple[str, ...]:
        """Stacks whose networks this one connects itself to; a change of role changes none of them."""
        return tuple(sorted({*self.peer_stacks, *((self.global_stack,) if self.global_stack else ())}))
