"""What a stack needs at a stage, beside what its settings allow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.capacity.demand import Stage, Traffic, months_until, season_factor, traffic
from infra.cluster import capacity, fit
from infra.instances import NODE_TYPES
from infra.model.service import Pool, PrometheusMetric, ResourceMetric, Service, Topic
from infra.model.stack import StackSettings
from infra.model.triggers import GENERAL_TRIGGERS

REQUESTS_METRIC = "requests_per_second"
"""Name of the metric that is compared with the requests of a service."""


@dataclass(frozen=True, kw_only=True)
class ConnectionsPlan:
    """A service's database connections.

    Attributes:
        clients: What its pods keep to the pooler.
        clients_at_most: What they would keep at the maximum of replicas.
        clients_allowed: What the pooler admits of the service.
        busy: Server connections in use at once: requests a second times the time each holds one.
        servers: Server connections of the service's pool, over the pooler's pods.
    """

    clients: int
    clients_at_most: int
    clients_allowed: int
    busy: float
    servers: int


@dataclass(frozen=True, kw_only=True)
class ServicePlan:
    """What a service needs in the busiest hour of a stage.

    Attributes:
        service: Its short name.
        pool: The node pool of its pods.
        requests_per_second: Requests that reach its pods.
        messages_per_second: Messages that it consumes.
        pods: Pods that carry this.
        decided_by: What asks for so many: `cpu`, `requests_per_second`, or `minimum` where the floor is higher.
        min_replicas: The stack's floor.
        max_replicas: The stack's ceiling.
        consumers: Members of its consumer group that keep up; 0 without one.
        max_consumers: Members that the stack gives it.
        connections: Its database connections; none: it has no database.
        months: Months until the ceiling is reached in the season, at the planned growth; infinite without growth.
    """

    service: str
    pool: Pool
    requests_per_second: float
    messages_per_second: float
    pods: int
    decided_by: str
    min_replicas: int
    max_replicas: int
    consumers: int
    max_consumers: int
    connections: ConnectionsPlan | None
    months: float

    @property
    def head_room(self) -> float:
        """How many times what is needed the ceiling is; under 1 it does not suffice."""
        return self.max_replicas / self.pods


@dataclass(frozen=True, kw_only=True)
class PoolPlan:
    """Nodes of a pool.

    Attributes:
        pool: The pool.
        nodes: Nodes that the pods of a stage need, by the scarcest resource; at least the minimum.
        min_size: The stack's floor.
        max_size: The stack's ceiling.
    """

    pool: Pool
    nodes: int
    min_size: int
    max_size: int

    @property
    def head_room(self) -> float:
        """How many times what is needed the ceiling is."""
        return self.max_size / self.nodes if self.nodes else math.inf


@dataclass(frozen=True, kw_only=True)
class TopicPlan:
    """A Kafka topic.

    Attributes:
        topic: Its name.
        messages_per_second: Messages written in the busiest hour.
        partitions: Partitions that the slowest consumer group needs to keep up.
        offered: Partitions that it has.
        gib: Size of what is kept, over all replicas, before compression.
    """

    topic: str
    messages_per_second: float
    partitions: int
    offered: int
    gib: float


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a region needs at a stage.

    Attributes:
        stage: Which day.
        traffic: Users and transactions.
        services: In the catalogue's order.
        pools: Application, database and analytics.
        topics: Of all services.
        broker_gib: What topics take on each broker.
        max_broker_gib: What a broker's volume may grow to.
    """

    stage: Stage
    traffic: Traffic
    services: tuple[ServicePlan, ...]
    pools: tuple[PoolPlan, ...]
    topics: tuple[TopicPlan, ...]
    broker_gib: float
    max_broker_gib: int

    def service(self, name: str) -> ServicePlan:
        """The plan of one service.

        Raises:
            KeyError: When there is none of this name.
        """
        return {item.service: item for item in self.services}[name]

    def pool(self, pool: Pool) -> PoolPlan:
        """The plan of one pool."""
        return {item.pool: item for item in self.pools}[pool]


def plan(settings: StackSettings, *, services: Sequence[Service], stage: Stage = Stage.DESIGN) -> Plan:
    """What a stack needs.

    Args:
        settings: The stack's settings.
        services: The services as the stack runs them (`infra.catalogue.resolve`).
        stage: Which day; default the season after the growth.
    """
    wanted = traffic(settings.demand, stage=stage)
    planned = tuple(
        _service(service, settings=settings, services=services, wanted=wanted) for service in services
    )
    topics = tuple(
        _topic(topic, settings=settings, services=services, wanted=wanted)
        for service in services
        for topic in service.topics
    )
    running = {item.service: max(item.pods, item.min_replicas) for item in planned}
    return Plan(
        stage=stage,
        traffic=wanted,
        services=planned,
        pools=tuple(_pool(pool, settings=settings, services=services, replicas=running) for pool in Pool),
        topics=topics,
        broker_gib=sum(topic.gib for topic in topics) / settings.streaming.brokers,
        max_broker_gib=settings.streaming.max_storage_gib,
    )


