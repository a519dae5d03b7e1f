"""What a preview ends with: how much there is, what it costs, what is tight, which objectives do not hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.capacity.headroom import HeadRoom, head_rooms, tightest
from infra.cost.estimate import Estimate, estimate
from infra.model.service import Service
from infra.model.stack import StackSettings
from infra.recovery import Objective, objectives, over


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What matters most of a plan.

    Attributes:
        stack: Name of the stack.
        resources: Resources that the program declares, by package: `aws`, `kubernetes`, `random`.
        cost: What it costs.
        tightest: The limit that is met first.
        broken: Objectives that what is planned does not reach, each with what it reaches.
    """

    stack: str
    resources: Mapping[str, int]
    cost: Estimate
    tightest: HeadRoom
    broken: Sequence[str]

    def lines(self) -> list[str]:
        """The summary for people."""
        bill, budget = self.cost.average.total, self.cost.budget
        kinds = ", ".join(f"{count} {package}" for package, count in sorted(self.resources.items()))
        objectives = "; ".join(self.broken) if self.broken else "none broken by what is planned"
        return [
            f"Summary of {self.stack}",
            f"  resources   {sum(self.resources.values()):,} declared: {kinds}",
            f"  cost        {bill:,.0f} USD a month, {bill / budget:.0%} of the budget of {budget:,.0f}",
            f"  head-room   tightest is {self.tightest}",
            f"  objectives  {objectives}",
        ]


def summarise(
    settings: StackSettings, *, stack: str, catalogue: tuple[Service, ...], resources: Mapping[str, int]
) -> Summary:
    """The summary of a plan.

    Args:
        settings: The stack's settings.
        stack: Its name.
        catalogue: The services that it deploys.
        resources: Resources by package.
    """
    return Summary(
        stack=stack,
        resources=resources,
        cost=estimate(settings, catalogue=catalogue),
        tightest=tightest(head_rooms(settings, catalogue=catalogue)),
        broken=[_in_words(row, settings) for row in over(objectives(settings))],
    )


def _in_words(row: Objective, settings: StackSettings) -> str:
    accepted = ", accepted" if row.name in settings.recovery.accepted_over else ""
    return f"{row.name} may take {row.computed_seconds:,.0f} s, objective {row.objective_seconds:,.0f} s{accepted}"
