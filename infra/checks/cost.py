"""The budget, and how capacity is bought."""

from __future__ import annotations

from collections.abc import Iterator

from infra.checks.subject import Subject
from infra.cluster.pools import PoolError
from infra.cost import nodes, pieces, prices, stores
from infra.cost.estimate import Estimate, estimate
from infra.cost.lines import Level
from infra.cost.prices import UnknownPriceError
from infra.cost.purchasing import Reservations
from infra.cost.subject import Priced
from infra.problems import Problem

_DRIVERS = 3


def check_purchasing(subject: Subject) -> Iterator[Problem]:
    """What is reserved always runs, and spot and reserved nodes are not the same nodes."""
    settings = subject.settings
    on = Priced(
        settings=settings,
        services=subject.catalogue,
        prices=prices.load(),
        level=Level.AVERAGE,
        counts=pieces.counts_for(settings),
    )
    try:
        found: dict[str, Reservations] = {
            "worker nodes": nodes.reservations(on),
            "PostgreSQL servers": stores.reserved_servers(on),
            "Redis nodes": stores.reserved_caches(on),
        }
    except (PoolError, UnknownPriceError):
        # Reported by the checks of pools and instance types.
        return
    for what, reserved in found.items():
        if reserved.count < reserved.wanted:
            yield Problem(
                key="parking:purchasing.reservedShare",
                found=f"{settings.purchasing.reserved_share:g}: {reserved.wanted} of {reserved.average} {what}",
                allowed=f"{reserved.count / reserved.average:.2f} or less: "
                f"{reserved.count} run on demand at the minimum",
                why="a reservation is paid whether or not anything uses it",
                action="lower reservedShare, raise the pools' minSize, or lower their spotShare",
            )


def check_budget(subject: Subject) -> Iterator[Problem]:
    """An average month stays within the budget."""
    settings = subject.settings
    try:
        found = estimate(settings, catalogue=subject.catalogue)
    except PoolError:
        return
    except UnknownPriceError as error:
        yield Problem(
            key="parking:budget.monthlyUsd",
            found=f"no price for {error.key}",
            allowed="types that infra/cost/prices.json has a price for",
            why="what has no price cannot be held against the budget",
            action="correct the type, or add its price: python -m infra.cost.refresh --key " + error.key,
        )
        return
    if found.average.total > settings.budget.monthly_usd:
        yield Problem(
            key="parking:budget.monthlyUsd",
            found=f"{settings.budget.monthly_usd:,.0f} USD a month, and the stack costs "
            f"{found.average.total:,.0f} USD at average capacity ({_drivers(found)})",
            allowed=f"{found.average.total:,.0f} or more",
            why="nothing is built that costs more than was agreed",
            action="raise the budget in the stack file if the cost is meant, else lower sizes or replicas",
        )


def _drivers(found: Estimate) -> str:
    listed = ", ".join(f"{line.item} {line.usd:,.0f}" for line in found.average.drivers(_DRIVERS))
    return f"dearest: {listed}"
