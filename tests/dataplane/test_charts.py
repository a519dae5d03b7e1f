"""The charts that come with Go modules, rendered and linted by the real Helm with the releases' own values.

Istio's are those of the mesh's module, which is built from the sources a little ahead of the pinned release. The
vertical pod autoscaler's comes with its module, older than the pin. No other chart of the platform is in a module.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.cluster import versions
from infra.cluster.capacity import SIDECAR_REQUESTS
from infra.local.go_builds import module_folder
from infra.local.tools import obtain
from infra.local.tools.catalogue import FOLDER
from tests.dataplane.mesh.releases import values

NEWEST = max(versions.CLUSTER_AUTOSCALER_IMAGES)
"""Kubernetes version that the charts are rendered for: the platform's default."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a release's chart is: a folder of a module that a tool's go.mod pins."""

    tool: str
    module: str
    folder: str
    namespace: str


CHARTS = {
    "istio-base": Place(
        tool="istio", module="istio.io/istio", folder="manifests/charts/base", namespace="istio-system"
    ),
    "istio-cni": Place(
        tool="istio", module="istio.io/istio", folder="manifests/charts/istio-cni", namespace="kube-system"
    ),
    "istiod": Place(
        tool="istio",
        module="istio.io/istio",
        folder="manifests/charts/istio-control/istio-discovery",
        namespace="istio-system",
    ),
    "vertical-pod-autoscaler": Place(
        tool="crds",
        module="k8s.io/autoscaler/vertical-pod-autoscaler",
        folder="charts/vertical-pod-autoscaler",
        namespace="kube-system",
    ),
}


@pytest.fixture(scope="session")
def helm() -> Path:
    return obtain("helm")["helm"]


def run(helm: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(helm), *words], capture_output=True, text=True, check=False, timeout=120)


def chart(name: str) -> str:
    """Folder of a release's chart."""
    place = CHARTS[name]
    return str(module_folder(FOLDER / place.tool, place.module) / place.folder)


def written(given: Mapping[str, Any], folder: Path) -> str:
    path = folder / "values.json"
    path.write_text(json.dumps(given))
    return str(path)


def rendered(helm: Path, name: str, folder: Path, given: Mapping[str, Any] | None = None) -> list[Any]:
    """Objects of a release."""
    done = run(
        helm,
        *("template", name, chart(name), "--namespace", CHARTS[name].namespace),
        *("--kube-version", f"{NEWEST}.0", "--include-crds"),
        *("--values", written(values(name) if given is None else given, folder)),
    )
    assert done.returncode == 0, done.stderr
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def one(objects: Sequence[Any], kind: str, name: str) -> Any:
    (found,) = [item for item in objects if (item["kind"], item["metadata"]["name"]) == (kind, name)]
    return found


@pytest.mark.parametrize("name", CHARTS)
def test_the_linter_finds_nothing_with_the_releases_values(helm: Path, tmp_path: Path, name: str) -> None:
    done = run(helm, "lint", "--strict", chart(name), "--values", written(values(name), tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout


@pytest.mark.parametrize("name", CHARTS)
def test_the_chart_renders_with_the_releases_values(helm: Path, tmp_path: Path, name: str) -> None:
    assert {item["kind"] for item in rendered(helm, name, tmp_path)} & {
        "Deployment",
        "DaemonSet",
        "CustomResourceDefinition",
        "ValidatingWebhookConfiguration",
    }


def test_istiod_runs_with_the_mesh_configuration_of_the_release(helm: Path, tmp_path: Path) -> None:
    objects = rendered(helm, "istiod", tmp_path)
    mesh = yaml.safe_load(one(objects, "ConfigMap", "istio")["data"]["mesh"])
    asked = values("istiod")["meshConfig"]

    assert mesh["defaultHttpRetryPolicy"] == {"attempts": 0}
    assert mesh["trustDomain"] == "cluster.local"
    assert mesh["defaultConfig"]["holdApplicationUntilProxyStarts"] is True
    assert {key: mesh[key] for key in ("accessLogFile", "accessLogEncoding")} == {
        key: asked[key] for key in ("accessLogFile", "accessLogEncoding")
    }


def test_istiod_has_its_replicas_and_native_sidecars(helm: Path, tmp_path: Path) -> None:
    objects = rendered(helm, "istiod", tmp_path)
    pod = one(objects, "Deployment", "istiod")["spec"]["template"]["spec"]
    scaler = one(objects, "HorizontalPodAutoscaler", "istiod")["spec"]
    variables = {item["name"]: item.get("value") for item in pod["containers"][0]["env"]}

    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 5)
    assert variables["ENABLE_NATIVE_SIDECARS"] == "true"
    assert pod["nodeSelector"] == values("istiod")["nodeSelector"]


def test_injected_sidecars_request_what_the_capacity_arithmetic_counts(helm: Path, tmp_path: Path) -> None:
    injector = one(rendered(helm, "istiod", tmp_path), "ConfigMap", "istio-sidecar-injector")
    given = json.loads(injector["data"]["values"])

    assert given["global"]["proxy"]["resources"]["requests"] == SIDECAR_REQUESTS


def test_a_value_that_a_chart_cannot_take_is_found(helm: Path, tmp_path: Path) -> None:
    wrong = {**values("istiod"), "env": "ENABLE_NATIVE_SIDECARS=true"}
    done = run(helm, "template", "istiod", chart("istiod"), "--values", written(wrong, tmp_path))

    assert done.returncode != 0
