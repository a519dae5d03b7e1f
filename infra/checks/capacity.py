"""What the specification's traffic needs, in the season after the growth, against what the stack allows."""

from __future__ import annotations

from collections.abc import Iterator

from infra.capacity import Plan, ServicePlan, Stage, plan
from infra.catalogue import resolve
from infra.checks.subject import Subject
from infra.cluster import capacity, fit
from infra.instances import NODE_TYPES
from infra.model.service import Pool, Service
from infra.problems import Problem

BUSY_PERCENT = 70
"""Share of a pool's server connections that may be in use on average; above, statements queue for one."""
_WHY = "the season after the planned growth (parking:demand) must be carried without changing the stack"


def check_capacity(subject: Subject) -> Iterator[Problem]:
    """Pods, nodes, consumers, partitions, connections and volumes suffice for the planned traffic."""
    services = _resolved(subject)
    known = all(fit.settings_of(pool, subject.settings).instance_types[0] in NODE_TYPES for pool in Pool)
    if services is None or not known:
        return  # other checks have said it
    needed = plan(subject.settings, services=services, stage=Stage.DESIGN)
    for described in services:
        yield from _largest_pod(described, subject)
    for service in needed.services:
        yield from _service(service)
        yield from _connections(service)
    yield from _stores(needed)


def _resolved(subject: Subject) -> tuple[Service, ...] | None:
    """The services as the stack runs them; None where its word on one contradicts itself."""
    try:
        return tuple(
            resolve(service, own) if (own := subject.service_settings(service)) else service
            for service in subject.catalogue
        )
    except ValueError:
        return None


def _largest_pod(service: Service, subject: Subject) -> Iterator[Problem]:
    """What a vertical autoscaler may make of a pod still fits a node."""
    vertical = service.scaling.vertical
    if vertical is None:
        return
    pool = fit.settings_of(service.pool, subject.settings)
    node = capacity.allocatable(NODE_TYPES[pool.instance_types[0]])
    pod = capacity.demand(cpu=vertical.max_cpu, memory=vertical.max_memory, pods=1)
    if pod.cpu_millis > node.cpu_millis or pod.memory_mib > node.memory_mib:
        yield Problem(
            key=f"parking:services.{service.name}.verticalMaxMemory",
            found=f"pods of up to {vertical.max_cpu} cpu and {vertical.max_memory}",
            allowed=f"with the sidecar {node.cpu_millis:.0f}m and {node.memory_mib:.0f}Mi, what a "
            f"{pool.instance_types[0]} offers",
            why="a pod that its vertical autoscaler made larger than any node is never placed again",
            action=f"lower verticalMaxCpu and verticalMaxMemory, or take larger instances for the {service.pool} pool",
        )


def _service(service: ServicePlan) -> Iterator[Problem]:
    key = f"parking:services.{service.service}"
    if service.pods > service.max_replicas:
        yield Problem(
            key=f"{key}.maxReplicas",
            found=str(service.max_replicas),
            allowed=f"{service.pods} or more, for {service.requests_per_second:,.0f} requests and "
            f"{service.messages_per_second:,.0f} messages a second",
            why=_WHY,
            action=f"raise it, or correct the assumptions in services/{service.service}.py or parking:demand",
        )
    if service.consumers > service.max_consumers:
        yield Problem(
            key=f"{key}.consumers",
            found=str(service.max_consumers),
            allowed=f"{service.consumers} or more, for {service.messages_per_second:,.0f} messages a second",
            why=_WHY,
            action=f"raise it, or correct the assumptions in services/{service.service}.py or parking:demand",
        )


def _connections(service: ServicePlan) -> Iterator[Problem]:
    own = service.connections
    if own is None:
        return
    if own.clients_at_most > own.clients_allowed:
        yield Problem(
            key="parking:connectionPool.clientConnections",
            found=str(own.clients_allowed),
            allowed=f"{own.clients_at_most} or more: {service.max_replicas} pods of {service.service} keep "
            f"{own.clients_at_most // service.max_replicas} each",
            why="PgBouncer refuses a service's connections past its limit, just when it is busiest",
            action=f"raise it, or lower maxReplicas or database_connections_per_pod of {service.service}",
        )
    if own.busy * 100 > own.servers * BUSY_PERCENT:
        yield Problem(
            key="parking:connectionPool",
            found=f"{own.servers} server connections for {service.service}",
            allowed=f"{own.busy * 100 / BUSY_PERCENT:.0f} or more: {own.busy:.1f} are in use at once",
            why=_WHY,
            action="raise replicas or clientConnections, or lower multiplexingRatio",
        )


def _stores(needed: Plan) -> Iterator[Problem]:
    for pool in needed.pools:
        if pool.nodes > pool.max_size:
            yield Problem(
                key=f"parking:nodePools.{pool.pool.value}.maxSize",
                found=str(pool.max_size),
                allowed=f"{pool.nodes} or more of this instance type",
                why=_WHY,
                action="raise it, or take larger instances",
            )
    for topic in needed.topics:
        if topic.partitions > topic.offered:
            yield Problem(
                key=f"parking:streaming.topics.{topic.topic}.partitions",
                found=str(topic.offered),
                allowed=f"{topic.partitions} or more, for {topic.messages_per_second:,.0f} messages a second",
                why=_WHY,
                action="raise it; partitions never shrink",
            )
    if needed.broker_gib > needed.max_broker_gib:
        yield Problem(
            key="parking:streaming.maxStorageGib",
            found=str(needed.max_broker_gib),
            allowed=f"{needed.broker_gib:.0f} or more on each broker, for what topics keep",
            why=_WHY,
            action="raise it, add brokers, or shorten the topics' retention in services/",
        )
