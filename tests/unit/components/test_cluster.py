"""The control plane: private, encrypted, logged, with one owner for everything beside it."""

import json
from typing import Any

import pulumi
import pytest

from components.cluster import Cluster, scaling_tier_transform
from infra.model.stack import ClusterSettings
from tests.unit.components.building import Built, build, context
from tests.unit.components.clusters import AUTHORITY, CLUSTER, ENDPOINT, KEY, ClusterRecorder
from tests.unit.recording import Recorded

ENTRY = "aws:eks/accessEntry:AccessEntry"
ASSOCIATION = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
PROVIDER = "pulumi:providers:kubernetes"


def build_cluster(*, protect: bool = True, **settings: Any) -> Built:
    def make(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        cluster = Cluster(
            "cluster",
            context=context(protect=protect),
            settings=ClusterSettings(**settings),
            vpc_id="vpc-1",
            private_subnet_ids=["subnet-a", "subnet-b", "subnet-c"],
            secrets_key_arn=f"{KEY}cluster",
            log_key_arn=f"{KEY}logs",
            opts=opts,
        )
        return {
            "name": cluster.name,
            "endpoint": cluster.endpoint,
            "authority": cluster.certificate_authority,
            "group": cluster.cluster_security_group_id,
            "issuer": cluster.oidc_issuer,
            "kubeconfig": cluster.kubeconfig,
            "secret": pulumi.Output.from_input(cluster.kubeconfig.is_secret()),
        }

    return build(make, recorder=ClusterRecorder())


def control_plane(built: Built) -> Recorded:
    return built.recorder.one(CLUSTER)


def test_the_control_plane_is_the_settings_version_in_private_subnets_under_the_stacks_name() -> None:
    inputs = control_plane(build_cluster()).inputs

    assert inputs["name"] == "parking-prod"
    assert inputs["version"] == "1.36"
    assert inputs["privateSubnetIds"] == ["subnet-a", "subnet-b", "subnet-c"]
    assert "publicSubnetIds" not in inputs
    assert inputs["kubernetesServiceIpAddressRange"] == "172.20.0.0/16"


def test_the_endpoint_is_private_only_unless_ranges_are_named() -> None:
    inputs = control_plane(build_cluster()).inputs

    assert inputs["endpointPrivateAccess"] is True
    assert inputs["endpointPublicAccess"] is False
    assert "publicAccessCidrs" not in inputs


def test_named_ranges_and_no_others_reach_the_endpoint() -> None:
    inputs = control_plane(build_cluster(public_access_cidrs=("203.0.113.0/24",))).inputs

    assert inputs["endpointPrivateAccess"] is True
    assert inputs["endpointPublicAccess"] is True
    assert inputs["publicAccessCidrs"] == ["203.0.113.0/24"]


def test_secrets_are_encrypted_with_the_customer_key() -> None:
    assert control_plane(build_cluster()).inputs["encryptionConfigKeyArn"] == f"{KEY}cluster"


def test_all_five_logs_go_to_an_encrypted_group_with_retention_that_stands_before_the_cluster() -> None:
    built = build_cluster(log_retention_days=30)
    group = built.recorder.one(LOG_GROUP)

    assert set(control_plane(built).inputs["enabledClusterLogTypes"]) == {
        "api",
        "audit",
        "authenticator",
        "controllerManager",
        "scheduler",
    }
    assert group.inputs["name"] == "/aws/eks/parking-prod/cluster"
    assert group.inputs["retentionInDays"] == 30
    assert group.inputs["kmsKeyId"] == f"{KEY}logs"
    assert built.depends_on(CLUSTER, "cluster") == ["cluster-logs"]


def test_access_is_by_api_entries_and_support_never_turns_extended() -> None:
    inputs = control_plane(build_cluster()).inputs

    assert inputs["authenticationMode"] == "API"
    assert inputs["upgradePolicy"] == {"supportType": "STANDARD"}


def test_the_cluster_comes_bare() -> None:
    inputs = control_plane(build_cluster()).inputs

    assert inputs["skipDefaultNodeGroup"] is True
    assert inputs["skipDefaultSecurityGroups"] is True
    assert inputs["bootstrapSelfManagedAddons"] is False
    assert inputs["useDefaultVpcCni"] is True
    assert inputs["kubeProxyAddonOptions"]["enabled"] is False
    assert inputs["corednsAddonOptions"]["enabled"] is False
    assert inputs["createInstanceRole"] is False


@pytest.mark.parametrize("protect", [True, False])
def test_deletion_is_refused_exactly_where_the_stack_protects(*, protect: bool) -> None:
    built = build_cluster(protect=protect)

    assert control_plane(built).inputs["deletionProtection"] is protect
    assert ((CLUSTER, "cluster") in built.protected()) is protect


def test_the_scaling_tier_reaches_the_cluster_inside_and_nothing_else() -> None:
    transform = scaling_tier_transform("tier-2xl")
    options = pulumi.ResourceOptions()

    def run(kind: str) -> pulumi.ResourceTransformResult | None:
        return transform(
            pulumi.ResourceTransformArgs(
                custom=True, type_=kind, name="x", props={"version": "1.36"}, opts=options
            )
        )

    changed = run("aws:eks/cluster:Cluster")
    assert changed is not None
    assert changed.props == {"version": "1.36", "controlPlaneScalingConfig": {"tier": "tier-2xl"}}
    assert run("aws:iam/role:Role") is None


def test_the_scaling_tier_is_registered_with_the_control_plane() -> None:
    recorder = build_cluster(scaling_tier="tier-xl").recorder
    assert isinstance(recorder, ClusterRecorder)

    assert len(recorder.arguments[CLUSTER, "cluster"].transforms) == 1


def test_administrators_get_cluster_administration_and_nobody_else_an_entry() -> None:
    role = "arn:aws:iam::123456789012:role/platform-admin"
    recorder = build_cluster(administrator_role_arns=(role,)).recorder

    assert recorder.one(ENTRY).inputs["principalArn"] == role
    assert recorder.one(ENTRY).inputs["type"] == "STANDARD"
    association = recorder.one(ASSOCIATION).inputs
    assert association["policyArn"].endswith("/AmazonEKSClusterAdminPolicy")
    assert association["accessScope"] == {"type": "cluster"}
    assert build_cluster().recorder.of_type(ENTRY) == []


def test_outputs_tell_how_to_reach_the_cluster_and_the_kubeconfig_is_secret() -> None:
    outputs = build_cluster().outputs
    kubeconfig = json.loads(outputs["kubeconfig"])

    assert outputs["name"] == "parking-prod"
    assert outputs["endpoint"] == ENDPOINT
    assert outputs["authority"] == AUTHORITY
    assert outputs["group"] == "sg-cluster"
    assert outputs["issuer"] == "https://oidc.example/id"
    assert outputs["secret"] is True
    assert kubeconfig["clusters"][0]["cluster"] == {
        "server": ENDPOINT,
        "certificate-authority-data": AUTHORITY,
    }
    execution = kubeconfig["users"][0]["user"]["exec"]
    assert execution["command"] == "aws"
    assert execution["args"][-4:] == ["--cluster-name", "parking-prod", "--output", "json"]
    assert "env" not in execution


def test_the_provider_applies_on_the_server_and_is_replaced_only_with_the_cluster() -> None:
    inputs = build_cluster().recorder.one(PROVIDER).inputs

    assert inputs["enableServerSideApply"] in (True, "true")
    assert inputs["clusterIdentifier"] == ENDPOINT


def test_everything_taggable_carries_the_component() -> None:
    recorder = build_cluster(administrator_role_arns=("arn:aws:iam::123456789012:role/admin",)).recorder

    for kind in (CLUSTER, LOG_GROUP, ENTRY):
        assert recorder.one(kind).inputs["tags"]["component"] == "Cluster"
