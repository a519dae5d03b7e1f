"""The control plane itself: ready, strict, and gone when it should be."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.local.cluster.testing import ApiError, ControlPlane, LocalCluster, Options, crds, waiting
from infra.local.tools import TOOLS
from tests.cluster.bench import Bench, deployment


def test_it_is_the_version_that_is_pinned(cluster: LocalCluster) -> None:
    assert cluster.client.request("GET", "/version")["gitVersion"] == TOOLS["kubernetes"].version


def test_a_namespace_gets_its_service_account_and_its_authority(cluster: LocalCluster, bench: Bench) -> None:
    for kind, name in (("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")):
        waiting.until(
            lambda kind=kind, name=name: cluster.client.get("v1", kind, name, namespace=bench.namespace),
            so=lambda found: found is not None,
            what=f"{kind} {name} is made",
        )


def test_its_keys_are_for_their_owner_alone(cluster: LocalCluster) -> None:
    folder = cluster.control_plane.folder
    private = [*folder.glob("pki/*.key"), *folder.glob("pki/*.kubeconfig"), folder / "pki" / "tokens.csv"]

    assert len(private) >= 6
    assert {path.stat().st_mode & 0o077 for path in [*private, cluster.kubeconfig]} == {0}


def test_it_listens_on_loopback_only(cluster: LocalCluster) -> None:
    links = [
        str(link.readlink())
        for child in cluster.control_plane.children
        for link in Path(f"/proc/{child.pid}/fd").iterdir()
    ]
    inodes = {
        link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:[")
    }
    listening = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    addresses = {row[1].split(":")[0] for row in listening if row[3] == "0A" and row[9] in inodes}

    assert addresses == {"0100007F"}


def _service_entry(**changes: Any) -> dict[str, Any]:
    spec = {"hosts": ["a.example.com"], "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}]}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "x"},
        "spec": {**spec, "resolution": "DNS", **changes},
    }


def _scaled_object(**changes: Any) -> dict[str, Any]:
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": "x"},
        "spec": {
            "scaleTargetRef": {"name": "x"},
            "triggers": [{"type": "cpu", "metadata": {"value": "70"}, "metricType": "Utilization"}],
            **changes,
        },
    }


def _vertical(**changes: Any) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}
    return {
        "apiVersion": "autoscaling.k8s.io/v1",
        "kind": "VerticalPodAutoscaler",
        "metadata": {"name": "x"},
        "spec": {"targetRef": target, **changes},
    }


def _misspelt_deployment() -> dict[str, Any]:
    wrong = deployment("x")
    wrong["spec"]["template"]["spec"]["containers"][0]["imagePullPolcy"] = "Always"
    return wrong


MISSPELT = {
    "imagePullPolcy": _misspelt_deployment(),
    "endpoint": _service_entry(endpoint=[]),
    "maxReplicaCounts": _scaled_object(maxReplicaCounts=5),
    "updatePolcy": _vertical(updatePolcy={"updateMode": "Off"}),
}


@pytest.mark.parametrize("field", MISSPELT)
def test_a_misspelt_field_is_refused(bench: Bench, field: str) -> None:
    with pytest.raises(ApiError, match=field):
        bench.apply(MISSPELT[field])


INVALID = {
    "Unsupported value": _service_entry(resolution="SOMETIMES"),
    "triggers: Required": {**_scaled_object(), "spec": {"scaleTargetRef": {"name": "x"}}},
    "updateMode: Unsupported": _vertical(updatePolicy={"updateMode": "Perhaps"}),
}


@pytest.mark.parametrize("reason", INVALID)
def test_what_a_schema_forbids_is_refused(bench: Bench, reason: str) -> None:
    with pytest.raises(ApiError, match=reason) as refused:
        bench.apply(INVALID[reason])

    assert refused.value.code == 422


def test_the_same_objects_without_the_mistake_are_taken(bench: Bench) -> None:
    for item in (_service_entry(), _scaled_object(), _vertical()):
        assert bench.apply(item)["metadata"]["uid"]


def test_a_kind_without_a_schema_takes_anything(bench: Bench) -> None:
    stub = crds.UNCHECKED[0]
    item = {
        "apiVersion": f"{stub.group}/{stub.version}",
        "kind": stub.kind,
        "metadata": {"name": "x"},
        "spec": {"noSuchField": True},
    }

    assert bench.apply(item)["spec"] == {"noSuchField": True}


def test_an_unknown_kind_is_refused(bench: Bench) -> None:
    with pytest.raises(ApiError, match='no matches for kind "Nonsense" in version "apps/v1"'):
        bench.apply({"apiVersion": "apps/v1", "kind": "Nonsense", "metadata": {"name": "x"}})


def test_what_it_stores_outlives_a_restart_where_that_is_asked_for(tmp_path: Path) -> None:
    options = Options(keep_data=True)
    kept = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept", "namespace": "default"}}
    with ControlPlane(tmp_path, options=options) as plane:
        uid = plane.client.apply(kept)["metadata"]["uid"]
    with ControlPlane(tmp_path, options=options) as plane:
        found = plane.client.get("v1", "ConfigMap", "kept", namespace="default")

    assert found is not None
    assert found["metadata"]["uid"] == uid


_HOLDER = """
import sys, time
from pathlib import Path
from infra.local.cluster.testing import ControlPlane
plane = ControlPlane(Path(sys.argv[1]))
plane.start()
print(*(child.pid for child in plane.children), flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_nothing_outlives_a_killed_runner(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        pids = [int(word) for word in holder.stdout.readline().split()]
        holder.send_signal(signal.SIGKILL)

    assert len(pids) == 4
    waiting.until(
        lambda: [pid for pid in pids if _lives(pid)], so=lambda left: not left, what="all servers are gone"
    )


def _lives(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody has asked about does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
