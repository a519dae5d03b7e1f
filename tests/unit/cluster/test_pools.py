"""How a pool divides into groups, and how its nodes are marked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cluster.pools import (
    CAPACITY_LABEL,
    POOL_LABEL,
    SHAPES,
    Capacity,
    GroupPlan,
    PoolError,
    PoolName,
    max_pods,
    split,
    spot_nodes,
)
from infra.model.stack import PoolSettings, PoolsSettings

SPOT_TYPES = ("c5.4xlarge", "c5a.4xlarge", "m5.4xlarge")


def pool(minimum: int, desired: int, maximum: int, share: float) -> PoolSettings:
    return PoolSettings(
        instance_types=("c5.4xlarge",),
        spot_instance_types=SPOT_TYPES,
        min_size=minimum,
        desired_size=desired,
        max_size=maximum,
        spot_share=share,
    )


@st.composite
def pools(draw: st.DrawFn) -> PoolSettings:
    sizes = sorted(draw(st.lists(st.integers(0, 200), min_size=3, max_size=3)))
    hundredths = draw(st.integers(0, 30))
    return pool(sizes[0], sizes[1], max(1, sizes[2]), hundredths / 100)


def sizes(group: GroupPlan) -> tuple[int, int, int]:
    return group.min_size, group.start_size, group.max_size


@given(pools())
def test_spot_never_exceeds_its_share_and_is_as_close_as_whole_nodes_allow(settings: PoolSettings) -> None:
    hundredths = round(settings.spot_share * 100)
    wanted = (settings.min_size, settings.start_size, settings.max_size)
    groups = {group.capacity: sizes(group) for group in split(settings)}
    spot = groups.get(Capacity.SPOT, (0, 0, 0))

    for nodes, taken in zip(wanted, spot, strict=True):
        assert taken * 100 <= hundredths * nodes
        assert (taken + 1) * 100 > hundredths * nodes


@given(pools())
def test_the_groups_together_are_the_pool_and_each_keeps_its_bounds_in_order(settings: PoolSettings) -> None:
    groups = split(settings)

    assert sum(group.min_size for group in groups) == settings.min_size
    assert sum(group.start_size for group in groups) == settings.start_size
    assert sum(group.max_size for group in groups) == settings.max_size
    for group in groups:
        assert 0 <= group.min_size <= group.start_size <= group.max_size
        assert group.max_size >= 1


def test_the_application_pool_is_five_to_fifty_nodes_with_thirty_percent_spot() -> None:
    on_demand, spot = split(PoolsSettings().application)

    assert sizes(on_demand) == (4, 7, 35)
    assert sizes(spot) == (1, 3, 15)
    assert on_demand.instance_types == ("c5.4xlarge",)
    assert len(spot.instance_types) > 1


@pytest.mark.parametrize(
    ("settings", "expected", "instance_type"),
    [
        (PoolsSettings().database, (3, 3, 10), "r5.2xlarge"),
        (PoolsSettings().analytics, (2, 2, 20), "c5.9xlarge"),
        (PoolsSettings().analytics_gpu, (0, 0, 4), "g5.2xlarge"),
    ],
)
def test_the_other_pools_are_on_demand_only(
    settings: PoolSettings, expected: tuple[int, int, int], instance_type: str
) -> None:
    (group,) = split(settings)

    assert group.capacity is Capacity.ON_DEMAND
    assert sizes(group) == expected
    assert group.instance_types == (instance_type,)


def test_a_share_is_the_decimal_it_is_written_as() -> None:
    assert spot_nodes(nodes=100, share=0.29) == 29


def test_a_pool_too_small_for_one_spot_node_has_no_spot_group() -> None:
    assert [group.capacity for group in split(pool(1, 1, 3, 0.3))] == [Capacity.ON_DEMAND]


def test_a_share_without_spot_types_is_refused_with_what_to_do() -> None:
    settings = PoolSettings(instance_types=("c5.4xlarge",), min_size=1, max_size=10, spot_share=0.3)

    with pytest.raises(PoolError, match="spotInstanceTypes is empty"):
        split(settings)


def test_sizes_out_of_order_are_refused() -> None:
    with pytest.raises(PoolError, match="minimum <= desired <= maximum"):
        split(pool(5, 3, 10, 0.3))


def test_every_pool_but_application_admits_only_pods_that_ask_for_it() -> None:
    dedicated = {
        name: [t.value for t in shape.taints if t.key == "dedicated"] for name, shape in SHAPES.items()
    }

    assert dedicated == {
        PoolName.APPLICATION: [],
        PoolName.DATABASE: ["database"],
        PoolName.ANALYTICS: ["analytics"],
        PoolName.ANALYTICS_GPU: ["analytics-gpu"],
    }


def test_labels_say_pool_and_capacity() -> None:
    labels = SHAPES[PoolName.APPLICATION].node_labels(Capacity.SPOT)

    assert labels == {POOL_LABEL: "application", CAPACITY_LABEL: "spot"}


def test_only_gpu_nodes_use_the_nvidia_image_and_offer_a_device() -> None:
    with_device = {name for name, shape in SHAPES.items() if shape.devices}
    images = {name: shape.ami_type for name, shape in SHAPES.items()}

    assert with_device == {PoolName.ANALYTICS_GPU}
    assert images.pop(PoolName.ANALYTICS_GPU) == "AL2023_x86_64_NVIDIA"
    assert set(images.values()) == {"AL2023_x86_64_STANDARD"}


@pytest.mark.parametrize(
    ("types", "pods"), [(("c5.4xlarge",), 110), (("c5.9xlarge",), 250), (("c5.9xlarge", "c5.4xlarge"), 110)]
)
def test_pods_of_a_node_follow_its_vcpus_and_the_smallest_type_decides(
    types: tuple[str, ...], pods: int
) -> None:
    assert max_pods(types) == pods


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(PoolError, match=r"c5\.oops"):
        max_pods(("c5.4xlarge", "c5.oops"))
