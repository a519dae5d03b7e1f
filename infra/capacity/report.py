"""The plan of a stack as a table for people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from infra.capacity.plan import Plan, PoolPlan, ServicePlan, TopicPlan

_SERVICES = ("service", "requests/s", "messages/s", "pods", "by", "min-max", "head-room", "lasts")
_CONNECTIONS = ("service", "clients", "at max", "allowed", "busy", "servers")
_POOLS = ("pool", "nodes", "min-max", "head-room")
_TOPICS = ("topic", "messages/s", "partitions", "has", "GiB kept")


def render(plan: Plan, *, stack: str) -> str:
    """All tables of a plan.

    Args:
        plan: What the stack needs.
        stack: Its name, for the title.
    """
    traffic = plan.traffic
    title = (
        f"{stack}, {plan.stage.value}: {traffic.users:,.0f} users at once, "
        f"{traffic.transactions_per_day:,.0f} transactions a day, "
        f"{traffic.transactions_per_second:,.1f} a second in the busiest hour"
    )
    connected = [item for item in plan.services if item.connections]
    return "\n\n".join(
        (
            title,
            _table(_SERVICES, map(_service, plan.services)),
            _table(_CONNECTIONS, [row for item in connected for row in _connections(item)]),
            _table(_POOLS, map(_pool, plan.pools)),
            _table(_TOPICS, map(_topic, plan.topics)),
            f"Kafka: {plan.broker_gib:,.0f} GiB on each broker, volumes grow to {plan.max_broker_gib:,} GiB",
        )
    )


def _service(item: ServicePlan) -> Sequence[str]:
    return (
        item.service,
        f"{item.requests_per_second:,.0f}",
        f"{item.messages_per_second:,.0f}",
        str(item.pods),
        item.decided_by,
        f"{item.min_replicas}-{item.max_replicas}",
        f"{item.head_room:.1f}x",
        "always" if math.isinf(item.months) else f"{item.months:.0f} months",
    )


def _connections(item: ServicePlan) -> Iterator[Sequence[str]]:
    own = item.connections
    if own:
        yield (
            item.service,
            str(own.clients),
            str(own.clients_at_most),
            str(own.clients_allowed),
            f"{own.busy:.1f}",
            str(own.servers),
        )


def _pool(item: PoolPlan) -> Sequence[str]:
    return item.pool.value, str(item.nodes), f"{item.min_size}-{item.max_size}", f"{item.head_room:.1f}x"


def _topic(item: TopicPlan) -> Sequence[str]:
    return (
        item.topic,
        f"{item.messages_per_second:,.0f}",
        str(item.partitions),
        str(item.offered),
        f"{item.gib:,.0f}",
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
