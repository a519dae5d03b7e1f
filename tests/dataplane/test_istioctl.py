"""The real istioctl on every object of the mesh, in every stack, and with a canary on trial."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.catalogue import resolve
from infra.cluster.labels import STABLE, selector_labels
from infra.local.tools.building import obtain
from infra.model.service import Service
from infra.model.stack import StackSettings
from infra.traffic import mesh
from services import CATALOGUE
from stacks.mesh import site
from tests.unit.stack_files import STACKS, load

CANARY = "with a canary"
CASES = (*STACKS, CANARY)
NOTICE = (
    "EnvoyFilter exposes internal implementation details that may change at any time. Prefer other APIs if "
    "possible, and exercise extreme caution, especially around upgrades."
)


@pytest.fixture(scope="session")
def istioctl() -> Path:
    return obtain("istioctl")["istioctl"]


def stack(case: str) -> tuple[StackSettings, tuple[Service, ...]]:
    """Settings and services of a stack; or production with a canary of each service and named hosts."""
    tried: dict[str, Any] = {}
    if case == CANARY:
        for service in CATALOGUE:
            tried[f"services__{service.name}__canaryPercent"] = 10
            tried[f"services__{service.name}__canaryTag"] = "1.1.0"
        tried["services__payment__internetHosts"] = ["api.gateway.example"]
    settings = load("prod" if case == CANARY else case, **tried)
    return settings, tuple(resolve(service, settings.services[service.name]) for service in CATALOGUE)


def generated(case: str) -> list[dict[str, Any]]:
    """The objects that the mesh component registers in a stack."""
    settings, services = stack(case)
    return [manifest.document for manifest in mesh.plan(services, site(settings))]


def surroundings(case: str) -> list[dict[str, Any]]:
    """What the mesh's objects refer to: namespaces, services and pods, as the other components make them."""
    settings, services = stack(case)
    place = site(settings)
    namespaces = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"istio-injection": "enabled" if meshed else "disabled"}},
        }
        for name, meshed in (
            (place.namespace, True),
            (place.ingress_namespace, True),
            (place.root_namespace, False),
        )
    ]
    return [*namespaces, *(item for each in services for item in _service(each, place.namespace))]


def _service(service: Service, namespace: str) -> Sequence[dict[str, Any]]:
    labels = dict(selector_labels(service.workload_name))
    metadata = {"name": service.workload_name, "namespace": namespace}
    ports = [
        {"name": "http", "port": service.port, "targetPort": "http", "appProtocol": "http"},
        {
            "name": "http-metrics",
            "port": service.metrics_port,
            "targetPort": "http-metrics",
            "appProtocol": "http",
        },
    ]
    pod = {
        "metadata": {"labels": {**labels, "version": STABLE}},
        "spec": {"containers": [{"name": service.workload_name, "image": "none"}]},
    }
    return (
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": labels, "ports": ports},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"selector": {"matchLabels": labels}, "template": pod},
        },
    )


def written(documents: Sequence[dict[str, Any]], folder: Path) -> Path:
    path = folder / "objects.yaml"
    path.write_text(yaml.safe_dump_all(documents), encoding="utf-8")
    return path


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, timeout=120
    )


def validate(istioctl: Path, documents: Sequence[dict[str, Any]], folder: Path) -> tuple[int, str]:
    done = run(istioctl, "validate", "-f", written(documents, folder))
    return done.returncode, done.stdout + done.stderr


def analyze(istioctl: Path, documents: Sequence[dict[str, Any]], folder: Path) -> tuple[int, str]:
    options = ("--use-kube=false", "--all-namespaces", "--failure-threshold", "Info")
    done = run(istioctl, "analyze", *options, written(documents, folder))
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("case", CASES)
def test_istioctl_finds_every_object_valid(istioctl: Path, tmp_path: Path, case: str) -> None:
    objects = generated(case)
    code, said = validate(istioctl, objects, tmp_path)
    warnings = [line.strip() for line in said.splitlines() if line.strip().startswith("*")]

    assert code == 0, said
    # Each EnvoyFilter is warned of for being one, whatever it says; nothing else is.
    filters = [item["metadata"]["name"] for item in objects if item["kind"] == "EnvoyFilter"]
    assert sorted(warnings) == sorted(f"* EnvoyFilter/istio-system/{name}: {NOTICE}" for name in filters)


@pytest.mark.parametrize("case", CASES)
def test_istioctl_finds_nothing_to_say_about_them_together(istioctl: Path, tmp_path: Path, case: str) -> None:
    code, said = analyze(istioctl, [*surroundings(case), *generated(case)], tmp_path)

    assert code == 0, said
    assert "No validation issues found" in said


def test_an_object_that_istio_would_refuse_is_found(istioctl: Path, tmp_path: Path) -> None:
    objects = generated("prod")
    rule = next(item for item in objects if item["kind"] == "DestinationRule")
    rule["spec"] = {**rule["spec"], "trafficPolicy": {"loadBalancer": {"simple": "FASTEST"}}}

    code, said = validate(istioctl, objects, tmp_path)

    assert code != 0
    assert "FASTEST" in said


def test_a_route_to_a_subset_that_is_not_there_is_found(istioctl: Path, tmp_path: Path) -> None:
    objects = generated("prod")
    rule = next(
        item
        for item in objects
        if item["kind"] == "DestinationRule" and item["metadata"]["name"] == "auth-service"
    )
    rule["spec"] = {**rule["spec"], "subsets": []}

    code, said = analyze(istioctl, [*surroundings("prod"), *objects], tmp_path)

    assert code != 0
    assert "auth-service" in said
