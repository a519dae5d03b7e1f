"""The resources of a stack with their parents and dependencies, from a preview's or an export's JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

COMPONENT_PREFIX = "parking:components:"


class GraphError(ValueError):
    """The JSON is neither a preview's nor an export's."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a stack.

    Attributes:
        urn: Its identity in the engine.
        type: Type token, e.g. `aws:ec2/vpc:Vpc`.
        name: Logical name.
        parent: URN of its parent; empty for the stack and for default providers.
        dependencies: URNs of what it needs.
    """

    urn: str
    type: str
    name: str
    parent: str = ""
    dependencies: frozenset[str] = frozenset()

    @property
    def is_component(self) -> bool:
        """Whether it is one of this repository's components, which hold resources but are none in the cloud."""
        return self.type.startswith(COMPONENT_PREFIX)


@dataclass(frozen=True, kw_only=True)
class Graph:
    """All resources of a stack, by URN, in an order that does not depend on the run."""

    resources: Mapping[str, Resource]

    def outermost(self, urn: str) -> Resource | None:
        """The outermost component that holds a resource; None for what stands alone."""
        found: Resource | None = None
        current = self.resources.get(urn)
        while current is not None:
            if current.is_component:
                found = current
            current = self.resources.get(current.parent)
        return found


def read(document: Mapping[str, Any]) -> Graph:
    """Read what `preview --json` or `stack export` printed.

    Args:
        document: The parsed JSON.

    Raises:
        GraphError: When it is neither.
    """
    if "deployment" in document:
        entries = document["deployment"].get("resources", [])
    elif "steps" in document:
        steps = cast("Sequence[Mapping[str, Any]]", document["steps"])
        entries = [step["newState"] for step in steps if step.get("newState")]
    else:
        raise GraphError("neither a preview (--json) nor an export: no `steps` and no `deployment`")
    resources = [_resource(entry) for entry in cast("Sequence[Mapping[str, Any]]", entries)]
    return Graph(resources={resource.urn: resource for resource in sorted(resources, key=lambda r: r.urn)})


def _resource(entry: Mapping[str, Any]) -> Resource:
    urn = str(entry["urn"])
    return Resource(
        urn=urn,
        type=str(entry["type"]),
        name=urn.rpartition("::")[2],
        parent=str(entry.get("parent") or ""),
        dependencies=frozenset(str(found) for found in entry.get("dependencies") or ()),
    )
