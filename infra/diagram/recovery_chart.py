"""Draws recoveries as SVG: steps one after another on a scale of time, coloured and patterned by where each is from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from infra.drill.timeline import Bar, Mark, Track

WIDTH, _LEFT, _RIGHT = 1000, 452, 96
_HEAD, _TITLE, _ROW, _BAR, _FOOT = 96, 40, 23, 13, 34
_SPAN = WIDTH - _LEFT - _RIGHT
_LEAST = 2.0
"""Width of a step too short to see."""
_TICKS = 6
_LETTER = 7.0
"""Width of a letter, about."""
CLASSES = {
    Mark.SERVER: "server",
    Mark.TOOL: "tool",
    Mark.PUBLISHED: "published",
    Mark.SETTING: "setting",
    Mark.ASSUMED: "assumed",
}
_LEGEND = {
    Mark.SERVER: ("measured on a real server", 196),
    Mark.TOOL: ("measured: our tool", 154),
    Mark.PUBLISHED: ("published", 100),
    Mark.SETTING: ("our setting", 108),
    Mark.ASSUMED: ("assumed", 90),
}
_STYLE = """
svg { --page: #ffffff; --panel: #f4f5f7; --text: #1b1f24; --quiet: #4b5563; --line: #c5ccd6; --limit: #b42318;
  --server: #0b6e75; --tool: #6941a5; --published: #a34a00; --setting: #3f6ba8; --assumed: #6b7280; --mark: #ffffff;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
.page { fill: var(--page); } .panel { fill: var(--panel); }
.title { font-size: 17px; font-weight: 600; fill: var(--text); }
.name { font-size: 15px; font-weight: 600; fill: var(--text); }
.step { font-size: 12.5px; fill: var(--text); text-anchor: end; }
.small { font-size: 12.5px; fill: var(--quiet); } .middle { text-anchor: middle; } .end { text-anchor: end; }
.grid { stroke: var(--line); stroke-width: 1; }
.limit { stroke: var(--limit); stroke-width: 2; stroke-dasharray: 6 3; }
.over { fill: var(--limit); font-weight: 600; }
.server { fill: var(--server); stroke: var(--server); }
.tool { fill: url(#dots); stroke: var(--tool); }
.published { fill: url(#stripes); stroke: var(--published); }
.setting { fill: url(#bars); stroke: var(--setting); }
.assumed { fill: none; stroke: var(--assumed); stroke-width: 1.5; stroke-dasharray: 4 2; }
@media (prefers-color-scheme: dark) {
svg { --page: #0d1117; --panel: #161b22; --text: #e6edf3; --quiet: #a9b4c0; --line: #38414d; --limit: #ff8a80;
  --server: #3fb6bd; --tool: #b795f0; --published: #f2b27a; --setting: #86b0ee; --assumed: #a9b4c0; --mark: #0d1117; }
}
"""
_PATTERNS = """<defs>
<pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="var(--tool)"/><circle cx="3" cy="3" r="1.3" fill="var(--mark)"/></pattern>
<pattern id="stripes" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="var(--published)"/><rect width="2" height="6" fill="var(--mark)"/></pattern>
<pattern id="bars" width="5" height="5" patternUnits="userSpaceOnUse"><rect width="5" height="5" fill="var(--setting)"/><rect width="5" height="1.4" fill="var(--mark)"/></pattern>
</defs>"""  # noqa: E501 - one element a line


def render(tracks: Sequence[Track], *, titles: dict[str, str]) -> str:
    """The picture.

    Args:
        tracks: The recoveries, one above the other, each on a scale of its own.
        titles: What each is called, by its name.
    """
    height = _HEAD + sum(_height(track) for track in tracks)
    title = "Recoveries step by step, beside their objectives"
    words = "; ".join(
        f"{titles[track.name]}: {said(track.seconds)} of {said(track.objective_seconds)}, {track.verdict}"
        for track in tracks
    )
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    labels = 'role="img" aria-labelledby="recovery-title recovery-description"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {labels}>',
        f'<title id="recovery-title">{escape(title)}</title>',
        f'<desc id="recovery-description">{escape(words)}.</desc>',
        f"<style>{_STYLE}</style>",
        _PATTERNS,
        f'<rect class="page" width="{WIDTH}" height="{height}"/>',
        f'<text class="title" x="24" y="34">{escape(title)}</text>',
        *_legend(),
    ]
    top = _HEAD
    for track in tracks:
        lines += _drawn(track, titles[track.name], top=top)
        top += _height(track)
    return "\n".join([*lines, "</svg>"]) + "\n"


def said(seconds: float) -> str:
    """Seconds for a reader: whole where they are many, with a tenth where they are few."""
    if 0 < seconds < 0.1:
        return "< 0.1 s"
    return f"{seconds:.0f} s" if seconds >= 100 or seconds == int(seconds) else f"{seconds:.1f} s"


def _height(track: Track) -> int:
    return _TITLE + _ROW * len(track.bars) + _FOOT


def _legend() -> Iterator[str]:
    x, y = 24.0, 66
    for mark, (words, width) in _LEGEND.items():
        yield f'<rect class="{CLASSES[mark]}" x="{x}" y="{y - 11}" width="22" height="{_BAR}"/>'
        yield f'<text class="small" x="{x + 29}" y="{y}">{words}</text>'
        x += width + 29
    yield f'<line class="limit" x1="{x}" y1="{y - 5}" x2="{x + 22}" y2="{y - 5}"/>'
    yield f'<text class="small" x="{x + 29}" y="{y}">objective</text>'


def _drawn(track: Track, title: str, *, top: int) -> Iterator[str]:
    longest = max(track.seconds, track.objective_seconds) * 1.02
    first = top + _TITLE
    bottom = first + _ROW * len(track.bars)

    def x(seconds: float) -> float:
        return _LEFT + _SPAN * seconds / longest

    sum_ = f"{said(track.seconds)} of {said(track.objective_seconds)}: {track.verdict}"
    style = "name" if track.verdict == "met" else "name over"
    yield f'<text class="name" x="24" y="{top + 24}">{escape(title)}</text>'
    yield f'<text class="{style} end" x="{WIDTH - 24}" y="{top + 24}">{escape(sum_)}</text>'
    yield f'<rect class="panel" x="{_LEFT}" y="{first}" width="{_SPAN}" height="{bottom - first}"/>'
    for tick in range(_TICKS + 1):
        at = track.objective_seconds * tick / _TICKS
        if tick not in (0, _TICKS):
            yield f'<line class="grid" x1="{x(at):.1f}" y1="{first}" x2="{x(at):.1f}" y2="{bottom}"/>'
        yield f'<text class="small middle" x="{x(at):.1f}" y="{bottom + 17}">{said(at)}</text>'
    begin, limit = 0.0, x(track.objective_seconds)
    for number, bar in enumerate(track.bars):
        yield from _row(
            bar, left=x(begin), right=x(begin + bar.seconds), y=first + _ROW * number, limit=limit
        )
        begin += bar.seconds
    yield f'<line class="limit" x1="{limit:.1f}" y1="{first - 6}" x2="{limit:.1f}" y2="{bottom + 3}"/>'


def _row(bar: Bar, *, left: float, right: float, y: float, limit: float) -> Iterator[str]:
    width = max(right - left, _LEAST)
    above = y + (_ROW - _BAR) / 2
    words = said(bar.seconds)
    yield f'<text class="step" x="{_LEFT - 12}" y="{y + 16}">{escape(bar.what)}</text>'
    yield (
        f'<rect class="{CLASSES[bar.mark]}" x="{left:.1f}" y="{above:.1f}" width="{width:.1f}" height="{_BAR}">'
        f"<title>{escape(f'{bar.what}: {words}, {bar.mark}')}</title></rect>"
    )
    after = left + width + 6
    crosses = after - 4 < limit < after + _LETTER * len(words)
    style, x = (
        ("small end", left - 6) if crosses and left - _LEFT > _LETTER * len(words) + 6 else ("small", after)
    )
    yield f'<text class="{style}" x="{x:.1f}" y="{y + 16}">{escape(words)}</text>'
