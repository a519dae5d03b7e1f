"""What Prometheus and Grafana of a cluster are told: rules, monitors, dashboards."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s

from components.base import Component
from infra.cluster.manifests import LABELS, Manifest
from infra.model.service import Service
from infra.naming import StackContext
from infra.slo.dashboards import dashboards
from infra.slo.monitors import pod_monitors
from infra.slo.rules import prometheus_rules
from infra.slo.site import MetricsSite

DASHBOARD_LABEL = "grafana_dashboard"
"""What Grafana's sidecar looks for, in every namespace."""


class Observability(Component):
    """Objectives of the services as rules, alerts and dashboards on their cluster.

    Args:
        name: Logical name, e.g. `observability`; an object's is `<name>-<key>`.
        context: Names, tags and protection of the stack.
        provider: Provider of the cluster's Kubernetes API.
        namespace: Created namespace of Prometheus and Grafana.
        services: The services as this stack runs them.
        site: Names of the region's cluster, as labels of metrics have them.
        after: Releases that bring the kinds.
        opts: Options of the component.
    """

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        provider: k8s.Provider,
        namespace: pulumi.Input[str],
        services: Sequence[Service],
        site: MetricsSite,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Observability", name, context=context, opts=opts)
        self._provider, self._namespace, self._after = provider, namespace, after
        for manifest in (*prometheus_rules(services, site), *pod_monitors(site)):
            self._create_object(manifest)
        for key, document in dashboards(services, site).items():
            self._create_dashboard(key, document)
        self.register_outputs({})

    def _create_object(self, manifest: Manifest) -> None:
        k8s.apiextensions.CustomResource(
            f"{self._name}-{manifest.key}",
            api_version=manifest.api_version,
            kind=manifest.kind,
            metadata=k8s.meta.v1.ObjectMetaArgs(name=manifest.name, namespace=self._namespace, labels=LABELS),
            spec=dict(manifest.spec),
            # The kinds exist only once the Prometheus operator's release has brought them.
            opts=self.child(provider=self._provider, depends_on=self._after),
        )

    def _create_dashboard(self, key: str, document: str) -> None:
        k8s.core.v1.ConfigMap(
            f"{self._name}-dashboard-{key}",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=f"dashboard-{key}",
                namespace=self._namespace,
                labels={**LABELS, DASHBOARD_LABEL: "1"},
            ),
            data={f"{key}.json": document},
            opts=self.child(provider=self._provider),
        )
