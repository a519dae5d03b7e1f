"""Places boxes in rows by tier and leads every arrow along tracks between rows and lanes beside them.

All arrows to one box form a net: they share a track in each gutter that they cross, as on a map of bus lines, so
that many needs of few stores stay readable. Everything is sorted; the same graph gives the same picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from infra.diagram.boxes import Picture
from infra.diagram.places import TIERS, Tier

WIDTH = 720
BOX_HEIGHT = 50
_AREA = (64, 656)
_GAP = 14
_MOST_IN_A_ROW = 4
_WIDEST = 180
_TRACK = 7
_LANE = 7
_GUTTER = 12
_HEADING = 30
_PANEL_END = 10
_TOP = 8


@dataclass(frozen=True, kw_only=True)
class PlacedBox:
    """A box with its rectangle; its height is `BOX_HEIGHT`."""

    key: str
    row: int
    x: float
    y: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The band of a tier."""

    tier: Tier
    y: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Route:
    """All arrows to one box from one side: straight pieces, and the end that carries the head."""

    target: str
    sources: tuple[str, ...]
    pieces: tuple[tuple[float, float, float, float], ...]
    head: tuple[float, float]
    is_downward: bool


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where everything goes."""

    height: float
    panels: tuple[Panel, ...]
    boxes: Mapping[str, PlacedBox]
    routes: tuple[Route, ...]


@dataclass(kw_only=True)
class _Net:
    """The arrows to one box that come from above (downward) or from below."""

    target: str
    is_downward: bool
    sources: list[str] = field(default_factory=list[str])

    @property
    def key(self) -> str:
        return f"{self.target} {'down' if self.is_downward else 'up'}"


def lay_out(picture: Picture) -> Layout:
    """Place a picture's boxes and arrows."""
    rows = _rows(picture)
    row_of = {key: number for number, row in enumerate(rows) for key in row}
    nets = _nets(picture, row_of)
    return _Geometry(picture=picture, rows=rows, row_of=row_of, nets=nets).layout()


