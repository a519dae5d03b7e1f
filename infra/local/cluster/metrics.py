"""The metrics that autoscalers read, served as aggregated APIs; whoever runs them says what the numbers are."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

from infra.local.cluster import waiting
from infra.local.cluster.answers import AnswerServer
from infra.local.cluster.certificates import Authority
from infra.local.cluster.client import ApiError, Client, Json

_RESOURCE, _EXTERNAL = "metrics.k8s.io/v1beta1", "external.metrics.k8s.io/v1beta1"
_WINDOW = "30s"
_SERVICE, _NAMESPACE = "local-metrics", "kube-system"


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a pod uses: millicores and MiB, over all its containers."""

    cpu_millis: float = 0.0
    memory_mib: float = 0.0


def _idle(_pod: Json) -> Usage:
    return Usage()


class MetricsApi:
    """Serves `metrics.k8s.io`, and `external.metrics.k8s.io` unless another server does.

    Args:
        client: The administrator's.
        authority: The control plane's front-proxy authority: only the API server may ask.
        external: Serve external metrics too; KEDA's own server does in a cluster that has it.

    Attributes:
        usage: What a pod uses; set it to steer the autoscalers. Called from other threads.
        external: External metrics by namespace and name; set items to steer.
    """

    def __init__(self, client: Client, *, authority: Authority, external: bool = True) -> None:
        self.usage: Callable[[Json], Usage] = _idle
        self.external: dict[tuple[str, str], float] = {}
        self._client = client
        self._authority = authority
        self._groups = (_RESOURCE, _EXTERNAL) if external else (_RESOURCE,)
        self._server = AnswerServer("metrics-api", answer=self._answer, security=self._security())

    def register(self, *, seconds: float = 60.0) -> None:
        """Tell the API server where the metrics are, and wait until it passes requests on."""
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": _SERVICE, "namespace": _NAMESPACE},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        }
        self._client.apply(service)
        bundle = b64encode(self._authority.certificate.read_bytes()).decode()
        for group_version in self._groups:
            group, _, version = group_version.partition("/")
            item = {
                "apiVersion": "apiregistration.k8s.io/v1",
                "kind": "APIService",
                "metadata": {"name": f"{version}.{group}"},
                "spec": {
                    "group": group,
                    "version": version,
                    "groupPriorityMinimum": 100,
                    "versionPriority": 100,
                    "caBundle": bundle,
                    "service": {
                        "name": _SERVICE,
                        "namespace": _NAMESPACE,
                        "port": self._server.port,
                    },
                },
            }
            self._client.apply(item)
        for group_version in self._groups:
            waiting.until(
                lambda path=f"/apis/{group_version}": self._served(path),
                so=bool,
                what=f"{group_version} is served",
                seconds=seconds,
            )

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    def _served(self, path: str) -> bool:
        try:
            return bool(self._client.request("GET", path).get("resources"))
        except (ApiError, OSError):
            return False

    def _security(self) -> ssl.SSLContext:
        pair = self._authority.issue("metrics-api", server_names=[f"{_SERVICE}.{_NAMESPACE}.svc"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        context.load_verify_locations(self._authority.certificate)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    # Answers

    def _answer(self, target: str) -> Json | None:
        """The answer to a path, None where there is nothing."""
        parts = urlsplit(target)
        selector = parse_qs(parts.query).get("labelSelector", [""])[0]
        words = [unquote(word) for word in parts.path.strip("/").split("/")]
        match words:
            case ["apis", group, version]:
                return _resources(f"{group}/{version}")
            case ["apis", "metrics.k8s.io", "v1beta1", "nodes"]:
                return _listed("NodeMetricsList", _RESOURCE, [])
            case ["apis", "metrics.k8s.io", "v1beta1", "pods"]:
                return self._pods("", selector)
            case ["apis", "metrics.k8s.io", "v1beta1", "namespaces", namespace, "pods"]:
                return self._pods(namespace, selector)
            case ["apis", "external.metrics.k8s.io", "v1beta1", "namespaces", namespace, name]:
                return self._metric(namespace, name)
            case _:
                return None

    def _pods(self, namespace: str, selector: str) -> Json:
        found = self._client.list("v1", "Pod", namespace=namespace, labels=selector)
        running = [pod for pod in found if pod.get("status", {}).get("phase") == "Running"]
        return _listed("PodMetricsList", _RESOURCE, [self._pod(pod) for pod in running])

    def _pod(self, pod: Json) -> Json:
        usage = self.usage(pod)
        containers = [str(container["name"]) for container in pod["spec"]["containers"]]
        return {
            "metadata": {
                "name": pod["metadata"]["name"],
                "namespace": pod["metadata"]["namespace"],
                "labels": pod["metadata"].get("labels", {}),
            },
            "timestamp": _now(),
            "window": _WINDOW,
            "containers": [
                {
                    "name": name,
                    "usage": {
                        "cpu": f"{round(usage.cpu_millis * 1_000_000 / len(containers))}n",
                        "memory": f"{round(usage.memory_mib * 1024 / len(containers))}Ki",
                    },
                }
                for name in containers
            ],
        }

    def _metric(self, namespace: str, name: str) -> Json:
        value = self.external.get((namespace, name))
        item: Json = {
            "metricName": name,
            "metricLabels": {},
            "timestamp": _now(),
            "value": f"{round((value or 0) * 1000)}m",
        }
        return _listed("ExternalMetricValueList", _EXTERNAL, [] if value is None else [item])


def _resources(group_version: str) -> Json | None:
    """The discovery document of a group."""
    kinds: Mapping[str, list[tuple[str, str, bool]]] = {
        _RESOURCE: [("nodes", "NodeMetrics", False), ("pods", "PodMetrics", True)],
        # Real servers list each metric; readers ask for theirs by name and never look.
        _EXTERNAL: [("externalmetrics", "ExternalMetricValueList", True)],
    }
    if group_version not in kinds:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": [
            {
                "name": name,
                "singularName": "",
                "namespaced": namespaced,
                "kind": kind,
                "verbs": ["get", "list"],
            }
            for name, kind, namespaced in kinds[group_version]
        ],
    }


def _listed(kind: str, group_version: str, items: list[Json]) -> Json:
    return {"kind": kind, "apiVersion": group_version, "metadata": {}, "items": items}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
