"""Add-ons: their order, their pins, their access to AWS, and what nodes need first."""

from functools import cache
from itertools import pairwise
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.addon_contract import AddOn, AddOnSizes, in_order
from components.addons import AddOns, NodeAddOns
from infra.cluster import versions
from infra.model.stack import NodeScalingSettings
from tests.unit.components.building import Built, build, context
from tests.unit.components.clusters import KAFKA, KEY, TOPICS, ClusterRecorder, target
from tests.unit.recording import ACCOUNT, Recorded, parsed

ADD_ON = "aws:eks/addon:Addon"
ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
NAMESPACE = "kubernetes:core/v1:Namespace"
POLICY = "aws:iam/rolePolicy:RolePolicy"
RELEASE = "kubernetes:helm.sh/v3:Release"
ROLE = "aws:iam/role:Role"
LOGIN = "kubernetes:core/v1:Secret"
STORAGE_CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"

ORDER = (
    "calico",
    "aws-load-balancer-controller",
    "cluster-autoscaler",
    "metrics-server",
    "istio-base",
    "istio-cni",
    "istiod",
    "cert-manager",
    "nginx-ingress",
    "keda",
    "vertical-pod-autoscaler",
    "kube-prometheus-stack",
    "kafka-exporter",
    "external-secrets",
    "nvidia-device-plugin",
)
UNBOUND_ACTIONS = (
    "ec2:Describe",
    "ec2:GetInstanceTypesFromInstanceRequirements",
    "autoscaling:Describe",
    "elasticloadbalancing:Describe",
    "cloudwatch:GetMetricData",
    "cloudwatch:ListMetrics",
)


