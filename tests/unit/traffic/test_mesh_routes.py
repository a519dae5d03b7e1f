"""Timeouts, retries and shares of the mesh's routes."""

from __future__ import annotations

from typing import Any

import pytest

from infra.model.service import Objective, Service
from services import CATALOGUE
from tests.unit.traffic.mesh_objects import named, spec, specs, with_changes

OPERATIONS = [(service, objective) for service in CATALOGUE for objective in service.objectives]
IDS = [f"{service.name}-{objective.operation}" for service, objective in OPERATIONS]


def routes(name: str, services: tuple[Service, ...] = CATALOGUE) -> list[Any]:
    return spec("VirtualService", f"{name}-service", services)["http"]


def route(service: str, name: str, services: tuple[Service, ...] = CATALOGUE) -> Any:
    return next(item for item in routes(service, services) if item["name"] == name)


def milliseconds(duration: str) -> float:
    return float(duration[:-2]) if duration.endswith("ms") else float(duration[:-1]) * 1000


def matched(name: str, method: str, path: str) -> str:
    """Name of the first route that takes a request, as Envoy reads them."""

    def takes(match: Any) -> bool:
        uri = match.get("uri", {"prefix": "/"})
        fits = path == uri["exact"] if "exact" in uri else path.startswith(uri["prefix"])
        return fits and match.get("method", {"exact": method})["exact"] == method

    return next(item["name"] for item in routes(name) if any(map(takes, item.get("match", [{}]))))


def test_every_service_is_routed_inside_the_mesh_alone() -> None:
    found = specs("VirtualService")

    assert set(found) == {("parking", service.workload_name) for service in CATALOGUE}
    for (_, name), item in found.items():
        assert item["hosts"] == [f"{name}.parking.svc.cluster.local"]
        assert item["gateways"] == ["mesh"]


@pytest.mark.parametrize(("service", "objective"), OPERATIONS, ids=IDS)
def test_an_operation_may_take_four_times_its_objective_and_at_least_a_second(
    service: Service, objective: Objective
) -> None:
    timeout = milliseconds(route(service.name, objective.operation)["timeout"])

    assert timeout == max(4 * objective.target_ms, 1000)
    assert matched(service.name, objective.method, objective.path) == objective.operation


@pytest.mark.parametrize(("service", "objective"), OPERATIONS, ids=IDS)
def test_exactly_the_idempotent_operations_are_retried_within_their_timeout(
    service: Service, objective: Objective
) -> None:
    item = route(service.name, objective.operation)

    if objective.method == "GET":
        one_try = milliseconds(item["retries"]["perTryTimeout"])
        assert item["retries"]["attempts"] == 2
        # Istio leaves this off where a service hashes, and all tries would meet the same pod.
        assert item["retries"]["retryIgnorePreviousHosts"] is True
        assert one_try * 3 <= milliseconds(item["timeout"])
        # A try that is merely slow, yet within the objective, is not given up.
        assert one_try > objective.target_ms
    else:
        assert item["retries"] == {"attempts": 0}


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_writes_to_other_paths_are_never_retried(service: Service) -> None:
    assert route(service.name, "other")["retries"] == {"attempts": 0}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        name = matched(service.name, method, f"{service.path_prefixes[0]}/unlisted")
        assert route(service.name, name)["retries"] == {"attempts": 0}


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_reads_of_other_paths_are_retried(service: Service) -> None:
    assert matched(service.name, "GET", f"{service.path_prefixes[0]}/unlisted") == "other-reads"
    assert route(service.name, "other-reads")["retries"]["attempts"] == 2


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda s: s.name)
def test_a_health_check_is_answered_by_stable_pods_once_and_in_time(service: Service) -> None:
    item = routes(service.name)[0]

    assert item["name"] == "health"
    assert item["match"] == [{"uri": {"exact": service.health.path}}]
    assert item["retries"] == {"attempts": 0}
    assert milliseconds(item["timeout"]) < service.health.timeout_seconds * 1000


def test_the_longer_path_is_asked_first() -> None:
    assert matched("payment", "GET", "/payments/status/17") == "payment-status"
    assert matched("payment", "POST", "/payments") == "payment-processing"
    assert matched("payment", "POST", "/paymentsX") == "other"


def test_payment_processing_waits_eight_seconds_and_is_sent_once() -> None:
    item = route("payment", "payment-processing")

    assert (item["timeout"], item["retries"]) == ("8000ms", {"attempts": 0})


def test_without_a_canary_everything_is_stable_and_unweighted() -> None:
    for service in CATALOGUE:
        for item in routes(service.name):
            (only,) = item["route"]
            assert only["destination"]["subset"] == "stable"
            assert "weight" not in only


def test_a_canary_gets_its_share_of_everything_but_health() -> None:
    services = with_changes("parking", canary_percent=10)

    for item in routes("parking", services):
        shares = {part["destination"]["subset"]: part.get("weight") for part in item["route"]}
        assert shares == ({"stable": None} if item["name"] == "health" else {"stable": 90, "canary": 10})


def test_an_operations_own_timeout_wins() -> None:
    search = next(o for o in named("parking").objectives if o.operation == "vehicle-search")
    patient = Objective.model_validate({**dict(search), "timeout_ms": 3000})

    assert route("parking", "vehicle-search", with_changes("parking", objectives=(patient,)))["timeout"] == (
        "3000ms"
    )
