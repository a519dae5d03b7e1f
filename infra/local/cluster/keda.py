"""KEDA's operator and metrics server beside a control plane: ScaledObjects become HPAs, and these are fed, for real."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from infra.local import tools
from infra.local.cluster import waiting
from infra.local.cluster.certificates import Authority
from infra.local.cluster.children import Child, free_ports
from infra.local.cluster.client import ApiError, Json
from infra.local.cluster.control_plane import ControlPlane
from infra.local.errors import LocalError

NAMESPACE = "keda"
_API = "external.metrics.k8s.io/v1beta1"
_SERVICE = "keda-metrics-apiserver"
_READY_SECONDS = 180.0
_ENVIRONMENT = {
    "POD_NAMESPACE": NAMESPACE,
    "KEDA_CLUSTER_OBJECT_NAMESPACE": NAMESPACE,
    # Every namespace.
    "WATCH_NAMESPACE": "",
    "KEDA_HTTP_DEFAULT_TIMEOUT": "10000",
}


class Keda:
    """KEDA on this machine; it works once `start` returns.

    The metrics server also serves its own metrics in clear on a port of all interfaces: KEDA has no switch for it.

    Args:
        plane: A control plane that runs and has KEDA's kinds.
        folder: For its certificates and logs; is made.
    """

    def __init__(self, plane: ControlPlane, *, folder: Path) -> None:
        self._plane = plane
        self._folder = folder
        self._children: list[Child] = []

    def start(self) -> None:
        """Start both programs and wait until external metrics are served.

        Raises:
            LocalError: A program is missing and cannot be built, or did not start.
        """
        programs = tools.obtain("keda")
        for name in ("certificates", "logs"):
            (self._folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        certificates = self._certificates()
        self._plane.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        grpc, health, serving = free_ports(3)
        self._run(
            "keda-operator", [str(programs["keda-operator"]), *self._operator(certificates, grpc, health)]
        )
        self._run(
            "keda-adapter", [str(programs["keda-adapter"]), *self._adapter(certificates, grpc, serving)]
        )
        self._register(certificates, serving)
        self._until_served()

    def close(self) -> None:
        """Stop both programs."""
        for child in reversed(self._children):
            child.stop(patience=2.0)
        self._children.clear()

    def _run(self, name: str, command: list[str]) -> None:
        logs = self._folder / "logs"
        self._children.append(Child(name, command=command, logs=logs, environ=_ENVIRONMENT))

    def _certificates(self) -> Path:
        """One pair for both ends of their own connection and for the served API, as KEDA's chart has it."""
        folder = self._folder / "certificates"
        authority = Authority(folder, name="ca")
        authority.issue("tls", server_names=["localhost", f"{_SERVICE}.{NAMESPACE}.svc"])
        return folder

    def _operator(self, certificates: Path, grpc: int, health: int) -> list[str]:
        return [
            f"--kubeconfig={self._plane.kubeconfig}",
            f"--cert-dir={certificates}",
            "--enable-cert-rotation=false",
            "--enable-webhook-patching=false",
            "--enable-apiservice-patching=false",
            "--leader-elect=false",
            "--metrics-bind-address=0",
            f"--health-probe-bind-address=127.0.0.1:{health}",
            f"--metrics-service-bind-address=127.0.0.1:{grpc}",
            "--kube-api-qps=100",
            "--kube-api-burst=200",
            "--zap-log-level=error",
        ]

    def _adapter(self, certificates: Path, grpc: int, serving: int) -> list[str]:
        kubeconfig, authority = self._plane.kubeconfig, self._plane.proxy_authority.certificate
        return [
            f"--kubeconfig={kubeconfig}",
            f"--lister-kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            "--authentication-skip-lookup=true",
            f"--requestheader-client-ca-file={authority}",
            "--requestheader-allowed-names=front-proxy",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--cert-dir={certificates}",
            f"--tls-cert-file={certificates / 'tls.crt'}",
            f"--tls-private-key-file={certificates / 'tls.key'}",
            "--bind-address=127.0.0.1",
            f"--secure-port={serving}",
            "--port=0",
            f"--metrics-service-address=localhost:{grpc}",
            "--client-qps=200",
            "--client-burst=400",
            "--kube-api-qps=100",
            "--kube-api-burst=200",
            "--zap-log-level=error",
        ]

    def _register(self, certificates: Path, serving: int) -> None:
        client = self._plane.client
        metadata = {"name": _SERVICE, "namespace": NAMESPACE}
        external = {"type": "ExternalName", "externalName": "localhost"}
        client.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": external})
        group, _, version = _API.partition("/")
        bundle = b64encode((certificates / "ca.crt").read_bytes()).decode()
        item: Json = {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"{version}.{group}"},
            "spec": {
                "group": group,
                "version": version,
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "caBundle": bundle,
                "service": {**metadata, "port": serving},
            },
        }
        client.apply(item)

    def _until_served(self) -> None:
        def served() -> bool:
            for child in self._children:
                if child.exit_code is not None:
                    raise LocalError(
                        f"{child.name} ended with exit code {child.exit_code}.\n"
                        f"  found: {child.last_words()}\n  to do: see {child.log}"
                    )
            try:
                return self._plane.client.request("GET", f"/apis/{_API}").get("kind") == "APIResourceList"
            except (ApiError, OSError):
                return False

        waiting.until(served, so=bool, what="KEDA serves external metrics", seconds=_READY_SECONDS)
