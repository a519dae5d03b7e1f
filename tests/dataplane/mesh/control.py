"""A real istiod on a real API server, fed with the project's own objects."""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from infra.local.cluster import crds
from infra.local.cluster.children import Child, free_ports
from infra.local.cluster.client import Client
from infra.local.cluster.control_plane import ControlPlane
from infra.local.tools import obtain
from infra.model.service import Service
from infra.traffic.mesh import MeshSite
from tests.dataplane.mesh.upstreams import Upstream
from tests.dataplane.servers import until

_WITHOUT_ISTIOS_OWN_ENVOY = {
    # Filters that are compiled into Istio's build of Envoy only.
    "PILOT_ENABLE_METADATA_EXCHANGE": "false",
    "PILOT_ENABLE_ALPN_FILTER": "false",
    "PILOT_DISABLE_MX_ALPN": "true",
}
_ALONE = {
    # The tests' own authority signs; nothing is injected or validated here.
    "ENABLE_CA_SERVER": "false",
    "INJECTION_WEBHOOK_CONFIG_NAME": "",
    "VALIDATION_WEBHOOK_CONFIG_NAME": "",
    "PILOT_CERT_PROVIDER": "none",
    "POD_NAMESPACE": "istio-system",
    "POD_NAME": "istiod",
}


class Istiod:
    """A running istiod.

    Args:
        plane: The API server that it watches.
        folder: For its files.
        mesh_config: Mesh configuration, as the release's values have it.
    """

    def __init__(self, plane: ControlPlane, *, folder: Path, mesh_config: Mapping[str, Any]) -> None:
        config, networks = folder / "mesh.yaml", folder / "networks.yaml"
        config.write_text(yaml.safe_dump({**mesh_config, "rootNamespace": "istio-system"}))
        networks.write_text("networks: {}\n")
        self.port, http, monitoring, webhooks = free_ports(4)
        self._monitoring = monitoring
        self.process = Child(
            "istiod",
            command=[
                str(obtain("istio")["pilot-discovery"]),
                "discovery",
                f"--kubeconfig={plane.kubeconfig}",
                f"--meshConfig={config}",
                f"--networksConfig={networks}",
                f"--grpcAddr=127.0.0.1:{self.port}",
                f"--httpAddr=127.0.0.1:{http}",
                f"--httpsAddr=127.0.0.1:{webhooks}",
                f"--monitoringAddr=127.0.0.1:{monitoring}",
                "--secureGRPCAddr=",
                "--ctrlz_port=0",
                "--clusterID=Kubernetes",
            ],
            logs=folder,
            environ={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                **_WITHOUT_ISTIOS_OWN_ENVOY,
                **_ALONE,
            },
        )
        self._http = http
        until(self._is_ready, what="istiod's start")

    def stop(self) -> None:
        """End it."""
        self.process.stop()

    def _is_ready(self) -> bool:
        if self.process.exit_code is not None:
            raise RuntimeError(f"istiod ended:\n{self.process.last_words(lines=30)}")
        return answers(self._http, "/ready")


def answers(port: int, path: str) -> bool:
    """Whether an HTTP server says 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def install_kinds(client: Client) -> None:
    """Istio's kinds, from its API's module."""
    crds.install(client, [item for item in crds.definitions() if item["spec"]["group"].endswith(".istio.io")])


def make_namespaces(client: Client, names: Iterable[str]) -> None:
    """Namespaces with sidecars."""
    for name in names:
        labels = {"istio-injection": "enabled"}
        client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})


def entry(
    service: Service, site: MeshSite, upstreams: Sequence[Upstream], *, mutual_tls: bool = False
) -> dict[str, Any]:
    """What stands for a service and its pods: their addresses are loopback's, which no EndpointSlice may hold.

    Args:
        service: The service.
        site: Where it lives.
        upstreams: Its pods.
        mutual_tls: Whether the pods have sidecars.
    """
    mode = {"security.istio.io/tlsMode": "istio" if mutual_tls else "disabled"}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": f"pods-of-{service.workload_name}", "namespace": site.namespace},
        "spec": {
            "hosts": [site.host(service)],
            "location": "MESH_INTERNAL",
            "resolution": "STATIC",
            "ports": [{"number": service.port, "name": "http", "protocol": "HTTP"}],
            "endpoints": [
                {
                    "address": upstream.address,
                    "ports": {"http": upstream.port},
                    "labels": {"version": upstream.version, **mode},
                    "locality": f"{upstream.zone[:-1]}/{upstream.zone}",
                    "serviceAccount": service.workload_name,
                }
                for upstream in upstreams
            ],
        },
    }
