"""A stack's bill at minimum, average and maximum capacity, and what a user and a transaction cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infra.cost import nodes, pieces, prices, stores, traffic
from infra.cost.lines import Bill, Level
from infra.cost.prices import Prices
from infra.cost.subject import Priced
from infra.cost.traffic import DAYS_A_MONTH
from infra.model.service import Service
from infra.model.stack import StackSettings


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a stack costs.

    Attributes:
        bills: Bill by level.
        shares: How nodes are bought, by level.
        reserved_databases: Share of PostgreSQL servers reserved for a year.
        reserved_caches: Share of Redis nodes reserved for a year.
        budget: What the stack may cost, USD a month.
        users: Concurrent users of the specification's busiest hour.
        transactions: Parking operations a month at today's traffic.
        prices: The price table used.
    """

    bills: Mapping[Level, Bill]
    shares: Mapping[Level, nodes.Shares]
    reserved_databases: float
    reserved_caches: float
    budget: float
    users: int
    transactions: float
    prices: Prices

    @property
    def average(self) -> Bill:
        """The bill of an average month, which the budget is for."""
        return self.bills[Level.AVERAGE]

    @property
    def per_user(self) -> float:
        """USD a month for each concurrent user."""
        return self.average.total / self.users

    def per_transaction(self, transactions: float | None = None) -> float:
        """USD for each parking operation.

        Args:
            transactions: Operations a month; none: today's traffic, a million a day.
        """
        return self.average.total / (transactions or self.transactions)


def estimate(
    settings: StackSettings,
    *,
    catalogue: tuple[Service, ...],
    counts: Mapping[str, int] | None = None,
    table: Prices | None = None,
) -> Estimate:
    """What a stack costs in a month.

    Args:
        settings: The stack's settings.
        catalogue: The services that it deploys.
        counts: Resources by AWS type, of its plan; none: those of the last recorded plan of its kind.
        table: Prices; none: those in the repository.

    Raises:
        UnknownPriceError: When the settings name an instance type without a price.
    """
    table = table or prices.load()
    counts = pieces.counts_for(settings) if counts is None else counts
    subjects = {
        level: Priced(settings=settings, services=catalogue, prices=table, level=level, counts=counts)
        for level in Level
    }
    average = subjects[Level.AVERAGE]
    return Estimate(
        bills={level: bill(subject) for level, subject in subjects.items()},
        shares={level: nodes.shares(subject) for level, subject in subjects.items()},
        reserved_databases=stores.reserved_servers(average).share,
        reserved_caches=stores.reserved_caches(average).share,
        budget=settings.budget.monthly_usd,
        users=settings.demand.concurrent_users,
        transactions=settings.demand.transactions_per_day * DAYS_A_MONTH,
        prices=table,
    )


def bill(on: Priced) -> Bill:
    """All lines of a stack at one level."""
    moved = traffic.volume(on)
    return Bill(
        level=on.level,
        lines=(
            *nodes.lines(on),
            *stores.database_lines(on),
            *stores.cache_lines(on),
            *stores.streaming_lines(on),
            *traffic.balancing_lines(on, moved),
            *traffic.transfer_lines(on, moved),
            *traffic.network_lines(on),
            *traffic.log_lines(on, moved),
            *pieces.lines(on, moved),
            *stores.backup_lines(on),
        ),
    )
