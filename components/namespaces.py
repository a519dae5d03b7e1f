"""Where workloads live and who goes first: their namespace with its guards, and the cluster's priorities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pulumi
import pulumi_kubernetes as k8s

from components.base import Component
from infra.cluster.scheduling import PRIORITIES, priority_class_name
from infra.model.service import Criticality
from infra.naming import PROJECT, StackContext

PodSecurity = Literal["restricted", "baseline", "privileged"]

DEFAULT_REQUESTS: Mapping[str, str] = {"cpu": "100m", "memory": "128Mi"}
DEFAULT_LIMITS: Mapping[str, str] = {"cpu": "500m", "memory": "512Mi"}
"""For containers that say nothing, e.g. of a job; every service states its own."""


class WorkloadNamespace(Component):
    """A namespace whose pods are in the mesh, hardened, and closed to and from everyone unless a policy opens.

    Args:
        name: Logical name, stable and short.
        context: Names, tags and protection of the stack.
        namespace: Name of the namespace in the cluster.
        provider: Provider of the cluster's Kubernetes API.
        pod_security: Pod Security Standard that is enforced. `restricted` needs the mesh's CNI plugin: without it
            every injected pod asks for network administration.
        after: What must outlive everything in the namespace on deletion: nodes, and the controllers that clean up
            behind volume claims and other objects.
        max_pods: Most pods at once, over all services, with the surge of roll-outs; none: no limit.
        opts: Options of the component itself.

    Outputs:
        namespace: Name of the namespace; take it from here, so that data flow orders what lives in it.

    Raises:
        ValueError: When `max_pods` is under 1.
    """

    namespace: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        namespace: str,
        provider: k8s.Provider,
        after: Sequence[pulumi.Resource] = (),
        pod_security: PodSecurity = "restricted",
        max_pods: int | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("WorkloadNamespace", name, context=context, opts=opts)
        if max_pods is not None and max_pods < 1:
            raise ValueError(
                f"max_pods of namespace {namespace!r} is {max_pods}; at least 1, or none for no limit"
            )
        self._provider, self._after = provider, after
        self.namespace = self._create_namespace(namespace, pod_security)
        self._create_default_deny()
        self._create_container_defaults()
        self._create_quota(max_pods)
        self.register_outputs({"namespace": self.namespace})

    def _metadata(self, name: str) -> k8s.meta.v1.ObjectMetaArgs:
        return k8s.meta.v1.ObjectMetaArgs(
            name=name,
            namespace=self.namespace,
            labels={"app.kubernetes.io/part-of": PROJECT, "app.kubernetes.io/managed-by": "pulumi"},
        )

    def _create_namespace(self, namespace: str, pod_security: PodSecurity) -> pulumi.Output[str]:
        modes = ("enforce", "audit", "warn")
        created = k8s.core.v1.Namespace(
            f"{self._name}-namespace",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=namespace,
                labels={
                    "app.kubernetes.io/part-of": PROJECT,
                    "app.kubernetes.io/managed-by": "pulumi",
                    f"{PROJECT}.platform/environment": self.context.environment.value,
                    "istio-injection": "enabled",
                    **{f"pod-security.kubernetes.io/{mode}": pod_security for mode in modes},
                },
            ),
            # All that lives in it takes its name from here, so it is gone before these are.
            opts=self.child(provider=self._provider, depends_on=self._after),
        )
        return created.metadata["name"]

    def _create_default_deny(self) -> k8s.networking.v1.NetworkPolicy:
        return k8s.networking.v1.NetworkPolicy(
            f"{self._name}-default-deny",
            metadata=self._metadata("default-deny"),
            spec=k8s.networking.v1.NetworkPolicySpecArgs(
                pod_selector=k8s.meta.v1.LabelSelectorArgs(), policy_types=["Ingress", "Egress"]
            ),
            opts=self.child(provider=self._provider),
        )

    def _create_container_defaults(self) -> k8s.core.v1.LimitRange:
        return k8s.core.v1.LimitRange(
            f"{self._name}-container-defaults",
            metadata=self._metadata("container-defaults"),
            spec=k8s.core.v1.LimitRangeSpecArgs(
                limits=[
                    k8s.core.v1.LimitRangeItemArgs(
                        type="Container", default_request=DEFAULT_REQUESTS, default=DEFAULT_LIMITS
                    )
                ]
            ),
            opts=self.child(provider=self._provider),
        )

    def _create_quota(self, max_pods: int | None) -> k8s.core.v1.ResourceQuota:
        """Nothing here may open a way in beside the load balancer; pods are bounded where asked."""
        hard = {"services.loadbalancers": "0", "services.nodeports": "0"}
        if max_pods is not None:
            hard["count/pods"] = str(max_pods)
        return k8s.core.v1.ResourceQuota(
            f"{self._name}-quota",
            metadata=self._metadata("quota"),
            spec=k8s.core.v1.ResourceQuotaSpecArgs(hard=hard),
            opts=self.child(provider=self._provider),
        )


class PriorityClasses(Component):
    """The scheduling priorities of the platform, one a criticality, highest for payment-like services.

    Values and names are in `infra.cluster.scheduling`; a workload names the class of its service's criticality.

    Args:
        name: Logical name, stable and short.
        context: Names, tags and protection of the stack.
        provider: Provider of the cluster's Kubernetes API.
        opts: Options of the component itself.

    Outputs:
        names: Names of the classes, by criticality.
        ready: The classes themselves: pods that name a class before it exists are refused.
    """

    names: Mapping[Criticality, pulumi.Output[str]]
    ready: tuple[pulumi.Resource, ...]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        provider: k8s.Provider,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("PriorityClasses", name, context=context, opts=opts)
        self._provider = provider
        classes = {criticality: self._create_class(criticality) for criticality in Criticality}
        self.names = {criticality: created.metadata["name"] for criticality, created in classes.items()}
        self.ready = tuple(classes.values())
        self.register_outputs({"names": {key.value: value for key, value in self.names.items()}})

    def _create_class(self, criticality: Criticality) -> k8s.scheduling.v1.PriorityClass:
        return k8s.scheduling.v1.PriorityClass(
            f"{self._name}-{criticality.value}",
            metadata=k8s.meta.v1.ObjectMetaArgs(name=priority_class_name(criticality)),
            value=PRIORITIES[criticality],
            global_default=False,
            preemption_policy="PreemptLowerPriority",
            description=f"{PROJECT}: services of criticality {criticality.value}",
            opts=self.child(provider=self._provider),
        )
