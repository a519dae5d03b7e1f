"""From the specification's users, transactions, season and growth to the traffic of one busiest hour."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from infra.model.stack import DemandSettings

_HOUR_SECONDS = 3600


class Stage(StrEnum):
    """Which day is looked at."""

    TODAY = "today"
    SEASON = "season"
    """Today's traffic in the season."""
    GROWN = "grown"
    """After the growth that is planned for."""
    DESIGN = "design"
    """The season after the growth: what the stack must carry."""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Traffic of a region.

    Attributes:
        users: Concurrent users in the busiest hour.
        transactions_per_second: Parking operations a second in the busiest hour.
        transactions_per_day: Parking operations of the day.
    """

    users: float
    transactions_per_second: float
    transactions_per_day: float


def season_factor(settings: DemandSettings) -> float:
    """How many times a usual day's traffic there is in the season: 1.4 for 40%."""
    return 1 + settings.season_percent / 100


def growth_factor(settings: DemandSettings, *, months: float | None = None) -> float:
    """How many times today's traffic there is after some months, growing by the same share each month.

    Args:
        settings: Growth and over which time: 300% in 18 months is four times as much.
        months: Months from today; none: the whole time of the plan.
    """
    share = 1.0 if months is None else months / settings.growth_months
    return (1 + settings.growth_percent / 100) ** share


def months_until(settings: DemandSettings, *, factor: float) -> float:
    """Months until traffic is `factor` times today's; infinite without growth, negative when it is past.

    Raises:
        ValueError: When the factor is not positive.
    """
    if factor <= 0:
        raise ValueError(f"traffic cannot become {factor} times what it is")
    if settings.growth_percent == 0:
        return math.inf if factor > 1 else 0.0
    return settings.growth_months * math.log(factor) / math.log(growth_factor(settings))


def traffic(settings: DemandSettings, *, stage: Stage) -> Traffic:
    """The region's traffic at a stage, its share of the environment's."""
    factor = settings.region_percent / 100
    if stage in (Stage.SEASON, Stage.DESIGN):
        factor *= season_factor(settings)
    if stage in (Stage.GROWN, Stage.DESIGN):
        factor *= growth_factor(settings)
    a_day = settings.transactions_per_day * factor
    return Traffic(
        users=settings.concurrent_users * factor,
        transactions_per_second=a_day * settings.busiest_hour_percent / 100 / _HOUR_SECONDS,
        transactions_per_day=a_day,
    )
