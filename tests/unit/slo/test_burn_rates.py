"""Which burn rates exist, and which a budget can reach."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.slo.burn_rates import BURN_RATES, WINDOWS, possible
from infra.slo.objectives import slos
from services import CATALOGUE

HOURS = {"m": 1 / 60, "h": 1, "d": 24}
SHARES = {"1h": 0.02, "6h": 0.05, "1d": 0.1, "3d": 0.1}
"""Share of a 30-day budget that each long window spends before it tells."""


def hours(window: str) -> float:
    match = re.fullmatch(r"(\d+)([mhd])", window)
    assert match, window
    return int(match[1]) * HOURS[match[2]]


def test_each_rate_spends_the_share_of_the_budget_that_the_workbook_says() -> None:
    spent = {rate.long: rate.factor * hours(rate.long) / (30 * 24) for rate in BURN_RATES}

    assert spent == pytest.approx(SHARES)


def test_the_short_window_is_a_twelfth_of_the_long_one() -> None:
    assert all(hours(rate.long) / hours(rate.short) == 12 for rate in BURN_RATES)


def test_the_windows_are_those_of_the_rates() -> None:
    used = {window for rate in BURN_RATES for window in (rate.long, rate.short)}

    assert used == set(WINDOWS)
    assert list(WINDOWS) == sorted(WINDOWS, key=hours)


@given(st.floats(min_value=1e-6, max_value=0.99))
def test_what_is_left_can_be_reached_and_what_is_left_out_cannot(budget: float) -> None:
    kept = possible(budget)

    assert all(rate.factor * budget < 1 for rate in kept)
    assert all(rate.factor * budget >= 1 for rate in BURN_RATES if rate not in kept)


def test_every_objective_of_the_catalogue_keeps_a_critical_rate_and_a_slow_one() -> None:
    for service in CATALOGUE:
        for slo in slos(service):
            severities = {rate.severity for rate in possible(slo.budget)}
            assert severities == {"critical", "warning"}, slo


def test_a_ninetieth_percentile_loses_only_the_fastest_rate() -> None:
    assert [rate.factor for rate in possible(0.1)] == [6, 3, 1]


@pytest.mark.parametrize("budget", [0.0, 1.0, -0.1, 1.5])
def test_a_budget_of_nothing_or_everything_is_refused(budget: float) -> None:
    with pytest.raises(ValueError, match="cannot burn"):
        possible(budget)
