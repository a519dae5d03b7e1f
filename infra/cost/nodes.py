"""Control plane and worker nodes: on-demand, spot and reserved, with their disks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infra.cluster.pools import Capacity, PoolName, split
from infra.cost.lines import Group, Level, Line
from infra.cost.purchasing import Fleet, Reservations, reserve
from infra.cost.subject import Priced
from infra.model.stack import Environment, PoolSettings, StackSettings

PROMETHEUS_PODS = {Environment.PROD: 2}
"""Pods of Prometheus by environment, else one (`stacks/platform.py`); each has a volume."""


def pools(settings: StackSettings) -> Mapping[PoolName, PoolSettings]:
    """Node pools by name."""
    own = settings.node_pools
    return {
        PoolName.APPLICATION: own.application,
        PoolName.DATABASE: own.database,
        PoolName.ANALYTICS: own.analytics,
        PoolName.ANALYTICS_GPU: own.analytics_gpu,
    }


@dataclass(frozen=True, kw_only=True)
class Shares:
    """How the nodes of one level are bought, over all pools.

    Attributes:
        nodes: Nodes.
        spot: Of them, spot.
        reserved: Of them, reserved for a year.
        spot_pool_nodes: Nodes of the pools that have a spot share.
    """

    nodes: int
    spot: int
    reserved: int
    spot_pool_nodes: int

    @property
    def spot_share(self) -> float:
        """Spot nodes among all."""
        return self.spot / self.nodes if self.nodes else 0.0

    @property
    def pool_spot_share(self) -> float:
        """Spot nodes among the nodes of the pools that have a spot share."""
        return self.spot / self.spot_pool_nodes if self.spot_pool_nodes else 0.0

    @property
    def reserved_share(self) -> float:
        """Reserved nodes among all."""
        return self.reserved / self.nodes if self.nodes else 0.0


def counts(pool: PoolSettings, level: Level) -> Mapping[Capacity, int]:
    """Nodes of a pool at a level, by how they are bought; an average month has the pool's size at creation."""
    found = dict.fromkeys(Capacity, 0)
    for group in split(pool):
        found[group.capacity] = {
            Level.MINIMUM: group.min_size,
            Level.AVERAGE: group.start_size,
            Level.MAXIMUM: group.max_size,
        }[level]
    return found


def reservations(on: Priced) -> Reservations:
    """Nodes reserved for a year, by pool."""
    fleets = [
        Fleet(
            key=f"ec2.{pool.instance_types[0]}",
            name=name.value,
            hourly_usd=on.usd(f"ec2.{pool.instance_types[0]}"),
            always=counts(pool, Level.MINIMUM)[Capacity.ON_DEMAND],
            average=pool.start_size,
        )
        for name, pool in pools(on.settings).items()
    ]
    return reserve(fleets, share=on.settings.purchasing.reserved_share)


def shares(on: Priced) -> Shares:
    """How the nodes of the level are bought."""
    found = [(pool, counts(pool, on.level)) for pool in pools(on.settings).values()]
    return Shares(
        nodes=sum(sum(each.values()) for _, each in found),
        spot=sum(each[Capacity.SPOT] for _, each in found),
        reserved=reservations(on).count,
        spot_pool_nodes=sum(sum(each.values()) for pool, each in found if pool.spot_share > 0),
    )


def lines(on: Priced) -> Iterator[Line]:
    """Control plane, nodes and their disks."""
    tier = on.settings.cluster.scaling_tier
    # A tier is billed on top of the cluster's own hour.
    yield on.running(Group.CONTROL_PLANE, "Kubernetes API", 1, "eks.standard", unit="cluster")
    if tier != "standard":
        yield on.running(Group.CONTROL_PLANE, f"Control plane {tier}", 1, f"eks.{tier}", unit="cluster")
    reserved = reservations(on)
    spot_factor = 1 - on.settings.purchasing.spot_discount
    reserved_factor = 1 - on.prices.discounts["reserved_ec2"].share
    for name, pool in pools(on.settings).items():
        kinds, key = counts(pool, on.level), f"ec2.{pool.instance_types[0]}"
        committed = reserved.by_name[name.value]
        hourly = max(0, kinds[Capacity.ON_DEMAND] - committed)
        what = f"{name.value} {pool.instance_types[0]}"
        for label, count, factor in (
            ("on demand", hourly, 1.0),
            ("reserved", committed, reserved_factor),
            ("spot", kinds[Capacity.SPOT], spot_factor),
        ):
            if count:
                yield on.running(Group.NODES, f"{what}, {label}", count, key, factor=factor, unit="node")
        disks = sum(kinds.values()) * pool.disk_gib
        if disks:
            yield on.line(Group.NODES, f"{name.value} disks", disks, "ebs.gp3_gib")
    volumes = PROMETHEUS_PODS.get(on.settings.environment, 1)
    gib = on.settings.observability.metrics_storage_gib
    yield on.line(Group.OBSERVABILITY, "Prometheus volumes", volumes * gib, "ebs.gp3_gib")
