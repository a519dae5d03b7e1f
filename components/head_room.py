"""Room kept free on nodes for a spike: pods that do nothing and leave as soon as any other pod needs their place."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes import core, meta

from components.base import Component
from infra.cluster import versions
from infra.cluster.labels import selector_labels
from infra.cluster.pools import POOL_LABEL, PoolName
from infra.cluster.scheduling import HEAD_ROOM, HEAD_ROOM_PRIORITY, priority_class_name
from infra.model.stack import HeadRoomSettings
from infra.naming import PROJECT, StackContext

_USER = 65_535
"""The pause image's own user."""


class HeadRoom(Component):
    """Pods of the lowest priority that request cpu and memory, and use none.

    A pod that finds no room takes theirs at once, by preemption; they then wait for a node, and the Cluster
    Autoscaler adds one for them. So a spike never waits for a node as long as the head-room lasts. They preempt
    nobody themselves.

    Args:
        name: Logical name, stable and short.
        context: Names, tags and protection of the stack.
        provider: Provider of the cluster's Kubernetes API.
        settings: How many, and the room that each keeps, as Kubernetes quantities.
        pool: The pool whose nodes have the room. Default application.
        after: What must outlive its pods on deletion: the nodes.
        opts: Options of the component itself.

    Outputs:
        priority: Name of their PriorityClass.
    """

    priority: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        provider: k8s.Provider,
        settings: HeadRoomSettings,
        pool: PoolName = PoolName.APPLICATION,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("HeadRoom", name, context=context, opts=opts)
        self._provider, self._settings, self._pool, self._after = provider, settings, pool, after
        self._labels = selector_labels(HEAD_ROOM)
        self.priority = self._create_priority().metadata["name"]
        namespace = self._create_namespace()
        self._create_default_deny(namespace)
        self._create_pods(namespace)
        self.register_outputs({"priority": self.priority})

    def _create_priority(self) -> k8s.scheduling.v1.PriorityClass:
        return k8s.scheduling.v1.PriorityClass(
            f"{self._name}-priority",
            metadata=meta.v1.ObjectMetaArgs(name=priority_class_name(HEAD_ROOM)),
            value=HEAD_ROOM_PRIORITY,
            global_default=False,
            preemption_policy="Never",
            description=f"{PROJECT}: room kept free for others",
            opts=self.child(provider=self._provider),
        )

    def _create_namespace(self) -> pulumi.Output[str]:
        created = core.v1.Namespace(
            f"{self._name}-namespace",
            metadata=meta.v1.ObjectMetaArgs(
                name=HEAD_ROOM,
                labels={
                    "app.kubernetes.io/part-of": PROJECT,
                    "app.kubernetes.io/managed-by": "pulumi",
                    "istio-injection": "disabled",
                    "pod-security.kubernetes.io/enforce": "restricted",
                },
            ),
            opts=self.child(provider=self._provider, depends_on=self._after),
        )
        return created.metadata["name"]

    def _create_default_deny(self, namespace: pulumi.Output[str]) -> None:
        k8s.networking.v1.NetworkPolicy(
            f"{self._name}-default-deny",
            metadata=self._metadata("default-deny", namespace),
            spec=k8s.networking.v1.NetworkPolicySpecArgs(
                pod_selector=meta.v1.LabelSelectorArgs(), policy_types=["Ingress", "Egress"]
            ),
            opts=self.child(provider=self._provider),
        )

    def _create_pods(self, namespace: pulumi.Output[str]) -> None:
        selector = meta.v1.LabelSelectorArgs(match_labels=self._labels)
        k8s.apps.v1.Deployment(
            f"{self._name}-pods",
            metadata=self._metadata(
                HEAD_ROOM,
                namespace,
                # They are meant to wait whenever others took their room, which is no failed update.
                annotations={"pulumi.com/skipAwait": "true"},
            ),
            spec=k8s.apps.v1.DeploymentSpecArgs(
                replicas=self._settings.pods,
                selector=selector,
                # Replaced in place: room for a surge would be more room than asked for.
                strategy=k8s.apps.v1.DeploymentStrategyArgs(type="Recreate"),
                template=core.v1.PodTemplateSpecArgs(
                    metadata=meta.v1.ObjectMetaArgs(labels=self._labels), spec=self._pod(selector)
                ),
            ),
            opts=self.child(provider=self._provider),
        )

    def _pod(self, selector: meta.v1.LabelSelectorArgs) -> core.v1.PodSpecArgs:
        room = {"cpu": self._settings.cpu, "memory": self._settings.memory}
        return core.v1.PodSpecArgs(
            priority_class_name=self.priority,
            automount_service_account_token=False,
            enable_service_links=False,
            # Whoever needs the room must not wait for a goodbye.
            termination_grace_period_seconds=0,
            node_selector={POOL_LABEL: self._pool.value},
            topology_spread_constraints=[
                core.v1.TopologySpreadConstraintArgs(
                    max_skew=1,
                    topology_key="topology.kubernetes.io/zone",
                    when_unsatisfiable="ScheduleAnyway",
                    label_selector=selector,
                )
            ],
            security_context=core.v1.PodSecurityContextArgs(
                run_as_non_root=True,
                run_as_user=_USER,
                run_as_group=_USER,
                seccomp_profile=core.v1.SeccompProfileArgs(type="RuntimeDefault"),
            ),
            containers=[
                core.v1.ContainerArgs(
                    name=HEAD_ROOM,
                    image=versions.PAUSE_IMAGE,
                    image_pull_policy="IfNotPresent",
                    resources=core.v1.ResourceRequirementsArgs(requests=room, limits=room),
                    security_context=core.v1.SecurityContextArgs(
                        allow_privilege_escalation=False,
                        read_only_root_filesystem=True,
                        capabilities=core.v1.CapabilitiesArgs(drop=["ALL"]),
                    ),
                )
            ],
        )

    def _metadata(
        self, name: str, namespace: pulumi.Output[str], *, annotations: dict[str, str] | None = None
    ) -> meta.v1.ObjectMetaArgs:
        return meta.v1.ObjectMetaArgs(
            name=name,
            namespace=namespace,
            labels={**self._labels, "app.kubernetes.io/managed-by": "pulumi"},
            annotations=annotations,
        )
