"""What a test puts into the cluster and asks of it."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from infra.cluster.capacity import SIDECAR_CPU_MILLIS, SIDECAR_MEMORY_MIB
from infra.cluster.pools import PoolName
from infra.local.cluster.nodes import Size
from infra.local.cluster.testing import Json, LocalCluster, nodes, waiting
from infra.model.stack import PoolSettings, PoolsSettings

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
OWNERS = (
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("apps/v1", "Deployment"),
    ("batch/v1", "Job"),
)
ONE_NODE = PoolSettings(instance_types=("c5.4xlarge",), min_size=1, max_size=50)


@dataclass(kw_only=True)
class Bench:
    """A namespace of one test, and the nodes it added."""

    cluster: LocalCluster
    namespace: str
    others: list[Json] = field(default_factory=list[Json])

    def open(self) -> None:
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}})

    def close(self) -> None:
        """Take everything away, and wait for what the next test would notice."""
        client = self.cluster.client
        spaces = [
            self.namespace,
            *(item["metadata"]["name"] for item in self.others if item["kind"] == "Namespace"),
        ]
        for namespace in spaces:
            # Owners first: a namespace in deletion looks at what it still holds only now and then.
            for api_version, kind in OWNERS:
                for item in client.list(api_version, kind, namespace=namespace):
                    client.delete(api_version, kind, item["metadata"]["name"], namespace=namespace)
        for namespace in spaces:
            waiting.until(
                lambda name=namespace: self.pods(namespace=name),
                so=lambda pods: not pods,
                what="pods are gone",
                show=summary,
            )
            client.delete("v1", "Namespace", namespace)
        for item in self.others:
            client.delete(item["apiVersion"], item["kind"], item["metadata"]["name"])
        self.cluster.nodes.remove([node["metadata"]["name"] for node in client.list("v1", "Node")])
        for namespace in spaces[1:]:
            waiting.until(
                lambda name=namespace: client.get("v1", "Namespace", name),
                so=lambda found: found is None,
                what=f"namespace {namespace} is gone",
                seconds=120,
            )

    def apply(self, item: Json) -> Json:
        """Apply with strict validation; a namespaced object without a namespace goes to the test's own."""
        placed = copy.deepcopy(item)
        kind = self.cluster.client.kind(placed["apiVersion"], placed["kind"])
        if kind.namespaced:
            placed["metadata"].setdefault("namespace", self.namespace)
        elif placed["metadata"]["name"] != self.namespace:
            self.others.insert(0, placed)
        return self.cluster.client.apply(placed)

    def add_nodes(self, count: int, *, pool: PoolName = PoolName.APPLICATION) -> list[str]:
        settings = ONE_NODE.model_copy(update={"max_size": count, "min_size": 0})
        return self.cluster.nodes.add(nodes.of_pool(pool, settings, zones=ZONES, size=Size.MAXIMUM))

    def add_pools(self, settings: PoolsSettings, *, zones: Sequence[str], size: Size) -> list[str]:
        return self.cluster.nodes.add(nodes.of_pools(settings, zones=zones, size=size))

    # Looking

    def pods(self, *, labels: str = "", namespace: str = "") -> list[Json]:
        return self.cluster.client.list("v1", "Pod", namespace=namespace or self.namespace, labels=labels)

    def until_running(
        self, count: int, *, labels: str = "", namespace: str = "", seconds: float = 120
    ) -> list[Json]:
        """Wait until exactly so many pods are ready and no other is there."""
        return waiting.until(
            lambda: self.pods(labels=labels, namespace=namespace),
            so=lambda pods: len(pods) == count and all(is_ready(pod) for pod in pods),
            what=f"{count} pods are ready",
            seconds=seconds,
            show=summary,
        )

    def scale(self, name: str, replicas: int, *, namespace: str = "") -> None:
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": namespace or self.namespace},
        }
        self.cluster.client.patch(deployment, {"spec": {"replicas": replicas}}, subresource="scale")


def deployment(name: str, *, replicas: int = 1, cpu: str = "100m", memory: str = "64Mi", **spec: Any) -> Json:
    labels = {"app": name}
    container = {
        "name": "main",
        "image": "none",
        "resources": {"requests": {"cpu": cpu, "memory": memory}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container], **spec}},
        },
    }


def with_sidecar(item: Json) -> Json:
    """A Deployment as the mesh's injector leaves it; the injector itself is part of a chart."""
    changed = copy.deepcopy(item)
    spec = changed["spec"]["template"]["spec"]
    requests = {"cpu": f"{SIDECAR_CPU_MILLIS}m", "memory": f"{SIDECAR_MEMORY_MIB}Mi"}
    proxy = {
        "name": "istio-proxy",
        "image": "none",
        "restartPolicy": "Always",
        "resources": {"requests": requests, "limits": {"cpu": "2", "memory": "1Gi"}},
        "securityContext": spec["containers"][0]["securityContext"],
    }
    spec["initContainers"] = [proxy, *spec.get("initContainers", [])]
    return changed


def is_ready(pod: Json) -> bool:
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = cast("list[Json]", pod.get("status", {}).get("conditions") or [])
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def why_pending(pod: Json) -> str:
    conditions = cast("list[Json]", pod.get("status", {}).get("conditions") or [])
    return " ".join(
        f"{item.get('reason')}: {item.get('message')}"
        for item in conditions
        if item["type"] == "PodScheduled" and item["status"] == "False"
    )


def summary(pods: list[Json]) -> str:
    """What pods are doing, in a line."""
    phases = Counter(
        "leaving" if pod["metadata"].get("deletionTimestamp") else pod["status"].get("phase", "?")
        for pod in pods
    )
    reasons = sorted({why for pod in pods if (why := why_pending(pod))})
    return f"{dict(phases)} {reasons[:3]}"


def by_zone(pods: list[Json], found: list[Json]) -> Counter[str]:
    """How many pods each zone has."""
    zone_of = {
        node["metadata"]["name"]: node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in found
    }
    return Counter(zone_of[pod["spec"]["nodeName"]] for pod in pods)
