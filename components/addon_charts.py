"""The Helm add-ons of a cluster, in the order they are made: what each one is told beyond its chart's defaults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi

from components.addon_contract import (
    SYSTEM_NAMESPACE,
    AddOn,
    AddOnSizes,
    AddOnTarget,
    AwsAccess,
    KafkaAccess,
    NamespacePlan,
    in_order,
)
from components.addon_ingress import CERTIFICATES_NAMESPACE, INGRESS_NAMESPACE, cert_manager, nginx_ingress
from components.addon_metrics import metrics_stack
from infra.cluster import controller_policies as policies
from infra.cluster import versions
from infra.cluster.capacity import SIDECAR_REQUESTS
from infra.cluster.controller_policies import Statement
from infra.cluster.pools import CAPACITY_LABEL, GPU_RESOURCE, POOL_LABEL, Capacity, PoolName
from infra.naming import StackContext

NAMESPACES = (
    NamespacePlan(name="tigera-operator", pod_security="privileged"),
    NamespacePlan(name="istio-system", pod_security="baseline"),
    NamespacePlan(name=CERTIFICATES_NAMESPACE, pod_security="restricted"),
    NamespacePlan(name=INGRESS_NAMESPACE, pod_security="baseline", mesh=True, targets=True),
    NamespacePlan(name="keda", pod_security="baseline"),
    # The node exporter needs host namespaces and paths.
    NamespacePlan(name="monitoring", pod_security="privileged"),
    NamespacePlan(name="external-secrets", pod_security="baseline"),
)
"""Namespaces of the add-ons beside kube-system."""

STEADY_NODES = {POOL_LABEL: PoolName.APPLICATION.value, CAPACITY_LABEL: Capacity.ON_DEMAND.value}
"""Where controllers run: nodes that AWS does not reclaim."""
_SPOT_FIRST = "100:\n- .*-spot-.*\n10:\n- .*\n"
_ON_DEMAND_FIRST = "100:\n- .*-on-demand-.*\n10:\n- .*\n"
"""Priorities of the autoscaler by group name: the first fills up to its group's maximum, which is its share."""


