"""The address plan: everything has a fixed place, so nothing overlaps and nothing moves."""

from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.addressing import AddressPlanError, SubnetPlan, Tier, plan, pod_addresses, subnet_cidr

REGION = "eu-west-1"
ALL_ZONES = tuple(f"{REGION}{letter}" for letter in "abcd")

vpc_ranges = st.integers(0, 2**16 - 1).map(lambda number: str(IPv4Network((number << 16, 16))))
zone_sets = st.lists(st.sampled_from(ALL_ZONES), unique=True, min_size=1).map(tuple)


@given(vpc_cidr=vpc_ranges, zones=zone_sets)
def test_no_two_subnets_overlap_and_all_are_inside_the_vpc(vpc_cidr: str, zones: tuple[str, ...]) -> None:
    networks = [IPv4Network(subnet.cidr) for subnet in plan(vpc_cidr=vpc_cidr, zones=zones)]

    assert all(network.subnet_of(IPv4Network(vpc_cidr)) for network in networks)
    assert not any(one.overlaps(other) for one, other in combinations(networks, 2))


@given(vpc_cidr=vpc_ranges, zones=zone_sets)
def test_every_zone_gets_every_tier_once(vpc_cidr: str, zones: tuple[str, ...]) -> None:
    found = [(subnet.zone, subnet.tier) for subnet in plan(vpc_cidr=vpc_cidr, zones=zones)]

    assert sorted(found) == sorted((zone, tier) for zone in zones for tier in Tier)


@given(vpc_cidr=vpc_ranges, zones=zone_sets, more=zone_sets)
def test_adding_zones_moves_no_subnet(vpc_cidr: str, zones: tuple[str, ...], more: tuple[str, ...]) -> None:
    wider = tuple(dict.fromkeys((*zones, *more)))

    assert set(plan(vpc_cidr=vpc_cidr, zones=zones)) <= set(plan(vpc_cidr=vpc_cidr, zones=wider))


@given(zones=zone_sets, data=st.data())
def test_the_order_of_zones_does_not_matter(zones: tuple[str, ...], data: st.DataObject) -> None:
    shuffled = tuple(data.draw(st.permutations(zones)))

    assert plan(vpc_cidr="10.1.0.0/16", zones=shuffled) == plan(vpc_cidr="10.1.0.0/16", zones=zones)


@given(vpc_cidr=vpc_ranges, zone=st.sampled_from(ALL_ZONES))
def test_room_is_left_in_each_zone_for_further_tiers(vpc_cidr: str, zone: str) -> None:
    taken = sum(IPv4Network(s.cidr).num_addresses for s in plan(vpc_cidr=vpc_cidr, zones=(zone,)))

    assert taken <= 2**14 - 2 * 2**10  # of a /18, at least two more /22


def test_subnets_are_where_the_module_says() -> None:
    assert [(s.zone[-1], s.tier, s.cidr) for s in plan(vpc_cidr="10.1.0.0/16", zones=ALL_ZONES[:2])] == [
        ("a", Tier.PRIVATE, "10.1.0.0/19"),
        ("b", Tier.PRIVATE, "10.1.64.0/19"),
        ("a", Tier.PUBLIC, "10.1.32.0/22"),
        ("b", Tier.PUBLIC, "10.1.96.0/22"),
        ("a", Tier.DATABASE, "10.1.36.0/22"),
        ("b", Tier.DATABASE, "10.1.100.0/22"),
    ]


def test_a_subnet_knows_the_letter_of_its_zone() -> None:
    assert SubnetPlan(zone="eu-west-1b", tier=Tier.PUBLIC, cidr="10.1.96.0/22").letter == "b"


def test_pods_get_the_private_subnets_less_what_aws_keeps() -> None:
    assert pod_addresses(vpc_cidr="10.1.0.0/16", zones=ALL_ZONES[:3]) == 3 * (8192 - 5)


@pytest.mark.parametrize(
    ("vpc_cidr", "message"),
    [
        ("10.1.0.0/20", "is a /20; the plan divides a /16"),
        ("10.0.0.0/8", "is a /8; the plan divides a /16"),
        ("10.1.2.0/16", "not an IPv4 network: .*host bits"),
        ("10.300.0.0/16", "not an IPv4 network"),
        ("fd00::/16", "not an IPv4 network"),
        ("", "not an IPv4 network"),
    ],
)
def test_a_range_that_cannot_be_divided_is_refused(vpc_cidr: str, message: str) -> None:
    with pytest.raises(AddressPlanError, match=message):
        subnet_cidr(vpc_cidr=vpc_cidr, zone="eu-west-1a", tier=Tier.PUBLIC)


@pytest.mark.parametrize("zone", ["eu-west-1e", "eu-west-1", "EU-WEST-1A", ""])
def test_a_zone_that_the_plan_has_no_block_for_is_refused(zone: str) -> None:
    with pytest.raises(AddressPlanError, match="does not end in a to d"):
        subnet_cidr(vpc_cidr="10.1.0.0/16", zone=zone, tier=Tier.PUBLIC)


@pytest.mark.parametrize("zones", [("eu-west-1a", "eu-west-1a"), ("eu-west-1a", "us-east-1a")])
def test_two_zones_that_would_share_addresses_are_refused(zones: tuple[str, ...]) -> None:
    with pytest.raises(AddressPlanError, match="shares its letter"):
        plan(vpc_cidr="10.1.0.0/16", zones=zones)
