"""Step loads on KEDA's and Kubernetes' own autoscalers, against what the policies allow, with all times divided."""

from __future__ import annotations

import itertools
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from infra.cluster.replicas import Limits, Step
from infra.cluster.scaling import behavior as scaling_behavior
from infra.local.cluster.nodes import Size
from infra.local.cluster.testing import Json, LocalCluster, Options, Parts, quick_autoscaler
from infra.model.service import ScalingDirection, ScalingPolicy
from services import CATALOGUE
from tests.cluster.bench import Bench, deployment
from tests.cluster.curves import Course, Simulation, record
from tests.cluster.states import settings_of

FACTOR = 30
"""The largest that divides every window and period of the catalogue."""
EVERY = 0.2
"""Seconds from one look of the autoscaler to the next: a tenth of a divided minute."""
SLACK = 0.3
"""Seconds by which a step may be seen before the model's: one look, and the time of a request."""
NAMES = tuple(service.name for service in CATALOGUE)


@pytest.fixture(scope="module")
def scaling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A cluster with KEDA, whose autoscaler looks often; its replicas belong to nobody else."""
    options = Options(controller_arguments=quick_autoscaler(EVERY))
    with LocalCluster(
        tmp_path_factory.mktemp("scaling"), parts=Parts(control_plane=options, keda=True)
    ) as one:
        yield one


@pytest.fixture(scope="module")
def courses(scaling: LocalCluster) -> Iterator[dict[str, Course]]:
    """All services from their minimum to their maximum and back, on production's nodes at their most."""
    bench = Bench(cluster=scaling, namespace="curves")
    bench.open()
    settings = settings_of("prod")
    bench.add_pools(settings.node_pools, zones=settings.network.zones, size=Size.MAXIMUM)
    simulation = Simulation(bench, services=NAMES, factor=FACTOR)
    simulation.start()
    simulation.rise(seconds=240)
    ready = simulation.ready()
    simulation.fall(seconds=300)
    assert ready == {name: course.limits.max_replicas for name, course in simulation.courses.items()}
    record(simulation.courses.values(), name="divided")
    yield simulation.courses
    bench.close()


def _replicas(steps: Sequence[Step]) -> list[int]:
    return [step.replicas for step in steps]


@pytest.mark.parametrize("name", NAMES)
def test_replicas_rise_by_the_steps_that_the_policies_allow(courses: dict[str, Course], name: str) -> None:
    course = courses[name]

    assert _replicas(course.up) == _replicas(course.allowed_up(seconds=120, every=EVERY))


@pytest.mark.parametrize("name", NAMES)
def test_replicas_fall_by_the_steps_that_the_policies_allow(courses: dict[str, Course], name: str) -> None:
    course = courses[name]

    assert _replicas(course.down) == _replicas(course.allowed_down(seconds=120, every=EVERY))


@pytest.mark.parametrize("name", NAMES)
def test_no_step_comes_before_its_time(courses: dict[str, Course], name: str) -> None:
    course = courses[name]
    ways = (
        (course.up, course.allowed_up(seconds=120, every=EVERY)),
        (course.down, course.allowed_down(seconds=120, every=EVERY)),
    )

    for seen, allowed in ways:
        early = [(s.at, a.at, s.replicas) for s, a in zip(seen, allowed, strict=True) if s.at < a.at - SLACK]
        assert not early


@pytest.mark.parametrize("name", NAMES)
def test_enough_pods_are_wanted_about_as_soon_as_the_policies_permit(
    courses: dict[str, Course], name: str
) -> None:
    """A busy machine adds to each look; the real times have the narrow bound (`tests/times`)."""
    course = courses[name]
    permitted = course.allowed_up(seconds=120, every=EVERY)[-1].at
    ratio = course.up[-1].at / permitted

    print(f"{name}: {course.up[-1].at:.1f} s, permitted {permitted:.1f} s, ratio {ratio:.3f}")
    assert ratio < 1.5


@dataclass(frozen=True, kw_only=True)
class _Random:
    """An autoscaler of random settings, and what was seen of it."""

    name: str
    limits: Limits
    seen: list[Step] = field(default_factory=list[Step])


