"""Listener rules as a plan: what is answered, and which catalogues are refused."""

from typing import Any

import pytest

from infra.model.service import Service
from infra.traffic.routing import RouteError, plan_routes
from services import CATALOGUE
from services.auth import AUTH
from services.parking import PARKING


def changed(service: Service, **update: Any) -> Service:
    return service.model_copy(update=update)


def with_health(service: Service, path: str) -> Service:
    return changed(service, health=service.health.model_copy(update={"path": path}))


def test_every_service_has_a_route_and_an_open_health_path() -> None:
    plan = {route.name: route for route in plan_routes(CATALOGUE)}

    assert len(plan) == 2 * len(CATALOGUE)
    assert plan["payment"].path_patterns == ("/payments", "/payments/*")
    assert plan["payment"].needs_secret
    assert plan["payment-health"].path_patterns == ("/payments/health",)
    assert not plan["payment-health"].needs_secret


def test_routes_come_by_priority_and_no_two_share_one() -> None:
    priorities = [route.priority for route in plan_routes(tuple(reversed(CATALOGUE)))]

    assert priorities == sorted(set(priorities))


def test_the_order_of_the_catalogue_changes_nothing() -> None:
    assert plan_routes(CATALOGUE) == plan_routes(tuple(reversed(CATALOGUE)))


@pytest.mark.parametrize(
    ("services", "why"),
    [
        ((AUTH, AUTH), "named twice: auth"),
        (
            (AUTH, changed(with_health(PARKING, "/auth/health"), path_prefixes=("/auth",))),
            "'/auth' of parking",
        ),
        (
            (AUTH, changed(PARKING, path_prefixes=("/parking", "/auth/lots"))),
            "'/auth/lots' of parking begins with",
        ),
        (
            (AUTH, changed(PARKING, path_prefixes=("/parking", "/authors"))),
            "'/authors' of parking begins with",
        ),
        ((AUTH, changed(PARKING, rule_priority=100)), "both have priority 100"),
        (
            (changed(AUTH, path_prefixes=("/auth", "/x", "/y"), rule_priority=109), PARKING),
            "both have priority 110",
        ),
        ((changed(AUTH, rule_priority=20_000),), "under 20000"),
        ((with_health(AUTH, "/parking/health"),), "under none of its path prefixes"),
        ((changed(AUTH, path_prefixes=("/auth/",)),), "without end slash"),
        ((changed(AUTH, path_prefixes=("/a*",)),), "wildcard"),
        ((changed(AUTH, path_prefixes=("/",)),), "write `/word`"),
    ],
)
def test_routes_that_clash_are_refused(services: tuple[Service, ...], why: str) -> None:
    with pytest.raises(RouteError, match=why):
        plan_routes(services)
