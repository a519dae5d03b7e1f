"""Draws a laid-out picture as SVG: real text, a title and a description, light and dark."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from infra.diagram.boxes import Picture, picture
from infra.diagram.graph import Graph
from infra.diagram.layout import BOX_HEIGHT, WIDTH, Layout, Route, lay_out
from infra.diagram.places import TIERS, Tier

TITLE_SIZE = 16
_HUES = {
    Tier.EDGE: ("#7a3ea8", "#c79bea"),
    Tier.REGIONAL: ("#2457a6", "#8fb8f5"),
    Tier.PLATFORM: ("#0b6e75", "#6fd0d6"),
    Tier.WORKLOADS: ("#a34a00", "#f2b27a"),
    Tier.DATA: ("#9c2450", "#f09bb8"),
    Tier.OPERATIONS: ("#5a6270", "#b4bcc9"),
    Tier.GROUND: ("#3f6b1e", "#a5d07e"),
}
_STYLE = """
svg { --page: #ffffff; --panel: #f4f5f7; --box: #ffffff; --text: #1b1f24; --quiet: #4b5563;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
.page { fill: var(--page); } .panel { fill: var(--panel); } .box { fill: var(--box); stroke-width: 1.5; }
.heading { font-size: 15px; font-weight: 600; paint-order: stroke; stroke: var(--panel); stroke-width: 5px; }
.title { font-size: %(title)dpx; font-weight: 600; fill: var(--text); text-anchor: middle; }
.count { font-size: 13.5px; fill: var(--quiet); text-anchor: middle; }
.route { fill: none; stroke-width: 1.6; }
%(light)s
@media (prefers-color-scheme: dark) {
svg { --page: #0d1117; --panel: #161b22; --box: #0d1117; --text: #e6edf3; --quiet: #a9b4c0; }
%(dark)s
}
"""


def render(graph: Graph, *, title: str) -> str:
    """The architecture of a stack as an SVG document.

    Args:
        graph: The resources of the stack.
        title: Title of the picture.
    """
    drawn = picture(graph)
    layout = lay_out(drawn)
    height = round(layout.height)
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    labels = 'role="img" aria-labelledby="picture-title picture-description"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {labels}>',
        f'<title id="picture-title">{escape(title)}</title>',
        f'<desc id="picture-description">{escape(describe(drawn))}</desc>',
        f"<style>{_style()}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}"/>',
        *_panels(layout),
        *(_route(route, drawn) for route in layout.routes),
        *_headings(layout),
        *_boxes(drawn, layout),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def describe(drawn: Picture) -> str:
    """The picture in words, for those who do not see it."""
    sentences = [
        "Tiers from top to bottom, in the way of a request; an arrow leads from a part to one that it needs."
    ]
    for tier in TIERS:
        boxes = [box for box in drawn.boxes.values() if box.place.tier is tier]
        if boxes:
            listed = ", ".join(f"{box.place.title} ({count(box.resources)})" for box in boxes)
            sentences.append(f"{tier.value}: {listed}.")
    return " ".join(sentences)


def count(resources: int) -> str:
    """A number of resources in words."""
    return f"{resources} resource{'' if resources == 1 else 's'}"


def _style() -> str:
    light, dark = (
        "\n".join(
            f".h{n}, .t{n} {{ fill: {_HUES[tier][shade]}; }} .b{n}, .r{n} {{ stroke: {_HUES[tier][shade]}; }}"
            for n, tier in enumerate(TIERS)
        )
        for shade in (0, 1)
    )
    return _STYLE % {"title": TITLE_SIZE, "light": light, "dark": dark}


def _panels(layout: Layout) -> list[str]:
    return [
        f'<rect class="panel" x="4" y="{_n(panel.y)}" width="{WIDTH - 8}" height="{_n(panel.height)}" rx="8"/>'
        for panel in layout.panels
    ]


def _headings(layout: Layout) -> list[str]:
    return [
        f'<text class="heading h{TIERS.index(panel.tier)}" x="74" y="{_n(panel.y + 20)}">{panel.tier.value}</text>'
        for panel in layout.panels
    ]


def _route(route: Route, drawn: Picture) -> str:
    """All arrows to one box, in the colour of its tier, with a name for those who point at it."""
    tier = TIERS.index(drawn.boxes[route.target].place.tier)
    path = " ".join(f"M{_n(x1)} {_n(y1)}L{_n(x2)} {_n(y2)}" for x1, y1, x2, y2 in route.pieces)
    x, y = route.head
    back = -8 if route.is_downward else 8
    head = f"M{_n(x)} {_n(y)}L{_n(x - 4.5)} {_n(y + back)}L{_n(x + 4.5)} {_n(y + back)}Z"
    names = ", ".join(drawn.boxes[source].place.title for source in route.sources)
    return (
        f"<g><title>{escape(drawn.boxes[route.target].place.title)} is needed by {escape(names)}</title>"
        f'<path class="route r{tier}" d="{path}"/><path class="t{tier}" d="{head}"/></g>'
    )


def _boxes(drawn: Picture, layout: Layout) -> list[str]:
    lines: list[str] = []
    for key, placed in layout.boxes.items():
        box = drawn.boxes[key]
        tier, middle = TIERS.index(box.place.tier), placed.x + placed.width / 2
        held = f"{box.place.note}: {count(box.resources)}" if box.place.note else count(box.resources)
        if box.place.tier is Tier.GROUND:
            held = f"{box.resources}, needed by {drawn.needed_by(key)}"
        rectangle = f'x="{_n(placed.x)}" y="{_n(placed.y)}" width="{_n(placed.width)}" height="{BOX_HEIGHT}"'
        lines += [
            f"<g><title>{escape('; '.join(box.components))}</title>",
            f'<rect class="box b{tier}" {rectangle} rx="6" data-part={quoteattr(key)}/>',
            f'<text class="title" x="{_n(middle)}" y="{_n(placed.y + 21)}">{escape(box.place.title)}</text>',
            f'<text class="count" x="{_n(middle)}" y="{_n(placed.y + 40)}">{held}</text></g>',
        ]
    return lines


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
