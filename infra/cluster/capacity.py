"""Whether pods fit nodes and addresses: pure arithmetic from services and pools.

Sources: the EKS AMI's reservations (kube-reserved cpu by core; memory 255 MiB + 11 MiB a pod; 100 MiB eviction
threshold), Istio's default sidecar requests (100m, 128Mi), and this project's own daemon sets.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from infra.instances import InstanceSize

_UNITS_MIB = {"Ki": 1 / 1024, "Mi": 1.0, "Gi": 1024.0}
SIDECAR_CPU_MILLIS, SIDECAR_MEMORY_MIB = 100, 128
"""Requests of one Istio proxy (istio chart, `global.proxy.resources.requests`)."""
SIDECAR_REQUESTS = {"cpu": f"{SIDECAR_CPU_MILLIS}m", "memory": f"{SIDECAR_MEMORY_MIB}Mi"}
DAEMON_CPU_MILLIS, DAEMON_MEMORY_MIB = 300, 512
"""Requests of the daemon sets on every node: VPC CNI, kube-proxy, Calico, EBS CSI, Pod Identity, node exporter."""
DAEMON_PODS = 7
_PREFIX_ADDRESSES = 16


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a number of equal pods ask of a pool: millicores, MiB and pods."""

    cpu_millis: float
    memory_mib: float
    pods: int

    def __add__(self, other: Demand) -> Demand:
        return Demand(
            cpu_millis=self.cpu_millis + other.cpu_millis,
            memory_mib=self.memory_mib + other.memory_mib,
            pods=self.pods + other.pods,
        )


def cpu_millis(quantity: str) -> float:
    """A Kubernetes cpu quantity in millicores: `500m` is 500, `2` is 2000."""
    return float(quantity[:-1]) if quantity.endswith("m") else float(quantity) * 1000


def memory_mib(quantity: str) -> float:
    """A Kubernetes memory quantity in MiB: `2Gi` is 2048; a bare number is bytes."""
    match = re.fullmatch(r"([0-9.]+)(Ki|Mi|Gi)?", quantity)
    if match is None:
        raise ValueError(f"{quantity!r} is not a memory quantity such as 512Mi or 2Gi")
    unit = match.group(2)
    return float(match.group(1)) * (_UNITS_MIB[unit] if unit else 1 / 2**20)


def demand(*, cpu: str, memory: str, pods: int, sidecar: bool = True) -> Demand:
    """Requests of `pods` pods, with their mesh sidecars."""
    return Demand(
        cpu_millis=pods * (cpu_millis(cpu) + sidecar * SIDECAR_CPU_MILLIS),
        memory_mib=pods * (memory_mib(memory) + sidecar * SIDECAR_MEMORY_MIB),
        pods=pods,
    )


def canary_pods(*, max_replicas: int, percent: int) -> int:
    """Pods that carry a canary's share of requests when the regular ones are at their most, each as busy as they.

    They stand from the first day of the trial, whatever the load.
    """
    return max(1, math.ceil(max_replicas * percent / (100 - percent)))


def allocatable(size: InstanceSize) -> Demand:
    """What one node offers to workloads, after the system's and the daemon sets' share."""
    cores = size.vcpus
    reserved = 60 + (10 if cores > 1 else 0) + 5 * min(max(cores - 2, 0), 2) + 2.5 * max(cores - 4, 0)
    return Demand(
        cpu_millis=cores * 1000 - reserved - DAEMON_CPU_MILLIS,
        memory_mib=size.memory_gib * 1024 - (255 + 11 * size.max_pods) - 100 - DAEMON_MEMORY_MIB,
        pods=size.max_pods - DAEMON_PODS,
    )


def nodes_needed(wanted: Demand, *, size: InstanceSize) -> int:
    """Fewest nodes of one size that hold a demand, by its scarcest resource."""
    node = allocatable(size)
    return max(
        math.ceil(wanted.cpu_millis / node.cpu_millis),
        math.ceil(wanted.memory_mib / node.memory_mib),
        math.ceil(wanted.pods / node.pods),
    )


def addresses_of_nodes(*, nodes: int, pods_per_node: int) -> int:
    """Addresses that nodes take with prefix delegation: their own, and /28 prefixes for pods plus a warm one."""
    prefixes = math.ceil(pods_per_node / _PREFIX_ADDRESSES) + 1
    return nodes * (1 + prefixes * _PREFIX_ADDRESSES)
