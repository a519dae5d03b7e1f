"""Clusters, functions, image registries and their scaling in the cloud's calls."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, cast

from infra.local.cloud.packages import package
from infra.local.cloud.rows import Call, Needed, Row, role_by_arn

Json = Any
_NODES: Final[Mapping[str, Json]] = {"clusterName": "{clusterName}", "nodegroupName": "{nodeGroupName}"}
_KINDS_OF_LOGS: Final = ("api", "audit", "authenticator", "controllerManager", "scheduler")
_EKS_NETWORK: Final = (
    "clusterSecurityGroupId vpcId endpointPrivateAccess endpointPublicAccess publicAccessCidrs"
)


def _cluster_logs(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """Which logs a cluster writes is told of those that it writes and those that it does not."""
    wanted = cast("list[str]", values.get("enabledClusterLogTypes") or [])
    unwanted = [kind for kind in _KINDS_OF_LOGS if kind not in wanted]
    told = [{"types": wanted, "enabled": True}, {"types": unwanted, "enabled": False}]
    arguments["logging"] = {"clusterLogging": [each for each in told if each["types"]]}


def _node_labels(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """Labels and taints are changed by those that come and those that go."""
    labels, had = (cast("dict[str, str]", held.get("labels") or {}) for held in (values, values["old"]))
    gone = [name for name in had if name not in labels]
    arguments["labels"] = {"addOrUpdateLabels": labels, **({"removeLabels": gone} if gone else {})}


def _node_taints(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """Labels and taints are changed by those that come and those that go."""
    taints, had = (cast("list[dict[str, str]]", held.get("taints") or []) for held in (values, values["old"]))
    gone = [taint for taint in had if taint not in taints]
    arguments["taints"] = {"addOrUpdateTaints": taints, **({"removeTaints": gone} if gone else {})}


def _cluster_change(name: str) -> Call:
    """AWS takes one change of a cluster at a time."""
    return Call(
        operation="update_cluster_config", given={"name": "{id}"}, carries=name, when=name, needs=name
    )


def _nodes_change(name: str) -> Call:
    return Call(operation="update_nodegroup_config", given=_NODES, carries=name, when=name, needs=name)


_CLUSTERS: Final[Mapping[str, Row]] = {
    "eks:Cluster": Row(
        service="eks",
        create=(Call(operation="create_cluster", carries=True, finish=_cluster_logs),),
        id="cluster.name",
        read=Call(operation="describe_cluster", given={"name": "{id}"}),
        found="cluster",
        outputs={
            "arn": "arn",
            "endpoint": "endpoint",
            "certificateAuthority": "certificateAuthority && {data: certificateAuthority.data}",
            "identities": "identity && [{oidcs: [{issuer: identity.oidc.issuer}]}]",
            "vpcConfig": "resourcesVpcConfig && {"
            + ", ".join(f"{name}: resourcesVpcConfig.{name}" for name in _EKS_NETWORK.split())
            + "}",
        },
        sees={"enabledClusterLogTypes": "sort((logging.clusterLogging || `[]`)[?enabled].types[])"},
        names={"vpcConfig": "resourcesVpcConfig"},
        update=(
            Call(
                operation="update_cluster_version",
                given={"name": "{id}", "version": "{version}"},
                when="version",
                needs="version",
            ),
            _cluster_change("vpcConfig"),
            _cluster_change("accessConfig"),
            _cluster_change("upgradePolicy"),
            _cluster_change("controlPlaneScalingConfig"),
            _cluster_change("zonalShiftConfig"),
            Call(
                operation="update_cluster_config",
                given={"name": "{id}", "deletionProtection": "{deletionProtection}"},
                when="deletionProtection",
                needs="deletionProtection",
            ),
            Call(
                operation="update_cluster_config",
                given={"name": "{id}"},
                when="enabledClusterLogTypes",
                finish=_cluster_logs,
            ),
        ),
        delete=(Call(operation="delete_cluster", given={"name": "{id}"}),),
        tags="{arn}",
    ),
    "eks:NodeGroup": Row(
        service="eks",
        create=(Call(operation="create_nodegroup", carries=True),),
        id="{clusterName}:{nodeGroupName}",
        read=Call(operation="describe_nodegroup", given=_NODES),
        found="nodegroup",
        outputs={
            "arn": "nodegroupArn",
            "resources": (
                "resources && [{autoscalingGroups: resources.autoScalingGroups[].{name: name}, "
                "remoteAccessSecurityGroupId: ''}]"
            ),
        },
        names={"nodeRoleArn": "nodeRole", "subnetIds": "subnets"},
        update=(
            Call(
                operation="update_nodegroup_version",
                given={**_NODES, "force": "{forceUpdateVersion}"},
                carries="version releaseVersion launchTemplate",
                when="version releaseVersion launchTemplate",
            ),
            _nodes_change("scalingConfig"),
            _nodes_change("updateConfig"),
            _nodes_change("nodeRepairConfig"),
            Call(operation="update_nodegroup_config", given=_NODES, when="labels", finish=_node_labels),
            Call(operation="update_nodegroup_config", given=_NODES, when="taints", finish=_node_taints),
        ),
        delete=(Call(operation="delete_nodegroup", given=_NODES),),
        tags="{arn}",
    ),
}

_FUNCTION: Final[Mapping[str, Json]] = {"FunctionName": "{id}"}
_CODE: Final = "code s3Bucket s3Key s3ObjectVersion imageUri"
_FUNCTION_CHANGES: Final = (
    "deadLetterConfig description environment ephemeralStorage fileSystemConfig handler imageConfig kmsKeyArn layers "
    "loggingConfig memorySize role runtime snapStart timeout tracingConfig vpcConfig"
)


def _code(values: Mapping[str, Json]) -> dict[str, Json]:
    archive = values.get("code")
    if isinstance(archive, dict):
        return {"ZipFile": package(cast("dict[str, Json]", archive))}
    named = {
        "S3Bucket": "s3Bucket",
        "S3Key": "s3Key",
        "S3ObjectVersion": "s3ObjectVersion",
        "ImageUri": "imageUri",
    }
    return {name: values[given] for name, given in named.items() if values.get(given) is not None}


def _with_code(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """A function's code goes in an argument of its own."""
    arguments["Code"] = _code(values)