def test_under_random_loads_replicas_stay_in_bounds_and_never_outrun_the_policies(
    scaling: LocalCluster, courses: dict[str, Course]
) -> None:
    """What the model's properties say for any load, on the real controller for a few; the seed is in the report."""
    assert courses
    assert scaling.source is not None
    seed = time.time_ns() % 1_000_000
    print(f"seed {seed}")
    chance = random.Random(seed)  # noqa: S311 - loads, not secrets
    bench = Bench(cluster=scaling, namespace="random")
    bench.open()
    bench.add_nodes(8)
    cases = [_Random(name=f"case-{number}", limits=_any_limits(chance)) for number in range(5)]
    for case in cases:
        target = deployment(case.name, cpu="10m")
        del target["spec"]["replicas"]
        bench.apply(target)
        scaling.source.values[case.name] = float(case.limits.min_replicas)
        bench.apply(_scaled_object_of(case, scaling.source.address))
    bench.until_running(sum(case.limits.min_replicas for case in cases))
    changes, now = [0.0] * len(cases), 0.0
    started = time.monotonic()
    while (now := time.monotonic() - started) < 30:
        for number, case in enumerate(cases):
            if now >= changes[number]:
                scaling.source.values[case.name] = float(chance.randint(0, 2 * case.limits.max_replicas))
                changes[number] = now + chance.uniform(0.3, 4)
        found = scaling.client.list("apps/v1", "Deployment", namespace="random")
        replicas = {item["metadata"]["name"]: item["spec"]["replicas"] for item in found}
        at = time.monotonic() - started
        for case in cases:
            case.seen.append(Step(at, replicas[case.name]))
        time.sleep(0.05)
    bench.close()

    for case in cases:
        low, high = case.limits.min_replicas, case.limits.max_replicas
        assert all(low <= step.replicas <= high for step in case.seen)
        assert len({step.replicas for step in case.seen}) > 1, "nothing moved, so nothing was proven"
        assert not list(_too_fast(case))


def _any_limits(chance: random.Random) -> Limits:
    def direction() -> ScalingDirection:
        return ScalingDirection(
            stabilization_window_seconds=chance.randint(0, 2),
            policies=tuple(
                ScalingPolicy(
                    type=chance.choice(("Pods", "Percent")),
                    value=chance.randint(1, 60),
                    period_seconds=chance.randint(1, 6),
                )
                for _ in range(chance.randint(1, 3))
            ),
        )

    low = chance.randint(1, 5)
    return Limits(
        min_replicas=low,
        max_replicas=low + chance.randint(5, 40),
        scale_up=direction(),
        scale_down=direction(),
    )


def _scaled_object_of(case: _Random, address: str) -> Json:
    behavior = scaling_behavior(scale_up=case.limits.scale_up, scale_down=case.limits.scale_down)
    metadata = {"serverAddress": address, "query": case.name, "threshold": "1"}
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": case.name},
        "spec": {
            "scaleTargetRef": {"name": case.name},
            "minReplicaCount": case.limits.min_replicas,
            "maxReplicaCount": case.limits.max_replicas,
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": behavior}},
            "triggers": [{"type": "prometheus", "metricType": "AverageValue", "metadata": metadata}],
        },
    }


def _too_fast(case: _Random) -> Iterator[str]:
    """Steps that no policy allows, whatever was the count at its period's start, give or take a look."""
    for before, step in itertools.pairwise(case.seen):
        up = step.replicas > before.replicas
        if step.replicas == before.replicas:
            continue
        policies = (case.limits.scale_up if up else case.limits.scale_down).policies
        allowed = [
            _applied(policy, start, up=up)
            for policy in policies
            for start in _counts(case.seen, step.at - policy.period_seconds)
        ]
        if step.replicas > max(allowed) if up else step.replicas < min(allowed):
            yield f"{case.name} at {step.at:.2f}: {before.replicas} to {step.replicas}, allowed {sorted(allowed)}"


def _counts(seen: Sequence[Step], at: float) -> list[int]:
    near = [step.replicas for step in seen if abs(step.at - at) <= 2 * SLACK]
    return near or [seen[0].replicas]


def _applied(policy: ScalingPolicy, start: int, *, up: bool) -> int:
    share = policy.value if policy.type == "Pods" else start * policy.value / 100
    return math.ceil(start + share) if up else math.floor(start - share)


def test_each_scaled_object_became_an_hpa_of_the_specification_s_name(
    scaling: LocalCluster, courses: dict[str, Course]
) -> None:
    found = scaling.client.list("autoscaling/v2", "HorizontalPodAutoscaler", namespace="curves")

    assert {item["metadata"]["name"] for item in found} == {f"{name}-service-hpa" for name in courses}
    assert all(item["metadata"]["ownerReferences"][0]["kind"] == "ScaledObject" for item in found)


def test_what_a_scaled_object_says_is_what_its_hpa_does(
    scaling: LocalCluster, courses: dict[str, Course]
) -> None:
    for name, course in courses.items():
        hpa = scaling.client.get(
            "autoscaling/v2", "HorizontalPodAutoscaler", f"{name}-service-hpa", namespace="curves"
        )
        assert hpa is not None
        spec = hpa["spec"]
        assert (spec["minReplicas"], spec["maxReplicas"]) == (
            course.limits.min_replicas,
            course.limits.max_replicas,
        )
        up = spec["behavior"]["scaleUp"]
        assert up["stabilizationWindowSeconds"] == course.limits.scale_up.stabilization_window_seconds
        assert len(up["policies"]) == len(course.limits.scale_up.policies)


def test_external_metrics_come_through_keda_s_own_server(scaling: LocalCluster) -> None:
    service = scaling.client.get("apiregistration.k8s.io/v1", "APIService", "v1beta1.external.metrics.k8s.io")

    assert service is not None
    assert service["spec"]["service"]["namespace"] == "keda"
    assert scaling.source is not None
    assert any("http_server_requests_total" in query for query in scaling.source.asked)
