"""Draws replica curves as SVG: what was measured on the real controllers over what the policies allow."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from infra.cluster.replicas import Limits, Step, curve, limits_of
from services import CATALOGUE

_WIDTH, _ROW, _TOP = 1000, 150, 84
_LEFT, _PANEL, _GAP, _HEIGHT = 172, 370, 60, 96
_SECONDS = {"up": 1800.0, "down": 2100.0}
_TITLES = {"up": "all load at once", "down": "no load any more"}
_TICKS = {"up": (0, 5, 10, 15, 20, 25, 30), "down": (0, 5, 10, 15, 20, 25, 30, 35)}
_STYLE = """
svg { --page: #ffffff; --panel: #f4f5f7; --text: #1b1f24; --quiet: #4b5563; --allowed: #b9c7dd; --line: #6f87ad;
  --seen: #a34a00; --real: #0b6e75;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
.page { fill: var(--page); } .panel { fill: var(--panel); }
.title { font-size: 17px; font-weight: 600; fill: var(--text); }
.name { font-size: 15px; font-weight: 600; fill: var(--text); text-anchor: end; }
.small { font-size: 12.5px; fill: var(--quiet); } .middle { text-anchor: middle; } .end { text-anchor: end; }
.allowed { fill: var(--allowed); stroke: var(--line); stroke-width: 1; }
.seen { fill: none; stroke: var(--seen); stroke-width: 2; } .real { fill: none; stroke: var(--real); stroke-width: 2;
  stroke-dasharray: 5 3; }
@media (prefers-color-scheme: dark) {
svg { --page: #0d1117; --panel: #161b22; --text: #e6edf3; --quiet: #a9b4c0; --allowed: #2b3b55; --line: #5b7199;
  --seen: #f2b27a; --real: #6fd0d6; }
}
"""

Measured = Mapping[str, Mapping[str, Sequence[Sequence[float]]]]
"""By service and way, pairs of seconds and replicas, in the specification's time."""


@dataclass(frozen=True, kw_only=True)
class _Panel:
    """One way of one service."""

    way: str
    limits: Limits
    left: float
    top: float

    def point(self, at: float, replicas: float) -> str:
        """A point of the panel in the picture."""
        seconds = min(at, _SECONDS[self.way])
        x = self.left + _PANEL * seconds / _SECONDS[self.way]
        y = self.top + _HEIGHT * (1 - replicas / self.limits.max_replicas)
        return f"{x:.1f},{y:.1f}"

    def path(self, steps: Sequence[Step], *, end: float) -> str:
        """A staircase."""
        points = [self.point(steps[0].at, steps[0].replicas)]
        for before, step in itertools.pairwise(steps):
            points += [self.point(step.at, before.replicas), self.point(step.at, step.replicas)]
        return " ".join([*points, self.point(end, steps[-1].replicas)])


def render(data: Mapping[str, Measured]) -> str:
    """The picture.

    Args:
        data: What was measured: under `divided` whole ways with divided times, under `real` their first minutes
            undivided.
    """
    rows = list(enumerate(CATALOGUE))
    height = _TOP + _ROW * len(rows) + 20
    title = "Replicas over minutes: measured on Kubernetes and KEDA, over what the policies allow"
    words = "; ".join(_words(service.name, data["divided"]) for service in CATALOGUE)
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    labels = 'role="img" aria-labelledby="curves-title curves-description"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {labels}>',
        f'<title id="curves-title">{escape(title)}</title>',
        f'<desc id="curves-description">{escape(words)}.</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="page" width="{_WIDTH}" height="{height}"/>',
        f'<text class="title" x="24" y="32">{escape(title)}</text>',
        *_legend(),
    ]
    for number, service in rows:
        limits = limits_of(service)
        top = _TOP + _ROW * number
        lines.append(f'<text class="name" x="{_LEFT - 44}" y="{top + _HEIGHT / 2 + 5}">{service.name}</text>')
        for place, way in enumerate(("up", "down")):
            panel = _Panel(way=way, limits=limits, left=_LEFT + place * (_PANEL + _GAP), top=top)
            lines += _drawn(panel, data, service.name)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _legend() -> Iterator[str]:
    y = 56
    yield f'<rect class="allowed" x="24" y="{y - 11}" width="26" height="13"/>'
    yield f'<text class="small" x="56" y="{y}">what the policies allow</text>'
    yield f'<polyline class="seen" points="222,{y - 5} 248,{y - 5}"/>'
    yield f'<text class="small" x="254" y="{y}">measured, all times divided by 30 and drawn undivided</text>'
    yield f'<polyline class="real" points="640,{y - 5} 666,{y - 5}"/>'
    yield f'<text class="small" x="672" y="{y}">measured in real time</text>'


def _drawn(panel: _Panel, data: Mapping[str, Measured], name: str) -> Iterator[str]:
    limits, way, bottom = panel.limits, panel.way, panel.top + _HEIGHT
    start, wanted = (limits.min_replicas, limits.max_replicas) if way == "up" else (limits.max_replicas, 0)
    allowed = curve(limits, start=start, wanted=lambda _: wanted, seconds=_SECONDS[way])
    area = panel.path(allowed, end=_SECONDS[way])
    yield f'<rect class="panel" x="{panel.left}" y="{panel.top}" width="{_PANEL}" height="{_HEIGHT}"/>'
    corner = f"{panel.left + _PANEL:.1f},{bottom:.1f} {panel.left:.1f},{bottom:.1f}"
    yield f'<polygon class="allowed" points="{area} {corner}"/>'
    seen = _steps(data["divided"][name][way])
    yield f'<polyline class="seen" points="{panel.path(seen, end=_SECONDS[way])}"/>'
    real = _steps(data["real"][name][way]) if "real" in data else []
    if real and (way == "up" or real[0].replicas == limits.max_replicas):
        yield f'<polyline class="real" points="{panel.path(real, end=real[-1].at)}"/>'
    for replicas in (limits.min_replicas, limits.max_replicas):
        y = panel.top + _HEIGHT * (1 - replicas / limits.max_replicas) + 4
        yield f'<text class="small end" x="{panel.left - 6}" y="{y:.1f}">{replicas}</text>'
    for minute in _TICKS[way]:
        x = panel.left + _PANEL * minute * 60 / _SECONDS[way]
        yield f'<text class="small middle" x="{x:.1f}" y="{bottom + 16:.1f}">{minute}</text>'
    middle = panel.left + _PANEL / 2
    yield f'<text class="small middle" x="{middle}" y="{bottom + 32:.1f}">minutes, {_TITLES[way]}</text>'


def _steps(pairs: Sequence[Sequence[float]]) -> list[Step]:
    return [Step(at, int(replicas)) for at, replicas in pairs]


def _words(name: str, measured: Measured) -> str:
    up, down = _steps(measured[name]["up"]), _steps(measured[name]["down"])
    return (
        f"{name} from {up[0].replicas} to {up[-1].replicas} pods in {len(up) - 1} steps, "
        f"and back to {down[-1].replicas} in {len(down) - 1}"
    )