def _new_code(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """New code goes beside the function's name."""
    arguments.update(_code(values))


def _emptied(arguments: dict[str, Json], _: Mapping[str, Json]) -> None:
    """What a function has no more of is said, or it would stay."""
    arguments.setdefault("Environment", {"Variables": {}})
    arguments.setdefault("VpcConfig", {"SubnetIds": [], "SecurityGroupIds": []})


def _statement_id(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """A statement without a name is called after what creates it."""
    if not arguments.get("StatementId"):
        number = int(hashlib.sha256(str(values.get("key")).encode()).hexdigest(), 16) % 10**20
        arguments["StatementId"] = f"{values.get('statementIdPrefix') or 'terraform-'}{number:020}"


def _statement(answer: Mapping[str, Json]) -> str:
    return str(json.loads(answer["Statement"])["Sid"])


_FUNCTIONS: Final[Mapping[str, Row]] = {
    "lambda:Function": Row(
        service="lambda",
        create=(
            Call(operation="create_function", carries=True, finish=_with_code),
            Call(
                operation="put_function_concurrency",
                given={**_FUNCTION, "ReservedConcurrentExecutions": "{reservedConcurrentExecutions}"},
                needs="reservedConcurrentExecutions",
            ),
        ),
        id="FunctionName",
        read=Call(operation="get_function", given=_FUNCTION),
        found=(
            "merge(Configuration, "
            "{Tags: Tags, ReservedConcurrentExecutions: Concurrency.ReservedConcurrentExecutions})"
        ),
        outputs={
            "arn": "FunctionArn",
            "codeSha256": "CodeSha256",
            "sourceCodeHash": "CodeSha256",
            "sourceCodeSize": "CodeSize",
            "lastModified": "LastModified",
            "version": "Version",
        },
        sees={
            "codeSha256": "CodeSha256",
            "vpcConfig": (
                "VpcConfig.{subnetIds: sort(SubnetIds || `[]`), "
                "securityGroupIds: sort(SecurityGroupIds || `[]`)}"
            ),
        },
        names={"name": "FunctionName", "code": ""},
        update=(
            Call(
                operation="update_function_code",
                given=_FUNCTION,
                carries="architectures publish",
                when=f"{_CODE} architectures codeSha256",
                finish=_new_code,
            ),
            Call(
                operation="update_function_configuration",
                given=_FUNCTION,
                carries=_FUNCTION_CHANGES,
                when=_FUNCTION_CHANGES,
                finish=_emptied,
            ),
            Call(
                operation="put_function_concurrency",
                given={**_FUNCTION, "ReservedConcurrentExecutions": "{reservedConcurrentExecutions}"},
                when="reservedConcurrentExecutions",
                needs="reservedConcurrentExecutions",
            ),
            Call(
                operation="delete_function_concurrency",
                given=_FUNCTION,
                when="reservedConcurrentExecutions",
                unless="reservedConcurrentExecutions",
            ),
        ),
        delete=(Call(operation="delete_function", given=_FUNCTION),),
        tags="{arn}",
    ),
    "lambda:Permission": Row(
        service="lambda",
        create=(Call(operation="add_permission", carries=True, finish=_statement_id),),
        id=_statement,
        read=Call(operation="get_policy", given={"FunctionName": "{function}", "Qualifier": "{qualifier}"}),
        found="[@][?contains(Policy, '\"{id}\"')] | [0] && {StatementId: '{id}'}",
        outputs={"statementId": "StatementId"},
        names={"function": "FunctionName"},
        delete=(
            Call(
                operation="remove_permission",
                given={"FunctionName": "{function}", "StatementId": "{id}", "Qualifier": "{qualifier}"},
            ),
        ),
    ),
}

_REPOSITORY: Final[Mapping[str, Json]] = {"repositoryName": "{id}"}
_REGISTRIES: Final[Mapping[str, Row]] = {
    "ecr:Repository": Row(
        service="ecr",
        create=(Call(operation="create_repository", carries=True),),
        id="repository.repositoryName",
        read=Call(operation="describe_repositories", given={"repositoryNames": ["{id}"]}),
        found="repositories[0]",
        outputs={"arn": "repositoryArn", "registryId": "registryId", "repositoryUrl": "repositoryUri"},
        names={"name": "repositoryName", "encryptionConfigurations": "encryptionConfiguration"},
        update=(
            Call(
                operation="put_image_tag_mutability",
                given=_REPOSITORY,
                carries="imageTagMutability imageTagMutabilityExclusionFilters",
                when="imageTagMutability imageTagMutabilityExclusionFilters",
            ),
            Call(
                operation="put_image_scanning_configuration",
                given=_REPOSITORY,
                carries="imageScanningConfiguration",
                when="imageScanningConfiguration",
            ),
        ),
        delete=(Call(operation="delete_repository", given={**_REPOSITORY, "force": "{forceDelete}"}),),
        tags="{arn}",
    ),
    "ecr:LifecyclePolicy": Row(
        service="ecr",
        create=(Call(operation="put_lifecycle_policy", carries=True),),
        id="repositoryName",
        read=Call(operation="get_lifecycle_policy", given=_REPOSITORY),
        names={"repository": "repositoryName", "policy": "lifecyclePolicyText"},
        update=(Call(operation="put_lifecycle_policy", carries=True, when="policy"),),
        delete=(Call(operation="delete_lifecycle_policy", given=_REPOSITORY),),
    ),
    "ecr:ReplicationConfiguration": Row(
        service="ecr",
        create=(Call(operation="put_replication_configuration", carries=True),),
        id="{account}",
        read=Call(operation="describe_registry"),
        found="[@][?length(replicationConfiguration.rules) > `0`] | [0]",
        update=(
            Call(operation="put_replication_configuration", carries=True, when="replicationConfiguration"),
        ),
        delete=(
            Call(
                operation="put_replication_configuration", given={"replicationConfiguration": {"rules": []}}
            ),
        ),
    ),
}

_SCALED: Final[Mapping[str, Json]] = {
    "ServiceNamespace": "{serviceNamespace}",
    "ResourceId": "{resourceId}",
    "ScalableDimension": "{scalableDimension}",
}
_SCALING: Final[Mapping[str, Row]] = {
    "appautoscaling:Target": Row(
        service="application-autoscaling",
        create=(Call(operation="register_scalable_target", carries=True),),
        id="{resourceId}",
        read=Call(
            operation="describe_scalable_targets",
            given={
                "ServiceNamespace": "{serviceNamespace}",
                "ResourceIds": ["{resourceId}"],
                "ScalableDimension": "{scalableDimension}",
            },
        ),
        found="ScalableTargets[0]",
        outputs={"arn": "ScalableTargetARN", "roleArn": "RoleARN"},
        update=(
            Call(
                operation="register_scalable_target",
                given=_SCALED,
                carries="minCapacity maxCapacity roleArn suspendedState",
                when="minCapacity maxCapacity roleArn suspendedState",
            ),
        ),
        delete=(Call(operation="deregister_scalable_target", given=_SCALED),),
    ),
    "appautoscaling:Policy": Row(
        service="application-autoscaling",
        create=(Call(operation="put_scaling_policy", carries=True),),
        id="{name}",
        read=Call(operation="describe_scaling_policies", given={**_SCALED, "PolicyNames": ["{name}"]}),
        found="ScalingPolicies[0]",
        outputs={"arn": "PolicyARN", "alarmArns": "Alarms[].AlarmARN"},
        names={"name": "PolicyName"},
        update=(
            Call(
                operation="put_scaling_policy",
                carries=True,
                when="policyType targetTrackingScalingPolicyConfiguration stepScalingPolicyConfiguration",
            ),
        ),
        delete=(Call(operation="delete_scaling_policy", given={**_SCALED, "PolicyName": "{name}"}),),
    ),
}

ROWS: Final[Mapping[str, Row]] = {**_CLUSTERS, **_FUNCTIONS, **_REGISTRIES, **_SCALING}
_IN_CLUSTER: Final = Needed(
    call=Call(service="eks", operation="describe_cluster", given={"name": "{clusterName}"})
)
NEEDED: Final[Mapping[str, tuple[Needed, ...]]] = {
    "eks:Addon": (_IN_CLUSTER,),
    "eks:AccessEntry": (_IN_CLUSTER,),
    "eks:PodIdentityAssociation": (
        _IN_CLUSTER,
        Needed(
            call=role_by_arn("roleArn"),
            says="InvalidParameterException: Role provided in the request does not exist.",
        ),
    ),
}
LEFT_OUT: Final[Mapping[str, str]] = {
    "eks:Addon": "moto has no add-ons",
    "eks:AccessEntry": "moto has no access entries",
    "eks:PodIdentityAssociation": "moto has no pod identities",
    "autoscaling:Tag": "moto makes no autoscaling group for a node group",
}
