"""How instances are bought: which run on spot, which are reserved for a year, which are paid by the hour.

Spot nodes are at most a share of a pool. Reservations are bought for an average month, for the dearest instances
first, and only for what always runs: a reservation that nothing uses is paid all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Like instances of one kind.

    Attributes:
        key: Price key, e.g. `ec2.c5.4xlarge`.
        name: What they are for.
        hourly_usd: On-demand price of one.
        always: How many on-demand ones run at the minimum, and so always.
        average: How many run in an average month, spot included.
    """

    key: str
    name: str
    hourly_usd: float
    always: int
    average: int


@dataclass(frozen=True, kw_only=True)
class Reservations:
    """What is reserved.

    Attributes:
        by_name: Reserved instances of each fleet.
        wanted: What the share asks for, in whole instances.
        average: Instances of an average month.
    """

    by_name: Mapping[str, int]
    wanted: int
    average: int

    @property
    def count(self) -> int:
        """Reserved instances over all fleets."""
        return sum(self.by_name.values())

    @property
    def share(self) -> float:
        """Share of an average month's instances that is reserved."""
        return self.count / self.average if self.average else 0.0


def reserve(fleets: Sequence[Fleet], *, share: float) -> Reservations:
    """Divide reservations over fleets: dearest instances first, never more than always run.

    Args:
        fleets: All fleets that one kind of reservation covers.
        share: Share of the average month's instances, 0 to 1; read as the decimal it is written as.
    """
    average = sum(fleet.average for fleet in fleets)
    wanted = floor(Fraction(str(share)) * average)
    left, by_name = wanted, dict.fromkeys((fleet.name for fleet in fleets), 0)
    for fleet in sorted(fleets, key=lambda fleet: (-fleet.hourly_usd, fleet.name)):
        taken = min(left, fleet.always)
        by_name[fleet.name] = taken
        left -= taken
    return Reservations(by_name=by_name, wanted=wanted, average=average)
