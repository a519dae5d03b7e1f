"""How fast an error budget may burn before somebody is told: several rates, each over two windows.

A rate of 1 spends the budget exactly in its 30 days. A fast rate over a long window says that it matters, the
same rate over a short one that it still goes on. Source: Google's SRE workbook, "Alerting on SLOs", whose windows
and rates are for 30 days.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.slo.severity import Severity


@dataclass(frozen=True, kw_only=True)
class BurnRate:
    """One pair of windows.

    Attributes:
        factor: Times as fast as the budget allows.
        long: Window over which it must have burnt so, as Prometheus writes durations.
        short: Window over which it must still burn so.
        severity: Whom it concerns.
    """

    factor: float
    long: str
    short: str
    severity: Severity


BURN_RATES = (
    BurnRate(factor=14.4, long="1h", short="5m", severity=Severity.CRITICAL),
    BurnRate(factor=6, long="6h", short="30m", severity=Severity.CRITICAL),
    BurnRate(factor=3, long="1d", short="2h", severity=Severity.WARNING),
    BurnRate(factor=1, long="3d", short="6h", severity=Severity.WARNING),
)
"""2% of the budget in an hour, 5% in six, 10% in a day, 10% in three."""
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
"""Every window of `BURN_RATES`, shortest first."""


def possible(budget: float) -> tuple[BurnRate, ...]:
    """The burn rates that a budget can reach.

    A share of bad requests never exceeds 1, so that a budget of 10% (a 90th percentile) cannot burn 14.4 times as
    fast: such an alert could never go off, and is left out.

    Args:
        budget: Share of requests that may be bad, over 0 and under 1.

    Raises:
        ValueError: When the budget is none, or everything.
    """
    if not 0 < budget < 1:
        raise ValueError(f"an error budget of {budget} cannot burn; allowed is a share over 0 and under 1")
    return tuple(rate for rate in BURN_RATES if rate.factor * budget < 1)
