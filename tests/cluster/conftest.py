"""One control plane for all tests of this folder; each test has a namespace and nodes of its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from infra.local.cluster.testing import QUICK_AUTOSCALER, Behaviour, LocalCluster, Options, Parts
from tests.cluster.bench import Bench
from tests.cluster.states import States

_numbers = count(1)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    parts = Parts(control_plane=Options(controller_arguments=QUICK_AUTOSCALER))
    with LocalCluster(tmp_path_factory.mktemp("cluster"), parts=parts) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def states(tmp_path_factory: pytest.TempPathFactory) -> States:
    """The exported state of every stack, applied to the stand-ins once."""
    return States.of_all_stacks(tmp_path_factory.mktemp("states") / "program")


@pytest.fixture
def bench(cluster: LocalCluster) -> Iterator[Bench]:
    """A namespace; it, its pods and the nodes that the test adds are gone afterwards."""
    bench = Bench(cluster=cluster, namespace=f"test-{next(_numbers)}")
    bench.open()
    yield bench
    cluster.kubelet.behaviour = Behaviour()
    bench.close()
