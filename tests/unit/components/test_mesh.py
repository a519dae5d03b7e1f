"""The mesh and the ingress of a region, as they are registered."""

from __future__ import annotations

from functools import cache
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest

from components.custom_objects import MeshTarget, create_objects
from components.ingress import Ingress
from components.mesh import Mesh
from infra.cluster.manifests import Manifest
from services import CATALOGUE
from tests.unit.components.building import Built, build, context
from tests.unit.traffic.mesh_objects import ORIGIN, SITE, objects

RULE = "kubernetes:networking.istio.io/v1:DestinationRule"
SERVER = "kubernetes:k8s.nginx.org/v1:VirtualServer"
FILTER = "kubernetes:networking.istio.io/v1alpha3:EnvoyFilter"


def target() -> MeshTarget:
    """Call it inside the program."""
    return MeshTarget(
        provider=k8s.Provider("cluster"),
        site=SITE,
        namespace=pulumi.Output.from_input("parking"),
        after=[k8s.core.v1.Namespace("last-release")],
    )


@cache
def built() -> Built:
    def make(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        place = target()
        mesh = Mesh("mesh", context=context(), target=place, services=CATALOGUE, opts=opts)
        ingress = Ingress(
            "ingress", context=context(), target=place, services=CATALOGUE, host=ORIGIN, opts=opts
        )
        return {"hosts": mesh.hosts, "host": ingress.host}

    return build(make)


def custom() -> list[Any]:
    return [item for item in built().recorder.resources if "apiVersion" in item.inputs]


def test_what_is_rendered_is_registered_and_nothing_else() -> None:
    rendered = sorted((m.api_version, m.kind, m.namespace, m.name) for m in objects())
    registered = sorted(
        (
            item.inputs["apiVersion"],
            item.inputs["kind"],
            item.inputs["metadata"]["namespace"],
            item.inputs["metadata"]["name"],
        )
        for item in custom()
        if item.inputs["kind"] != "Namespace"
    )

    assert registered == rendered


def test_an_objects_specification_reaches_the_cluster_whole() -> None:
    rule = built().recorder.one(RULE, "mesh-payment-destination").inputs["spec"]

    balancer = rule["trafficPolicy"]["loadBalancer"]
    assert balancer["consistentHash"]["httpHeaderName"] == "X-Viewer-Address"
    assert rule["host"] == "payment-service.parking.svc.cluster.local"


def test_logical_names_are_short_and_say_whose_they_are() -> None:
    names = {item.name for item in custom() if item.inputs["kind"] != "Namespace"}

    assert {"mesh-auth-routes", "mesh-strict", "mesh-deny", "ingress-server", "ingress-auth-route"} <= names
    assert all(name.startswith(("mesh-", "ingress-")) for name in names)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (RULE, "mesh-auth-destination"),
        (FILTER, "mesh-analytics-reported-load"),
        (SERVER, "ingress-server"),
    ],
)
def test_objects_wait_for_the_releases_that_bring_their_kinds(kind: str, name: str) -> None:
    assert built().depends_on(kind, name) == ["last-release"]


def test_nothing_holds_data() -> None:
    assert built().protected() == set()


def test_it_says_by_which_names_services_are_known() -> None:
    assert built().outputs["hosts"]["auth"] == "auth-service.parking.svc.cluster.local"
    assert built().outputs["host"] == ORIGIN


def test_two_objects_of_one_key_are_refused() -> None:
    twin = Manifest(key="same", api_version="v1", kind="Thing", namespace="parking", name="thing")

    def make(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        place = target()
        mesh = Mesh("mesh", context=context(), target=place, services=(), opts=opts)
        create_objects(mesh, "twins", [twin, twin], target=place)
        return {}

    with pytest.raises(ValueError, match="different keys"):
        build(make)
