"""Node groups: capacity, hardened templates, marks for the autoscaler; and the role of the nodes."""

import base64
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.node_pool import NodeEnvironment, NodePool, NodeRole
from infra.cluster.pools import SHAPES, PoolError, PoolName
from infra.model.stack import PoolSettings, PoolsSettings
from tests.unit.components.building import Built, build, context
from tests.unit.components.clusters import KEY, NODE_GROUP, ClusterRecorder
from tests.unit.recording import Recorded, parsed

TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
TAG = "aws:autoscaling/tag:Tag"
ROLE = "aws:iam/role:Role"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
NODE_TEMPLATE = "k8s.io/cluster-autoscaler/node-template"
DEFAULTS = PoolsSettings()
POOLS = {
    PoolName.APPLICATION: DEFAULTS.application,
    PoolName.DATABASE: DEFAULTS.database,
    PoolName.ANALYTICS: DEFAULTS.analytics,
    PoolName.ANALYTICS_GPU: DEFAULTS.analytics_gpu,
}


def build_pool(pool: PoolName, settings: PoolSettings | None = None) -> Built:
    def make(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        cni = aws.eks.Addon("cni", addon_name="vpc-cni", cluster_name="parking-prod")
        environment = NodeEnvironment(
            cluster_name="parking-prod",
            kubernetes_version="1.36",
            subnet_ids=["subnet-a", "subnet-b", "subnet-c"],
            security_group_ids=["sg-cluster"],
            role_arn="arn:aws:iam::123456789012:role/node",
            disk_key_arn=f"{KEY}disk",
            after=[cni],
        )
        made = NodePool(
            pool.value,
            context=context(),
            shape=SHAPES[pool],
            settings=settings or POOLS[pool],
            nodes=environment,
            opts=opts,
        )
        return {"names": made.node_group_names}

    return build(make, recorder=ClusterRecorder())


def groups(built: Built) -> dict[str, Recorded]:
    return {group.name: group for group in built.recorder.of_type(NODE_GROUP)}


def test_the_pools_are_five_groups_with_the_specifications_types_and_sizes() -> None:
    found = {
        name: (
            group.inputs["capacityType"],
            group.inputs["instanceTypes"][0],
            group.inputs["scalingConfig"]["minSize"],
            group.inputs["scalingConfig"]["maxSize"],
        )
        for pool in PoolName
        for name, group in groups(build_pool(pool)).items()
    }

    assert found == {
        "application-on-demand": ("ON_DEMAND", "c5.4xlarge", 4, 35),
        "application-spot": ("SPOT", "c5.4xlarge", 1, 15),
        "database-on-demand": ("ON_DEMAND", "r5.2xlarge", 3, 10),
        "analytics-on-demand": ("ON_DEMAND", "c5.9xlarge", 2, 20),
        "analytics-gpu-on-demand": ("ON_DEMAND", "g5.2xlarge", 0, 4),
    }


def test_the_spot_group_has_several_types() -> None:
    spot = groups(build_pool(PoolName.APPLICATION))["application-spot"]

    assert len(set(spot.inputs["instanceTypes"])) >= 3


def test_the_cluster_autoscaler_owns_the_size_after_creation() -> None:
    built = build_pool(PoolName.APPLICATION)

    for name, group in groups(built).items():
        assert "desiredSize" in group.inputs["scalingConfig"]
        assert built.options[NODE_GROUP, name].ignore_changes == ["scalingConfig.desiredSize"]


def test_nodes_wait_for_the_cni_and_are_gone_before_it() -> None:
    built = build_pool(PoolName.DATABASE)

    assert built.depends_on(NODE_GROUP, "database-on-demand") == ["cni"]


def test_a_replacement_has_a_free_name_and_comes_before_the_old_group_goes() -> None:
    built = build_pool(PoolName.ANALYTICS_GPU)
    (group,) = groups(built).values()

    assert "nodeGroupName" not in group.inputs
    assert group.inputs["nodeGroupNamePrefix"] == "analytics-gpu-on-demand-"
    assert not built.options[NODE_GROUP, group.name].delete_before_replace
    assert len(group.inputs["nodeGroupNamePrefix"]) <= 37


def test_broken_nodes_are_repaired_and_updates_take_a_few_at_a_time() -> None:
    for group in groups(build_pool(PoolName.APPLICATION)).values():
        assert group.inputs["nodeRepairConfig"] == {"enabled": True}
        assert group.inputs["updateConfig"] == {"maxUnavailablePercentage": 20}


def test_repair_and_the_pace_of_updates_are_settings() -> None:
    settings = DEFAULTS.database.model_copy(update={"node_repair": False, "max_unavailable_percent": 34})
    (group,) = groups(build_pool(PoolName.DATABASE, settings)).values()

    assert group.inputs["nodeRepairConfig"] == {"enabled": False}
    assert group.inputs["updateConfig"] == {"maxUnavailablePercentage": 34}


def test_dedicated_pools_are_tainted_and_the_application_pool_is_not() -> None:
    def taints(pool: PoolName) -> list[tuple[str, str, str]]:
        (group, *_) = groups(build_pool(pool)).values()
        return [(t["key"], t["value"], t["effect"]) for t in group.inputs.get("taints", [])]

    assert taints(PoolName.APPLICATION) == []
    assert taints(PoolName.DATABASE) == [("dedicated", "database", "NO_SCHEDULE")]
    assert taints(PoolName.ANALYTICS) == [("dedicated", "analytics", "NO_SCHEDULE")]
    assert taints(PoolName.ANALYTICS_GPU) == [
        ("dedicated", "analytics-gpu", "NO_SCHEDULE"),
        ("nvidia.com/gpu", "present", "NO_SCHEDULE"),
    ]


def test_every_group_runs_its_pools_image_at_the_clusters_version() -> None:
    images = {
        pool: {
            (group.inputs["amiType"], group.inputs["version"]) for group in groups(build_pool(pool)).values()
        }
        for pool in PoolName
    }

    assert images == {
        PoolName.APPLICATION: {("AL2023_x86_64_STANDARD", "1.36")},
        PoolName.DATABASE: {("AL2023_x86_64_STANDARD", "1.36")},
        PoolName.ANALYTICS: {("AL2023_x86_64_STANDARD", "1.36")},
        PoolName.ANALYTICS_GPU: {("AL2023_x86_64_NVIDIA", "1.36")},
    }


def test_pods_cannot_reach_the_nodes_role_through_metadata() -> None:
    for template in build_pool(PoolName.APPLICATION).recorder.of_type(TEMPLATE):
        assert template.inputs["metadataOptions"] == {
            "httpEndpoint": "enabled",
            "httpTokens": "required",
            "httpPutResponseHopLimit": 1,
        }


def test_root_disks_are_gp3_and_encrypted_with_the_customer_key() -> None:
    settings = DEFAULTS.database.model_copy(update={"disk_gib": 200})
    template = build_pool(PoolName.DATABASE, settings).recorder.one(TEMPLATE)

    (mapping,) = template.inputs["blockDeviceMappings"]
    assert mapping["ebs"] == {
        "volumeType": "gp3",
        "volumeSize": 200,
        "encrypted": "true",
        "kmsKeyId": f"{KEY}disk",
        "deleteOnTermination": "true",
    }


def test_instances_volumes_and_interfaces_carry_the_stacks_tags_and_the_clusters_mark() -> None:
    template = build_pool(PoolName.DATABASE).recorder.one(TEMPLATE)
    tagged = {item["resourceType"]: item["tags"] for item in template.inputs["tagSpecifications"]}

    assert set(tagged) == {"instance", "volume", "network-interface"}
    for tags in tagged.values():
        assert tags["cost-centre"] == "parking"
        assert tags["cluster.k8s.amazonaws.com/name"] == "parking-prod"


@pytest.mark.parametrize(("pool", "pods"), [(PoolName.DATABASE, 110), (PoolName.ANALYTICS, 250)])
def test_nodes_take_as_many_pods_as_prefix_delegation_allows(pool: PoolName, pods: int) -> None:
    template = build_pool(pool).recorder.one(TEMPLATE)
    document = base64.b64decode(template.inputs["userData"]).decode()

    assert "Content-Type: application/node.eks.aws" in document
    assert f"maxPods: {pods}\n" in document


def test_templates_watch_closely_and_put_nodes_in_the_clusters_group() -> None:
    template = build_pool(PoolName.DATABASE).recorder.one(TEMPLATE)

    assert template.inputs["monitoring"] == {"enabled": True}
    assert template.inputs["vpcSecurityGroupIds"] == ["sg-cluster"]
    assert "keyName" not in template.inputs


def test_an_empty_gpu_group_tells_the_autoscaler_what_its_nodes_would_be() -> None:
    found = {
        tag.inputs["tag"]["key"].removeprefix(f"{NODE_TEMPLATE}/"): tag.inputs["tag"]["value"]
        for tag in build_pool(PoolName.ANALYTICS_GPU).recorder.of_type(TAG)
    }

    assert found == {
        "label/parking.platform/pool": "analytics-gpu",
        "label/parking.platform/capacity": "on-demand",
        "label/nvidia.com/gpu.present": "true",
        "taint/dedicated": "analytics-gpu:NoSchedule",
        "taint/nvidia.com/gpu": "present:NoSchedule",
        "resources/nvidia.com/gpu": "1",
    }


def test_autoscaler_tags_go_to_the_groups_own_autoscaling_group() -> None:
    tags = build_pool(PoolName.APPLICATION).recorder.of_type(TAG)
    homes = {tag.inputs["tag"]["value"]: tag.inputs["autoscalingGroupName"] for tag in tags}

    assert homes["spot"] == "eks-application-spot"
    assert homes["on-demand"] == "eks-application-on-demand"
    assert not any(tag.inputs["tag"]["propagateAtLaunch"] for tag in tags)


def test_a_pool_without_a_share_has_no_spot_group() -> None:
    settings = DEFAULTS.application.model_copy(update={"spot_share": 0.0})

    assert set(groups(build_pool(PoolName.APPLICATION, settings))) == {"application-on-demand"}


def test_a_share_without_spot_types_is_refused_before_anything_is_made() -> None:
    settings = DEFAULTS.application.model_copy(update={"spot_instance_types": ()})

    with pytest.raises(PoolError, match="spotInstanceTypes"):
        build_pool(PoolName.APPLICATION, settings)


def build_role(*, session_manager: bool = False) -> Built:
    def make(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        role = NodeRole("nodes", context=context(), session_manager=session_manager, opts=opts)
        return {"arn": role.arn}

    return build(make)


def attached(built: Built) -> set[str]:
    return {item.inputs["policyArn"].rpartition("/")[2] for item in built.recorder.of_type(ATTACHMENT)}


def test_nodes_may_join_the_cluster_and_pull_images_and_nothing_else() -> None:
    built = build_role()
    role = built.recorder.one(ROLE)

    assert attached(built) == {"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"}
    (statement,) = parsed(role.inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "ec2.amazonaws.com"}
    assert "inlinePolicies" not in role.inputs
    assert built.outputs["arn"].endswith("role/nodes")


def test_shells_on_nodes_are_a_setting_that_is_off() -> None:
    assert "AmazonSSMManagedInstanceCore" not in attached(build_role())
    assert "AmazonSSMManagedInstanceCore" in attached(build_role(session_manager=True))
