"""Tables of what each stack holds: docs/resources.md, the README's summary, the parts of the picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from infra.diagram.boxes import is_held, picture
from infra.diagram.graph import COMPONENT_PREFIX, Graph
from infra.diagram.places import TIERS
from infra.docs.markdown import NOTICE, table

Graphs = Mapping[str, Graph]
"""By stack, in alphabetical order."""
_INTRODUCTION = (
    "Counted from the plans of the stack files in this repository, as `bin/pulumi-local preview --json` shows them. "
    "Providers and the stack itself are left out."
)


def page(graphs: Graphs) -> str:
    """docs/resources.md."""
    types = {stack: _types(graph) for stack, graph in graphs.items()}
    kinds = {stack: _kinds(graph) for stack, graph in graphs.items()}
    return (
        "\n\n".join(
            (
                "# Resources of each stack",
                NOTICE,
                _INTRODUCTION,
                _counts("type", types),
                "## Components",
                "A component groups resources and is none in the cloud.",
                _counts("component", kinds),
            )
        )
        + "\n"
    )


def summary(graphs: Graphs) -> str:
    """The README's table: a row a stack."""
    rows: list[list[str]] = []
    for stack, graph in graphs.items():
        by_package = Counter(
            kind.partition(":")[0] for kind, number in _types(graph).items() for _ in range(number)
        )
        releases = _types(graph)["kubernetes:helm.sh/v3:Release"]
        by_package["kubernetes"] -= releases
        rows.append(
            [
                f"`{stack}`",
                str(sum(by_package.values()) + releases),
                *(str(by_package[package]) for package in ("aws", "kubernetes")),
                str(releases),
                str(by_package["random"]),
                str(sum(_kinds(graph).values())),
            ]
        )
    return table(
        ["stack", "resources", "AWS", "Kubernetes objects", "Helm releases", "random values", "components"],
        rows,
    )


def parts(graph: Graph) -> str:
    """The picture as a table: every box with what is in it and what it needs."""
    drawn = picture(graph)
    rows: list[list[str]] = []
    for box in drawn.boxes.values():
        kinds = Counter(component.partition(" ")[0] for component in box.components)
        needed = (drawn.boxes[key] for key in drawn.boxes if key in box.needs)
        rows.append(
            [
                box.place.tier.value,
                f"{box.place.title} ({box.place.note})" if box.place.note else box.place.title,
                ", ".join(f"{kind} x{n}" if n > 1 else kind for kind, n in sorted(kinds.items())),
                str(box.resources),
                ", ".join(other.place.title for other in needed) or "nothing",
            ]
        )
    rows.sort(key=lambda row: [tier.value for tier in TIERS].index(row[0]))
    return table(["tier", "part", "components", "resources", "needs"], rows)


def _types(graph: Graph) -> Counter[str]:
    return Counter(resource.type for resource in graph.resources.values() if is_held(resource))


def _kinds(graph: Graph) -> Counter[str]:
    return Counter(
        resource.type.removeprefix(COMPONENT_PREFIX)
        for resource in graph.resources.values()
        if resource.is_component
    )


def _counts(what: str, counts: Mapping[str, Counter[str]]) -> str:
    names = sorted({name for counter in counts.values() for name in counter})
    rows = [[f"`{name}`", *(str(counter[name]) for counter in counts.values())] for name in names]
    rows.append(["all", *(str(sum(counter.values())) for counter in counts.values())])
    return table([what, *(f"`{stack}`" for stack in counts)], rows)
