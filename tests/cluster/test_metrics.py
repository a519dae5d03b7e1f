"""The real autoscaler, fed by metrics that the test steers."""

from __future__ import annotations

from typing import Any

from infra.local.cluster.testing import Json, LocalCluster, Usage, waiting
from tests.cluster.bench import Bench, deployment

AT_ONCE = {
    "stabilizationWindowSeconds": 0,
    "policies": [{"type": "Percent", "value": 900, "periodSeconds": 1}],
}


def _autoscaler(metric: Json) -> Json:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": target,
            "minReplicas": 2,
            "maxReplicas": 6,
            "metrics": [metric],
            "behavior": {"scaleUp": AT_ONCE},
        },
    }


def _wanted(cluster: LocalCluster, bench: Bench) -> Any:
    found = cluster.client.get("autoscaling/v2", "HorizontalPodAutoscaler", "web", namespace=bench.namespace)
    return found["status"] if found and "status" in found else {}


def _until_wanted(cluster: LocalCluster, bench: Bench, replicas: int) -> None:
    waiting.until(
        lambda: _wanted(cluster, bench),
        so=lambda status: status.get("desiredReplicas") == replicas,
        what=f"the autoscaler wants {replicas}",
        seconds=180,
    )


def test_cpu_use_above_the_target_adds_pods_up_to_the_maximum(cluster: LocalCluster, bench: Bench) -> None:
    assert cluster.metrics is not None
    bench.add_nodes(1)
    bench.apply(deployment("web", replicas=2, cpu="100m"))
    bench.until_running(2)
    cluster.metrics.usage = lambda _pod: Usage(cpu_millis=1000, memory_mib=10)
    target = {"type": "Utilization", "averageUtilization": 70}
    bench.apply(_autoscaler({"type": "Resource", "resource": {"name": "cpu", "target": target}}))

    _until_wanted(cluster, bench, 6)
    bench.until_running(6)


def test_an_external_metric_decides_the_number_of_pods(cluster: LocalCluster, bench: Bench) -> None:
    assert cluster.metrics is not None
    bench.add_nodes(1)
    bench.apply(deployment("web", replicas=2))
    bench.until_running(2)
    cluster.metrics.external[bench.namespace, "queue_depth"] = 450.0
    target = {"type": "AverageValue", "averageValue": "100"}
    metric = {"metric": {"name": "queue_depth"}, "target": target}
    bench.apply(_autoscaler({"type": "External", "external": metric}))

    _until_wanted(cluster, bench, 5)
    bench.until_running(5)
