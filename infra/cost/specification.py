"""The specification's own bill beside ours, line by line, with the differences in words made of the numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from infra.cost.estimate import Estimate
from infra.cost.lines import Bill, Group, Level
from infra.model.stack import StackSettings

TOTAL_USD = 17_100
"""The specification's total for 10,000 concurrent users."""
PER_USER_USD, PER_TRANSACTION_USD = 1.71, 0.0171
"""Its cost of a user, and of a transaction at a million a month."""
MONTHLY_TRANSACTIONS = 1_000_000
"""What its cost of a transaction counts; its load is a million a day."""
SPOT_SHARE, RESERVED_SHARE = 0.3, 0.5


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One line of the specification's bill.

    Attributes:
        name: As the specification calls it.
        asked: Its USD a month; None for what it does not list.
        built: Ours at average capacity.
        why: The difference in words.
    """

    name: str
    asked: float | None
    built: float
    why: str

    @property
    def difference(self) -> float:
        """Ours less theirs, USD a month."""
        return self.built - (self.asked or 0.0)


def compare(settings: StackSettings, estimate: Estimate) -> tuple[Compared, ...]:
    """The bill of an average month beside the specification's; the last line is what that leaves out.

    Args:
        settings: The stack's settings.
        estimate: Its estimate.
    """
    bill = estimate.average
    listed = [
        Compared(name=name, asked=asked, built=bill.of(*groups), why=why(settings, estimate, bill))
        for name, asked, groups, why in _LINES
    ]
    compared = {group for _, _, groups, _ in _LINES for group in groups}
    others = {group: usd for group, usd in bill.by_group().items() if group not in compared}
    named = ", ".join(f"{group.value} {usd:,.0f}" for group, usd in others.items())
    beside = Compared(
        name="Not in its bill", asked=None, built=sum(others.values()), why=f"it lists none of these: {named}"
    )
    return (*listed, beside)


def total_in_words(estimate: Estimate) -> str:
    """How the totals differ."""
    ours = estimate.average.total
    side = "under" if ours < TOTAL_USD else "over"
    return (
        f"{ours:,.0f} USD a month, {abs(ours - TOTAL_USD) / TOTAL_USD:.0%} {side} the specification's {TOTAL_USD:,}; "
        f"from {estimate.bills[Level.MINIMUM].total:,.0f} at minimum to {estimate.bills[Level.MAXIMUM].total:,.0f} "
        "with everything at its maximum all month"
    )


def _control_plane(settings: StackSettings, estimate: Estimate, bill: Bill) -> str:
    masters = 3 * estimate.prices.monthly("ec2.c5.2xlarge", region=settings.region)
    ours = bill.of(Group.CONTROL_PLANE)
    return (
        f"a managed control plane (tier {settings.cluster.scaling_tier}) costs {ours:,.0f}; three c5.2xlarge masters "
        f"alone would be {masters:,.0f}, so the asked sum holds more than a control plane"
    )


def _nodes(settings: StackSettings, estimate: Estimate, bill: Bill) -> str:
    shares = estimate.shares[Level.AVERAGE]
    full = _at_list_price(bill, estimate, settings)
    return (
        f"{shares.nodes} nodes on an average day: {shares.spot} spot ({shares.pool_spot_share:.0%} of the pool that "
        f"has spot, {shares.spot_share:.0%} of all), {shares.reserved} reserved ({shares.reserved_share:.0%}); at list "
        f"price they and their disks would be {full:,.0f}"
    )


def _at_list_price(bill: Bill, estimate: Estimate, settings: StackSettings) -> float:
    hours = estimate.prices.hours_per_month
    return sum(
        line.quantity
        * estimate.prices.usd(line.price_keys[0], region=settings.region)
        * (hours if line.price_keys[0].startswith("ec2.") else 1)
        for line in bill.lines
        if line.group is Group.NODES
    )


def _database(settings: StackSettings, estimate: Estimate, bill: Bill) -> str:
    storage = sum(
        line.usd
        for line in bill.lines
        if line.group is Group.DATABASE and line.price_keys[0].startswith("rds.gp3")
    )
    return (
        f"servers {bill.of(Group.DATABASE) - storage:,.0f} with {estimate.reserved_databases:.0%} reserved, storage, "
        f"IOPS and throughput {storage:,.0f}; {settings.database.readers} readers run in an average month"
    )


def _cache(settings: StackSettings, estimate: Estimate, bill: Bill) -> str:
    del bill
    caches = settings.caches
    count = caches.cache.nodes + caches.sessions.nodes + caches.rate_limit.nodes
    return (
        f"{count} Valkey nodes (a fifth less than Redis OSS), {estimate.reserved_caches:.0%} of them reserved"
    )


def _balancing(settings: StackSettings, estimate: Estimate, bill: Bill) -> str:
    del estimate
    dearest = sorted(
        (line for line in bill.lines if line.group is Group.BALANCING), key=lambda line: -line.usd
    )[:3]
    listed = ", ".join(f"{line.item} {line.usd:,.0f}" for line in dearest)
    edge = "the edge included" if settings.edge.enabled else "the edge is another stack's"
    return f"tiers 1 and 2, {edge}; mostly by use: {listed}"


def _transfer(settings: StackSettings, estimate: Estimate, bill: Bill) -> str:
    del estimate, settings
    dearest = sorted(
        (line for line in bill.lines if line.group is Group.TRANSFER), key=lambda line: -line.usd
    )[:2]
    listed = ", ".join(f"{line.item} {line.usd:,.0f}" for line in dearest)
    return f"{listed}; what viewers load is CloudFront's and counted above"


_Why = Callable[[StackSettings, Estimate, Bill], str]
_LINES: tuple[tuple[str, float, tuple[Group, ...], _Why], ...] = (
    ("EKS cluster", 2200, (Group.CONTROL_PLANE,), _control_plane),
    ("Worker nodes", 8500, (Group.NODES,), _nodes),
    ("RDS (primary and replicas)", 3200, (Group.DATABASE,), _database),
    ("Redis cluster", 1800, (Group.CACHE,), _cache),
    ("Load balancers", 600, (Group.BALANCING,), _balancing),
    ("Data transfer", 800, (Group.TRANSFER,), _transfer),
)
