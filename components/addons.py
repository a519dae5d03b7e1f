"""Everything a cluster needs beside the platform's services: EKS add-ons, then Helm releases in a fixed order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
import pulumi_random as random

from components.account import account_id
from components.addon_charts import NAMESPACES, STEADY_NODES, AddOnCatalogue
from components.addon_contract import SYSTEM_NAMESPACE, AddOn, AddOnSizes, AddOnTarget
from components.addon_metrics import GRAFANA_LOGIN, MONITORING_NAMESPACE
from components.base import Component
from components.controller_identity import ControllerIdentity, ServiceAccount
from infra.cluster import controller_policies as policies
from infra.cluster import versions
from infra.cluster.controller_policies import Statement
from infra.cluster.versions import EksAddOnVersion
from infra.naming import StackContext

RELEASE_TIMEOUT_SECONDS = 900
"""How long Helm waits for a release's pods before it rolls back."""


def _eks_add_on(
    component: Component,
    logical_name: str,
    *,
    pin: EksAddOnVersion,
    cluster_name: pulumi.Input[str],
    kubernetes_version: str,
    configuration: Mapping[str, Any] | None = None,
    depends_on: Sequence[pulumi.Resource] | None = None,
) -> aws.eks.Addon:
    return aws.eks.Addon(
        logical_name,
        addon_name=pin.name,
        addon_version=pin.for_kubernetes(kubernetes_version),
        cluster_name=cluster_name,
        configuration_values=pulumi.Output.json_dumps(configuration) if configuration else None,
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="OVERWRITE",
        tags=component.tags(),
        opts=component.child(depends_on=depends_on),
    )


class NodeAddOns(Component):
    """What nodes need before they turn Ready: the VPC CNI, kube-proxy and the Pod Identity agent.

    They are apart from `AddOns` because node groups wait for them, and they must outlive the nodes: interfaces of
    the CNI leak when it goes first.

    Numbers: prefix delegation gives a node 110 pods (250 over 30 vCPU) in place of its interface limit; network
    policies are Calico's, hence off in the CNI.

    Args:
        name: Logical name, e.g. `node-addons`.
        context: Names, tags and protection of the stack.
        cluster_name: Name of the cluster.
        kubernetes_version: Its minor version, e.g. `1.36`.
        vpc_id: VPC of the cluster.
        opts: Options of the component.

    Outputs:
        ready: Resources that node groups depend on.

    Raises:
        infra.cluster.versions.VersionError: When no add-on version is pinned for the Kubernetes version.
        infra.naming.NamingError: When a required tag is empty.
    """

    ready: tuple[pulumi.Resource, ...]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        cluster_name: pulumi.Input[str],
        kubernetes_version: str,
        vpc_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("NodeAddOns", name, context=context, opts=opts)
        self._cluster_name = cluster_name
        self._kubernetes_version = kubernetes_version
        agent = self._create_add_on(versions.POD_IDENTITY_AGENT)
        proxy = self._create_add_on(versions.KUBE_PROXY)
        network = self._create_network(vpc_id)
        self.ready = (agent, proxy, network)
        self.register_outputs({})

    def _create_add_on(
        self,
        pin: EksAddOnVersion,
        configuration: Mapping[str, Any] | None = None,
        depends_on: Sequence[pulumi.Resource] | None = None,
    ) -> aws.eks.Addon:
        return _eks_add_on(
            self,
            f"{self._name}-{pin.name}",
            pin=pin,
            cluster_name=self._cluster_name,
            kubernetes_version=self._kubernetes_version,
            configuration=configuration,
            depends_on=depends_on,
        )

    def _create_network(self, vpc_id: pulumi.Input[str]) -> aws.eks.Addon:
        context, account = self.context, account_id(self)

        def statements(values: Sequence[str]) -> Sequence[Statement]:
            number, vpc = values
            vpc_arn = f"arn:aws:ec2:{context.region}:{number}:vpc/{vpc}"
            return policies.vpc_cni(region=context.region, cluster=context.name(), vpc_arn=vpc_arn)

        identity = ControllerIdentity(
            f"{self._name}-aws-node",
            context=context,
            cluster_name=self._cluster_name,
            account_id=account,
            service_account=ServiceAccount(namespace=SYSTEM_NAMESPACE, name="aws-node"),
            statements=pulumi.Output.all(account, vpc_id).apply(statements),
            opts=self.child(),
        )
        environment = {
            "ENABLE_PREFIX_DELEGATION": "true",
            "WARM_PREFIX_TARGET": "1",
            # Marks interfaces as this cluster's, which its role asks for.
            "CLUSTER_NAME": context.name(),
        }
        return self._create_add_on(
            versions.VPC_CNI,
            {"env": environment, "enableNetworkPolicy": "false"},
            # Pods started before the association have no identity.
            depends_on=[identity.association],
        )


