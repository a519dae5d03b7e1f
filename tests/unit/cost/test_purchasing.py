"""Reservations: how many, for what, and what is refused."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infra.cost.purchasing import Fleet, reserve
from tests.unit.cost.subjects import estimated
from tests.unit.stack_files import problems


def fleet(name: str, *, usd: float, always: int, average: int) -> Fleet:
    return Fleet(key=f"ec2.{name}", name=name, hourly_usd=usd, always=always, average=average)


def test_the_dearest_are_reserved_first_and_only_what_always_runs() -> None:
    fleets = [
        fleet("small", usd=0.5, always=3, average=3),
        fleet("large", usd=1.5, always=2, average=2),
        fleet("middle", usd=0.7, always=4, average=10),
    ]

    found = reserve(fleets, share=0.5)

    assert found.by_name == {"small": 1, "large": 2, "middle": 4}
    assert (found.wanted, found.count) == (7, 7)


def test_a_share_is_read_as_the_decimal_it_is_written_as() -> None:
    assert reserve([fleet("one", usd=1.0, always=100, average=100)], share=0.29).count == 29


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.floats(0.01, 9)), max_size=6),
    st.floats(0, 1),
)
def test_never_more_than_the_share_nor_than_what_always_runs(
    sizes: list[tuple[int, int, float]], share: float
) -> None:
    fleets = [
        fleet(str(index), usd=usd, always=min(a, b), average=max(a, b))
        for index, (a, b, usd) in enumerate(sizes)
    ]

    found = reserve(fleets, share=share)

    assert found.count <= found.wanted <= share * found.average + 1e-9
    assert all(found.by_name[each.name] <= each.always for each in fleets)


def test_a_share_that_nothing_would_always_use_is_refused() -> None:
    (problem,) = problems("prod", purchasing__reservedShare=0.9, budget__monthlyUsd=30_000)

    assert problem.key == "parking:purchasing.reservedShare"
    assert "13 of 15 worker nodes" in problem.found
    assert "9 run on demand at the minimum" in problem.allowed


def test_a_stack_over_its_budget_is_refused_with_its_cost_and_what_is_dearest() -> None:
    (problem,) = problems("prod", budget__monthlyUsd=12_000)

    assert problem.key == "parking:budget.monthlyUsd"
    average = round(estimated("prod").average.total)
    assert f"12,000 USD a month, and the stack costs {average:,} USD at average capacity" in problem.found
    assert "brokers kafka.m5.2xlarge 1,840" in problem.found
    assert problem.action.startswith("raise the budget")


def test_a_larger_stack_passes_once_its_budget_is_raised() -> None:
    larger: dict[str, Any] = {
        "nodePools__application__minSize": 12,
        "nodePools__application__desiredSize": 20,
    }

    assert [problem.key for problem in problems("prod", **larger)] == ["parking:budget.monthlyUsd"]
    assert problems("prod", **larger, budget__monthlyUsd=25_000) == ()
