"""Simulated load on the program's own ScaledObjects: the real autoscaler's replicas beside what policies allow.

Each service gets all the load that its maximum could serve, and more, from one moment to the next; later none.
"""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from infra.cluster.replicas import Limits, Step, curve
from infra.local.cluster.testing import Json, LocalCluster, MetricSource, Usage, waiting
from infra.model.service import ScalingDirection, ScalingPolicy, Service
from services import CATALOGUE
from tests.cluster.bench import Bench, deployment, summary
from tests.unit.components.test_autoscaling import SCALED_OBJECT, built

LOOK_SECONDS = 0.05
"""From one look at the replicas to the next; the cost of a curve's precision."""
BY_NAME = {service.name: service for service in CATALOGUE}
PEAK = 3.0
"""Load over what the maximum of pods may have: clear of the tolerance."""
RECORDED = "PARKING_CURVES"
"""Environment variable with the folder that curves are written to; without it nowhere."""


def scaled_object(service: Service) -> Json:
    """The ScaledObject that the program makes for a service."""
    inputs = built(service).recorder.one(SCALED_OBJECT).inputs
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": inputs["metadata"]["name"]},
        "spec": _whole(inputs["spec"]),
    }


def _whole(value: Any) -> Any:
    """Numbers as they were meant: the engine's protocol has floats only."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in cast("Json", value).items()}
    if isinstance(value, list):
        return [_whole(item) for item in cast("list[Any]", value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def behavior_of(item: Json) -> Json:
    return item["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]


def limits_of(item: Json) -> Limits:
    """What a ScaledObject says, for the model."""
    spec, behavior = item["spec"], behavior_of(item)
    return Limits(
        min_replicas=spec["minReplicaCount"],
        max_replicas=spec["maxReplicaCount"],
        scale_up=_direction(behavior["scaleUp"]),
        scale_down=_direction(behavior["scaleDown"]),
    )


def _direction(said: Json) -> ScalingDirection:
    return ScalingDirection(
        stabilization_window_seconds=said["stabilizationWindowSeconds"],
        policies=tuple(
            ScalingPolicy(type=policy["type"], value=policy["value"], period_seconds=policy["periodSeconds"])
            for policy in said["policies"]
        ),
    )


def here(item: Json, *, factor: int, address: str) -> Json:
    """A ScaledObject as this machine can run it: times divided, Prometheus elsewhere, lags without brokers."""
    changed = copy.deepcopy(item)
    for direction in behavior_of(changed).values():
        direction["stabilizationWindowSeconds"] //= factor
        for policy in direction["policies"]:
            policy["periodSeconds"] //= factor
    changed["spec"]["triggers"] = [_trigger_here(trigger, address) for trigger in changed["spec"]["triggers"]]
    return changed


def _trigger_here(trigger: Json, address: str) -> Json:
    if trigger["type"] == "prometheus":
        return {**trigger, "metadata": {**trigger["metadata"], "serverAddress": address}}
    if trigger["type"] == "apache-kafka":
        metadata = {"serverAddress": address, "query": f"lag of {trigger['metadata']['consumerGroup']}"}
        threshold = {"threshold": trigger["metadata"]["lagThreshold"]}
        kept = {key: value for key, value in trigger.items() if key != "authenticationRef"}
        return {**kept, "type": "prometheus", "metadata": {**metadata, **threshold}}
    return trigger


@dataclass(kw_only=True)
class Load:
    """What the metrics of one service say, as one number: its load over what its minimum of pods may have."""

    item: Json
    source: MetricSource

    def be(self, load: float) -> None:
        """Let every metric of the service that has a source say so much.

        Args:
            load: Pods' worth of load; a metric that is compared as it is becomes that multiple of its threshold.
        """
        for trigger in self.item["spec"]["triggers"]:
            metadata = trigger["metadata"]
            if "query" in metadata and metadata.get("ignoreNullValues") != "true":
                self.source.values[metadata["query"]] = float(metadata["threshold"]) * (
                    load if trigger["metricType"] == "AverageValue" else self._ratio(load)
                )

    def _ratio(self, load: float) -> float:
        """At rest a metric of the whole service stands just at its threshold, at which nothing moves."""
        low = self.item["spec"]["minReplicaCount"]
        return 1.0 if load == low else load / low


@dataclass(kw_only=True)
class Course:
    """One service's way up and down.

    Attributes:
        service: Its short name.
        limits: Bounds and behavior as they were applied.
        factor: By which the specification's times are divided.
        up: Replicas from the moment of the load on.
        down: Replicas from the moment without load on.
    """

    service: str
    limits: Limits
    factor: int
    up: list[Step] = field(default_factory=list[Step])
    down: list[Step] = field(default_factory=list[Step])

    def allowed_up(self, *, seconds: float, every: float) -> tuple[Step, ...]:
        """What the policies allow on the way up."""
        return curve(
            self.limits, start=self.up[0].replicas, wanted=lambda _: 10_000, seconds=seconds, every=every
        )

    def allowed_down(self, *, seconds: float, every: float) -> tuple[Step, ...]:
        """What the policies allow on the way down."""
        return curve(
            self.limits, start=self.down[0].replicas, wanted=lambda _: 0, seconds=seconds, every=every
        )


class Simulation:
    """Applies services and their ScaledObjects, and moves their load.

    Args:
        bench: A namespace in a cluster with KEDA.
        services: Short names.
        factor: By which windows and periods are divided.
        look_seconds: From one look at the replicas to the next.
    """

    def __init__(
        self, bench: Bench, *, services: Sequence[str], factor: int, look_seconds: float = LOOK_SECONDS
    ) -> None:
        cluster = bench.cluster
        assert cluster.source is not None
        assert cluster.metrics is not None
        self._bench, self._source, self._look_seconds = bench, cluster.source, look_seconds
        cluster.metrics.usage = _next_to_nothing
        self._items = {
            name: here(scaled_object(BY_NAME[name]), factor=factor, address=cluster.source.address)
            for name in services
        }
        self.courses = {
            name: Course(service=name, limits=limits_of(item), factor=factor)
            for name, item in self._items.items()
        }

    @property
    def cluster(self) -> LocalCluster:
        """Where it runs."""
        return self._bench.cluster

    def start(self) -> None:
        """Bring every service to its minimum, for longer than the longest window upwards."""
        for name, item in self._items.items():
            own = BY_NAME[name]
            resources = own.resources
            target = deployment(own.workload_name, cpu=resources.cpu_request, memory=resources.memory_request)
            del target["spec"]["replicas"]
            self._bench.apply(target)
            Load(item=item, source=self._source).be(item["spec"]["minReplicaCount"])
            self._bench.apply(item)
        self._until_at(
            {name: course.limits.min_replicas for name, course in self.courses.items()}, seconds=180
        )
        # From here on the last low recommendation is the newest.
        time.sleep(max(c.limits.scale_up.stabilization_window_seconds for c in self.courses.values()) + 1)

    def rise(self, *, seconds: float, to_the_top: bool = True) -> None:
        """Let all load come at once and follow the replicas."""
        for name, course in self.courses.items():
            Load(item=self._items[name], source=self._source).be(PEAK * course.limits.max_replicas)
        tops = {name: course.limits.max_replicas for name, course in self.courses.items()}
        self._follow(
            {name: course.up for name, course in self.courses.items()}, tops if to_the_top else {}, seconds
        )

    def fall(self, *, seconds: float, to_the_ground: bool = True) -> None:
        """Let all load go at once and follow the replicas."""
        for item in self._items.values():
            Load(item=item, source=self._source).be(0.0)
        ground = {name: course.limits.min_replicas for name, course in self.courses.items()}
        courses = {name: course.down for name, course in self.courses.items()}
        self._follow(courses, ground if to_the_ground else {}, seconds)

    def ready(self, seconds: float = 120) -> dict[str, int]:
        """Ready pods of each service, once as many are ready as are wanted."""
        wanted = self._replicas()
        self._bench.until_running(sum(wanted.values()), seconds=seconds)
        return wanted

    def _replicas(self) -> dict[str, int]:
        found = self.cluster.client.list("apps/v1", "Deployment", namespace=self._bench.namespace)
        by_workload = {item["metadata"]["name"]: int(item["spec"].get("replicas", 1)) for item in found}
        return {name: by_workload[BY_NAME[name].workload_name] for name in self.courses}

    def _until_at(self, wanted: Mapping[str, int], *, seconds: float) -> None:
        waiting.until(
            self._replicas, so=lambda now: now == dict(wanted), what=f"replicas {wanted}", seconds=seconds
        )
        self._bench.until_running(sum(wanted.values()), seconds=seconds)

    def _follow(self, into: Mapping[str, list[Step]], ends: Mapping[str, int], seconds: float) -> None:
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            replicas = self._replicas()
            at = time.monotonic() - started
            for name, steps in into.items():
                if not steps or steps[-1].replicas != replicas[name]:
                    # Seen first at the start: what it was at nought.
                    steps.append(Step(at if steps else 0.0, replicas[name]))
            if ends and replicas == dict(ends):
                return
            time.sleep(self._look_seconds)
        if ends:
            raise AssertionError(
                f"not at {ends} within {seconds:.0f} s but at {self._replicas()}; {summary(self._bench.pods())}"
            )


def _next_to_nothing(_pod: Json) -> Usage:
    return Usage(cpu_millis=0.1, memory_mib=0.1)


def record(courses: Iterable[Course], *, name: str) -> None:
    """Write curves where the environment says, times as the specification's."""
    folder = os.environ.get(RECORDED)
    if not folder:
        return
    content: dict[str, Any] = {
        course.service: {
            "factor": course.factor,
            "up": [[round(step.at * course.factor, 1), step.replicas] for step in course.up],
            "down": [[round(step.at * course.factor, 1), step.replicas] for step in course.down],
        }
        for course in courses
    }
    path = Path(folder) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
