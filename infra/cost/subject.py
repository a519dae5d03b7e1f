"""What every part of the estimate looks at, and how it writes lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.cost.lines import Group, Level, Line
from infra.cost.prices import Prices
from infra.model.service import Service
from infra.model.stack import StackSettings


@dataclass(frozen=True, kw_only=True)
class Priced:
    """A stack at one level of capacity, with the prices of its region.

    Attributes:
        settings: The stack's settings.
        services: The catalogue; replicas do not matter here, since nodes are what is paid.
        prices: The price table.
        level: How much capacity runs.
        counts: Resources of the stack by AWS type, for what is billed by the piece.
    """

    settings: StackSettings
    services: tuple[Service, ...]
    prices: Prices
    level: Level
    counts: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def region(self) -> str:
        """The stack's region."""
        return self.settings.region

    @property
    def hours(self) -> int:
        """Hours of a month."""
        return self.prices.hours_per_month

    def usd(self, key: str) -> float:
        """USD of one unit in the stack's region."""
        return self.prices.usd(key, region=self.region)

    def pick(self, *, minimum: float, average: float, maximum: float) -> float:
        """The value of the level."""
        return {Level.MINIMUM: minimum, Level.AVERAGE: average, Level.MAXIMUM: maximum}[self.level]

    def line(self, group: Group, item: str, quantity: float, key: str, *, unit: str | None = None) -> Line:
        """A line of something billed by its price's own unit."""
        return Line(
            group=group,
            item=item,
            quantity=quantity,
            unit=unit or self.prices.prices[key].unit,
            unit_usd=self.usd(key),
            price_keys=(key,),
        )

    def running(
        self, group: Group, item: str, count: float, key: str, *, factor: float = 1.0, unit: str = "instance"
    ) -> Line:
        """A line of something billed by the hour that runs all month.

        Args:
            group: What it belongs to.
            item: What is paid for.
            count: How many run.
            key: Price of an hour.
            factor: What the price is multiplied with: a discount taken off, or a standby added.
            unit: What one is.
        """
        return Line(
            group=group,
            item=item,
            quantity=count,
            unit=unit,
            unit_usd=self.usd(key) * self.hours * factor,
            price_keys=(key,),
        )
