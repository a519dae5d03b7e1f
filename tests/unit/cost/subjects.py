"""Stacks of this repository as the cost model looks at them."""

from __future__ import annotations

from typing import Any

from infra.cost import prices
from infra.cost.estimate import Estimate, estimate
from infra.cost.lines import Bill, Level
from infra.cost.subject import Priced
from services import CATALOGUE
from tests.unit.stack_files import load


def priced(stack: str = "prod", level: Level = Level.AVERAGE, **changes: Any) -> Priced:
    """A stack at a level, with settings changed as in `stack_files.changed`; the budget is no matter here."""
    enough: dict[str, Any] = {"budget__monthlyUsd": 1_000_000}
    return Priced(
        settings=load(stack, **enough, **changes),
        services=CATALOGUE,
        prices=prices.load(),
        level=level,
        counts={"aws:kms/key:Key": 10},
    )


def estimated(stack: str = "prod", **changes: Any) -> Estimate:
    """Estimate of a stack with settings changed."""
    return estimate(load(stack, **changes), catalogue=CATALOGUE)


def usd_of(bill: Bill, item: str) -> float:
    """USD of all lines whose item starts so; fails when there is none."""
    found = [line.usd for line in bill.lines if line.item.startswith(item)]
    assert found, f"no line {item!r} among {[line.item for line in bill.lines]}"
    return sum(found)
