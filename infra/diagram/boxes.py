"""From resources to boxes and arrows: components merged by place, their dependencies added up and thinned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infra.diagram.graph import Graph, Resource
from infra.diagram.places import TIERS, Place, Tier, place_of


@dataclass(frozen=True, kw_only=True)
class Box:
    """A part of the architecture.

    Attributes:
        place: Its heading and tier.
        components: Type and name of the outermost components in it, sorted.
        resources: How many resources it holds that a provider answers for.
        needs: Keys of the boxes whose resources its resources depend on.
    """

    place: Place
    components: tuple[str, ...]
    resources: int
    needs: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What is drawn.

    Attributes:
        boxes: By key, in the order of tiers, then of titles.
        arrows: From a box to one that it needs; the ground has none, since nearly everything needs it.
    """

    boxes: Mapping[str, Box]
    arrows: tuple[tuple[str, str], ...]

    def needed_by(self, key: str) -> int:
        """How many other boxes need this one, whether or not an arrow says so."""
        return sum(key in box.needs for box in self.boxes.values())


def picture(graph: Graph) -> Picture:
    """Merge a stack's resources into boxes and arrows.

    Args:
        graph: All resources of the stack.
    """
    places: dict[str, Place] = {}
    for urn in graph.resources:
        component = graph.outermost(urn)
        if component is not None:
            places[urn] = place_of(component)
    members: dict[str, list[Resource]] = {}
    for urn, place in places.items():
        members.setdefault(place.key, []).append(graph.resources[urn])
    boxes = [_box(key, found, graph=graph, places=places) for key, found in members.items()]
    boxes.sort(key=lambda box: (TIERS.index(box.place.tier), box.place.title))
    by_key = {box.place.key: box for box in boxes}
    return Picture(boxes=by_key, arrows=_thinned(by_key))


def _box(key: str, members: list[Resource], *, graph: Graph, places: Mapping[str, Place]) -> Box:
    components = {graph.outermost(member.urn) for member in members}
    needs = {places[urn].key for member in members for urn in member.dependencies if urn in places}
    return Box(
        place=places[members[0].urn],
        components=tuple(
            sorted(f"{c.type.rpartition(':')[2]} {c.name}" for c in components if c is not None)
        ),
        resources=sum(is_held(member) for member in members),
        needs=frozenset(needs - {key}),
    )


def is_held(resource: Resource) -> bool:
    """Whether a provider answers for it: no component, no provider, not the stack itself."""
    return not (resource.is_component or resource.type.startswith(("pulumi:", "eks:index:")))


def _thinned(boxes: Mapping[str, Box]) -> tuple[tuple[str, str], ...]:
    """The needs as arrows, without those that a longer way through one of both ends' tiers already shows."""
    upper = {key: box for key, box in boxes.items() if box.place.tier is not Tier.GROUND}
    arrows = [(key, needed) for key, box in upper.items() for needed in sorted(box.needs & set(upper))]
    return tuple(arrow for arrow in arrows if not _is_shown_by_a_longer_way(arrow, upper))


def _is_shown_by_a_longer_way(arrow: tuple[str, str], boxes: Mapping[str, Box]) -> bool:
    start, end = arrow
    tiers = {boxes[start].place.tier, boxes[end].place.tier}
    for middle in boxes[start].needs & set(boxes):
        is_between = middle not in arrow and boxes[middle].place.tier in tiers
        # Two boxes that need each other show both arrows, or neither would be left.
        if is_between and start not in _reach(middle, boxes) and end in _reach(middle, boxes):
            return True
    return False


def _reach(key: str, boxes: Mapping[str, Box]) -> set[str]:
    """Every box that one needs, by however many steps."""
    found: set[str] = set()
    queue = [key]
    while queue:
        for needed in boxes[queue.pop()].needs & set(boxes):
            if needed not in found:
                found.add(needed)
                queue.append(needed)
    return found
