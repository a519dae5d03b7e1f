"""The report as one HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from infra.diagram import svg
from infra.diagram.boxes import picture
from infra.diagram.graph import Graph
from infra.report import charts
from infra.report.facts import Facts

_FOLDER = Path(__file__).parent
_PARTS = (
    ("architecture", "Architecture"),
    ("plan", "Plan by part"),
    ("capacity", "Capacity"),
    ("budgets", "Head-room"),
    ("replicas", "Replicas"),
    ("cost", "Cost"),
    ("objectives", "Objectives"),
    ("recovery", "Recovery"),
    ("deviations", "Deviations"),
)
_PACKAGES = {"aws": "AWS", "kubernetes": "Kubernetes", "random": "random values"}
_CODE = re.compile(r"`([^`]+)`")
_SIZE = re.compile(r'width="(\d+)" height="(\d+)"')
_WARM, _HOT = 0.75, 1.0


def render(facts: Facts, *, graph: Graph) -> str:
    """The page.

    Args:
        facts: What `infra.report.facts` found, with the plan.
        graph: The plan, for the picture.
    """
    # The page is built from this repository's own words; values are escaped all the same.
    environment = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters.update(_FILTERS)
    groups = sorted(facts["cost"]["groups"].items(), key=lambda item: -item[1]["average"])
    drawn, size = _picture(graph, stack=facts["stack"])
    return environment.get_template("page.html.j2").render(
        f=facts,
        grouped=_grouped,
        parts=_PARTS,
        style=(_FOLDER / "page.css").read_text(encoding="utf-8"),
        picture=drawn,
        picture_size=size,
        picture_words=svg.describe(picture(graph)),
        groups=groups,
        largest=groups[0][1]["average"],
        tiers=_tiers(facts),
        spent=facts["cost"]["levels"]["average"] / facts["cost"]["budget"],
    )


def _picture(graph: Graph, *, stack: str) -> tuple[str, tuple[str, str]]:
    """The picture inside the page, with its width and height: as an image of its own, its styles stay its own."""
    drawn = svg.render(graph, title=f"The parts of the stack {stack}")
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()}", _SIZE.findall(drawn)[0]


def _tiers(facts: Facts) -> list[tuple[str, int, int]]:
    """Each tier of the plan with how many parts and resources it has."""
    return [
        (tier, len(parts), sum(part["resources"] for part in parts))
        for tier, parts in _grouped(facts["plan"]["parts"], "tier")
    ]


def _grouped(rows: Sequence[Mapping[str, Any]], key: str) -> list[tuple[Any, list[Mapping[str, Any]]]]:
    """Neighbouring rows with one value of a key, in their order."""
    return [(value, list(found)) for value, found in groupby(rows, lambda row: row[key])]


def number(value: float) -> str:
    """`12,345`; small fractions keep what is needed to see them."""
    return f"{value:,.0f}" if abs(value) >= 10 or value == int(value) else f"{value:,.1f}"


def _quantity(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.2f}"


def _marked(text: str) -> Markup:
    """Code in backticks as code, everything else escaped."""
    return Markup(_CODE.sub(r"<code>\1</code>", escape(text)))  # noqa: S704 - escaped just before


def _chart(curve: Mapping[str, Any]) -> Markup:
    return Markup(charts.replicas(curve))  # noqa: S704 - drawn by this package from numbers


def heat(used: float) -> str:
    """Class of a bar by how much of a limit is used."""
    return "bad" if used > _HOT else "warn" if used > _WARM else ""


_FILTERS: Mapping[str, Callable[[Any], object]] = {
    "number": number,
    "money": lambda value: f"{value:,.2f}",
    "quantity": _quantity,
    "percent": lambda share: f"{share:.0%}",
    "signed": lambda value: f"{value:+,.0f}".replace("-", "−"),  # noqa: RUF001 - the typographic minus
    "times": lambda factor: "∞" if factor is None else f"{factor:.2f}×",  # noqa: RUF001 - the typographic times
    "clamp": lambda percent: min(100.0, max(0.0, percent)),
    "heat": heat,
    "duration": charts.duration,
    "package": lambda name: _PACKAGES.get(name, name),
    "words": lambda name: name.replace("-", " ").capitalize(),
    "marked": _marked,
    "chart": _chart,
}
