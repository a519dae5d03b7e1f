"""The generated tables of docs/cost.md, from the stack files and the price table."""

from __future__ import annotations

from collections.abc import Mapping

from infra import settings, stack_files
from infra.cost import specification
from infra.cost.estimate import Estimate, estimate
from infra.cost.lines import Group, Level
from infra.cost.resource_types import FREE, PRICED
from infra.docs.markdown import table
from infra.model.stack import StackSettings
from services import CATALOGUE

COMPARED = "prod"
"""The stack that stands beside the specification's bill."""


def blocks() -> Mapping[str, str]:
    """Generated block by name."""
    stacks = {stack: settings.from_file(stack, catalogue=CATALOGUE) for stack in stack_files.names()}
    found = {stack: estimate(own, catalogue=CATALOGUE) for stack, own in stacks.items()}
    return {
        "cost-of-stacks": _stacks(found),
        "cost-by-group": _groups(found),
        "cost-beside-the-specification": _compared(stacks[COMPARED], found[COMPARED]),
        "cost-shares": _shares(found),
        "cost-sources": _sources(found[COMPARED]),
        "cost-types": f"{len(PRICED)} types are priced, {len(FREE)} are free; any other fails a test.",
    }


def usd(amount: float) -> str:
    """An amount as people write it: `1,234`, or with cents and less below one."""
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:,.2f}" if amount >= 1 else f"{amount:.4g}"


def _stacks(found: Mapping[str, Estimate]) -> str:
    rows = [
        [
            f"`{stack}`",
            *(usd(each.bills[level].total) for level in Level),
            usd(each.budget),
            f"{each.per_user:.2f}",
            f"{each.per_transaction():.5f}",
            f"{each.per_transaction(specification.MONTHLY_TRANSACTIONS):.4f}",
        ]
        for stack, each in found.items()
    ]
    head = ["stack", "minimum", "average", "maximum", "budget", "a user"]
    return table([*head, "a transaction, today's", "a transaction, 1M a month"], rows)


def _groups(found: Mapping[str, Estimate]) -> str:
    rows = [[group.value, *(usd(each.average.of(group)) for each in found.values())] for group in Group]
    rows.append(["all", *(usd(each.average.total) for each in found.values())])
    return table(["group", *(f"`{stack}`" for stack in found)], rows)


def _compared(own: StackSettings, found: Estimate) -> str:
    rows = [
        [
            line.name,
            "-" if line.asked is None else usd(line.asked),
            usd(line.built),
            f"{line.difference:+,.0f}",
            line.why,
        ]
        for line in specification.compare(own, found)
    ]
    ours = found.average.total
    rows += [
        [
            "total",
            usd(specification.TOTAL_USD),
            usd(ours),
            f"{ours - specification.TOTAL_USD:+,.0f}",
            specification.total_in_words(found),
        ],
        [
            "a user",
            f"{specification.PER_USER_USD}",
            f"{found.per_user:.2f}",
            "",
            f"{found.users:,} concurrent users",
        ],
        [
            "a transaction, 1M a month",
            f"{specification.PER_TRANSACTION_USD}",
            f"{found.per_transaction(specification.MONTHLY_TRANSACTIONS):.4f}",
            "",
            "the specification's own divisor",
        ],
        [
            "a transaction, today's load",
            "-",
            f"{found.per_transaction():.5f}",
            "",
            f"{found.transactions / 1e6:.1f}M a month: the specification's load is a million a day",
        ],
    ]
    return table(["line", "specification", "`prod`", "difference", "why"], rows)


def _shares(found: Mapping[str, Estimate]) -> str:
    rows = [
        [
            f"`{stack}`",
            level.value,
            str(shares.nodes),
            f"{shares.spot} ({shares.pool_spot_share:.0%} of its pool, {shares.spot_share:.0%} of all)",
            f"{shares.reserved} ({shares.reserved_share:.0%})",
        ]
        for stack, each in found.items()
        for level, shares in each.shares.items()
    ]
    return table(["stack", "level", "nodes", "spot", "reserved"], rows)


def _sources(found: Estimate) -> str:
    used = {price.source for price in found.prices.prices.values()}
    rows = [
        [source.what, source.as_of, source.confidence]
        for name, source in sorted(found.prices.sources.items())
        if name in used
    ]
    return f"Table of {found.prices.dated}, {len(found.prices.prices)} prices.\n\n" + table(
        ["source", "read", "confidence"], rows
    )
