"""A recovery step by step: what `infra/recovery.py` adds up, with what a drill measured in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from infra import recovery
from infra.drill.measured import Measured
from infra.model.stack import StackSettings
from infra.recovery import Objective, Origin, Part


class Mark(StrEnum):
    """Where a step's time is from."""

    SERVER = "measured"
    """On a real server: PostgreSQL with PgBouncer, or Kubernetes' controllers and scheduler."""
    TOOL = "our tool"
    """Measured too: the operations tool's own work, against a stand-in that answers at once."""
    PUBLISHED = "published"
    """By AWS or Kubernetes."""
    SETTING = "setting"
    """Follows from a setting of ours, which nothing exceeds."""
    ASSUMED = "assumed"
    """Nobody publishes a figure, and nothing here can measure it."""


_MARKS = {
    Origin.SETTING: Mark.SETTING,
    Origin.PUBLISHED: Mark.PUBLISHED,
    Origin.MEASURED: Mark.SERVER,
    Origin.ASSUMED: Mark.ASSUMED,
}
ROWS = ("region-failover", "full-recovery", "database-failover", "service-restart")
"""Objectives that have a timeline, the drill's own first."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One step.

    Attributes:
        what: What it is.
        seconds: How long, at its longest.
        mark: Where the number is from.
        source: The setting, page or measurement.
    """

    what: str
    seconds: float
    mark: Mark
    source: str


@dataclass(frozen=True, kw_only=True)
class Track:
    """One recovery.

    Attributes:
        name: The objective's.
        objective_seconds: What it may be.
        bars: The steps, one after another.
        accepted: Whether the settings accept that it is over.
    """

    name: str
    objective_seconds: float
    bars: tuple[Bar, ...]
    accepted: bool

    @property
    def seconds(self) -> float:
        """All steps, one after another."""
        return sum(bar.seconds for bar in self.bars)

    @property
    def verdict(self) -> str:
        """Whether the sum keeps the objective, in a word or two."""
        if self.seconds <= self.objective_seconds:
            return "met"
        return "over, accepted" if self.accepted else "over"

    def of(self, mark: Mark) -> float:
        """Seconds of the steps with a mark."""
        return sum(bar.seconds for bar in self.bars if bar.mark is mark)


Measurement = Callable[[Part, Measured], Sequence[Bar]]


def tracks(settings: StackSettings, measured: Measured) -> tuple[Track, ...]:
    """Every recovery with a timeline.

    Args:
        settings: Of the stack that recovers.
        measured: A drill.
    """
    found = {row.name: row for row in recovery.objectives(settings)}
    return tuple(
        _track(found[name], measured, accepted=name in settings.recovery.accepted_over) for name in ROWS
    )


def _track(row: Objective, measured: Measured, *, accepted: bool) -> Track:
    bars: list[Bar] = []
    for part in row.parts:
        replaced = MEASURED.get(part.what)
        bars += replaced(part, measured) if replaced else [_as_it_is(part)]
    return Track(name=row.name, objective_seconds=row.objective_seconds, bars=tuple(bars), accepted=accepted)


def _as_it_is(part: Part) -> Bar:
    return Bar(what=part.what, seconds=part.seconds, mark=_MARKS[part.origin], source=part.source)


def _tool(what: str, measured: Measured, *steps: str) -> Bar:
    names = " and ".join(f"`{step}`" for step in steps)
    return Bar(
        what=what,
        seconds=measured.unplugged.seconds(*steps),
        mark=Mark.TOOL,
        source=f"{names} of a failover from a region that takes no connection (tests/times/test_drill.py)",
    )


def _pooler(part: Part, measured: Measured) -> Sequence[Bar]:
    found = measured.postgresql
    promotion = Bar(
        what="PostgreSQL promotes and takes writes",
        seconds=found.promotion_seconds,
        mark=Mark.SERVER,
        source=f"PostgreSQL {found.version} (tests/dataplane/test_failover.py)",
    )
    at_most = replace(
        _as_it_is(part),
        source=f"{part.source}, at the longest; promotion and this together were measured once as "
        f"{found.write_gap_seconds:g} s",
    )
    return (promotion, at_most)


def _placed(what: str, seconds: float, measured: Measured) -> Bar:
    return Bar(
        what=what,
        seconds=seconds,
        mark=Mark.SERVER,
        source=f"Kubernetes {measured.kubernetes.version.removeprefix('v')} (tests/times/test_rescheduling.py)",
    )


def _doubled(measured: Measured) -> Bar:
    return _placed(
        "Kubernetes places twice the pods of every service", measured.kubernetes.doubled_seconds, measured
    )


def _fence(_part: Part, measured: Measured) -> Sequence[Bar]:
    return (
        _tool("the tool looks at all regions, and waits for the lost one", measured, "look"),
        _tool("the tool tries to fence, and gives the lost region up", measured, "fence", "drain"),
    )


def _promote(part: Part, measured: Measured) -> Sequence[Bar]:
    return (_tool("the tool asks for the promotion", measured, "promote"), _as_it_is(part))


def _move(part: Part, measured: Measured) -> Sequence[Bar]:
    return (_tool("the tool moves the writer's name", measured, "move-name"), _as_it_is(part))


def _nodes(part: Part, measured: Measured) -> Sequence[Bar]:
    return (
        _tool("the tool asks for nodes", measured, "scale-up"),
        _as_it_is(part),
        _doubled(measured),
        _tool("the tool verifies that one region takes writes", measured, "verify"),
    )


def _load(part: Part, measured: Measured) -> Sequence[Bar]:
    return (_as_it_is(part), _doubled(measured))


def _pod(part: Part, measured: Measured) -> Sequence[Bar]:
    return (
        _as_it_is(part),
        _placed(
            "Kubernetes replaces a deleted pod: made, placed, told to start",
            measured.kubernetes.pod_seconds,
            measured,
        ),
    )


MEASURED: Mapping[str, Measurement] = {
    "the kubelet notices an ended container and starts it again": _pod,
    "resolvers forget the old answer": _load,
    "poolers ask again for the endpoint": _pooler,
    "poolers ask again": _pooler,
    "the tool checks and fences": _fence,
    "RDS promotes the recovery replica, with its reboot": _promote,
    "Route 53 spreads the moved name": _move,
    "nodes for the other region's load join": _nodes,
}
"""What a drill puts in the place of a part of an objective, by the part's words."""
