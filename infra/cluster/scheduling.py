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

HEAD_ROOM = "head-room"
"""Name of the pods that keep room free, of their namespace and of their priority."""
HEAD_ROOM_PRIORITY = -5
"""Below every other pod (those without a class have 0), and not below the Cluster Autoscaler's
`expendable-pods-priority-cutoff` of -10: for pods under it, it adds no node."""


def priority_class_name(whose: Criticality | str) -> str:
    """Name of a PriorityClass, e.g. `parking-critical`; the object belongs to the whole cluster."""
    return f"{PROJECT}-{whose}"
