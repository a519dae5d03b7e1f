"""The arithmetic of windows and policies: the specification's curves, and what holds for any load."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.cluster.replicas import Autoscaler, Limits, curve, limits_of, seconds_to, wanted_by
from infra.model.service import ScalingDirection, ScalingPolicy
from services import CATALOGUE

BY_NAME = {service.name: service for service in CATALOGUE}
LONG = 2000


def rise(name: str) -> list[tuple[float, int]]:
    limits = limits_of(BY_NAME[name])
    steps = curve(limits, start=limits.min_replicas, wanted=lambda _: 1000, seconds=LONG)
    return [(step.at, step.replicas) for step in steps]


def fall(name: str) -> list[tuple[float, int]]:
    limits = limits_of(BY_NAME[name])
    steps = curve(limits, start=limits.max_replicas, wanted=lambda _: 1, seconds=LONG)
    return [(step.at, step.replicas) for step in steps]


def test_auth_doubles_every_minute_after_its_window() -> None:
    assert rise("auth") == [(0, 3), (60, 6), (120, 12), (180, 24), (240, 48), (300, 50)]


def test_auth_halves_every_five_minutes_after_its_window() -> None:
    assert fall("auth") == [(0, 50), (300, 25), (600, 12), (900, 6), (1200, 3)]


def test_parking_adds_four_pods_a_minute_after_half_a_minute() -> None:
    steps = rise("parking")

    assert steps[:3] == [(0, 5), (30, 9), (90, 13)]
    assert steps[-1] == (30 + 23 * 60, 100)


def test_parking_gives_a_quarter_back_every_three_minutes() -> None:
    assert [replicas for _, replicas in fall("parking")] == [100, 75, 56, 42, 31, 23, 17, 12, 9, 6, 5]
    assert [at for at, _ in fall("parking")][1:] == [180 * number for number in range(1, 11)]


def test_payment_follows_the_widest_of_its_triggers_steps() -> None:
    # 3 pods each 30 s, without a window: the cooldowns space the steps.
    assert rise("payment") == [(0, 3), *((30 * number, 6 + 3 * number) for number in range(9))]


def test_what_is_wanted_for_a_moment_moves_nothing() -> None:
    limits = limits_of(BY_NAME["auth"])
    peak = curve(limits, start=3, wanted=lambda now: 50 if now < 59 else 3, seconds=LONG)

    assert len(peak) == 1


def test_within_the_tolerance_nothing_is_wanted() -> None:
    assert wanted_by(load=5000, target=100, replicas=48) == 48
    assert wanted_by(load=5400, target=100, replicas=48) == 54
    assert wanted_by(load=300, target=100, replicas=48) == 3


def test_a_factor_divides_the_curve() -> None:
    limits = limits_of(BY_NAME["parking"])
    real = curve(limits, start=5, wanted=lambda _: 100, seconds=LONG)
    quick = curve(limits.faster(30), start=5, wanted=lambda _: 100, seconds=LONG / 30, every=1 / 30)

    assert [step.replicas for step in quick] == [step.replicas for step in real]
    assert seconds_to(quick, 100) * 30 == pytest.approx(seconds_to(real, 100), rel=0.01)


def test_a_factor_that_would_change_the_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="60 does not divide"):
        limits_of(BY_NAME["parking"]).faster(60)


def test_what_a_curve_never_reaches_is_told() -> None:
    with pytest.raises(ValueError, match="51 replicas are never reached"):
        seconds_to(curve(limits_of(BY_NAME["auth"]), start=3, wanted=lambda _: 50, seconds=10), 51)


def test_from_outside_its_bounds_it_jumps_to_the_nearer() -> None:
    limits = limits_of(BY_NAME["auth"])

    assert Autoscaler(limits=limits, replicas=80).look(now=0, wanted=80) == 50
    assert Autoscaler(limits=limits, replicas=1).look(now=0, wanted=1) == 3


# Properties


@st.composite
def policies(draw: st.DrawFn) -> ScalingPolicy:
    kind, value, period = draw(
        st.tuples(st.sampled_from(("Pods", "Percent")), st.integers(1, 100), st.integers(1, 60))
    )
    return ScalingPolicy(type="Pods" if kind == "Pods" else "Percent", value=value, period_seconds=period)


@st.composite
def directions(draw: st.DrawFn) -> ScalingDirection:
    return ScalingDirection(
        stabilization_window_seconds=draw(st.integers(0, 60)),
        policies=tuple(draw(st.lists(policies(), min_size=1, max_size=3))),
    )


@st.composite
def any_limits(draw: st.DrawFn) -> Limits:
    low = draw(st.integers(1, 20))
    return Limits(
        min_replicas=low,
        max_replicas=draw(st.integers(low, 100)),
        scale_up=draw(directions()),
        scale_down=draw(directions()),
    )


LOADS = st.lists(st.tuples(st.floats(0.1, 20), st.integers(0, 200)), min_size=1, max_size=80)


def run(limits: Limits, loads: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """Replicas after each look; looks are at any distance."""
    autoscaler = Autoscaler(limits=limits, replicas=limits.min_replicas)
    now, seen = 0.0, [(0.0, limits.min_replicas)]
    for pause, wanted in loads:
        now += pause
        seen.append((now, autoscaler.look(now=now, wanted=wanted)))
    return seen


def _at(seen: list[tuple[float, int]], time: float) -> int:
    return [replicas for at, replicas in seen if at <= time or at == 0.0][-1]


@settings(max_examples=150, deadline=None)
@given(any_limits(), LOADS)
def test_replicas_never_leave_their_bounds(limits: Limits, loads: list[tuple[float, int]]) -> None:
    assert all(limits.min_replicas <= replicas <= limits.max_replicas for _, replicas in run(limits, loads))


@settings(max_examples=150, deadline=None)
@given(any_limits(), LOADS)
def test_no_step_is_wider_than_the_widest_policy(limits: Limits, loads: list[tuple[float, int]]) -> None:
    """Looked at from outside: the count a period ago, as it was seen, and what a policy makes of it."""
    seen = run(limits, loads)
    for (_, before), (now, after) in itertools.pairwise(seen):
        if after > before:
            assert after <= max(
                _up(policy, _at(seen, now - policy.period_seconds)) for policy in limits.scale_up.policies
            )
        if after < before:
            least = min(
                _down(policy, _at(seen, now - policy.period_seconds)) for policy in limits.scale_down.policies
            )
            assert after >= least


def _up(policy: ScalingPolicy, start: int) -> float:
    return (
        start + policy.value
        if policy.type == "Pods"
        else math.ceil(round(start * (1 + policy.value / 100), 6))
    )


def _down(policy: ScalingPolicy, start: int) -> float:
    return (
        start - policy.value
        if policy.type == "Pods"
        else math.floor(round(start * (1 - policy.value / 100), 6))
    )


@settings(max_examples=150, deadline=None)
@given(any_limits(), LOADS)
def test_nothing_moves_against_what_was_wanted_all_along(
    limits: Limits, loads: list[tuple[float, int]]
) -> None:
    """Up only past what every look in the window wanted, and down the same."""
    seen = run(limits, loads)
    looks = [(at, wanted) for (at, _), (_, wanted) in zip(seen[1:], loads, strict=True)]
    for (_, before), (now, after) in itertools.pairwise(seen):
        if after > before:
            window = limits.scale_up.stabilization_window_seconds
            assert all(wanted >= after for at, wanted in looks if now - window < at <= now)
        if after < before:
            window = limits.scale_down.stabilization_window_seconds
            assert all(wanted <= after for at, wanted in looks if now - window < at <= now) or (
                after == limits.min_replicas
            )