def cpu_target_percent(service: Service) -> int:
    """Use of the requested cpu at which the service grows: its own metric's, else the general trigger's."""
    for metric in service.scaling.metrics:
        if isinstance(metric, ResourceMetric) and metric.name == "cpu":
            return metric.utilization_percent
    return GENERAL_TRIGGERS.scale_up.cpu_percent


def pods_by_metric(service: Service, *, requests: float, messages: float) -> Mapping[str, float]:
    """How many pods, in fractions, each measure of a load asks for.

    Args:
        service: Its requests of cpu, its targets and its assumptions.
        requests: Requests a second.
        messages: Messages a second that it consumes.
    """
    load = service.load
    spent = requests * load.cpu_ms_per_request + messages * load.cpu_ms_per_message
    offered = capacity.cpu_millis(service.resources.cpu_request) * cpu_target_percent(service) / 100
    by_requests = {
        metric.name: requests / metric.threshold
        for metric in service.scaling.metrics
        if isinstance(metric, PrometheusMetric) and metric.per_pod and metric.name == REQUESTS_METRIC
    }
    return {"cpu": spent / offered, **by_requests}


def requests_per_second(service: Service, wanted: Traffic) -> float:
    """Requests that reach a service's pods in the busiest hour."""
    by_users = wanted.users * service.load.requests_per_user_minute / 60
    return by_users + wanted.transactions_per_second * service.load.requests_per_transaction


def messages_per_second(service: Service, services: Sequence[Service], wanted: Traffic) -> float:
    """Messages that a service consumes in the busiest hour, from topics of all services."""
    read = service.consumption.topics if service.consumption else ()
    topics = [topic for other in services for topic in other.topics if topic.name in read]
    return wanted.transactions_per_second * sum(topic.messages_per_transaction for topic in topics)


def _service(
    service: Service, *, settings: StackSettings, services: Sequence[Service], wanted: Traffic
) -> ServicePlan:
    requests = requests_per_second(service, wanted)
    messages = messages_per_second(service, services, wanted)
    asked = pods_by_metric(service, requests=requests, messages=messages)
    decided_by = max(asked, key=lambda name: asked[name])
    pods = max(1, math.ceil(asked[decided_by]))
    scaling, group = service.scaling, service.consumption
    # Pods are proportional to traffic, so the ceiling is reached at that multiple of the stage's.
    stage_factor = wanted.users / settings.demand.concurrent_users / (settings.demand.region_percent / 100)
    full_at = stage_factor * scaling.max_replicas / asked[decided_by] / season_factor(settings.demand)
    return ServicePlan(
        service=service.name,
        pool=service.pool,
        requests_per_second=requests,
        messages_per_second=messages,
        pods=pods,
        decided_by=decided_by if pods >= scaling.min_replicas else "minimum",
        min_replicas=scaling.min_replicas,
        max_replicas=scaling.max_replicas,
        consumers=math.ceil(messages / group.messages_per_second_each) if group else 0,
        max_consumers=group.consumers if group else 0,
        connections=_connections(
            service, settings=settings, requests=requests, pods=max(pods, scaling.min_replicas)
        ),
        months=months_until(settings.demand, factor=full_at),
    )


def _connections(
    service: Service, *, settings: StackSettings, requests: float, pods: int
) -> ConnectionsPlan | None:
    if not service.uses_database:
        return None
    pooler, each = settings.connection_pool, service.load.database_connections_per_pod
    return ConnectionsPlan(
        clients=pods * each,
        clients_at_most=service.scaling.max_replicas * each,
        clients_allowed=pooler.client_connections,
        # Little's law: how many are in the shop is how many come a second times how long each stays.
        busy=requests * service.load.database_ms_per_request / 1000,
        servers=pooler.server_connections * pooler.replicas,
    )


def _topic(
    topic: Topic, *, settings: StackSettings, services: Sequence[Service], wanted: Traffic
) -> TopicPlan:
    own = settings.streaming.topics.get(topic.name)
    rate = wanted.transactions_per_second * topic.messages_per_transaction
    slowest = min(
        (
            service.consumption.messages_per_second_each
            for service in services
            if service.consumption and topic.name in service.consumption.topics
        ),
        default=math.inf,
    )
    kept = wanted.transactions_per_day * topic.messages_per_transaction * topic.retention_days
    return TopicPlan(
        topic=topic.name,
        messages_per_second=rate,
        partitions=max(1, math.ceil(rate / slowest)),
        offered=own.partitions if own else topic.partitions,
        gib=kept * topic.message_bytes * settings.streaming.replication_factor / 2**30,
    )


def _pool(
    pool: Pool, *, settings: StackSettings, services: Sequence[Service], replicas: Mapping[str, int]
) -> PoolPlan:
    own = fit.settings_of(pool, settings)
    wanted = fit.pool_demand(pool, settings=settings, services=services, replicas=replicas)
    size = NODE_TYPES[own.instance_types[0]]
    nodes = max(capacity.nodes_needed(wanted, size=size), own.min_size)
    return PoolPlan(pool=pool, nodes=nodes, min_size=own.min_size, max_size=own.max_size)
