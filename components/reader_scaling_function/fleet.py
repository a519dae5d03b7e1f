"""The readers of a region as they are, and what should change: no calls, so that every case can be tested."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

AVAILABLE = "available"
_STEADY = {AVAILABLE, "storage-optimization", "configuring-enhanced-monitoring"}
_SCALE_IN_MARGIN = 0.9
"""After a removal the rest must be a tenth under the target, or the next minute would bring the reader back."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What holds the number of readers.

    Attributes:
        minimum: Fewest readers, those of the program included.
        maximum: Most readers.
        target_percent: Mean CPU that is aimed at.
        out_cooldown_seconds: Between a change and the next addition.
        in_cooldown_seconds: Between a change and the next removal.
        drain_seconds: Between leaving the record set and deletion.
        stuck_seconds: After which a reader that never came up is given up.
    """

    minimum: int
    maximum: int
    target_percent: float = 70.0
    out_cooldown_seconds: int = 600
    in_cooldown_seconds: int = 1800
    drain_seconds: int = 120
    stuck_seconds: int = 3600


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One reader.

    Attributes:
        identifier: Its name.
        status: RDS' word for its state.
        address: DNS name; none until it has one.
        own: Whether this function made it; others are never touched.
        created: When, in seconds since 1970.
        draining_since: When it left the record set to be deleted; none: it stays.
        arn: Its ARN.
    """

    identifier: str
    status: str
    address: str | None
    own: bool
    created: float
    draining_since: float | None = None
    arn: str = ""

    @property
    def serves(self) -> bool:
        """Whether clients may be sent there."""
        return self.status in _STEADY and self.address is not None and self.draining_since is None

    @property
    def in_flight(self) -> bool:
        """Whether a change of it is under way; the program's own readers may be busy with what they like."""
        return self.own and (self.status not in _STEADY or self.draining_since is not None)


@dataclass(frozen=True, kw_only=True)
class Load:
    """Mean CPU of the readers that serve, in percent; none: not known."""

    now: float | None
    """Over the last minutes: decides additions."""
    lately: float | None
    """Over a longer time: decides removals."""


class Kind(Enum):
    """What can be done."""

    NOTHING = "nothing"
    CREATE = "create"
    DRAIN = "drain"
    KEEP = "keep"
    """Take a draining reader back."""
    DELETE = "delete"


@dataclass(frozen=True, kw_only=True)
class Change:
    """The one thing to do in this run, and why."""

    kind: Kind
    why: str
    identifier: str = ""
    arn: str = ""


def mean_load(series: Mapping[str, Sequence[float]], *, recent: int) -> Load:
    """Mean over readers of their means.

    Args:
        series: CPU in percent a minute by reader, newest first; readers without data do not count.
        recent: Minutes that are "now".
    """
    known = [values for values in series.values() if values]
    if not known:
        return Load(now=None, lately=None)
    return Load(
        now=sum(sum(values[:recent]) / len(values[:recent]) for values in known) / len(known),
        lately=sum(sum(values) / len(values) for values in known) / len(known),
    )


def decide(
    readers: Sequence[Reader], *, load: Load, limits: Limits, prefix: str, last_change: float, now: float
) -> Change:
    """What to do now: at most one change, and none while another is under way.

    Args:
        readers: All readers of the region.
        load: Their load.
        limits: Bounds, target and patience.
        prefix: How identifiers of own readers begin.
        last_change: When the number of readers was changed last, in seconds since 1970.
        now: The time.
    """
    serving = [reader for reader in readers if reader.serves]
    busy = [reader for reader in readers if reader.in_flight]
    if busy:
        return _finish(busy, serving=len(serving), load=load, limits=limits, now=now)
    if len(readers) < limits.minimum:
        # The program's readers are its own business; only the load brings more.
        return _nothing("readers of the program are missing; it makes them")
    if load.now is None or not serving:
        return _nothing("no load is known")
    since = now - last_change
    wanted = math.ceil(len(serving) * load.now / limits.target_percent)
    if wanted <= len(serving):
        return _shrink(serving, load=load, limits=limits, since=since)
    return _grow(readers, load=load.now, limits=limits, prefix=prefix, since=since)


def _grow(readers: Sequence[Reader], *, load: float, limits: Limits, prefix: str, since: float) -> Change:
    if len(readers) >= limits.maximum:
        return _nothing(f"mean cpu {load:.0f}%, and {len(readers)} readers are the most allowed")
    if since < limits.out_cooldown_seconds:
        return _nothing(f"mean cpu {load:.0f}%, cooling down")
    why = f"mean cpu {load:.0f}% is over {limits.target_percent:.0f}%"
    return Change(kind=Kind.CREATE, why=why, identifier=_free_name(readers, prefix))


def _shrink(serving: Sequence[Reader], *, load: Load, limits: Limits, since: float) -> Change:
    own = sorted((reader for reader in serving if reader.own), key=lambda reader: reader.created)
    if not own or len(serving) <= limits.minimum or load.lately is None or load.now is None:
        return _nothing("as it should be")
    rest = len(serving) - 1
    after = max(load.lately, load.now) * len(serving) / rest
    if after >= limits.target_percent * _SCALE_IN_MARGIN:
        return _nothing("as it should be")
    if since < limits.in_cooldown_seconds:
        return _nothing("fewer would do, cooling down")
    why = f"{rest} readers would be at {after:.0f}%"
    return Change(kind=Kind.DRAIN, why=why, identifier=own[-1].identifier, arn=own[-1].arn)


def _finish(busy: Sequence[Reader], *, serving: int, load: Load, limits: Limits, now: float) -> Change:
    """Go on with what is under way."""
    for reader in busy:
        if reader.status == "deleting":
            continue
        if reader.draining_since is not None:
            if load.now is not None and load.now > limits.target_percent and reader.status == AVAILABLE:
                return Change(
                    kind=Kind.KEEP, why="load came back", identifier=reader.identifier, arn=reader.arn
                )
            if now - reader.draining_since >= limits.drain_seconds and serving >= limits.minimum:
                return Change(kind=Kind.DELETE, why="drained", identifier=reader.identifier)
        elif now - reader.created >= limits.stuck_seconds:
            why = f"{reader.status} for over {limits.stuck_seconds // 60} minutes"
            return Change(kind=Kind.DELETE, why=why, identifier=reader.identifier)
    names = ", ".join(f"{reader.identifier} {reader.status}" for reader in busy)
    return _nothing(f"under way: {names}")


def _nothing(why: str) -> Change:
    return Change(kind=Kind.NOTHING, why=why)


def _free_name(readers: Sequence[Reader], prefix: str) -> str:
    """The lowest free number, so that two runs at once ask for one and the same reader."""
    taken = {reader.identifier for reader in readers}
    return next(name for number in range(1, len(taken) + 2) if (name := f"{prefix}{number}") not in taken)
