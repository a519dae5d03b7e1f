"""Who goes first when nodes are scarce: priorities that the cluster declares and workloads name."""

from __future__ import annotations

from collections.abc import Mapping

from infra.model.service import Criticality
from infra.naming import PROJECT

PRIORITIES: Mapping[Criticality, int] = {
    Criticality.CRITICAL: 100_000,
    Criticality.STANDARD: 10_000,
    Criticality.BACKGROUND: 1_000,
}
"""Priority values, far apart so that others fit between, far below the system's own (2e9)."""


def priority_class_name(criticality: Criticality) -> str:
    """Name of the PriorityClass, e.g. `parking-critical`; the object belongs to the whole cluster."""
    return f"{PROJECT}-{criticality.value}"
