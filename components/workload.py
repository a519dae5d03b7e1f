"""One service as it runs: Deployment, Service, account, configuration, disruption budget and network policy."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.base import Component
from components.cluster_site import ClusterSite
from components.pod_template import PodConfiguration, pod_template
from components.workload_network import policy_spec
from infra.cluster.capacity import canary_pods
from infra.cluster.labels import CANARY, STABLE, object_labels, selector_labels
from infra.model.cache_policy import QUERY_CACHE
from infra.model.service import CacheTtl, Service
from infra.naming import StackContext
from infra.slo.metrics import histogram_contract

_PINNED = re.compile(r"[^@]+(:(?!latest$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})")
DISRUPTED_AT_ONCE = "10%"
"""Pods that evictions may take at once; rounded up, so a drain can always go on."""
REVISIONS_KEPT = 5


def pinned(image: str) -> str:
    """The image, when it names a tag other than `latest`, or a digest.

    Raises:
        ValueError: When what runs would depend on the day it was pulled.
    """
    if not _PINNED.fullmatch(image):
        raise ValueError(f"image {image!r}: an immutable tag or a digest is needed, and 'latest' is neither")
    return image


def policy_document(service: Service) -> Mapping[str, Any]:
    """What a service must know of caching, events and objectives, mounted as `/etc/parking/policy.json`."""
    consumption = service.consumption
    return {
        "service": service.workload_name,
        "applicationCache": _ttls(service.application_cache),
        "queryCache": _ttls(QUERY_CACHE) if service.uses_database else [],
        "produces": list(service.produces),
        "consumes": {
            "group": service.workload_name,
            "topics": list(consumption.topics),
            "members": consumption.consumers,
        }
        if consumption
        else None,
        "objectives": histogram_contract(service.objectives),
    }


def _ttls(entries: Sequence[CacheTtl]) -> list[Mapping[str, Any]]:
    return [
        {"entry": entry.entry, "ttlSeconds": entry.ttl_seconds, "store": entry.store} for entry in entries
    ]


@dataclass(frozen=True, kw_only=True)
class Images:
    """What a service's pods run.

    Attributes:
        stable: Full reference with an immutable tag or a digest.
        canary: The same for the version on trial; none: there are only regular pods.
    """

    stable: pulumi.Input[str]
    canary: pulumi.Input[str] | None = None


def canary_replicas(service: Service) -> int:
    """Pods that carry the canary's share at the service's peak: as busy as the regular ones then are."""
    return canary_pods(max_replicas=service.scaling.max_replicas, percent=service.canary_percent)


class Workload(Component):
    """A service's pods and what surrounds them; the replica count belongs to its `Autoscaler`.

    The specification gives names, resources and health paths (all in `service`). The liveness and startup probes
    ask only whether the process listens, because the health path tests dependencies; readiness asks the health
    path. A leaving pod serves on for the deregistration delay and 5 s, within its termination grace.

    Args:
        name: Logical name, the service's.
        context: Names, tags and protection of the stack.
        site: Cluster, namespace and neighbours.
        service: The service as this stack runs it (see `infra.catalogue.resolve`).
        images: Image of the regular pods, and of those on trial.
        calls: Services that this one calls (see `infra.catalogue.callees`).
        environment: Further environment variables: endpoints, names of topics and secrets. Never a secret's
            value: they lie in a ConfigMap.
        opts: Options of the component itself.

    Outputs:
        deployment_name: Name of the Deployment, for the autoscaler.
        service_name: Name of the Service.
        service_account_name: Name of the ServiceAccount, for Pod Identity and the mesh's authorization.
        host: DNS name inside the cluster.
        port: TCP port of the Service.

    Raises:
        ValueError: When the image is not pinned or the termination grace would cut a draining request.
    """

    deployment_name: pulumi.Output[str]
    service_name: pulumi.Output[str]
    service_account_name: pulumi.Output[str]
    host: pulumi.Output[str]
    port: pulumi.Output[int]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        site: ClusterSite,
        service: Service,
        images: Images,
        calls: Sequence[Service] = (),
        environment: Mapping[str, pulumi.Input[str]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Workload", name, context=context, opts=opts)
        self._site, self._service = site, service
        self._account = self._create_account()
        self._create_network_policy(calls)
        configuration = self._create_configuration(environment or {})
        deployment = self._create_deployment(images.stable, configuration)
        if images.canary is not None:
            # Its count is fixed, so that no autoscaler learns from a trial.
            self._create_deployment(images.canary, configuration, replicas=canary_replicas(service))
        kubernetes_service = self._create_service()
        self._create_disruption_budget()
        self._create_monitor()

        self.deployment_name = _name_of(deployment.metadata)
        self.service_name = _name_of(kubernetes_service.metadata)
        self.service_account_name = _name_of(self._account.metadata)
        self.host = pulumi.Output.concat(self.service_name, ".", site.namespace, ".svc.cluster.local")
        self.port = pulumi.Output.from_input(service.port)
        self.register_outputs(
            {
                "deployment_name": self.deployment_name,
                "service_name": self.service_name,
                "service_account_name": self.service_account_name,
                "host": self.host,
                "port": self.port,
            }
        )

    def _metadata(self, suffix: str = "", *, waits: bool = True) -> k8s.meta.v1.ObjectMetaArgs:
        skip = {"pulumi.com/skipAwait": "true"} if waits and not self._site.await_rollouts else None
        return k8s.meta.v1.ObjectMetaArgs(
            name=f"{self._service.workload_name}{suffix}",
            namespace=self._site.namespace,
            labels=object_labels(self._service),
            annotations=skip,
        )

    def _create_account(self) -> k8s.core.v1.ServiceAccount:
        return k8s.core.v1.ServiceAccount(
            f"{self._name}-account",
            metadata=self._metadata(waits=False),
            automount_service_account_token=False,
            opts=self.child(provider=self._site.provider),
        )

    def _create_network_policy(self, calls: Sequence[Service]) -> k8s.networking.v1.NetworkPolicy:
        return k8s.networking.v1.NetworkPolicy(
            f"{self._name}-network",
            metadata=self._metadata(waits=False),
            spec=policy_spec(service=self._service, site=self._site, calls=calls),
            opts=self.child(provider=self._site.provider),
        )

    def _create_configuration(self, environment: Mapping[str, pulumi.Input[str]]) -> PodConfiguration:
        service = self._service
        variables: dict[str, pulumi.Input[str]] = {
            "SERVICE_NAME": service.workload_name,
            "HTTP_PORT": str(service.port),
            "METRICS_PORT": str(service.metrics_port),
            "AWS_REGION": self.context.region,
            "ENVIRONMENT": self.context.environment.value,
            **environment,
        }
        policy = json.dumps(policy_document(service), indent=2, sort_keys=True)
        maps = {
            suffix: k8s.core.v1.ConfigMap(
                f"{self._name}-{suffix}",
                metadata=self._metadata(f"-{suffix}", waits=False),
                data=data,
                opts=self.child(provider=self._site.provider),
            )
            for suffix, data in (("environment", variables), ("policy", {"policy.json": policy}))
        }
        return PodConfiguration(
            environment=_name_of(maps["environment"].metadata),
            policy=_name_of(maps["policy"].metadata),
            digest=pulumi.Output.all(variables, policy).apply(_digest),
        )

    def _create_deployment(
        self, image: pulumi.Input[str], configuration: PodConfiguration, *, replicas: int | None = None
    ) -> k8s.apps.v1.Deployment:
        service, version = self._service, CANARY if replicas else STABLE
        return k8s.apps.v1.Deployment(
            f"{self._name}-canary" if replicas else f"{self._name}-deployment",
            metadata=self._metadata("-canary" if replicas else ""),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                # The autoscaler owns the regular pods' count, and one here would fight it at every update.
                replicas=replicas,
                selector=k8s.meta.v1.LabelSelectorArgs(
                    match_labels={**selector_labels(service.workload_name), "version": version}
                ),
                revision_history_limit=REVISIONS_KEPT,
                progress_deadline_seconds=600,
                strategy=k8s.apps.v1.DeploymentStrategyArgs(
                    type="RollingUpdate",
                    rolling_update=k8s.apps.v1.RollingUpdateDeploymentArgs(
                        max_surge=f"{service.max_surge_percent}%", max_unavailable=0
                    ),
                ),
                template=pod_template(
                    service=service,
                    image=pulumi.Output.from_input(image).apply(pinned),
                    service_account=_name_of(self._account.metadata),
                    configuration=configuration,
                    version=version,
                ),
            ),
            # Pods made before the mesh's webhook would run without a sidecar, outside mutual TLS.
            opts=self.child(provider=self._site.provider, depends_on=self._site.after),
        )

    def _create_service(self) -> k8s.core.v1.Service:
        service = self._service
        return k8s.core.v1.Service(
            f"{self._name}-service",
            metadata=self._metadata(),
            spec=k8s.core.v1.ServiceSpecArgs(
                type="ClusterIP",
                selector=selector_labels(service.workload_name),
                ports=[
                    k8s.core.v1.ServicePortArgs(
                        name=port_name, port=port, target_port=port_name, protocol="TCP", app_protocol="http"
                    )
                    for port_name, port in (("http", service.port), ("http-metrics", service.metrics_port))
                ],
            ),
            opts=self.child(provider=self._site.provider),
        )

    def _create_disruption_budget(self) -> k8s.policy.v1.PodDisruptionBudget:
        selector = {**selector_labels(self._service.workload_name), "version": STABLE}
        return k8s.policy.v1.PodDisruptionBudget(
            f"{self._name}-disruption",
            metadata=self._metadata(waits=False),
            spec=k8s.policy.v1.PodDisruptionBudgetSpecArgs(
                max_unavailable=DISRUPTED_AT_ONCE,
                # A pod that never became ready must not hold a node for ever.
                unhealthy_pod_eviction_policy="AlwaysAllow",
                selector=k8s.meta.v1.LabelSelectorArgs(match_labels=selector),
            ),
            opts=self.child(provider=self._site.provider),
        )

    def _create_monitor(self) -> k8s.apiextensions.CustomResource:
        return k8s.apiextensions.CustomResource(
            f"{self._name}-monitor",
            api_version="monitoring.coreos.com/v1",
            kind="ServiceMonitor",
            metadata=self._metadata(waits=False),
            spec={
                "selector": {"matchLabels": selector_labels(self._service.workload_name)},
                "endpoints": [{"port": "http-metrics", "path": "/metrics", "interval": "15s"}],
            },
            # The kind exists only once the Prometheus operator's release has brought it.
            opts=self.child(provider=self._site.provider, depends_on=self._site.after),
        )


def _digest(values: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def _name_of(metadata: pulumi.Output[Any]) -> pulumi.Output[str]:
    return metadata["name"]
