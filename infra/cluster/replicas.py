"""How an HPA moves replicas: Kubernetes' arithmetic of windows and policies, pure.

Written after the documented behavior of `autoscaling/v2`: a window holds back towards the most cautious recommendation
in it, and a policy bounds the change within its period, counted from the replicas at the period's start. The tests
compare it with the real controller.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from infra.cluster import scaling
from infra.model.service import ScalingDirection, ScalingPolicy, Service

TOLERANCE = Fraction(1, 10)
"""Share by which a metric may miss its target before anything moves (the controller's default)."""

_JUST_BEFORE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds and behavior of an autoscaler.

    Attributes:
        min_replicas: Fewest.
        max_replicas: Most.
        scale_up: Window and policies upwards; the widest policy applies.
        scale_down: Window and policies downwards; the widest policy applies.
    """

    min_replicas: int
    max_replicas: int
    scale_up: ScalingDirection
    scale_down: ScalingDirection

    def faster(self, factor: int) -> Limits:
        """The same with all windows and periods divided.

        Raises:
            ValueError: When one of them is no multiple of the factor, for it would change the shape.
        """
        return Limits(
            min_replicas=self.min_replicas,
            max_replicas=self.max_replicas,
            scale_up=_divided(self.scale_up, factor),
            scale_down=_divided(self.scale_down, factor),
        )


@dataclass(frozen=True)
class Change:
    """At a time, so many replicas more or fewer."""

    at: float
    by: int


@dataclass(frozen=True)
class Step:
    """From a time on, so many replicas."""

    at: float
    replicas: int


@dataclass(kw_only=True)
class Autoscaler:
    """One HPA from one look at its metrics to the next.

    Attributes:
        limits: Bounds and behavior.
        replicas: Replicas now.
    """

    limits: Limits
    replicas: int
    _recommended: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    _changes: list[Change] = field(default_factory=list[Change])

    def look(self, *, now: float, wanted: int) -> int:
        """Look at the metrics once and return the replicas from then on.

        Args:
            now: Seconds; never less than at the last look.
            wanted: What the metrics ask for (`wanted_by`), without bounds.
        """
        held = self._held_back(now, wanted)
        limits = self.limits
        if not limits.min_replicas <= self.replicas <= limits.max_replicas:
            # From outside its bounds an HPA jumps to the nearer one, whatever the policies.
            moved = min(max(self.replicas, limits.min_replicas), limits.max_replicas)
        else:
            moved = self._bounded(now, held)
        if moved != self.replicas:
            self._changes.append(Change(now, moved - self.replicas))
        self.replicas = moved
        return moved

    def _held_back(self, now: float, wanted: int) -> int:
        up, down = self.limits.scale_up, self.limits.scale_down
        self._recommended.append((now, wanted))
        lowest = min(self._within(now, up.stabilization_window_seconds), default=wanted)
        highest = max(self._within(now, down.stabilization_window_seconds), default=wanted)
        lowest, highest = min(lowest, wanted), max(highest, wanted)
        longest = max(up.stabilization_window_seconds, down.stabilization_window_seconds)
        self._recommended = [item for item in self._recommended if item[0] > now - longest]
        return min(max(self.replicas, lowest), highest)

    def _within(self, now: float, seconds: float) -> list[int]:
        return [replicas for at, replicas in self._recommended if at > now - seconds]

    def _bounded(self, now: float, wanted: int) -> int:
        limits = self.limits
        if wanted > self.replicas:
            most = max(self._highest(now, policy) for policy in limits.scale_up.policies)
            return min(wanted, max(most, self.replicas), limits.max_replicas)
        if wanted < self.replicas:
            least = min(self._lowest(now, policy) for policy in limits.scale_down.policies)
            return max(wanted, min(least, self.replicas), limits.min_replicas)
        return wanted

    def _at_start(self, now: float, seconds: float) -> int:
        """Replicas when a period that ends now began."""
        return self.replicas - sum(change.by for change in self._changes if change.at > now - seconds)

    def _highest(self, now: float, policy: ScalingPolicy) -> int:
        start = self._at_start(now, policy.period_seconds)
        if policy.type == "Pods":
            return start + policy.value
        return math.ceil(start * (1 + Fraction(policy.value, 100)))

    def _lowest(self, now: float, policy: ScalingPolicy) -> int:
        start = self._at_start(now, policy.period_seconds)
        if policy.type == "Pods":
            return start - policy.value
        return math.trunc(start * (1 - Fraction(policy.value, 100)))


def limits_of(service: Service) -> Limits:
    """What an autoscaler of the service may do; where triggers say the steps, theirs.

    Raises:
        ValueError: When neither policies nor triggers say how fast it may grow.
    """
    own = service.scaling
    steps = scaling.step_policies(scaling.parse(scaling.render(own.triggers))) if own.triggers else None
    up = steps or own.scale_up
    if up is None:
        raise ValueError(f"{service.workload_name}: neither scaleUp nor triggers say how fast it may grow")
    return Limits(
        min_replicas=own.min_replicas,
        max_replicas=own.max_replicas,
        scale_up=up,
        scale_down=own.scale_down,
    )


def wanted_by(*, load: float, target: float, replicas: int) -> int:
    """Replicas that a metric asks for: the load over the target of a pod, or none more within the tolerance.

    Args:
        load: The metric over all pods.
        target: What one pod may have of it.
        replicas: Replicas now.
    """
    ratio = load / (target * replicas)
    if abs(ratio - 1) <= TOLERANCE:
        return replicas
    return math.ceil(load / target)


def curve(
    limits: Limits, *, start: int, wanted: Callable[[float], int], seconds: float, every: float = 1.0
) -> tuple[Step, ...]:
    """Replicas over time as the policies allow them: a step for each change, the first at nought.

    The last look before nought is just before it. Were it up to `every` seconds earlier, a window would end that much
    earlier.

    Args:
        limits: Bounds and behavior.
        start: Replicas at nought, for long wanted.
        wanted: What the metrics ask for at a time.
        seconds: How long.
        every: Seconds from one look to the next; 15 on EKS' standard control plane.
    """
    autoscaler = Autoscaler(limits=limits, replicas=start)
    autoscaler.look(now=-_JUST_BEFORE, wanted=start)
    steps = [Step(0.0, start)]
    for number in range(math.floor(seconds / every) + 1):
        now = number * every
        replicas = autoscaler.look(now=now, wanted=wanted(now))
        if replicas != steps[-1].replicas:
            steps.append(Step(now, replicas))
    return tuple(steps)


def seconds_to(steps: Sequence[Step], replicas: int, *, after: float = 0.0) -> float:
    """When a curve reaches a number of replicas, in seconds after a time.

    Raises:
        ValueError: When it never does.
    """
    for step in steps:
        if step.at >= after and step.replicas == replicas:
            return step.at - after
    raise ValueError(f"{replicas} replicas are never reached: {[(s.at, s.replicas) for s in steps]}")


def _divided(direction: ScalingDirection, factor: int) -> ScalingDirection:
    times = [
        direction.stabilization_window_seconds,
        *(policy.period_seconds for policy in direction.policies),
    ]
    if any(time % factor for time in times):
        raise ValueError(f"{factor} does not divide all of {times} s")
    return ScalingDirection(
        stabilization_window_seconds=direction.stabilization_window_seconds // factor,
        policies=tuple(
            policy.model_copy(update={"period_seconds": policy.period_seconds // factor})
            for policy in direction.policies
        ),
    )
