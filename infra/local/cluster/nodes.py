"""Nodes that are only objects, shaped as the pools' real ones, so that the real scheduler places pods on them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import cast

from infra.cluster.capacity import allocatable
from infra.cluster.pools import SHAPES, GroupPlan, PoolName, PoolShape, max_pods, split
from infra.instances import NODE_TYPES
from infra.local.cluster import waiting
from infra.local.cluster.client import ApiError, Client, Json
from infra.local.tools.catalogue import TOOLS
from infra.model.stack import PoolSettings, PoolsSettings

_LEASE_NAMESPACE = "kube-node-lease"
_LEASE_SECONDS = 40
_RENEW_SECONDS = 10.0


class Size(StrEnum):
    """At which of its sizes a pool is."""

    MINIMUM = "minimum"
    START = "start"
    MAXIMUM = "maximum"

    def of(self, group: GroupPlan) -> int:
        """Nodes of a group at this size."""
        sizes = {
            Size.MINIMUM: group.min_size,
            Size.START: group.start_size,
            Size.MAXIMUM: group.max_size,
        }
        return sizes[self]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a node is.

    Attributes:
        zone: Availability zone, e.g. `us-east-1a`.
        number: Number of the node in its group.
    """

    zone: str
    number: int


def of_pools(settings: PoolsSettings, *, zones: Sequence[str], size: Size) -> list[Json]:
    """The nodes of all pools of a stack.

    Args:
        settings: The pools.
        zones: Zones that every group spreads over, as its scaling group does.
        size: At which of their sizes.
    """
    each = {
        PoolName.APPLICATION: settings.application,
        PoolName.DATABASE: settings.database,
        PoolName.ANALYTICS: settings.analytics,
        PoolName.ANALYTICS_GPU: settings.analytics_gpu,
    }
    return [node for name, pool in each.items() for node in of_pool(name, pool, zones=zones, size=size)]


def of_pool(name: PoolName, settings: PoolSettings, *, zones: Sequence[str], size: Size) -> list[Json]:
    """The nodes of a pool: its on-demand and its spot group, each spread over the zones."""
    return [
        node_of(SHAPES[name], group, place=Place(zone=zones[number % len(zones)], number=number))
        for group in split(settings)
        for number in range(size.of(group))
    ]


def node_of(shape: PoolShape, group: GroupPlan, *, place: Place) -> Json:
    """A node of a group.

    A spot group's nodes take its types in turn. What daemon sets would use is left out of what a node offers,
    because no daemon runs here.
    """
    instance_type = group.instance_types[place.number % len(group.instance_types)]
    size = NODE_TYPES[instance_type]
    offered = allocatable(size)
    name = f"{shape.name}-{group.capacity}-{place.number}"
    devices = {key: str(count) for key, count in shape.devices.items()}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/os": "linux",
                "kubernetes.io/hostname": name,
                "node.kubernetes.io/instance-type": instance_type,
                "topology.kubernetes.io/region": place.zone[:-1],
                "topology.kubernetes.io/zone": place.zone,
                "eks.amazonaws.com/capacityType": group.capacity.eks_type,
                "eks.amazonaws.com/nodegroup": f"{shape.name}-{group.capacity}",
                **shape.node_labels(group.capacity),
            },
        },
        "spec": {
            "providerID": f"aws:///{place.zone}/i-{name}",
            "taints": [
                {"key": taint.key, "value": taint.value, "effect": "NoSchedule"} for taint in shape.taints
            ],
        },
        "status": {
            "capacity": {
                "cpu": str(size.vcpus),
                "memory": f"{int(size.memory_gib * 1024)}Mi",
                "pods": str(max_pods(group.instance_types)),
                **devices,
            },
            "allocatable": {
                "cpu": f"{int(offered.cpu_millis)}m",
                "memory": f"{int(offered.memory_mib)}Mi",
                "pods": str(offered.pods),
                **devices,
            },
            "conditions": _conditions(),
            "nodeInfo": _node_info(name),
        },
    }


class FakeNodes:
    """Adds and removes nodes, and keeps those it has added alive.

    Args:
        client: The administrator's.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._alive: set[str] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="node-leases", daemon=True)
        self._thread.start()

    def add(self, nodes: Iterable[Json]) -> list[str]:
        """Add nodes, ready for pods; returns their names."""
        names: list[str] = []
        for node in nodes:
            name = str(node["metadata"]["name"])
            self._beat(name)
            self._create(node)
            names.append(name)
            with self._lock:
                self._alive.add(name)
        waiting.until(
            lambda: [name for name in names if name in self._not_ready()],
            so=lambda left: not left,
            what="nodes take pods",
        )
        return names

    def silence(self, names: Iterable[str]) -> None:
        """Let nodes fall silent, as a power cut does: after a while the controllers find them gone."""
        with self._lock:
            self._alive.difference_update(names)

    def remove(self, names: Iterable[str]) -> None:
        """Take nodes away, objects and leases, as a scale-in or the end of an instance does."""
        gone = list(names)
        self.silence(gone)
        for name in gone:
            self._client.delete("v1", "Node", name)
            self._client.delete("coordination.k8s.io/v1", "Lease", name, namespace=_LEASE_NAMESPACE)

    def in_zone(self, zone: str) -> list[str]:
        """Names of the nodes in a zone."""
        found = self._client.list("v1", "Node", labels=f"topology.kubernetes.io/zone={zone}")
        return [str(node["metadata"]["name"]) for node in found]

    def close(self) -> None:
        """Stop renewing leases."""
        self._ended.set()
        self._thread.join()

    def _renew(self) -> None:
        while not self._ended.wait(_RENEW_SECONDS):
            with self._lock:
                names = sorted(self._alive)
            for name in names:
                # A server that is away for a moment: the next round renews.
                with suppress(ApiError, OSError):
                    self._beat(name)

    def _not_ready(self) -> set[str]:
        """Nodes that the API server keeps pods off until the controllers have seen them ready."""
        return {
            str(node["metadata"]["name"])
            for node in self._client.list("v1", "Node")
            for taint in cast("list[Json]", node["spec"].get("taints") or [])
            if str(taint["key"]).startswith("node.kubernetes.io/")
        }

    def _create(self, node: Json) -> None:
        """Register a node; one that a start before this one left is taken over."""
        try:
            self._client.create(node)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise

    def _beat(self, name: str) -> None:
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": _LEASE_NAMESPACE},
            "spec": {
                "holderIdentity": name,
                "leaseDurationSeconds": _LEASE_SECONDS,
                "renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            },
        }
        self._client.apply(lease, manager="kubelet")


def _conditions() -> list[Json]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    stamps = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    healthy = [("MemoryPressure", "False"), ("DiskPressure", "False"), ("PIDPressure", "False")]
    return [
        {"type": kind, "status": status, "reason": "FakeKubelet", **stamps}
        for kind, status in (*healthy, ("Ready", "True"))
    ]


def _node_info(name: str) -> Json:
    return {
        "architecture": "amd64",
        "operatingSystem": "linux",
        "kubeletVersion": TOOLS["kubernetes"].version,
        "kubeProxyVersion": "",
        "containerRuntimeVersion": "fake://1",
        "kernelVersion": "6",
        "osImage": "none",
        "bootID": name,
        "machineID": name,
        "systemUUID": name,
    }
