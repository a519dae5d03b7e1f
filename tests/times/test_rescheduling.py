"""Pods that are lost run again: the real controllers and scheduler in their own time, which is mostly waiting.

No container runs and nodes are only objects, so what is measured is Kubernetes' part: to notice, to replace, to place.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import pytest

from infra.local.cluster.nodes import Size
from infra.local.cluster.testing import Json, LocalCluster, waiting
from infra.local.tools.catalogue import TOOLS
from services import CATALOGUE
from tests.cluster.bench import Bench, deployment, is_ready, summary
from tests.cluster.states import settings_of
from tests.records import record

TOLERATED_SECONDS = 300
"""How long Kubernetes leaves pods on a node that fell silent, unless they say otherwise; ours do not."""
PATIENCE_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class Times:
    """Seconds from a loss until as many pods are ready as before, on nodes that live.

    Attributes:
        pod: One pod was deleted.
        doubled: Every service was told to run twice as many pods, on nodes with room.
        gone: A node's object was removed, as a cloud does for an instance that ended.
        silent: A node fell silent, as one that hangs does.
        stranded: Pods that the removed and the silent node had.
    """

    pod: float
    doubled: float
    gone: float
    silent: float
    stranded: tuple[int, int]


@pytest.fixture(scope="module")
def times(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Times]:
    with LocalCluster(tmp_path_factory.mktemp("rescheduling")) as cluster:
        yield _measured(cluster)


def _measured(cluster: LocalCluster) -> Times:
    bench = Bench(cluster=cluster, namespace="rescheduling")
    bench.open()
    settings = settings_of("prod")
    bench.add_pools(settings.node_pools, zones=settings.network.zones, size=Size.START)
    total = _apply(bench)
    pods = bench.until_running(total, seconds=PATIENCE_SECONDS)
    gone, silent = _busiest(pods)[:2]

    silenced = time.monotonic()
    cluster.nodes.silence([silent])
    pod = _after(lambda: _delete_one(bench, besides={gone, silent}), lambda: _ready(bench, total))
    started = time.monotonic()
    cluster.nodes.remove([gone])
    _ready(bench, total - _on(pods, silent), besides={gone, silent})
    removed = time.monotonic() - started
    _ready(bench, total, besides={gone, silent})
    replaced = time.monotonic() - silenced
    doubled = _after(lambda: _double(bench), lambda: _ready(bench, 2 * total))
    return Times(
        pod=pod,
        doubled=doubled,
        gone=removed,
        silent=replaced,
        stranded=(_on(pods, gone), _on(pods, silent)),
    )


def _apply(bench: Bench) -> int:
    """All services at their minimum, in their own sizes; returns how many pods that is."""
    for service in CATALOGUE:
        size = service.resources
        bench.apply(
            deployment(
                service.workload_name,
                replicas=service.scaling.min_replicas,
                cpu=size.cpu_request,
                memory=size.memory_request,
            )
        )
    return sum(service.scaling.min_replicas for service in CATALOGUE)


def _double(bench: Bench) -> None:
    for service in CATALOGUE:
        bench.scale(service.workload_name, 2 * service.scaling.min_replicas)


def _after(act: Callable[[], object], until: Callable[[], object]) -> float:
    started = time.monotonic()
    act()
    until()
    return time.monotonic() - started


def _node(pod: Json) -> str:
    return str(pod["spec"].get("nodeName", ""))


def _on(pods: list[Json], node: str) -> int:
    return sum(_node(pod) == node for pod in pods)


def _busiest(pods: list[Json]) -> list[str]:
    """Nodes by how many pods they have, most first."""
    return sorted({_node(pod) for pod in pods}, key=lambda node: (-_on(pods, node), node))


def _delete_one(bench: Bench, *, besides: set[str]) -> None:
    pod = next(pod for pod in bench.pods() if _node(pod) not in besides)
    bench.cluster.client.delete("v1", "Pod", pod["metadata"]["name"], namespace=bench.namespace)


def _until(bench: Bench, so: Callable[[list[Json]], bool], what: str) -> None:
    waiting.until(bench.pods, so=so, what=what, seconds=PATIENCE_SECONDS, show=summary)


def _ready(bench: Bench, count: int, *, besides: AbstractSet[str] = frozenset()) -> None:
    """Wait until so many pods are ready elsewhere than on some nodes."""

    def so(pods: list[Json]) -> bool:
        return sum(is_ready(pod) and _node(pod) not in besides for pod in pods) >= count

    _until(bench, so, f"{count} pods are ready, none on {sorted(besides)}")


def test_lost_pods_run_again_elsewhere(times: Times) -> None:
    record(
        "kubernetes",
        {
            "version": TOOLS["kubernetes"].version,
            "pod_seconds": round(times.pod, 1),
            "doubled_seconds": round(times.doubled, 1),
            "node_gone_seconds": round(times.gone, 1),
            "node_silent_seconds": round(times.silent, 1),
            "node_gone_pods": times.stranded[0],
            "node_silent_pods": times.stranded[1],
        },
    )
    print(times)

    assert min(times.stranded) > 0
    # A silent node may only be slow: its pods are left alone for as long as Kubernetes tolerates it.
    assert times.silent > TOLERATED_SECONDS