@cache
def build_add_ons(*, sizes: AddOnSizes | None = None, kafka: bool = True, version: str = "1.36") -> Built:
    def make(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        nodes = aws.eks.NodeGroup(
            "application-on-demand",
            cluster_name="parking-prod",
            node_group_name_prefix="application-",
            node_role_arn="arn:aws:iam::123456789012:role/node",
            scaling_config={"min_size": 1, "desired_size": 1, "max_size": 1},
            subnet_ids=["subnet-a"],
        )
        made = AddOns(
            "addons",
            context=context(),
            target=target(nodes=[nodes], kafka=kafka, version=version),
            sizes=sizes,
            opts=opts,
        )
        return {
            "order": list(made.releases),
            "ready": [resource.pulumi_resource_name for resource in made.ready],
            "storage_class": made.storage_class,
            "namespaces": made.namespaces,
        }

    return build(make, recorder=ClusterRecorder())


@cache
def build_node_add_ons() -> Built:
    def make(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        made = NodeAddOns(
            "node-addons",
            context=context(),
            cluster_name="parking-prod",
            kubernetes_version="1.36",
            vpc_id="vpc-1",
            opts=opts,
        )
        return {"ready": sorted(resource.pulumi_resource_name for resource in made.ready)}

    return build(make, recorder=ClusterRecorder())


def release(built: Built, name: str) -> Recorded:
    return built.recorder.one(RELEASE, f"addons-{name}")


def statements(built: Built, name: str) -> list[dict[str, Any]]:
    return parsed(built.recorder.one(POLICY, name).inputs["policy"])["Statement"]


def granted(built: Built, name: str) -> dict[str, dict[str, Any]]:
    """Statements by action; the last one wins where an action stands twice."""
    return {action: statement for statement in statements(built, name) for action in statement["Action"]}


def test_releases_are_made_one_after_the_other_and_so_destroyed_in_reverse() -> None:
    built = build_add_ons()

    assert tuple(built.outputs["order"]) == ORDER
    for earlier, later in pairwise(ORDER):
        assert f"addons-{earlier}" in built.depends_on(RELEASE, f"addons-{later}")


def test_the_first_release_waits_for_dns_volumes_and_the_storage_class() -> None:
    waits = set(build_add_ons().depends_on(RELEASE, "addons-calico"))

    assert {"addons-coredns", "addons-aws-ebs-csi-driver", "addons-gp3"} <= waits


def test_namespaces_go_before_the_driver_that_deletes_their_disks() -> None:
    built = build_add_ons()

    for namespace in built.recorder.of_type(NAMESPACE):
        assert "addons-aws-ebs-csi-driver" in built.depends_on(NAMESPACE, namespace.name)


def test_what_depends_on_the_add_ons_waits_for_the_last_release() -> None:
    assert build_add_ons().outputs["ready"] == ["addons-nvidia-device-plugin"]


@pytest.mark.parametrize("pin", [versions.COREDNS, versions.EBS_CSI], ids=lambda pin: pin.name)
def test_add_ons_with_pods_to_place_wait_for_nodes(pin: versions.EksAddOnVersion) -> None:
    built = build_add_ons()

    assert "application-on-demand" in built.depends_on(ADD_ON, f"addons-{pin.name}")
    assert built.recorder.one(ADD_ON, f"addons-{pin.name}").inputs["addonVersion"] == pin.versions["1.36"]


def test_what_nodes_need_is_made_without_them() -> None:
    built = build_node_add_ons()
    made = {item.inputs["addonName"]: item.inputs for item in built.recorder.of_type(ADD_ON)}

    assert set(made) == {"vpc-cni", "kube-proxy", "eks-pod-identity-agent"}
    assert made["kube-proxy"]["addonVersion"] == versions.KUBE_PROXY.versions["1.36"]
    assert built.outputs["ready"] == [
        "node-addons-eks-pod-identity-agent",
        "node-addons-kube-proxy",
        "node-addons-vpc-cni",
    ]


def test_the_cni_delegates_prefixes_and_leaves_policies_to_calico() -> None:
    cni = build_node_add_ons().recorder.one(ADD_ON, "node-addons-vpc-cni").inputs
    configuration = parsed(cni["configurationValues"])

    assert configuration["env"]["ENABLE_PREFIX_DELEGATION"] == "true"
    assert configuration["env"]["CLUSTER_NAME"] == "parking-prod"
    assert configuration["enableNetworkPolicy"] == "false"
    calico = release(build_add_ons(), "calico").inputs["values"]["installation"]
    assert calico["cni"] == {"type": "AmazonVPC"}


def test_pods_of_controllers_start_only_after_their_identity_exists() -> None:
    built, nodes = build_add_ons(), build_node_add_ons()

    assert nodes.depends_on(ADD_ON, "node-addons-vpc-cni") == ["node-addons-aws-node"]
    assert "addons-ebs-csi-controller-sa" in built.depends_on(ADD_ON, "addons-aws-ebs-csi-driver")
    for name in ("aws-load-balancer-controller", "cluster-autoscaler", "external-secrets", "kafka-exporter"):
        assert f"addons-{name}" in built.depends_on(RELEASE, f"addons-{name}")
    assert "addons-keda-operator" in built.depends_on(RELEASE, "addons-keda")


def test_exactly_the_controllers_that_talk_to_aws_have_an_identity() -> None:
    linked = {
        (item.inputs["namespace"], item.inputs["serviceAccount"])
        for built in (build_add_ons(), build_node_add_ons())
        for item in built.recorder.of_type(ASSOCIATION)
    }

    assert linked == {
        ("kube-system", "aws-node"),
        ("kube-system", "ebs-csi-controller-sa"),
        ("kube-system", "aws-load-balancer-controller"),
        ("kube-system", "cluster-autoscaler"),
        ("keda", "keda-operator"),
        ("monitoring", "kafka-exporter"),
        ("monitoring", "alertmanager"),
        ("monitoring", "grafana"),
        ("external-secrets", "external-secrets"),
    }


def test_a_role_is_for_one_service_account_of_one_cluster() -> None:
    role = build_add_ons().recorder.one(ROLE, "addons-cluster-autoscaler")
    (statement,) = parsed(role.inputs["assumeRolePolicy"])["Statement"]

    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert statement["Condition"] == {
        "StringEquals": {
            "aws:SourceAccount": ACCOUNT,
            "aws:RequestTag/kubernetes-namespace": "kube-system",
            "aws:RequestTag/kubernetes-service-account": "cluster-autoscaler",
        },
        "ArnEquals": {"aws:SourceArn": f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/parking-prod"},
    }


def test_any_resource_stands_only_where_an_action_knows_no_narrower() -> None:
    policies = [
        statement
        for built in (build_add_ons(), build_node_add_ons())
        for policy in built.recorder.of_type(POLICY)
        for statement in parsed(policy.inputs["policy"])["Statement"]
    ]

    assert len(policies) > 20
    for statement in policies:
        assert not any("*" in action for action in statement["Action"])
        if "*" in statement["Resource"]:
            assert all(action.startswith(UNBOUND_ACTIONS) for action in statement["Action"])


def test_the_autoscaler_sizes_only_groups_that_are_its_clusters() -> None:
    sizing = granted(build_add_ons(), "addons-cluster-autoscaler")["autoscaling:SetDesiredCapacity"]

    assert sizing["Condition"] == {
        "StringEquals": {"aws:ResourceTag/k8s.io/cluster-autoscaler/parking-prod": "owned"}
    }


def test_the_load_balancer_controller_only_registers_targets_of_this_platform() -> None:
    built = build_add_ons()
    access = granted(built, "addons-aws-load-balancer-controller")
    writing = {action for action in access if not action.partition(":")[2].startswith("Describe")}

    assert writing == {"elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"}
    condition = access["elasticloadbalancing:RegisterTargets"]["Condition"]["StringEquals"]
    assert condition["aws:ResourceTag/environment"] == "prod"
    assert condition["aws:ResourceTag/project"] == "parking"
    values = release(built, "aws-load-balancer-controller").inputs["values"]
    assert values["createIngressClassResource"] is False
    assert values["enableServiceMutatorWebhook"] is False
    assert values["vpcId"] == "vpc-1"


def test_the_csi_driver_uses_one_key_and_deletes_only_its_own_volumes() -> None:
    access = granted(build_add_ons(), "addons-ebs-csi-controller-sa")

    assert access["kms:CreateGrant"]["Resource"] == [f"{KEY}disk"]
    assert access["kms:CreateGrant"]["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    assert access["ec2:DeleteVolume"]["Condition"] == {
        "StringEquals": {"aws:ResourceTag/ebs.csi.aws.com/cluster": "true"}
    }


def test_the_cni_touches_only_interfaces_of_its_cluster() -> None:
    access = granted(build_node_add_ons(), "node-addons-aws-node")

    assert access["ec2:DeleteNetworkInterface"]["Condition"] == {
        "StringEquals": {"aws:ResourceTag/cluster.k8s.amazonaws.com/name": "parking-prod"}
    }


def test_external_secrets_reads_only_the_stacks_secrets() -> None:
    access = granted(build_add_ons(), "addons-external-secrets")

    assert access["secretsmanager:GetSecretValue"]["Resource"] == [
        f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:parking-prod-*"
    ]
    assert access["kms:Decrypt"]["Resource"] == [f"{KEY}secrets"]
    assert not any("Put" in action or "Create" in action for action in access)


@pytest.mark.parametrize("name", ["addons-keda-operator", "addons-kafka-exporter"])
def test_whoever_measures_lag_cannot_read_records(name: str) -> None:
    access = granted(build_add_ons(), name)

    assert access["kafka-cluster:Connect"]["Resource"] == [KAFKA]
    assert access["kafka-cluster:DescribeGroup"]["Resource"] == [KAFKA.replace(":cluster/", ":group/") + "/*"]
    assert "kafka-cluster:ReadData" not in access


def test_every_release_is_atomic_pinned_and_cleaned_up_after_a_failure() -> None:
    releases = build_add_ons().recorder.of_type(RELEASE)
    pins = {(chart.chart, chart.version, chart.repository) for chart in versions.CHARTS}

    assert len(releases) == len(ORDER)
    for made in releases:
        assert made.inputs["atomic"] is True
        assert made.inputs["cleanupOnFail"] is True
        assert made.inputs["timeout"] == 900
        chart = (made.inputs["chart"], made.inputs["version"], made.inputs["repositoryOpts"]["repo"])
        assert chart in pins


def test_the_autoscaler_fills_spot_first_and_scales_down_sooner_than_its_default() -> None:
    values = release(build_add_ons(), "cluster-autoscaler").inputs["values"]

    assert values["image"]["tag"].startswith("v1.36.")
    assert values["autoDiscovery"]["clusterName"] == "parking-prod"
    assert values["extraArgs"]["expander"].startswith("priority")
    assert values["expanderPriorities"].startswith("100:\n- .*-spot-.*")
    assert values["extraArgs"]["scale-down-unneeded-time"] == "5m"
    assert values["extraArgs"]["skip-nodes-with-system-pods"] is False
    assert values["extraArgs"]["skip-nodes-with-local-storage"] is False


def test_how_nodes_come_and_go_is_the_stack_s_word() -> None:
    scaling = NodeScalingSettings(
        scale_down=False,
        scale_down_unneeded_minutes=20,
        scale_down_after_add_minutes=30,
        scale_down_utilization_percent=40,
        spot_first=False,
        max_provision_minutes=3,
    )
    values = release(build_add_ons(sizes=AddOnSizes(node_scaling=scaling)), "cluster-autoscaler").inputs[
        "values"
    ]
    arguments = {
        "scale-down-enabled": False,
        "scale-down-unneeded-time": "20m",
        "scale-down-delay-after-add": "30m",
        "scale-down-utilization-threshold": 0.4,
        "max-node-provision-time": "3m",
    }

    assert arguments.items() <= values["extraArgs"].items()
    assert values["expanderPriorities"].startswith("100:\n- .*-on-demand-.*")


def test_the_mesh_needs_no_network_administration_in_pods() -> None:
    built = build_add_ons()

    assert release(built, "istiod").inputs["values"]["cni"] == {"enabled": True}
    assert ORDER.index("istio-cni") < ORDER.index("istiod")


def test_a_proxy_outlives_the_container_it_serves() -> None:
    env = release(build_add_ons(), "istiod").inputs["values"]["env"]

    assert env == {"ENABLE_NATIVE_SIDECARS": "true"}


def test_nothing_is_retried_that_no_route_declares() -> None:
    mesh = release(build_add_ons(), "istiod").inputs["values"]["meshConfig"]

    assert mesh["defaultHttpRetryPolicy"] == {"attempts": 0}


def test_prometheus_sees_every_monitor_and_the_login_is_never_in_its_values() -> None:
    built = build_add_ons()
    values = release(built, "kube-prometheus-stack").inputs["values"]
    spec = values["prometheus"]["prometheusSpec"]

    assert spec["serviceMonitorSelectorNilUsesHelmValues"] is False
    assert spec["retention"] == "35d"
    assert values["grafana"]["admin"]["existingSecret"] == "grafana-admin"
    assert "adminPassword" not in values["grafana"]
    secret = built.recorder.one(LOGIN)
    assert secret.inputs["metadata"] == {"name": "grafana-admin", "namespace": "monitoring"}


def test_alertmanager_publishes_to_the_stack_s_topics_and_nowhere_else() -> None:
    built = build_add_ons()
    access = granted(built, "addons-alertmanager")
    values = release(built, "kube-prometheus-stack").inputs["values"]["alertmanager"]
    receivers = {one["name"]: one.get("sns_configs", []) for one in values["config"]["receivers"]}

    assert access["sns:Publish"]["Resource"] == [f"{TOPICS}-critical", f"{TOPICS}-warning"]
    assert access["kms:GenerateDataKey"]["Resource"] == [f"{KEY}notifications"]
    assert set(access) == {"sns:Publish", "kms:Decrypt", "kms:GenerateDataKey"}
    assert values["serviceAccount"]["name"] == "alertmanager"
    for severity in ("critical", "warning"):
        (sns,) = receivers[severity]
        assert (sns["topic_arn"], sns["sigv4"]) == (f"{TOPICS}-{severity}", {"region": "us-east-1"})


def test_grafana_reads_cloudwatch_s_metrics_and_changes_nothing() -> None:
    built = build_add_ons()
    grafana = release(built, "kube-prometheus-stack").inputs["values"]["grafana"]

    assert set(granted(built, "addons-grafana")) == {"cloudwatch:GetMetricData", "cloudwatch:ListMetrics"}
    assert grafana["serviceAccount"]["name"] == "grafana"
    (source,) = grafana["additionalDataSources"]
    assert (source["uid"], source["jsonData"]["defaultRegion"]) == ("cloudwatch", "us-east-1")


def test_the_default_storage_class_is_encrypted_gp3() -> None:
    built = build_add_ons()
    storage_class = built.recorder.one(STORAGE_CLASS).inputs

    assert storage_class["parameters"] == {"type": "gp3", "encrypted": "true", "kmsKeyId": f"{KEY}disk"}
    annotations = storage_class["metadata"]["annotations"]
    assert annotations == {"storageclass.kubernetes.io/is-default-class": "true"}
    assert storage_class["volumeBindingMode"] == "WaitForFirstConsumer"
    assert built.outputs["storage_class"] == "gp3"


def test_namespaces_enforce_pod_security_and_only_the_ingress_is_in_the_mesh() -> None:
    made = {
        item.inputs["metadata"]["name"]: item.inputs["metadata"]["labels"]
        for item in build_add_ons().recorder.of_type(NAMESPACE)
    }

    assert set(made) == {
        "tigera-operator",
        "istio-system",
        "cert-manager",
        "nginx-ingress",
        "keda",
        "monitoring",
        "external-secrets",
    }
    meshed = {name for name, labels in made.items() if labels["istio-injection"] == "enabled"}
    assert meshed == {"nginx-ingress"}
    privileged = {
        n for n, labels in made.items() if labels["pod-security.kubernetes.io/enforce"] == "privileged"
    }
    assert privileged == {"tigera-operator", "monitoring"}


def test_staging_runs_one_of_each_controller() -> None:
    built = build_add_ons(sizes=AddOnSizes(replicas=1, ingress_replicas=1))

    assert release(built, "aws-load-balancer-controller").inputs["values"]["replicaCount"] == 1
    assert release(built, "metrics-server").inputs["values"]["podDisruptionBudget"]["enabled"] is False
    assert release(built, "nginx-ingress").inputs["values"]["controller"]["replicaCount"] == 1
    coredns = parsed(built.recorder.one(ADD_ON, "addons-coredns").inputs["configurationValues"])
    assert coredns["replicaCount"] == 2


def test_without_gpu_or_kafka_their_add_ons_are_absent() -> None:
    built = build_add_ons(sizes=AddOnSizes(gpu=False), kafka=False)

    assert tuple(built.outputs["order"]) == (*ORDER[: ORDER.index("kafka-exporter")], "external-secrets")
    assert not [item for item in built.recorder.of_type(ROLE) if item.name == "addons-keda-operator"]
    assert "addons-kube-prometheus-stack" in built.depends_on(RELEASE, "addons-external-secrets")


def test_a_kubernetes_version_without_pins_is_refused() -> None:
    with pytest.raises(versions.VersionError, match=r"1\.37"):
        build_add_ons(version="1.37")


def test_two_add_ons_of_one_name_are_refused() -> None:
    twin = AddOn(name="calico", chart=versions.CALICO, namespace="kube-system")

    with pytest.raises(ValueError, match="not unique"):
        in_order([twin, twin])
