"""Pods, nodes, partitions and connections from the traffic."""

from __future__ import annotations

from typing import Any

import pytest

from infra.capacity import Plan, Stage, plan
from infra.capacity.__main__ import main
from infra.capacity.plan import pods_by_metric
from infra.catalogue import resolve
from infra.model.load import Load
from infra.model.service import Pool
from infra.model.stack import DemandSettings
from services import CATALOGUE
from tests.unit import stack_files
from tests.unit.components.workloads import service

AUTH = next(item for item in CATALOGUE if item.name == "auth")


def of(stack: str, stage: Stage = Stage.DESIGN, demand: DemandSettings | None = None) -> Plan:
    settings = stack_files.load(stack)
    if demand:
        settings = settings.model_copy(update={"demand": demand})
    services = [resolve(item, settings.services[item.name]) for item in CATALOGUE]
    return plan(settings, services=services, stage=stage)


def test_cpu_asks_for_pods_at_the_target_use_of_what_they_request() -> None:
    # 200m at the general 70% are 140 ms of cpu a second; 100 requests of 7 ms take 700.
    load = Load(requests_per_user_minute=0, cpu_ms_per_request=7, cpu_ms_per_message=14)

    assert pods_by_metric(service(load=load), requests=100, messages=0)["cpu"] == pytest.approx(5)
    assert pods_by_metric(service(load=load), requests=0, messages=100)["cpu"] == pytest.approx(10)


def test_auth_s_own_metric_asks_for_a_pod_a_hundred_requests() -> None:
    asked = pods_by_metric(AUTH, requests=1550, messages=0)

    assert asked["requests_per_second"] == 15.5
    # The assumed cpu agrees with the specification's hundred requests on 200m at 70%.
    assert 0.8 <= asked["cpu"] / asked["requests_per_second"] <= 1


@pytest.mark.parametrize("stack", stack_files.STACKS)
@pytest.mark.parametrize("stage", Stage)
def test_every_stack_carries_every_stage(stack: str, stage: Stage) -> None:
    found = of(stack, stage)

    assert {item.service for item in found.services} == {item.name for item in CATALOGUE}
    assert all(item.head_room >= 1 for item in (*found.services, *found.pools))
    assert all(item.consumers <= item.max_consumers for item in found.services)
    assert all(topic.partitions <= topic.offered for topic in found.topics)


def test_requests_come_of_users_and_of_transactions() -> None:
    parking = of("prod", Stage.TODAY).service("parking")

    assert parking.requests_per_second == pytest.approx(10_000 * 2 / 60 + 3 * 125_000 / 3600)
    assert parking.messages_per_second == pytest.approx(2 * 125_000 / 3600)


def test_the_plan_grows_with_the_demand() -> None:
    today, design = of("prod", Stage.TODAY), of("prod")

    for service_today in today.services:
        later = design.service(service_today.service)
        assert later.requests_per_second == pytest.approx(5.6 * service_today.requests_per_second)
        # How long the ceiling lasts is one answer, whichever day it is asked for.
        assert later.months == pytest.approx(service_today.months)


def test_the_ceiling_is_reached_when_the_plan_says_so() -> None:
    parking = of("prod").service("parking")
    growth = 4 ** (parking.months / 18)
    then = DemandSettings(
        concurrent_users=int(10_000 * growth),
        transactions_per_day=int(1_000_000 * growth),
        growth_percent=0,
    )

    assert of("prod", Stage.SEASON, then).service("parking").pods == parking.max_replicas


def test_connections_in_use_are_requests_times_their_time() -> None:
    connections = of("prod").service("parking").connections

    assert connections is not None
    assert connections.busy == pytest.approx(of("prod").service("parking").requests_per_second * 0.004)
    assert (connections.servers, connections.clients_at_most) == (40, 200)


def test_a_service_without_a_database_has_no_connections() -> None:
    assert of("prod").service("notification").connections is None


def test_pools_never_need_fewer_nodes_than_their_minimum() -> None:
    assert of("prod", Stage.TODAY).pool(Pool.ANALYTICS).nodes == 2


def test_kept_messages_fill_the_brokers() -> None:
    found = of("prod", Stage.TODAY)
    (vehicles,) = [topic for topic in found.topics if topic.topic == "vehicle-events"]

    # A million operations, two messages of 1 KiB, seven days, three replicas.
    assert vehicles.gib == pytest.approx(1e6 * 2 * 1024 * 7 * 3 / 2**30)
    assert found.broker_gib == pytest.approx(sum(topic.gib for topic in found.topics) / 3)


def test_a_pod_at_its_vertical_ceiling_must_fit_a_node() -> None:
    (problem,) = stack_files.problems("staging", services__analytics__verticalMaxMemory="16Gi")

    assert problem.key == "parking:services.analytics.verticalMaxMemory"
    assert "16Gi" in problem.found
    assert stack_files.load("staging").services["analytics"].vertical_max_memory == "8Gi"


SHORT: dict[str, dict[str, Any]] = {
    "parking:services.parking.maxReplicas": {"services__parking__maxReplicas": 40},
    "parking:services.notification.consumers": {"services__notification__consumers": 6},
    "parking:streaming.topics.vehicle-events.partitions": {
        "streaming__topics": {"vehicle-events": {"partitions": 7}}
    },
    "parking:streaming.maxStorageGib": {"streaming__storageGib": 100, "streaming__maxStorageGib": 300},
    "parking:connectionPool.clientConnections": {"connectionPool__clientConnections": 190},
    "parking:connectionPool": {"connectionPool__multiplexingRatio": 40},
    "parking:nodePools.analytics.maxSize": {
        "nodePools__analytics": {"instanceTypes": ["c5.large"], "minSize": 10, "maxSize": 11}
    },
}


@pytest.mark.parametrize("key", SHORT)
def test_what_does_not_suffice_is_a_problem_of_its_key(key: str) -> None:
    assert key in {problem.key for problem in stack_files.problems("prod", **SHORT[key])}


def test_twice_the_users_are_found_out() -> None:
    found = stack_files.problems("prod", demand__concurrentUsers=20_000, demand__transactionsPerDay=2_000_000)

    assert {"parking:services.payment.maxReplicas", "parking:services.analytics.maxReplicas"} <= {
        problem.key for problem in found
    }


def test_the_command_prints_every_service(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", "prod"]) == 0
    printed = capsys.readouterr().out

    assert "56,000 users" in printed
    assert all(item.name in printed for item in CATALOGUE)


def test_a_stack_that_is_not_there_is_told_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", "nowhere"]) == 1
    assert "name one of prod, prod-eu-west-1, staging" in capsys.readouterr().err
