"""Step loads on KEDA's and Kubernetes' own autoscalers, against what the policies allow, with all times divided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from infra.cluster.replicas import Step
from infra.local.cluster.nodes import Size
from infra.local.cluster.testing import LocalCluster, Options, Parts, quick_autoscaler
from services import CATALOGUE
from tests.cluster.bench import Bench
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
