"""The specification's windows and periods undivided: a quarter of an hour that costs next to no cpu."""

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

EVERY = 1.0
"""Seconds from one look of the autoscaler to the next."""
RISE, FALL = 315.0, 420.0
"""Seconds with all load and without; no policy allows a step within ten seconds of their ends."""
MOST = 1.05
"""Time until enough pods are wanted, over the least that the policies permit."""
NAMES = tuple(service.name for service in CATALOGUE)


@pytest.fixture(scope="module")
def courses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Course]]:
    options = Options(controller_arguments=quick_autoscaler(EVERY))
    parts = Parts(control_plane=options, keda=True)
    with LocalCluster(tmp_path_factory.mktemp("times"), parts=parts) as cluster:
        bench = Bench(cluster=cluster, namespace="times")
        bench.open()
        settings = settings_of("prod")
        bench.add_pools(settings.node_pools, zones=settings.network.zones, size=Size.MAXIMUM)
        simulation = Simulation(bench, services=NAMES, factor=1, look_seconds=0.5)
        simulation.start()
        simulation.rise(seconds=RISE, to_the_top=False)
        simulation.ready()
        simulation.fall(seconds=FALL, to_the_ground=False)
        record(simulation.courses.values(), name="real")
        yield simulation.courses


def _replicas(steps: Sequence[Step]) -> list[int]:
    return [step.replicas for step in steps]


@pytest.mark.parametrize("name", NAMES)
def test_replicas_rise_as_the_policies_allow(courses: dict[str, Course], name: str) -> None:
    course = courses[name]
    allowed = course.allowed_up(seconds=RISE, every=EVERY)

    assert _replicas(course.up) == _replicas(allowed)
    assert all(seen.at >= step.at - 2 * EVERY for seen, step in zip(course.up, allowed, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_replicas_fall_as_the_policies_allow(courses: dict[str, Course], name: str) -> None:
    course = courses[name]
    allowed = course.allowed_down(seconds=FALL, every=EVERY)

    assert len(allowed) > 1
    assert _replicas(course.down) == _replicas(allowed)
    assert all(seen.at >= step.at - 2 * EVERY for seen, step in zip(course.down, allowed, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_enough_pods_are_wanted_as_soon_as_the_policies_permit(courses: dict[str, Course], name: str) -> None:
    course = courses[name]
    permitted = course.allowed_up(seconds=RISE, every=EVERY)[-1]
    ratio = course.up[-1].at / permitted.at

    print(
        f"{name}: {permitted.replicas} after {course.up[-1].at:.1f} s, permitted {permitted.at:.0f} s: {ratio:.3f}"
    )
    assert ratio <= MOST
