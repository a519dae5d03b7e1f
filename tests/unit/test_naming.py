"""Names fit the services' limits and stay distinct; tags are complete."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infra.model.stack import Environment, Role
from infra.naming import REQUIRED_TAGS, NamingError, StackContext, fit, region_code

REGIONS = tuple(
    f"{area}-{direction}-{number}"
    for area in ("af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us")
    for direction in (
        "central",
        "east",
        "north",
        "northeast",
        "northwest",
        "south",
        "southeast",
        "southwest",
        "west",
    )
    for number in (1, 2, 3)
)
"""Every name that a region has, or could get by the scheme that all have followed."""

words = st.text(alphabet=string.ascii_lowercase + string.digits + "-", min_size=1, max_size=120)
limits = st.integers(9, 80)


def make_context(
    *,
    environment: Environment = Environment.PROD,
    region: str = "us-east-1",
    owner: str = "platform",
    cost_centre: str = "parking",
) -> StackContext:
    return StackContext(
        environment=environment,
        region=region,
        role=Role.SECONDARY,
        owner=owner,
        cost_centre=cost_centre,
        protect=True,
    )


@given(name=words, limit=limits)
def test_a_name_never_exceeds_its_limit_and_stays_as_it_is_when_it_fits(name: str, limit: int) -> None:
    fitted = fit(name, limit=limit)

    assert len(fitted) <= limit
    assert len(name) > limit or fitted == name


@given(names=st.lists(words, unique=True, max_size=20), limit=limits)
def test_different_names_stay_different_after_shortening(names: list[str], limit: int) -> None:
    assert len({fit(name, limit=limit) for name in names}) == len(names)


@given(
    head=st.text(alphabet=string.ascii_lowercase, min_size=40, max_size=40), tails=st.sets(words, max_size=20)
)
def test_names_with_one_long_head_stay_different(head: str, tails: set[str]) -> None:
    assert len({fit(head + tail, limit=32) for tail in tails}) == len(tails)


@given(name=words, limit=limits)
@example(name="parking-prod-database", limit=20)
def test_shortening_is_stable_and_adds_no_double_hyphen(name: str, limit: int) -> None:
    fitted = fit(name, limit=limit)

    assert fit(name, limit=limit) == fitted
    if len(name) > limit:
        head, _, digest = fitted.rpartition("-")
        assert not head.endswith("-")
        assert len(digest) == 6


def test_a_limit_without_room_for_a_hash_is_refused() -> None:
    with pytest.raises(NamingError, match="limit of 8 characters"):
        fit("parking-prod", limit=8)


@pytest.mark.parametrize(
    ("region", "code"),
    [
        ("us-east-1", "use1"),
        ("us-west-2", "usw2"),
        ("eu-west-1", "euw1"),
        ("ap-southeast-2", "apse2"),
        ("ap-northeast-1", "apne1"),
        ("eu-central-1", "euc1"),
    ],
)
def test_a_region_has_a_short_code(region: str, code: str) -> None:
    assert region_code(region) == code


def test_no_two_regions_share_a_code() -> None:
    assert len({region_code(region) for region in REGIONS}) == len(REGIONS)


def test_a_regional_name_says_project_environment_and_part() -> None:
    assert make_context().name() == "parking-prod"
    assert make_context().name("cluster", "nodes") == "parking-prod-cluster-nodes"
    assert make_context(environment=Environment.STAGING).name("db") == "parking-staging-db"


def test_a_global_name_says_the_region_too() -> None:
    assert make_context(region="eu-west-1").global_name("flow-logs") == "parking-prod-euw1-flow-logs"


@given(part=words, limit=st.integers(20, 64))
def test_names_of_a_stack_keep_the_limit_of_the_service(part: str, limit: int) -> None:
    assert len(make_context().name(part, limit=limit)) <= limit
    assert len(make_context().global_name(part, limit=limit)) <= limit


@given(part=words, regions=st.sets(st.sampled_from(REGIONS), min_size=2, max_size=2))
def test_global_names_of_two_regions_never_meet(part: str, regions: set[str]) -> None:
    one, other = (make_context(region=region).global_name(part, limit=32) for region in sorted(regions))

    assert one != other


def test_every_required_tag_is_there() -> None:
    tags = make_context().tags("Network")

    assert set(REQUIRED_TAGS) <= set(tags)
    assert tags == {
        "project": "parking",
        "environment": "prod",
        "region-role": "secondary",
        "component": "Network",
        "owner": "platform",
        "cost-centre": "parking",
        "managed-by": "pulumi",
    }


def test_further_tags_are_added_with_hyphens() -> None:
    assert make_context().tags("Network", capacity_type="spot")["capacity-type"] == "spot"


def test_an_empty_required_tag_is_refused() -> None:
    with pytest.raises(NamingError, match="tag 'owner' of component 'Network' is empty"):
        make_context(owner="").tags("Network")
    with pytest.raises(NamingError, match="tag 'cost-centre' of component 'Network' is empty"):
        make_context(cost_centre="").tags("Network")


def test_an_unnamed_component_is_refused() -> None:
    with pytest.raises(NamingError, match="tag 'component'"):
        make_context().tags("")


def test_a_tag_longer_than_aws_allows_is_refused() -> None:
    assert make_context(owner="o" * 256).tags("Network")["owner"] == "o" * 256
    with pytest.raises(NamingError, match="'owner' has 257 characters; AWS allows 256"):
        make_context(owner="o" * 257).tags("Network")
