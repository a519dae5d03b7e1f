"""Whether the pods of all services fit the pools that a stack pays for, by the real scheduler."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from math import ceil

import pytest

from components.workload import DISRUPTED_AT_ONCE
from infra.cluster.pools import POOL_LABEL
from infra.cluster.scheduling import HEAD_ROOM
from infra.local.cluster.nodes import Size
from infra.local.cluster.testing import ApiError, Behaviour, Json, LocalCluster, waiting
from infra.model.service import Service
from services import CATALOGUE
from stacks.mesh import POOLER_NAMESPACE
from tests.cluster.bench import Bench, by_zone, deployment, is_ready, summary, why_pending, with_sidecar
from tests.cluster.states import STACKS, States, settings_of

NAMESPACE = "parking"
_POOLERS = "app.kubernetes.io/name in (pgbouncer,pgbouncer-readers)"
"""Their pods without those of jobs, which end."""


def _minimum(service: Service) -> int:
    return service.scaling.min_replicas


def _maximum(service: Service) -> int:
    return service.scaling.max_replicas


def _place(
    bench: Bench, states: States, stack: str, *, size: Size, replicas: Callable[[Service], int]
) -> list[Json]:
    """Apply a stack's objects to its pools at a size, scale every service, and wait until all pods run."""
    settings = settings_of(stack)
    bench.add_pools(settings.node_pools, zones=settings.network.zones, size=size)
    for item in states.objects(stack):
        bench.apply(with_sidecar(item) if _is_service(item) else item)
    for service in CATALOGUE:
        bench.scale(service.workload_name, replicas(service), namespace=NAMESPACE)
    total = sum(replicas(service) for service in CATALOGUE)
    return bench.until_running(total, namespace=NAMESPACE, seconds=300)


def _is_service(item: Json) -> bool:
    return item["kind"] == "Deployment" and item["metadata"]["namespace"] == NAMESPACE


def _pods_of(pods: list[Json], service: Service) -> list[Json]:
    label = "app.kubernetes.io/name"
    return [pod for pod in pods if pod["metadata"]["labels"][label] == service.workload_name]


@pytest.mark.parametrize("stack", STACKS)
def test_the_smallest_services_fit_the_smallest_pools(bench: Bench, states: States, stack: str) -> None:
    pods = _place(bench, states, stack, size=Size.MINIMUM, replicas=_minimum)

    assert len(pods) == sum(map(_minimum, CATALOGUE))


def test_the_largest_services_fit_the_largest_pools_evenly(
    cluster: LocalCluster, bench: Bench, states: States
) -> None:
    pods = _place(bench, states, "prod", size=Size.MAXIMUM, replicas=_maximum)
    nodes = cluster.client.list("v1", "Node")
    pool_of = {node["metadata"]["name"]: node["metadata"]["labels"][POOL_LABEL] for node in nodes}

    for service in CATALOGUE:
        own = _pods_of(pods, service)
        zones = by_zone(own, nodes)
        assert len(own) == _maximum(service)
        # Zones may differ by a node, so they may differ by a node's worth of pods.
        in_pool = sum(pool == service.pool.value for pool in pool_of.values())
        assert max(zones.values()) - min(zones.values()) <= ceil(len(own) / in_pool), (service.name, zones)
        assert {pool_of[pod["spec"]["nodeName"]] for pod in own} == {service.pool.value}, service.name


def test_poolers_and_head_room_stand_beside_the_largest_services(
    cluster: LocalCluster, bench: Bench, states: States
) -> None:
    _place(bench, states, "prod", size=Size.MAXIMUM, replicas=_maximum)
    settings = settings_of("prod")
    nodes = cluster.client.list("v1", "Node")
    pool_of = {node["metadata"]["name"]: node["metadata"]["labels"][POOL_LABEL] for node in nodes}

    poolers = bench.until_running(
        2 * settings.connection_pool.replicas, namespace=POOLER_NAMESPACE, labels=_POOLERS
    )
    spare = bench.until_running(settings.node_pools.head_room.pods, namespace=HEAD_ROOM)

    assert {pool_of[pod["spec"]["nodeName"]] for pod in poolers} == {"database"}
    assert {pool_of[pod["spec"]["nodeName"]] for pod in spare} == {"application"}


