"""Room kept free for a spike: who has it, and who gets it."""

from __future__ import annotations

from typing import Any

import pulumi_kubernetes as k8s

from components.head_room import HeadRoom
from infra.cluster import capacity, fit
from infra.cluster.capacity import Demand
from infra.cluster.replicas import curve, limits_of
from infra.cluster.scheduling import PRIORITIES
from infra.model.service import Pool
from infra.model.stack import HeadRoomSettings
from services import CATALOGUE
from tests.unit import stack_files
from tests.unit.components.building import Built, build, context

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
PRIORITY = "kubernetes:scheduling.k8s.io/v1:PriorityClass"
NODE_START_SECONDS = 120
"""What a node takes from being asked for to taking pods; an assumption."""


def made(**changes: Any) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        component = HeadRoom(
            "head-room",
            context=context(),
            provider=k8s.Provider("cluster"),
            settings=HeadRoomSettings(**changes),
            opts=opts,
        )
        return {"priority": component.priority}

    return build(make)


def pod(built: Built) -> dict[str, Any]:
    return built.recorder.one(DEPLOYMENT).inputs["spec"]["template"]["spec"]


def test_they_yield_to_everyone_and_push_nobody_out() -> None:
    priority = made().recorder.one(PRIORITY).inputs

    assert priority["value"] < 0 < min(PRIORITIES.values())
    assert priority["preemptionPolicy"] == "Never"
    assert not priority["globalDefault"]


def test_the_autoscaler_adds_nodes_for_them() -> None:
    # Under -10, its default cutoff, pods are expendable and no node is added.
    assert made().recorder.one(PRIORITY).inputs["value"] >= -10


def test_they_keep_the_room_that_the_settings_say() -> None:
    built = made(pods=3, cpu="2", memory="4Gi")
    (container,) = pod(built)["containers"]

    assert built.recorder.one(DEPLOYMENT).inputs["spec"]["replicas"] == 3
    assert container["resources"]["requests"] == {"cpu": "2", "memory": "4Gi"}


def test_they_leave_at_once_from_the_application_pool() -> None:
    spec = pod(made())

    assert spec["terminationGracePeriodSeconds"] == 0
    assert spec["nodeSelector"] == {"parking.platform/pool": "application"}
    assert spec["priorityClassName"] == "parking-head-room"


def test_no_update_waits_for_pods_that_may_never_be_placed() -> None:
    annotations = made().recorder.one(DEPLOYMENT).inputs["metadata"]["annotations"]

    assert annotations == {"pulumi.com/skipAwait": "true"}


def test_the_default_holds_what_policies_may_add_while_a_node_starts() -> None:
    added = Demand(cpu_millis=0, memory_mib=0, pods=0)
    for service in CATALOGUE:
        if service.pool is Pool.APPLICATION:
            limits = limits_of(service)
            steps = curve(
                limits, start=limits.min_replicas, wanted=lambda _: 1000, seconds=NODE_START_SECONDS
            )
            own = service.resources
            added += capacity.demand(
                cpu=own.cpu_request,
                memory=own.memory_request,
                pods=steps[-1].replicas - limits.min_replicas,
            )
    kept = fit.head_room_demand(stack_files.load("prod"))

    assert 1 <= kept.cpu_millis / added.cpu_millis < 1.3
    assert 1 <= kept.memory_mib / added.memory_mib < 1.3
