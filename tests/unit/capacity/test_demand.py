"""Users, transactions, season and growth as the specification gives them."""

from __future__ import annotations

import math

import pytest

from infra.capacity import Stage, growth_factor, months_until, traffic
from infra.model.stack import DemandSettings

SPECIFIED = DemandSettings()


def test_the_defaults_are_the_specification_s() -> None:
    assert (SPECIFIED.concurrent_users, SPECIFIED.transactions_per_day) == (10_000, 1_000_000)
    assert (SPECIFIED.season_percent, SPECIFIED.growth_percent, SPECIFIED.growth_months) == (40, 300, 18)


@pytest.mark.parametrize(
    ("stage", "users"),
    [
        (Stage.TODAY, 10_000),
        (Stage.SEASON, 14_000),
        # 300% growth is four times as much.
        (Stage.GROWN, 40_000),
        (Stage.DESIGN, 56_000),
    ],
)
def test_a_stage_multiplies_users_and_transactions_alike(stage: Stage, users: float) -> None:
    found = traffic(SPECIFIED, stage=stage)

    assert found.users == pytest.approx(users)
    assert found.transactions_per_day == pytest.approx(users * 100)


def test_the_busiest_hour_has_its_share_of_the_day() -> None:
    assert traffic(SPECIFIED, stage=Stage.TODAY).transactions_per_second == pytest.approx(125_000 / 3600)


def test_a_region_carries_its_share() -> None:
    half = SPECIFIED.model_copy(update={"region_percent": 50})

    assert traffic(half, stage=Stage.TODAY).users == 5000


def test_growth_is_even_over_the_months() -> None:
    assert growth_factor(SPECIFIED, months=0) == 1
    assert growth_factor(SPECIFIED, months=9) == pytest.approx(2)
    assert growth_factor(SPECIFIED) == 4


def test_months_undo_growth() -> None:
    assert months_until(SPECIFIED, factor=4) == pytest.approx(18)
    assert months_until(SPECIFIED, factor=0.5) == pytest.approx(-9)


def test_without_growth_what_suffices_suffices_for_ever() -> None:
    still = SPECIFIED.model_copy(update={"growth_percent": 0})

    assert months_until(still, factor=1.5) == math.inf
    assert months_until(still, factor=0.5) == 0


def test_no_traffic_is_no_factor() -> None:
    with pytest.raises(ValueError, match="0 times"):
        months_until(SPECIFIED, factor=0)
