"""What a bill consists of: groups, capacity levels, lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much capacity runs all month."""

    MINIMUM = "minimum"
    AVERAGE = "average"
    MAXIMUM = "maximum"


class Group(StrEnum):
    """What money is spent on."""

    CONTROL_PLANE = "EKS control plane"
    NODES = "Worker nodes"
    DATABASE = "PostgreSQL"
    CACHE = "Redis"
    STREAMING = "Kafka"
    BALANCING = "Load balancing and edge"
    TRANSFER = "Data transfer"
    NETWORK = "Network"
    OBSERVABILITY = "Logs and monitoring"
    SECURITY = "Keys and secrets"
    STORAGE = "Registry, buckets, backups"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a bill.

    Attributes:
        group: What it belongs to.
        item: What is paid for.
        quantity: How many units.
        unit: What one unit is.
        unit_usd: USD a month for one unit, discounts taken off.
        price_keys: Keys in the price table that it follows from.
    """

    group: Group
    item: str
    quantity: float
    unit: str
    unit_usd: float
    price_keys: tuple[str, ...]

    @property
    def usd(self) -> float:
        """USD a month."""
        return self.quantity * self.unit_usd


@dataclass(frozen=True, kw_only=True)
class Bill:
    """All lines of a month at one level."""

    level: Level
    lines: tuple[Line, ...]

    @property
    def total(self) -> float:
        """USD a month."""
        return sum(line.usd for line in self.lines)

    def by_group(self) -> Mapping[Group, float]:
        """USD a month by group, in the order of `Group`."""
        return {group: total([line for line in self.lines if line.group is group]) for group in Group}

    def of(self, *groups: Group) -> float:
        """USD a month of some groups."""
        return total(line for line in self.lines if line.group in groups)

    def drivers(self, count: int) -> tuple[Line, ...]:
        """The dearest lines."""
        return tuple(sorted(self.lines, key=lambda line: -line.usd)[:count])


def total(lines: Iterable[Line]) -> float:
    """USD a month of some lines."""
    return sum(line.usd for line in lines)
