"""Node pools as arithmetic: how a pool divides into an on-demand and a spot group, and how its nodes are marked.

An EKS node group is either on-demand or spot, so a pool with a spot share is two groups. Cluster Autoscaler moves
each group between its own bounds and knows nothing of the other, so the share is held where it can be held: at the
pool's minimum, at its size at creation and at its maximum.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import floor

from infra.instances import NODE_TYPES
from infra.model.stack import PoolSettings

POOL_LABEL = "parking.platform/pool"
"""Node label that says which pool a node belongs to."""
CAPACITY_LABEL = "parking.platform/capacity"
"""Node label with the capacity type: `on-demand` or `spot`."""
DEDICATED_TAINT = "dedicated"
"""Taint key of pools that admit only pods which ask for them; the value is the pool's name."""
GPU_RESOURCE = "nvidia.com/gpu"
"""Extended resource and taint key of nodes with an NVIDIA device."""


class PoolError(ValueError):
    """A pool that cannot be divided or an instance type that is not known."""


class PoolName(StrEnum):
    """The node pools of the platform."""

    APPLICATION = "application"
    DATABASE = "database"
    ANALYTICS = "analytics"
    ANALYTICS_GPU = "analytics-gpu"


class Capacity(StrEnum):
    """How the nodes of a group are bought."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"

    @property
    def eks_type(self) -> str:
        """Value of the node group's `capacityType`."""
        return self.value.replace("-", "_").upper()


@dataclass(frozen=True, kw_only=True)
class Taint:
    """A NoSchedule taint of a pool's nodes."""

    key: str
    value: str


@dataclass(frozen=True, kw_only=True)
class PoolShape:
    """What tells a pool's nodes from others', apart from their number and type.

    Attributes:
        name: The pool; its label's value.
        ami_type: EKS AMI type.
        taints: Taints of every node, all NoSchedule.
        labels: Labels beside the pool's and the capacity's.
        devices: Extended resources of a node, so that the autoscaler can scale from zero for them.
    """

    name: PoolName
    ami_type: str = "AL2023_x86_64_STANDARD"
    taints: tuple[Taint, ...] = ()
    labels: dict[str, str] = field(default_factory=dict[str, str])
    devices: dict[str, int] = field(default_factory=dict[str, int])

    def node_labels(self, capacity: Capacity) -> dict[str, str]:
        """All labels of the nodes of one of the pool's groups."""
        return {POOL_LABEL: self.name.value, CAPACITY_LABEL: capacity.value, **self.labels}


SHAPES = {
    PoolName.APPLICATION: PoolShape(name=PoolName.APPLICATION),
    PoolName.DATABASE: PoolShape(
        name=PoolName.DATABASE, taints=(Taint(key=DEDICATED_TAINT, value=PoolName.DATABASE.value),)
    ),
    PoolName.ANALYTICS: PoolShape(
        name=PoolName.ANALYTICS, taints=(Taint(key=DEDICATED_TAINT, value=PoolName.ANALYTICS.value),)
    ),
    PoolName.ANALYTICS_GPU: PoolShape(
        name=PoolName.ANALYTICS_GPU,
        ami_type="AL2023_x86_64_NVIDIA",
        taints=(
            Taint(key=DEDICATED_TAINT, value=PoolName.ANALYTICS_GPU.value),
            Taint(key=GPU_RESOURCE, value="present"),
        ),
        # The device plugin's own node affinity asks for this label.
        labels={"nvidia.com/gpu.present": "true"},
        devices={GPU_RESOURCE: 1},
    ),
}
"""The pools of the specification; "GPU-enabled" is a pool of its own because c5.9xlarge has no GPU."""


@dataclass(frozen=True, kw_only=True)
class GroupPlan:
    """One node group of a pool.

    Attributes:
        capacity: On-demand or spot.
        instance_types: Types it may use; EKS takes them in this order for on-demand.
        min_size: Fewest nodes.
        start_size: Nodes at creation, between the bounds.
        max_size: Most nodes.
    """

    capacity: Capacity
    instance_types: tuple[str, ...]
    min_size: int
    start_size: int
    max_size: int


def spot_nodes(*, nodes: int, share: float) -> int:
    """Spot nodes among `nodes`: as many as whole nodes allow without exceeding the share.

    Args:
        nodes: Nodes of the pool, 0 or more.
        share: Largest share of spot, 0 to 1; read as the decimal it is written as, so that 0.29 of 100 is 29.
    """
    return floor(Fraction(str(share)) * nodes)


def split(settings: PoolSettings) -> tuple[GroupPlan, ...]:
    """Node groups of a pool: on-demand, and spot where the share allows at least one node at the maximum.

    Raises:
        PoolError: When a spot share is asked for and no spot instance types are named, or sizes contradict.
    """
    sizes = (settings.min_size, settings.start_size, settings.max_size)
    if list(sizes) != sorted(sizes):
        raise PoolError(
            f"sizes {sizes} (minimum, desired, maximum) are not in order; a pool needs minimum <= desired <= maximum"
        )
    if settings.spot_share and not settings.spot_instance_types:
        raise PoolError(
            f"spotShare is {settings.spot_share} and spotInstanceTypes is empty; "
            "name several types of like size, so that one market running dry does not take all spot nodes"
        )
    spot = [spot_nodes(nodes=size, share=settings.spot_share) for size in sizes]
    on_demand = [size - taken for size, taken in zip(sizes, spot, strict=True)]
    groups = [_group(Capacity.ON_DEMAND, settings.instance_types, on_demand)]
    if spot[-1] > 0:
        groups.append(_group(Capacity.SPOT, settings.spot_instance_types, spot))
    return tuple(groups)


def _group(capacity: Capacity, types: tuple[str, ...], sizes: list[int]) -> GroupPlan:
    minimum, start, maximum = sizes
    return GroupPlan(
        capacity=capacity, instance_types=types, min_size=minimum, start_size=start, max_size=maximum
    )


def max_pods(instance_types: tuple[str, ...]) -> int:
    """Pods that every node of a group can take with prefix delegation: 110 up to 30 vCPU, 250 above.

    Args:
        instance_types: Types of one group; the smallest decides.

    Raises:
        PoolError: When a type is not one that `infra.instances` knows.
    """
    unknown = [instance_type for instance_type in instance_types if instance_type not in NODE_TYPES]
    if unknown:
        raise PoolError(f"instance types {unknown} are not in infra/instances.py, which knows their sizes")
    return min(NODE_TYPES[instance_type].max_pods for instance_type in instance_types)
