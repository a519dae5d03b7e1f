"""The real scheduler and controllers on nodes that are only objects."""

from __future__ import annotations

from typing import Any, cast

import pytest

from infra.cluster.pools import CAPACITY_LABEL, POOL_LABEL, PoolName
from infra.local.cluster.testing import ApiError, Behaviour, Json, LocalCluster, waiting
from tests.cluster.bench import Bench, deployment, is_ready, summary, why_pending


def test_a_pod_is_placed_and_runs(bench: Bench) -> None:
    bench.add_nodes(1)
    bench.apply(deployment("web"))

    (pod,) = bench.until_running(1)

    assert pod["spec"]["nodeName"] == "application-on-demand-0"
    assert pod["status"]["phase"] == "Running"
    assert pod["status"]["podIP"]


def test_a_node_is_marked_as_its_pool_s_groups_mark_theirs(cluster: LocalCluster, bench: Bench) -> None:
    bench.add_nodes(1, pool=PoolName.ANALYTICS_GPU)
    node = cluster.client.get("v1", "Node", "analytics-gpu-on-demand-0")

    assert node is not None
    labels, taints = node["metadata"]["labels"], node["spec"]["taints"]
    assert labels[POOL_LABEL] == "analytics-gpu"
    assert labels[CAPACITY_LABEL] == "on-demand"
    assert {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"} in taints
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "1"


def test_a_readiness_gate_is_met(bench: Bench) -> None:
    bench.add_nodes(1)
    gate = "target-health.elbv2.k8s.aws/web"
    bench.apply(deployment("web", readinessGates=[{"conditionType": gate}]))

    (pod,) = bench.until_running(1)

    assert gate in {item["type"] for item in pod["status"]["conditions"]}


def test_a_pod_that_fits_nowhere_says_why(bench: Bench) -> None:
    bench.add_nodes(2)
    bench.apply(deployment("big", cpu="64"))

    pods = waiting.until(
        bench.pods,
        so=lambda pods: [pod for pod in pods if why_pending(pod)],
        what="a reason is given",
        show=summary,
    )

    assert why_pending(pods[0]).startswith("Unschedulable: 0/2 nodes are available: 2 Insufficient cpu.")


def test_a_tainted_pool_admits_only_those_who_ask(bench: Bench) -> None:
    bench.add_nodes(1, pool=PoolName.ANALYTICS)
    bench.apply(deployment("stranger"))
    toleration = {"key": "dedicated", "operator": "Equal", "value": "analytics", "effect": "NoSchedule"}
    bench.apply(deployment("guest", tolerations=[toleration]))

    bench.until_running(1, labels="app=guest")
    (stranger,) = bench.pods(labels="app=stranger")

    assert "untolerated taint" in why_pending(stranger)


def _budget(**spec: Any) -> Json:
    selector = {"matchLabels": {"app": "web"}}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web"},
        "spec": {"selector": selector, **spec},
    }


def test_an_eviction_beyond_the_budget_is_refused(cluster: LocalCluster, bench: Bench) -> None:
    bench.add_nodes(2)
    bench.apply(_budget(maxUnavailable=1))
    bench.apply(deployment("web", replicas=4))
    pods = bench.until_running(4)
    waiting.until(
        lambda: _allowed(cluster, bench), so=lambda allowed: allowed == 1, what="the budget knows its pods"
    )
    # Pods that are never ready again: what is evicted stays missed.
    cluster.kubelet.behaviour = Behaviour(is_ready=lambda _pod: False)

    cluster.client.evict(pods[0])
    with pytest.raises(ApiError, match="disruption budget") as refused:
        cluster.client.evict(pods[1])

    assert refused.value.code == 429


def _allowed(cluster: LocalCluster, bench: Bench) -> int:
    budget = cluster.client.get("policy/v1", "PodDisruptionBudget", "web", namespace=bench.namespace)
    return int(budget["status"].get("disruptionsAllowed", 0)) if budget and "status" in budget else 0


def _priority(bench: Bench, name: str, value: int) -> str:
    full = f"{bench.namespace}-{name}"
    bench.apply(
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": full},
            "value": value,
        }
    )
    return full


def test_the_more_important_pod_takes_the_place_of_the_less_important(bench: Bench) -> None:
    bench.add_nodes(1)
    bench.apply(deployment("low", cpu="15", priorityClassName=_priority(bench, "low", 1)))
    bench.until_running(1, labels="app=low")

    bench.apply(deployment("high", cpu="15", priorityClassName=_priority(bench, "high", 1000)))

    bench.until_running(1, labels="app=high")
    assert not any(is_ready(pod) for pod in bench.pods(labels="app=low"))


def test_a_roll_out_replaces_every_pod(cluster: LocalCluster, bench: Bench) -> None:
    bench.add_nodes(2)
    first = deployment("web", replicas=20)
    bench.apply(first)
    before = {pod["metadata"]["uid"] for pod in bench.until_running(20)}

    first["spec"]["template"]["metadata"]["annotations"] = {"revision": "2"}
    bench.apply(first)
    waiting.until(
        lambda: cluster.client.get("apps/v1", "Deployment", "web", namespace=bench.namespace),
        so=lambda found: found is not None and _rolled(found, replicas=20),
        what="the roll-out is complete",
        seconds=120,
    )

    assert before.isdisjoint(pod["metadata"]["uid"] for pod in bench.until_running(20))


def _rolled(found: Json, *, replicas: int) -> bool:
    status = cast("Json", found["status"])
    numbers = {status.get(name) for name in ("replicas", "updatedReplicas", "availableReplicas")}
    return status.get("observedGeneration") == found["metadata"]["generation"] and numbers == {replicas}


def test_a_job_ends(cluster: LocalCluster, bench: Bench) -> None:
    bench.add_nodes(1)
    container = {"name": "main", "image": "none"}
    spec = {"containers": [container], "restartPolicy": "Never"}
    bench.apply(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "migrate"},
            "spec": {"template": {"spec": spec}},
        }
    )

    waiting.until(
        lambda: cluster.client.get("batch/v1", "Job", "migrate", namespace=bench.namespace),
        so=lambda job: job is not None and job.get("status", {}).get("succeeded") == 1,
        what="the job has succeeded",
    )


def test_a_broken_watch_loses_no_pod(cluster: LocalCluster, bench: Bench) -> None:
    bench.add_nodes(1)
    for number in range(3):
        cluster.kubelet.reconnect()
        bench.apply(deployment(f"web-{number}", replicas=3))

    bench.until_running(9)


def test_a_pod_that_never_gets_ready_holds_a_roll_out_back(cluster: LocalCluster, bench: Bench) -> None:
    bench.add_nodes(1)
    first = deployment("web", replicas=4)
    first["spec"]["strategy"] = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    bench.apply(first)
    bench.until_running(4)
    cluster.kubelet.behaviour = Behaviour(is_ready=lambda _pod: False)

    first["spec"]["template"]["metadata"]["annotations"] = {"revision": "2"}
    bench.apply(first)
    pods = waiting.until(
        bench.pods,
        so=lambda pods: [pod for pod in pods if pod["status"]["phase"] == "Running" and not is_ready(pod)],
        what="the new pod runs and is not ready",
        show=summary,
    )

    assert sum(is_ready(pod) for pod in pods) == 4
