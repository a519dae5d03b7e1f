"""Which types are in the cloud on this machine, and which are records only, from the tables that keep them."""

from __future__ import annotations

from collections import defaultdict

from infra.docs.markdown import table
from infra.local.cloud.tables import LEFT_OUT, ROWS


def block() -> str:
    """Types by boto3's service, then those left out, with the reason."""
    kept: dict[str, list[str]] = defaultdict(list)
    for name, row in sorted(ROWS.items()):
        kept[row.service].append(f"`{name}`")
    held = table(
        ["boto3", f"{len(ROWS)} types"],
        [[service, ", ".join(names)] for service, names in sorted(kept.items())],
    )
    left = table(
        ["records only", "because"], [[f"`{name}`", reason] for name, reason in sorted(LEFT_OUT.items())]
    )
    why = "What the program uses and moto does not have, or has otherwise than AWS, stays a record:"
    return f"{held}\n\n{why}\n\n{left}"
