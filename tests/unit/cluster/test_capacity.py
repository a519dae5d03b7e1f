"""Arithmetic of pods, nodes and addresses."""

import pytest

from infra.cluster import capacity
from infra.instances import NODE_TYPES


@pytest.mark.parametrize(("text", "millis"), [("500m", 500), ("2", 2000), ("0.5", 500)])
def test_cpu_quantities_are_millicores(text: str, millis: float) -> None:
    assert capacity.cpu_millis(text) == millis


@pytest.mark.parametrize(("text", "mib"), [("512Mi", 512), ("2Gi", 2048), ("1048576", 1), ("2048Ki", 2)])
def test_memory_quantities_are_mebibytes(text: str, mib: float) -> None:
    assert capacity.memory_mib(text) == mib


def test_a_quantity_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="2GB"):
        capacity.memory_mib("2GB")


def test_a_node_offers_less_than_it_has() -> None:
    # c5.4xlarge: 16 vCPU less 60 + 10 + 5*2 + 2.5*12 = 110 reserved and 300 for daemon sets;
    # 32 GiB less 255 + 11 * 110, 100 and 512 MiB.
    node = capacity.allocatable(NODE_TYPES["c5.4xlarge"])

    assert node.cpu_millis == 16_000 - 110 - 300
    assert node.memory_mib == 32 * 1024 - (255 + 11 * 110) - 100 - 512
    assert node.pods == 110 - 7


def test_the_scarcest_resource_decides_the_nodes() -> None:
    size = NODE_TYPES["c5.4xlarge"]

    assert (
        capacity.nodes_needed(capacity.demand(cpu="15", memory="1Gi", pods=3, sidecar=False), size=size) == 3
    )
    assert (
        capacity.nodes_needed(capacity.demand(cpu="100m", memory="29Gi", pods=3, sidecar=False), size=size)
        == 3
    )
    assert (
        capacity.nodes_needed(capacity.demand(cpu="1m", memory="1Mi", pods=207, sidecar=False), size=size)
        == 3
    )


def test_sidecars_count() -> None:
    with_sidecar = capacity.demand(cpu="200m", memory="512Mi", pods=50)

    assert (with_sidecar.cpu_millis, with_sidecar.memory_mib) == (50 * 300, 50 * 640)


def test_addresses_come_in_prefixes_of_sixteen() -> None:
    # 110 pods: 7 prefixes and a warm one, and the node's own address.
    assert capacity.addresses_of_nodes(nodes=2, pods_per_node=110) == 2 * (1 + 8 * 16)


def test_a_canary_has_the_pods_that_its_share_of_the_most_needs() -> None:
    assert capacity.canary_pods(max_replicas=100, percent=10) == 12
    assert capacity.canary_pods(max_replicas=9, percent=50) == 9
    assert capacity.canary_pods(max_replicas=100, percent=0) == 1
