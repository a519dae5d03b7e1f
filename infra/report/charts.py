"""Charts as SVG that takes its colours from the page: text is text, and each says in words what it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 360, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 14, 14, 34
Points = Sequence[Sequence[float]]


def replicas(curve: Mapping[str, Any]) -> str:
    """A service's replicas over minutes: up after a jump of demand, down after its end.

    Args:
        curve: One of the facts' `curves`.
    """
    up, down = curve["up"], curve["down"]
    minutes = _nice(max(curve["secondsUp"], curve["secondsDown"]) / 60 * 1.04)
    most = float(curve["max"])
    words = (
        f"{curve['service']}: from {curve['min']} to {curve['max']} replicas in {duration(curve['secondsUp'])} after "
        f"demand jumps, back in {duration(curve['secondsDown'])} after it ends"
    )
    lines = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(words)}">',
        *_axes(minutes, most),
        f'<path class="area" d="{_steps(up, minutes, most)}V{_y(0, most):.1f}H{_LEFT}Z"/>',
        f'<path class="line down" d="{_steps(down, minutes, most)}"/>',
        f'<path class="line up" d="{_steps(up, minutes, most)}"/>',
        "</svg>",
    ]
    return "\n".join(lines)


def duration(seconds: float) -> str:
    """Seconds as people say them: `45 s`, `5 min`, `12 min 30 s`, `9 h`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, over = divmod(minutes, 60)
    if hours > 1 and not over and not rest:
        return f"{hours} h"
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min" + (f" {rest} s" if rest else "")


def _axes(minutes: float, most: float) -> list[str]:
    lines: list[str] = []
    for share in (0.0, 0.5, 1.0):
        y = _y(most * share, most)
        lines.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{most * share:g}</text>')
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _x(minutes * share, minutes)
        lines.append(f'<text x="{x:.1f}" y="{HEIGHT - 14}" text-anchor="middle">{minutes * share:g}</text>')
    lines.append(f'<text class="unit" x="{WIDTH - _RIGHT}" y="{HEIGHT - 1}" text-anchor="end">minutes</text>')
    return lines


def _steps(points: Points, minutes: float, most: float) -> str:
    """A staircase: level until the next change, then to the end of the chart."""
    first, *rest = points
    path = [f"M{_x(0, minutes):.1f} {_y(first[1], most):.1f}"]
    for at, count in rest:
        path.append(f"H{_x(at / 60, minutes):.1f}V{_y(count, most):.1f}")
    path.append(f"H{_x(minutes, minutes):.1f}")
    return "".join(path)


def _x(minute: float, minutes: float) -> float:
    return _LEFT + minute / minutes * (WIDTH - _LEFT - _RIGHT)


def _y(count: float, most: float) -> float:
    return HEIGHT - _BOTTOM - count / most * (HEIGHT - _TOP - _BOTTOM)


def _nice(minutes: float) -> float:
    """The next length of an axis that divides by four into round numbers."""
    return next(
        float(length) for length in (4, 8, 12, 20, 40, 60, 80, 120, 160, 240, 480) if minutes <= length
    )
