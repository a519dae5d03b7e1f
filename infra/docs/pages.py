"""Which files are generated, from what."""

from __future__ import annotations

from collections.abc import Mapping

from infra.diagram import svg
from infra.docs import (
    capacity_page,
    checks_page,
    cloud_page,
    components_pages,
    cost_page,
    counted_types,
    curves_page,
    drill_page,
    licences_page,
    outputs_page,
    resource_tables,
    settings_page,
)
from infra.docs import golden as names
from infra.docs.markdown import replace_block
from infra.docs.plans import REPOSITORY
from infra.docs.resource_tables import Graphs

CURVES = "docs/autoscaling.json"
"""What the autoscalers did when they were measured, written by the tests that measure (`tests/cluster/curves.py`)."""
DRILL = "docs/drill.json"
"""What the last drill measured, written by `make drill`."""
PICTURED = "prod"
"""The stack that the picture shows: it holds every part."""


def from_models() -> dict[str, str]:
    """Pages that need no engine: path in the repository to content."""
    return {
        "docs/autoscaling.md": _spliced("docs/autoscaling.md", curves=curves_page.block(_text(CURVES))),
        "docs/autoscaling.svg": curves_page.picture(_text(CURVES)),
        "docs/capacity.md": _spliced("docs/capacity.md", capacity=capacity_page.block()),
        **components_pages.pages(),
        "docs/cost.md": _spliced("docs/cost.md", **cost_page.blocks()),
        "docs/drill.md": _spliced("docs/drill.md", **drill_page.blocks(_text(DRILL))),
        "docs/drill.svg": drill_page.picture(_text(DRILL)),
        "docs/local-checks.md": _spliced("docs/local-checks.md", **checks_page.blocks()),
        "docs/licences.md": licences_page.page(),
        "docs/local-cloud.md": _spliced("docs/local-cloud.md", cloud=cloud_page.block()),
        "docs/outputs.md": outputs_page.page(),
        "docs/settings.md": settings_page.page(),
    }


def from_plans(graphs: Graphs) -> dict[str, str]:
    """Pages that need the plans of all stacks.

    Args:
        graphs: The plan of every stack.
    """
    pictured = graphs[PICTURED]
    title = f"Parking platform: the parts of the stack {PICTURED}"
    return {
        "docs/architecture.svg": svg.render(pictured, title=title),
        "docs/resources.md": resource_tables.page(graphs),
        "docs/architecture.md": _spliced("docs/architecture.md", parts=resource_tables.parts(pictured)),
        "README.md": _spliced("README.md", resources=resource_tables.summary(graphs)),
        "infra/cost/counted.json": counted_types.content(graphs),
    }


def golden(graphs: Graphs) -> dict[str, str]:
    """What every stack's resources are called."""
    return {names.path(stack): names.page(stack, graph) for stack, graph in graphs.items()}


def stale(pages: Mapping[str, str]) -> list[str]:
    """Which of the pages differ from the files."""
    return [path for path, content in pages.items() if _text(path) != content]


def _spliced(path: str, **blocks: str) -> str:
    page = _text(path)
    for name, content in blocks.items():
        page = replace_block(page, name=name, content=content)
    return page


def _text(path: str) -> str:
    file = REPOSITORY / path
    return file.read_text(encoding="utf-8") if file.exists() else ""