class AddOnCatalogue:
    """Builds the add-ons of one cluster.

    Args:
        context: Names and region of the stack.
        account_id: Number of the AWS account.
        target: The cluster.
        sizes: How large the add-ons are.
    """

    def __init__(
        self,
        *,
        context: StackContext,
        account_id: pulumi.Output[str],
        target: AddOnTarget,
        sizes: AddOnSizes,
    ) -> None:
        self._context = context
        self._account_id = account_id
        self._target = target
        self._sizes = sizes

    def build(self) -> tuple[AddOn, ...]:
        """All add-ons in order; the Kafka exporter and the GPU plugin only where there is something for them."""
        kafka = self._target.kafka
        add_ons = [
            self._calico(),
            self._load_balancer_controller(),
            self._cluster_autoscaler(),
            self._metrics_server(),
            AddOn(name="istio-base", chart=versions.ISTIO_BASE, namespace="istio-system"),
            self._istio_cni(),
            self._istiod(),
            cert_manager(self._sizes, node_selector=STEADY_NODES),
            nginx_ingress(self._sizes, traffic=self._target.ingress, node_selector=STEADY_NODES),
            self._keda(kafka),
            self._vertical_pod_autoscaler(),
            metrics_stack(
                self._sizes,
                context=self._context,
                alerts=self._target.alerts,
                node_selector=STEADY_NODES,
            ),
        ]
        if kafka is not None:
            add_ons.append(self._kafka_exporter(kafka))
        add_ons.append(self._external_secrets())
        if self._sizes.gpu:
            add_ons.append(self._nvidia_device_plugin())
        return in_order(add_ons)

    @property
    def _budget(self) -> dict[str, Any]:
        return {"enabled": self._sizes.replicas > 1, "minAvailable": 1}

    def _calico(self) -> AddOn:
        values = {
            "installation": {
                "enabled": True,
                "kubernetesProvider": "EKS",
                # The VPC CNI gives addresses; Calico enforces policies and nothing else.
                "cni": {"type": "AmazonVPC"},
                "calicoNetwork": {"bgp": "Disabled"},
                "controlPlaneReplicas": self._sizes.replicas,
            },
            "apiServer": {"enabled": False},
            "goldmane": {"enabled": False},
            "whisker": {"enabled": False},
        }
        return AddOn(name="calico", chart=versions.CALICO, namespace="tigera-operator", values=values)

    def _load_balancer_controller(self) -> AddOn:
        region = self._context.region
        owner = self._context.tags("LoadBalancer")
        owner_tags = {key: owner[key] for key in ("project", "environment", "managed-by")}

        def statements(account: str) -> Sequence[Statement]:
            return policies.load_balancer_controller(region=region, account=account, owner_tags=owner_tags)

        account_name = "aws-load-balancer-controller"
        values = {
            "replicaCount": self._sizes.replicas,
            "clusterName": self._context.name(),
            "region": region,
            "vpcId": self._target.vpc_id,
            "serviceAccount": {"create": True, "name": account_name},
            "podDisruptionBudget": {"maxUnavailable": 1},
            "nodeSelector": STEADY_NODES,
            "defaultTargetType": "ip",
            # The program owns load balancers and their groups: only target group bindings are wanted.
            "createIngressClassResource": False,
            "ingressClassParams": {"create": False},
            "enableServiceMutatorWebhook": False,
            "enableBackendSecurityGroup": False,
            "enableShield": False,
            "enableWaf": False,
            "enableWafv2": False,
        }
        return AddOn(
            name=account_name,
            chart=versions.LOAD_BALANCER_CONTROLLER,
            namespace=SYSTEM_NAMESPACE,
            values=values,
            policies=(
                AwsAccess(service_account=account_name, statements=self._account_id.apply(statements)),
            ),
        )

    def _cluster_autoscaler(self) -> AddOn:
        context, sizes, scaling = self._context, self._sizes, self._sizes.node_scaling
        cluster = context.name()

        def statements(account: str) -> Sequence[Statement]:
            return policies.cluster_autoscaler(region=context.region, account=account, cluster=cluster)

        values = {
            "replicaCount": sizes.replicas,
            "cloudProvider": "aws",
            "awsRegion": context.region,
            "autoDiscovery": {"clusterName": cluster},
            "image": {"tag": versions.CLUSTER_AUTOSCALER_IMAGES[self._target.kubernetes_version]},
            "rbac": {"serviceAccount": {"create": True, "name": "cluster-autoscaler"}},
            "nodeSelector": STEADY_NODES,
            "expanderPriorities": _SPOT_FIRST if scaling.spot_first else _ON_DEMAND_FIRST,
            "extraArgs": {
                "expander": "priority,least-waste",
                "skip-nodes-with-local-storage": False,
                "skip-nodes-with-system-pods": False,
                "scale-down-enabled": scaling.scale_down,
                "scale-down-unneeded-time": f"{scaling.scale_down_unneeded_minutes}m",
                "scale-down-delay-after-add": f"{scaling.scale_down_after_add_minutes}m",
                "scale-down-utilization-threshold": scaling.scale_down_utilization_percent / 100,
                "max-node-provision-time": f"{scaling.max_provision_minutes}m",
            },
        }
        return AddOn(
            name="cluster-autoscaler",
            chart=versions.CLUSTER_AUTOSCALER,
            namespace=SYSTEM_NAMESPACE,
            values=values,
            policies=(
                AwsAccess(
                    service_account="cluster-autoscaler", statements=self._account_id.apply(statements)
                ),
            ),
        )

    def _metrics_server(self) -> AddOn:
        values = {
            "replicas": self._sizes.replicas,
            "podDisruptionBudget": self._budget,
            "nodeSelector": STEADY_NODES,
        }
        return AddOn(
            name="metrics-server",
            chart=versions.METRICS_SERVER,
            namespace=SYSTEM_NAMESPACE,
            values=values,
        )

    def _istio_cni(self) -> AddOn:
        # Redirects traffic from the node, so that meshed pods need no NET_ADMIN and may be `restricted`.
        return AddOn(name="istio-cni", chart=versions.ISTIO_CNI, namespace=SYSTEM_NAMESPACE)

    def _istiod(self) -> AddOn:
        replicas = self._sizes.replicas
        values = {
            "autoscaleMin": replicas,
            "autoscaleMax": max(5, replicas),
            "nodeSelector": STEADY_NODES,
            "cni": {"enabled": True},
            # As a sidecar of Kubernetes' own kind a proxy outlives the container that still serves while it drains.
            "env": {"ENABLE_NATIVE_SIDECARS": "true"},
            "seccompProfile": {"type": "RuntimeDefault"},
            "meshConfig": {
                "accessLogFile": "/dev/stdout",
                "accessLogEncoding": "JSON",
                "defaultConfig": {"holdApplicationUntilProxyStarts": True},
                # Without it, Istio tries every request twice more, also those that must not be repeated.
                "defaultHttpRetryPolicy": {"attempts": 0},
            },
            "global": {"proxy": {"resources": {"requests": SIDECAR_REQUESTS}}},
        }
        return AddOn(name="istiod", chart=versions.ISTIOD, namespace="istio-system", values=values)

    def _keda(self, kafka: KafkaAccess | None) -> AddOn:
        replicas = self._sizes.replicas
        values = {
            "clusterName": self._context.name(),
            "operator": {"replicaCount": replicas},
            "metricsServer": {"replicaCount": replicas},
            "webhooks": {"replicaCount": replicas},
            "serviceAccount": {"operator": {"create": True, "name": "keda-operator"}},
            "nodeSelector": STEADY_NODES,
            "podDisruptionBudget": {
                part: {"maxUnavailable": 1} for part in ("operator", "metricServer", "webhooks")
            },
            "prometheus": {"operator": {"enabled": True}, "metricServer": {"enabled": True}},
        }
        access: tuple[AwsAccess, ...] = ()
        if kafka is not None:
            access = (AwsAccess(service_account="keda-operator", statements=_kafka_lag(kafka)),)
        return AddOn(name="keda", chart=versions.KEDA, namespace="keda", values=values, policies=access)

    def _vertical_pod_autoscaler(self) -> AddOn:
        part = {"replicas": self._sizes.replicas, "nodeSelector": STEADY_NODES}
        values = {"admissionController": part, "recommender": part, "updater": part}
        return AddOn(
            name="vertical-pod-autoscaler",
            chart=versions.VERTICAL_POD_AUTOSCALER,
            namespace=SYSTEM_NAMESPACE,
            values=values,
        )

    def _kafka_exporter(self, kafka: KafkaAccess) -> AddOn:
        values = {
            "kafkaServer": pulumi.Output.from_input(kafka.bootstrap_servers).apply(_servers),
            "serviceAccount": {"create": True, "name": "kafka-exporter"},
            "nodeSelector": STEADY_NODES,
            "tls": {"enabled": True},
            "sasl": {
                "enabled": True,
                "awsiam": {"enabled": True, "awsRegion": self._context.region},
            },
            "prometheus": {"serviceMonitor": {"enabled": True, "namespace": "monitoring"}},
        }
        return AddOn(
            name="kafka-exporter",
            chart=versions.KAFKA_EXPORTER,
            namespace="monitoring",
            values=values,
            policies=(AwsAccess(service_account="kafka-exporter", statements=_kafka_lag(kafka)),),
        )

    def _external_secrets(self) -> AddOn:
        context, replicas = self._context, self._sizes.replicas

        def statements(values: Sequence[str]) -> Sequence[Statement]:
            account, key_arn = values
            return policies.external_secrets(
                region=context.region,
                account=account,
                # Without the region's code: replicas of the primary's secrets keep their names.
                name_prefix=f"{context.name()}-",
                key_arn=key_arn,
            )

        placed = {"replicaCount": replicas, "nodeSelector": STEADY_NODES}
        values = {
            **placed,
            "leaderElect": True,
            "serviceAccount": {"create": True, "name": "external-secrets"},
            "podDisruptionBudget": self._budget,
            "webhook": placed,
            "certController": placed,
        }
        access = AwsAccess(
            service_account="external-secrets",
            statements=pulumi.Output.all(self._account_id, self._target.secrets_key_arn).apply(statements),
        )
        return AddOn(
            name="external-secrets",
            chart=versions.EXTERNAL_SECRETS,
            namespace="external-secrets",
            values=values,
            policies=(access,),
        )

    def _nvidia_device_plugin(self) -> AddOn:
        values = {
            "nodeSelector": {POOL_LABEL: PoolName.ANALYTICS_GPU.value},
            "tolerations": [
                {"key": GPU_RESOURCE, "operator": "Exists", "effect": "NoSchedule"},
                {"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"},
            ],
        }
        return AddOn(
            name="nvidia-device-plugin",
            chart=versions.NVIDIA_DEVICE_PLUGIN,
            namespace=SYSTEM_NAMESPACE,
            values=values,
        )


def _kafka_lag(kafka: KafkaAccess) -> pulumi.Output[Sequence[Statement]]:
    return pulumi.Output.from_input(kafka.cluster_arn).apply(_kafka_lag_of)


def _kafka_lag_of(cluster_arn: str) -> Sequence[Statement]:
    return policies.kafka_lag(cluster_arn=cluster_arn)


def _servers(bootstrap_servers: str) -> Sequence[str]:
    return bootstrap_servers.split(",")