class AddOns(Component):
    """The add-ons of a cluster with nodes: EBS CSI driver, CoreDNS, storage class, and the Helm releases.

    Releases are made one after the other and destroyed in the reverse order: Calico, AWS Load Balancer
    Controller, Cluster Autoscaler, metrics-server, Istio (base, CNI, istiod), cert-manager, NGINX ingress, KEDA,
    VPA, kube-prometheus-stack, Kafka exporter, External Secrets, NVIDIA device plugin. Each is atomic: what does not
    come up is rolled back. Controllers that talk to AWS have an identity of their own, made before their pods.

    Args:
        name: Logical name, e.g. `addons`; children are `<name>-<add-on>`.
        context: Names, tags and protection of the stack.
        target: The cluster, its nodes, VPC and keys.
        sizes: Replicas, retention, scale-down; the defaults are production's.
        opts: Options of the component.

    Outputs:
        releases: Helm releases by add-on name, in order.
        namespaces: Names of the namespaces made, by name; ordered after them.
        storage_class: Name of the default storage class: gp3, encrypted.
        ready: Resources to depend on for what needs an add-on's webhooks or custom resources.

    Raises:
        infra.cluster.versions.VersionError: When the Kubernetes version is outside what the pins are used with.
        infra.naming.NamingError: When a required tag is empty.
    """

    releases: dict[str, kubernetes.helm.v3.Release]
    namespaces: dict[str, pulumi.Output[str]]
    storage_class: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        target: AddOnTarget,
        sizes: AddOnSizes | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("AddOns", name, context=context, opts=opts)
        versions.check(target.kubernetes_version)
        self._target = target
        self._sizes = sizes or AddOnSizes()
        self._account_id = account_id(self)
        volumes = self._create_volumes()
        dns = self._create_dns()
        storage_class = self._create_storage_class()
        self.storage_class = storage_class.metadata.name.apply(str)
        self._create_namespaces(volumes)
        login = self._create_grafana_login()
        self._create_releases([volumes, dns, storage_class, login])
        self.register_outputs({"storageClass": self.storage_class, "namespaces": self.namespaces})

    def _create_eks_add_on(
        self,
        pin: EksAddOnVersion,
        configuration: Mapping[str, Any],
        depends_on: Sequence[pulumi.Resource],
    ) -> aws.eks.Addon:
        return _eks_add_on(
            self,
            f"{self._name}-{pin.name}",
            pin=pin,
            cluster_name=self._target.cluster_name,
            kubernetes_version=self._target.kubernetes_version,
            configuration=configuration,
            depends_on=depends_on,
        )

    def _create_identity(
        self, namespace: str, account_name: str, statements: pulumi.Input[Sequence[Statement]]
    ) -> ControllerIdentity:
        return ControllerIdentity(
            f"{self._name}-{account_name}",
            context=self.context,
            cluster_name=self._target.cluster_name,
            account_id=self._account_id,
            service_account=ServiceAccount(namespace=namespace, name=account_name),
            statements=statements,
            opts=self.child(),
        )

    def _create_volumes(self) -> pulumi.Resource:
        context = self.context

        def statements(key_arn: str) -> Sequence[Statement]:
            return policies.ebs_csi(region=context.region, cluster=context.name(), key_arn=key_arn)

        identity = self._create_identity(
            SYSTEM_NAMESPACE,
            "ebs-csi-controller-sa",
            pulumi.Output.from_input(self._target.disk_key_arn).apply(statements),
        )
        return self._create_eks_add_on(
            versions.EBS_CSI,
            {"controller": {"replicaCount": self._sizes.replicas, "nodeSelector": STEADY_NODES}},
            # Its pods need nodes to be placed on, and their identity when they start.
            depends_on=[*self._target.nodes, identity.association],
        )

    def _create_dns(self) -> pulumi.Resource:
        configuration = {
            "replicaCount": max(2, self._sizes.replicas),
            "autoScaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 10},
        }
        # CoreDNS stays degraded until there are nodes.
        return self._create_eks_add_on(versions.COREDNS, configuration, depends_on=self._target.nodes)

    def _create_storage_class(self) -> kubernetes.storage.v1.StorageClass:
        return kubernetes.storage.v1.StorageClass(
            f"{self._name}-gp3",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name="gp3", annotations={"storageclass.kubernetes.io/is-default-class": "true"}
            ),
            provisioner="ebs.csi.aws.com",
            parameters={"type": "gp3", "encrypted": "true", "kmsKeyId": self._target.disk_key_arn},
            allow_volume_expansion=True,
            reclaim_policy="Delete",
            volume_binding_mode="WaitForFirstConsumer",
            opts=self.child(provider=self._target.provider),
        )

    def _create_namespaces(self, volumes: pulumi.Resource) -> None:
        self.namespaces = {}
        for plan in NAMESPACES:
            namespace = kubernetes.core.v1.Namespace(
                f"{self._name}-{plan.name}",
                metadata=kubernetes.meta.v1.ObjectMetaArgs(name=plan.name, labels=plan.labels),
                # A namespace takes its volume claims along, and only the CSI driver can delete their disks.
                opts=self.child(depends_on=[volumes], provider=self._target.provider),
            )
            self.namespaces[plan.name] = namespace.metadata.name.apply(str)

    def _create_grafana_login(self) -> pulumi.Resource:
        password = random.RandomPassword(f"{self._name}-grafana", length=32, special=False, opts=self.child())
        return kubernetes.core.v1.Secret(
            f"{self._name}-grafana",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(
                name=GRAFANA_LOGIN, namespace=self.namespaces[MONITORING_NAMESPACE]
            ),
            string_data={"user": "admin", "password": password.result},
            opts=self.child(provider=self._target.provider),
        )

    def _create_releases(self, foundation: Sequence[pulumi.Resource]) -> None:
        catalogue = AddOnCatalogue(
            context=self.context, account_id=self._account_id, target=self._target, sizes=self._sizes
        )
        self.releases = {}
        for add_on in catalogue.build():
            # The explicit order of the catalogue; the first waits for nodes, names and volumes to work.
            before = [self.releases[add_on.after]] if add_on.after else list(foundation)
            self.releases[add_on.name] = self._create_release(add_on, before)
        self.ready = (list(self.releases.values())[-1],)

    def _create_release(self, add_on: AddOn, before: Sequence[pulumi.Resource]) -> kubernetes.helm.v3.Release:
        waits = list(before)
        for policy in add_on.policies:
            identity = self._create_identity(add_on.namespace, policy.service_account, policy.statements)
            # Pods started before the association have no identity.
            waits.append(identity.association)
        chart = add_on.chart
        return kubernetes.helm.v3.Release(
            f"{self._name}-{add_on.name}",
            name=add_on.name,
            chart=chart.chart,
            version=chart.version,
            repository_opts=kubernetes.helm.v3.RepositoryOptsArgs(repo=chart.repository),
            namespace=self.namespaces.get(add_on.namespace, SYSTEM_NAMESPACE),
            values=add_on.values,
            atomic=True,
            cleanup_on_fail=True,
            max_history=5,
            timeout=RELEASE_TIMEOUT_SECONDS,
            opts=self.child(depends_on=waits, provider=self._target.provider),
        )