def test_a_spike_takes_the_head_room_at_once(bench: Bench, states: States) -> None:
    """On nodes that are full but for it: nobody else leaves, and nothing waits for a node."""
    for item in states.objects("prod"):
        if item["kind"] in ("Namespace", "PriorityClass") or _is_head_room(item):
            bench.apply(item)
    settings = settings_of("prod").node_pools
    bench.add_nodes(ceil(settings.head_room.pods / 4))
    # A service without a priority of its own has more than the head-room has.
    bench.apply(deployment("steady", cpu="500m"))
    bench.until_running(settings.head_room.pods, namespace=HEAD_ROOM)
    bench.until_running(1, labels="app=steady")
    full = deployment("spike", replicas=settings.head_room.pods, cpu=settings.head_room.cpu)

    bench.apply(full)

    bench.until_running(settings.head_room.pods, labels="app=spike")
    assert is_ready(bench.pods(labels="app=steady")[0])
    displaced = bench.pods(namespace=HEAD_ROOM)
    assert any(why_pending(pod) for pod in displaced), "the nodes must have been too small for both"


def test_a_drain_takes_no_more_of_a_service_than_its_budget(
    cluster: LocalCluster, bench: Bench, states: States
) -> None:
    _place(bench, states, "prod", size=Size.MAXIMUM, replicas=_maximum)
    auth = next(service for service in CATALOGUE if service.name == "auth")
    pods = _pods_of(bench.pods(namespace=NAMESPACE), auth)
    allowed = ceil(len(pods) * _percent(DISRUPTED_AT_ONCE) / 100)
    waiting.until(
        lambda: cluster.client.get(
            "policy/v1", "PodDisruptionBudget", auth.workload_name, namespace=NAMESPACE
        ),
        so=lambda found: found is not None and found.get("status", {}).get("disruptionsAllowed") == allowed,
        what=f"{allowed} disruptions are allowed",
    )
    # What is evicted stays missed.
    cluster.kubelet.behaviour = Behaviour(is_ready=lambda _pod: False)

    accepted = sum(_evicted(cluster, pod) for pod in pods)

    assert accepted == allowed


def _evicted(cluster: LocalCluster, pod: Json) -> bool:
    try:
        cluster.client.evict(pod)
    except ApiError as error:
        if error.code != HTTPStatus.TOO_MANY_REQUESTS:
            raise
        return False
    return True


def _percent(text: str) -> int:
    return int(text.removesuffix("%"))


def _is_head_room(item: Json) -> bool:
    return item["metadata"].get("namespace") == HEAD_ROOM and item["kind"] == "Deployment"


def test_a_lost_zone_leaves_the_services_running_in_the_others(
    cluster: LocalCluster, bench: Bench, states: States
) -> None:
    before = _place(bench, states, "prod", size=Size.MAXIMUM, replicas=_minimum)
    lost = set(cluster.nodes.in_zone(settings_of("prod").network.zones[0]))
    stranded = [pod for pod in before if pod["spec"]["nodeName"] in lost]
    assert stranded

    cluster.nodes.remove(lost)
    # What the controller for lost nodes does after a while; its own patience is not what is tested here.
    for pod in stranded:
        cluster.client.delete("v1", "Pod", pod["metadata"]["name"], namespace=NAMESPACE, grace_seconds=0)
    after = bench.until_running(len(before), namespace=NAMESPACE)

    assert not {pod["spec"]["nodeName"] for pod in after} & lost
    assert Counter(map(_name, after)) == Counter(map(_name, before))


def test_important_services_keep_their_pods_when_nodes_are_short(bench: Bench, states: States) -> None:
    """Two zones of three gone at full size: what has to wait is never more important than what runs."""
    settings = settings_of("prod")
    bench.add_pools(settings.node_pools, zones=settings.network.zones, size=Size.MINIMUM)
    for item in states.objects("prod"):
        bench.apply(with_sidecar(item) if _is_service(item) else item)
    for service in CATALOGUE:
        bench.scale(service.workload_name, _maximum(service), namespace=NAMESPACE)
    total = sum(map(_maximum, CATALOGUE))

    pods = waiting.until(
        lambda: bench.pods(namespace=NAMESPACE),
        so=lambda pods: len(pods) == total and all(map(_settled, pods)),
        what="every pod runs or is told to wait",
        seconds=300,
        show=summary,
    )

    waiting_for_application = [
        pod["spec"]["priority"] for pod in pods if not pod["spec"].get("nodeName") and _in_application(pod)
    ]
    running = [
        pod["spec"]["priority"] for pod in pods if pod["spec"].get("nodeName") and _in_application(pod)
    ]
    assert waiting_for_application, "the comparison must be able to fail"
    assert max(waiting_for_application) <= min(running)


def _name(pod: Json) -> str:
    return str(pod["metadata"]["labels"]["app.kubernetes.io/name"])


def _in_application(pod: Json) -> bool:
    return pod["spec"]["nodeSelector"][POOL_LABEL] == "application"


def _settled(pod: Json) -> bool:
    return is_ready(pod) or bool(why_pending(pod))
