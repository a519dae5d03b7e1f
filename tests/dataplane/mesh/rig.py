"""Callers, services and what configures the way between them: istiod, fed with the project's objects alone."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from infra.catalogue import resolve
from infra.cluster.labels import selector_labels
from infra.local.cluster.certificates import Authority
from infra.local.cluster.children import free_ports
from infra.local.cluster.control_plane import ControlPlane
from infra.model.service import Service
from infra.traffic import mesh
from infra.traffic.mesh import MeshSite
from services import CATALOGUE
from stacks.mesh import site as site_of
from tests.dataplane.mesh.control import Istiod, entry, install_kinds, make_namespaces
from tests.dataplane.mesh.proxies import Pod, Proxy
from tests.dataplane.mesh.releases import values
from tests.dataplane.mesh.secrets import Secrets
from tests.dataplane.mesh.upstreams import Caller, Upstream
from tests.dataplane.servers import until
from tests.unit.stack_files import load

CANARY_PERCENT = 10
GUARDED = "notification"
"""The service whose pod has a sidecar of its own, so that mutual TLS and authorization can be seen."""
GUARDED_ADDRESS = "127.0.0.2"
_ADDRESS = "127.0.0.3"
_HERE, _THERE = "us-east-1a", "us-east-1b"
COPIES = {
    # Each test that breaks something has a service of its own: the same data, and so the same policies.
    "sessions": "auth",
    "turns": "parking",
    "moving": "payment",
    "failing": "payment",
    "ejected": "configuration",
    "zoned": "parking",
}


class Rig:
    """What the tests use.

    Attributes:
        services: Every service by name, the copies included.
        site: Where they live.
        upstreams: Pods of each service.
        proxy: The ingress controller's sidecar.
        guard: The sidecar of the guarded service's pod.
        authority: Who signs identities.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        settings = load("prod")
        (port,) = free_ports(1)
        self.port = port
        self.site: MeshSite = site_of(settings)
        originals = [resolve(service, settings.services[service.name]) for service in CATALOGUE]
        services = [*originals, *(_copy(originals, name, of) for name, of in COPIES.items())]
        tried = {"auth", "configuration"}
        self.services: Mapping[str, Service] = {
            service.name: _changed(
                service, port=port, canary_percent=CANARY_PERCENT if service.name in tried else 0
            )
            for service in services
        }
        self.upstreams: Mapping[str, Sequence[Upstream]] = {
            name: _pods_of(service) for name, service in self.services.items()
        }
        self.authority = Authority(folder, name="mesh")
        self.proxy: Proxy
        self.guard: Proxy

    @contextmanager
    def running(self) -> Generator[Rig]:
        """Everything, until the end of the block."""
        with ExitStack() as started:
            for upstreams in self.upstreams.values():
                for upstream in upstreams:
                    started.callback(upstream.stop)
            plane = started.enter_context(ControlPlane(self._folder / "cluster"))
            install_kinds(plane.client)
            site = self.site
            make_namespaces(plane.client, (site.namespace, site.ingress_namespace, site.root_namespace))
            for item in self.objects():
                plane.client.apply(item)
            istiod = Istiod(plane, folder=self._folder, mesh_config=values("istiod")["meshConfig"])
            started.callback(istiod.stop)
            ingress = Pod(
                name="nginx-ingress-1",
                namespace=site.ingress_namespace,
                account=site.ingress_account,
                labels=site.ingress_labels,
                address="127.0.0.9",
                zone=_HERE,
            )
            account = self.services[GUARDED].workload_name
            guarded = Pod(
                name=f"{account}-1",
                namespace=site.namespace,
                account=account,
                labels={**selector_labels(account), "version": "stable"},
                address=GUARDED_ADDRESS,
                zone=_HERE,
            )
            self.proxy, self.guard = (self._sidecar(pod, istiod, started) for pod in (ingress, guarded))
            until(self._is_configured, what="istiod's configuration of both proxies")
            yield self

    def objects(self) -> list[dict[str, Any]]:
        """The project's objects; what differs from a cluster's is said in `_adapted`."""
        services = tuple(self.services.values())
        generated = [manifest.document for manifest in mesh.plan(services, self.site)]
        pods = [
            entry(service, self.site, self.upstreams[name]) if name != GUARDED else self._guarded_entry()
            for name, service in self.services.items()
        ]
        return [*(self._adapted(item) for item in generated), *pods]

    def _adapted(self, item: dict[str, Any]) -> dict[str, Any]:
        """As generated, but for two: the control's algorithm, and where the guarded pod's sidecar listens."""
        kind, name = item["kind"], item["metadata"]["name"]
        if (kind, name) == ("DestinationRule", self.services["turns"].workload_name):
            policy = item["spec"]["trafficPolicy"]
            balancer = {**policy["loadBalancer"], "simple": "ROUND_ROBIN"}
            return {
                **item,
                "spec": {**item["spec"], "trafficPolicy": {**policy, "loadBalancer": balancer}},
            }
        if (kind, name) == ("Sidecar", self.services[GUARDED].workload_name):
            listener = {
                "port": {"number": self.port, "protocol": "HTTP", "name": "http"},
                "bind": GUARDED_ADDRESS,
                "captureMode": "NONE",
                "defaultEndpoint": f"127.0.0.1:{self.upstreams[GUARDED][0].port}",
            }
            # It calls nobody here: its listener for calls would be the other proxy's.
            spec = {**item["spec"], "ingress": [listener], "egress": [{"hosts": ["~/*"]}]}
            return {**item, "spec": spec}
        return item

    def _guarded_entry(self) -> dict[str, Any]:
        made = entry(self.services[GUARDED], self.site, self.upstreams[GUARDED], mutual_tls=True)
        (endpoint,) = made["spec"]["endpoints"]
        # A proxy's labels are those of the endpoint at its address: by them policies find it.
        endpoint["labels"] |= selector_labels(self.services[GUARDED].workload_name)
        endpoint |= {"address": GUARDED_ADDRESS, "ports": {"http": self.port}}
        return made

    def _sidecar(self, pod: Pod, istiod: Istiod, started: ExitStack) -> Proxy:
        secrets = Secrets(self.authority, principal=pod.principal, stem=pod.account)
        started.callback(secrets.stop)
        proxy = Proxy(pod, folder=self._folder, istiod_port=istiod.port, secrets=secrets)
        started.callback(proxy.stop)
        return proxy

    def _is_configured(self) -> bool:
        listeners = f"{self.proxy.ask('/listeners')}{self.guard.ask('/listeners')}"
        routes = self.proxy.ask("/config_dump?resource=dynamic_route_configs")
        return all(
            (
                f"127.0.0.1:{self.port}" in listeners,
                f"{GUARDED_ADDRESS}:{self.port}" in listeners,
                all(self.site.host(service) in str(routes) for service in self.services.values()),
            )
        )

    @contextmanager
    def calling(self, name: str) -> Generator[Caller]:
        """A connection to the ingress controller's sidecar, for requests to a service."""
        caller = Caller(port=self.port, host=self.site.host(self.services[name]))
        try:
            yield caller
        finally:
            caller.close()

    def cluster(self, name: str, *, subset: str = "stable") -> str:
        """Envoy's name of a service's pods of one version."""
        return f"outbound|{self.port}|{subset}|{self.site.host(self.services[name])}"


def _changed(service: Service, **changes: Any) -> Service:
    return Service.model_validate({**dict(service), **changes})


def _copy(originals: Sequence[Service], name: str, of: str) -> Service:
    return _changed(next(service for service in originals if service.name == of), name=name)


def _pods_of(service: Service) -> Sequence[Upstream]:
    name = service.name
    if name == GUARDED:
        return [Upstream(f"{name}-1", address="127.0.0.1")]
    pods = [Upstream(f"{name}-{number}", zone=_HERE, address=_ADDRESS) for number in (1, 2, 3)]
    if name == "zoned":
        pods.append(Upstream(f"{name}-far", zone=_THERE, address=_ADDRESS))
    if service.canary_percent:
        pods.append(Upstream(f"{name}-canary", version="canary", zone=_HERE, address=_ADDRESS))
    return pods
