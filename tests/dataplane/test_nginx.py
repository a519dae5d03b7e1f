"""The ingress controller's core configuration and routes on a real NGINX, with small services behind it."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.addon_contract import AddOnSizes, IngressTraffic
from components.addon_ingress import nginx_ingress
from infra.catalogue import resolve
from infra.local.cluster.certificates import Authority
from infra.model.service import Service
from infra.traffic import ingress
from infra.traffic.ingress import burst
from infra.traffic.routing import VIEWER_ADDRESS_HEADER, origin_domain
from services import CATALOGUE
from stacks.mesh import site as site_of
from stacks.mesh import traffic
from tests.dataplane.mesh.upstreams import Behaviour, Upstream
from tests.dataplane.nginx import Nginx, Site, UnknownEntryError, configuration, core
from tests.dataplane.servers import folder_for_servers, free_port, until
from tests.unit.stack_files import STACKS, load

HOPS = "127.0.1.0/24"
"""Stands for the load balancer's subnets: connections from it are the load balancer's."""
BALANCER, STRANGER = "127.0.1.7", "127.0.2.7"
CLIENT = "203.0.113.9"


def entries(hops: IngressTraffic) -> dict[str, str]:
    """The controller's ConfigMap, from the release's values."""
    values = nginx_ingress(AddOnSizes(), traffic=hops, node_selector={}).values
    return dict(values["controller"]["config"]["entries"])


def services_of(stack: str) -> tuple[Service, ...]:
    settings = load(stack)
    return tuple(resolve(service, settings.services[service.name]) for service in CATALOGUE)


@dataclass(frozen=True, kw_only=True)
class Way:
    """NGINX and what is behind it."""

    port: int
    pods: dict[str, Upstream]
    log: Path

    def ask(
        self, path: str, *, source: str = BALANCER, method: str = "GET", body: bytes = b"", **headers: str
    ) -> tuple[int, str, str]:
        """Status, type and body of an answer to a request that comes from an address."""
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        made = http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=tls, timeout=20, source_address=(source, 0)
        )
        with closing(made) as connection:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body=body or None, headers=named)
            answer = connection.getresponse()
            return answer.status, answer.getheader("content-type") or "", answer.read().decode()

    def received(self, service: str = "payment") -> Any:
        """Headers of the last request that a service got."""
        return self.pods[service].requests[-1][1]


@pytest.fixture(scope="module")
def way() -> Iterator[Way]:
    settings, services = load("prod"), services_of("prod")
    hops = IngressTraffic(trusted_hops=[HOPS], drain_seconds=35, request_seconds=25)
    manifests = ingress.plan(services, site=site_of(settings), host=origin_domain(settings.edge.domain))
    with ExitStack() as started:
        folder = started.enter_context(folder_for_servers())
        pods = {service.name: Upstream(service.name, address="127.0.0.1") for service in services}
        for pod in pods.values():
            started.callback(pod.stop)
        place = Site(
            folder=folder,
            port=free_port(),
            pair=Authority(folder, name="ingress").issue("ingress", server_names=("origin",)),
            services={service.workload_name: f"127.0.0.1:{pods[service.name].port}" for service in services},
        )
        server = Nginx(folder, text=configuration(entries(hops), manifests, place), port=place.port)
        server.start()
        started.callback(server.stop)
        yield Way(port=place.port, pods=pods, log=folder / "access.log")


@pytest.mark.parametrize("stack", STACKS)
def test_nginx_takes_the_configuration_of_every_stack(stack: str) -> None:
    settings, services = load(stack), services_of(stack)
    given = entries(traffic(settings=settings, services=services))
    manifests = ingress.plan(services, site=site_of(settings), host=origin_domain(settings.edge.domain))
    with folder_for_servers() as folder:
        place = Site(
            folder=folder,
            port=free_port(),
            pair=Authority(folder, name="ingress").issue("ingress", server_names=("origin",)),
            services=dict.fromkeys((service.workload_name for service in services), "127.0.0.1:1"),
        )
        text = configuration(given, manifests, place)
        server = Nginx(folder, text=text, port=place.port)
        tried = subprocess.run([*server.command, "-t"], capture_output=True, text=True, check=False)

    assert tried.returncode == 0, tried.stderr
    assert "warn" not in tried.stderr
    for hop in given["set-real-ip-from"].split(","):
        assert f"set_real_ip_from {hop};" in text


def test_an_entry_that_is_not_rendered_here_is_not_passed_over() -> None:
    hops = IngressTraffic(trusted_hops=[HOPS], drain_seconds=35, request_seconds=25)

    with pytest.raises(UnknownEntryError, match="proxy-buffers"):
        core({**entries(hops), "proxy-buffers": "8 4k"})


@pytest.mark.parametrize(
    ("source", "forwarded", "resolved"),
    [
        (BALANCER, CLIENT, CLIENT),
        (BALANCER, f"198.51.100.1, {CLIENT}", CLIENT),
        (BALANCER, f"10.0.32.1, 127.0.1.9, {CLIENT}", CLIENT),
        (BALANCER, "2001:db8::7", "2001:db8::7"),
        (BALANCER, "unknown", BALANCER),
        (STRANGER, CLIENT, STRANGER),
        (STRANGER, f"{CLIENT}, 127.0.1.9", STRANGER),
    ],
    ids=[
        "the edge's word",
        "a client's word before the edge's",
        "a client's trusted-looking words before the edge's",
        "over IPv6",
        "no address",
        "spoofed from outside",
        "spoofed from outside, with a trusted hop's address",
    ],
)
def test_the_clients_address_is_the_trusted_hops_last_word(
    way: Way, source: str, forwarded: str, resolved: str
) -> None:
    status, _, _ = way.ask("/payments/status", source=source, X_Forwarded_For=forwarded)

    assert status == 200
    assert way.received()[VIEWER_ADDRESS_HEADER.lower()] == resolved
    assert way.received()["x-forwarded-for"] == resolved


def test_what_a_client_writes_of_its_address_is_overwritten(way: Way) -> None:
    way.ask("/payments/status", X_Forwarded_For=CLIENT, X_Viewer_Address="198.51.100.1")

    assert way.received()[VIEWER_ADDRESS_HEADER.lower()] == CLIENT


def test_a_service_is_asked_by_its_name_in_the_mesh(way: Way) -> None:
    way.ask("/payments/status", X_Forwarded_For=CLIENT, Host="origin.parking.example.com")

    assert way.received()["host"] == "payment-service.parking.svc.cluster.local"


def test_a_limit_counts_each_client_by_itself(way: Way) -> None:
    allowed = burst(next(service for service in CATALOGUE if service.name == "notification"))
    eager = [way.ask("/notifications/messages", X_Forwarded_For="203.0.113.50") for _ in range(allowed + 20)]
    other = way.ask("/notifications/messages", X_Forwarded_For="203.0.113.51")
    refused = [answer for answer in eager if answer[0] == 429]

    assert [answer[0] for answer in eager[:allowed]] == [200] * allowed
    assert refused
    assert refused[0][1] == "application/json"
    assert json.loads(refused[0][2]) == {"error": "too many requests"}
    assert other[0] == 200


def test_health_checks_are_not_limited_and_get_the_services_own_answer(way: Way) -> None:
    way.pods["notification"].behaviour = Behaviour(status=503)
    try:
        answers = [way.ask("/notifications/health", X_Forwarded_For="203.0.113.52") for _ in range(80)]
    finally:
        way.pods["notification"].behaviour = Behaviour()

    assert {(status, body) for status, _, body in answers} == {(503, "notification")}


def test_a_service_that_is_away_is_answered_for_in_json(way: Way) -> None:
    way.pods["analytics"].die()
    try:
        status, kind, body = way.ask("/analytics/boards", X_Forwarded_For=CLIENT)
    finally:
        way.pods["analytics"].live()

    assert (status, kind) == (502, "application/json")
    assert json.loads(body) == {"error": "service unavailable"}


def test_a_body_that_is_too_large_is_refused_in_json(way: Way) -> None:
    before = way.pods["payment"].count
    status, kind, body = way.ask("/payments", method="POST", body=b"x" * 1_100_000, X_Forwarded_For=CLIENT)

    assert (status, kind) == (413, "application/json")
    assert json.loads(body) == {"error": "request body too large"}
    assert way.pods["payment"].count == before


def test_a_path_of_nobody_is_unknown_in_json(way: Way) -> None:
    status, kind, body = way.ask("/nowhere", X_Forwarded_For=CLIENT)

    assert (status, kind) == (404, "application/json")
    assert json.loads(body) == {"error": "not found"}


def test_the_log_tells_client_from_hop_and_leaves_query_strings_out(way: Way) -> None:
    way.ask("/payments/status?card=4111", X_Forwarded_For="203.0.113.77")
    # NGINX writes the line when it is done with the request, which is after the client has its answer.
    until(lambda: "203.0.113.77" in way.log.read_text(), what="the request's line in the log")
    lines = [json.loads(line) for line in way.log.read_text().splitlines()]
    (mine,) = [line for line in lines if line["client"] == "203.0.113.77"]

    assert mine["hop"] == BALANCER
    assert mine["path"] == "/payments/status"
    assert "4111" not in way.log.read_text()