def _rows(picture: Picture) -> list[list[str]]:
    """Keys by row: tiers from top to bottom, in each what needs others of it above what is needed."""
    rows: list[list[str]] = []
    for tier in TIERS:
        keys = [key for key, box in picture.boxes.items() if box.place.tier is tier]
        ranks = _ranks(keys, picture.arrows)
        for rank in sorted(set(ranks.values())):
            members = [key for key in keys if ranks[key] == rank]
            count = -(-len(members) // _MOST_IN_A_ROW)
            size = -(-len(members) // count)
            rows += [members[start : start + size] for start in range(0, len(members), size)]
    return rows


def _ranks(keys: Sequence[str], arrows: Iterable[tuple[str, str]]) -> dict[str, int]:
    """How deep each box of a tier stands below those that need it; a cycle ends the count."""
    needing: dict[str, list[str]] = {key: [] for key in keys}
    for start, end in arrows:
        if start in needing and end in needing:
            needing[end].append(start)
    ranks: dict[str, int] = {}

    def rank(key: str, path: frozenset[str]) -> int:
        if key not in ranks:
            above = [rank(other, path | {key}) for other in needing[key] if other not in path]
            ranks[key] = 1 + max(above, default=-1)
        return ranks[key]

    for key in keys:
        rank(key, frozenset({key}))
    return ranks


def _nets(picture: Picture, row_of: Mapping[str, int]) -> list[_Net]:
    nets: dict[str, _Net] = {}
    for start, end in picture.arrows:
        net = _Net(target=end, is_downward=row_of[start] < row_of[end])
        nets.setdefault(net.key, net).sources.append(start)
    return sorted(nets.values(), key=lambda net: (row_of[net.target], net.key))


@dataclass(kw_only=True)
class _Geometry:
    """The steps from rows and nets to coordinates. Gutter `i` is above row `i`."""

    picture: Picture
    rows: list[list[str]]
    row_of: Mapping[str, int]
    nets: list[_Net]

    def layout(self) -> Layout:
        self.x = {key: span for row in self.rows for key, span in _spans(row).items()}
        self.ports = self._ports()
        self.lanes = self._lanes()
        self.tracks = self._tracks()
        panels, boxes, height = self._stack()
        return Layout(
            height=height,
            panels=panels,
            boxes=boxes,
            routes=tuple(self._route(net, boxes) for net in self.nets),
        )

    def _exit(self, net: _Net, source: str) -> int:
        """The gutter into which an arrow leaves its source."""
        row = self.row_of[source]
        return row + 1 if net.is_downward or row == self.row_of[net.target] else row

    def _entry(self, net: _Net) -> int:
        """The gutter from which a net reaches its target."""
        row = self.row_of[net.target]
        return row if net.is_downward else row + 1

    def _gutters(self, net: _Net) -> list[int]:
        return sorted({self._entry(net), *(self._exit(net, source) for source in net.sources)})

    def _ports(self) -> dict[tuple[str, str], float]:
        """Where on its box each net starts or ends, by net and box: evenly over the side that it uses."""
        sides: dict[tuple[str, bool], list[str]] = {}
        for net in self.nets:
            for source in net.sources:
                sides.setdefault((source, self._exit(net, source) > self.row_of[source]), []).append(net.key)
            sides.setdefault((net.target, not net.is_downward), []).append(net.key)
        ports: dict[tuple[str, str], float] = {}
        for (box, _), keys in sides.items():
            left, width = self.x[box]
            for number, key in enumerate(keys, 1):
                ports[key, box] = round(left + width * number / (len(keys) + 1), 1)
        return ports

    def _lanes(self) -> dict[str, float]:
        """The vertical lane of every net that crosses a row: downward ones on the right, upward ones on the left."""
        lanes: dict[str, float] = {}
        for is_downward in (True, False):
            crossing = [
                net for net in self.nets if net.is_downward is is_downward and len(self._gutters(net)) > 1
            ]
            spans = {net.key: (min(self._gutters(net)), max(self._gutters(net))) for net in crossing}
            for key, number in _packed(spans).items():
                edge = _AREA[1] + _LANE * (number + 1) if is_downward else _AREA[0] - _LANE * (number + 1)
                lanes[key] = float(edge)
        return lanes

    def _tracks(self) -> dict[tuple[str, int], int]:
        """The track of every net in every gutter it uses."""
        tracks: dict[tuple[str, int], int] = {}
        for gutter in range(len(self.rows) + 1):
            spans = {net.key: self._span(net, gutter) for net in self.nets if gutter in self._gutters(net)}
            for key, number in _packed(spans).items():
                tracks[key, gutter] = number
        return tracks

    def _span(self, net: _Net, gutter: int) -> tuple[float, float]:
        """From where to where a net runs in a gutter."""
        stops = [self.ports[net.key, source] for source in net.sources if self._exit(net, source) == gutter]
        if gutter == self._entry(net):
            stops.append(self.ports[net.key, net.target])
        if net.key in self.lanes:
            stops.append(self.lanes[net.key])
        return min(stops), max(stops)

    def _stack(self) -> tuple[tuple[Panel, ...], dict[str, PlacedBox], float]:
        """Vertical places: gutters are as high as their tracks need."""
        self.top: dict[int, float] = {}
        starts: dict[Tier, float] = {}
        ends: dict[Tier, float] = {}
        boxes: dict[str, PlacedBox] = {}
        y, previous = float(_TOP), None
        for number, row in enumerate(self.rows):
            tier = self.picture.boxes[row[0]].place.tier
            if tier is not previous and previous is not None:
                y += _PANEL_END
                ends[previous] = y
            self.top[number] = y + _GUTTER / 2
            y += _GUTTER + _TRACK * self._count(number)
            if tier is not previous:
                starts[tier] = y
                y += _HEADING
            for key in row:
                left, width = self.x[key]
                boxes[key] = PlacedBox(key=key, row=number, x=left, y=y, width=width)
            y, previous = y + BOX_HEIGHT, tier
        self.top[len(self.rows)] = y + _GUTTER / 2
        y += _PANEL_END + _TRACK * self._count(len(self.rows))
        if previous is not None:
            ends[previous] = y
        panels = tuple(Panel(tier=t, y=starts[t], height=ends[t] - starts[t]) for t in starts)
        return panels, boxes, y + _TOP

    def _count(self, gutter: int) -> int:
        return 1 + max((track for (_, other), track in self.tracks.items() if other == gutter), default=-1)

    def _route(self, net: _Net, boxes: Mapping[str, PlacedBox]) -> Route:
        level = {g: self.top[g] + _TRACK * self.tracks[net.key, g] for g in self._gutters(net)}
        pieces: list[tuple[float, float, float, float]] = []
        for gutter, y in level.items():
            left, right = self._span(net, gutter)
            if left != right:
                pieces.append((left, y, right, y))
        for source in net.sources:
            gutter, box = self._exit(net, source), boxes[source]
            x = self.ports[net.key, source]
            pieces.append((x, box.y + BOX_HEIGHT if gutter > box.row else box.y, x, level[gutter]))
        if net.key in self.lanes:
            pieces.append(
                (self.lanes[net.key], min(level.values()), self.lanes[net.key], max(level.values()))
            )
        target, x = boxes[net.target], self.ports[net.key, net.target]
        end = target.y if net.is_downward else target.y + BOX_HEIGHT
        pieces.append((x, level[self._entry(net)], x, end))
        return Route(
            target=net.target,
            sources=tuple(net.sources),
            pieces=tuple(pieces),
            head=(x, end),
            is_downward=net.is_downward,
        )


def _spans(row: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Left edge and width of a row's boxes, centred."""
    room = _AREA[1] - _AREA[0]
    width = min(float(_WIDEST), (room - _GAP * (len(row) - 1)) / len(row))
    left = _AREA[0] + (room - width * len(row) - _GAP * (len(row) - 1)) / 2
    return {
        key: (round(left + (width + _GAP) * number, 1), round(width, 1)) for number, key in enumerate(row)
    }


def _packed(spans: Mapping[str, tuple[float, float]]) -> dict[str, int]:
    """The first free line for each span, so that none touches another on its line."""
    lines: list[list[tuple[float, float]]] = []
    found: dict[str, int] = {}
    for key, (start, end) in sorted(spans.items(), key=lambda item: (item[1], item[0])):
        free = [
            number
            for number, taken in enumerate(lines)
            if all(end + 4 < other_start or start > other_end + 4 for other_start, other_end in taken)
        ]
        found[key] = free[0] if free else len(lines)
        if not free:
            lines.append([])
        lines[found[key]].append((start, end))
    return found
