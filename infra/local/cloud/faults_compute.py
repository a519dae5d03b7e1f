"""Where moto's clusters, functions, images and scaling differ from AWS's: what is mended before it serves."""

from __future__ import annotations

import base64
import contextlib
import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final

from infra.local.cloud.wrapping import (
    Wrapper,
    around,
    groups_missing,
    key_exists,
    part,
    role_exists,
    subnets_missing,
)

_CLUSTER: Final[Mapping[str, str]] = {
    "accessConfig": "access_config",
    "computeConfig": "compute_config",
    "controlPlaneScalingConfig": "control_plane_scaling_config",
    "deletionProtection": "deletion_protection",
    "storageConfig": "storage_config",
    "upgradePolicy": "upgrade_policy",
    "zonalShiftConfig": "zonal_shift_config",
}
"""What a cluster shows, by the argument that moto does not look at."""
_NODE_GROUP: Final[Mapping[str, str]] = {
    "updateConfig": "update_config",
    "nodeRepairConfig": "node_repair_config",
}
_PEM: Final = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"


@functools.cache
def mend() -> None:
    """Mend moto in this process, once."""
    # There are no containers for functions to run in.
    part("core.models").default_user_config["lambda"] = {"use_docker": False}
    eks, urls = part("eks.responses").EKSResponse, part("eks.urls")
    around(eks, "create_cluster", _create_cluster)
    around(eks, "update_cluster_config", _update_cluster)
    around(eks, "create_nodegroup", _create_node_group)
    eks.update_cluster_version = _update_cluster_version
    eks.update_nodegroup_version = _update_node_group_version
    cluster = "{0}/clusters/(?P<name>[^/]+)"
    urls.url_paths[f"{cluster}/updates$"] = urls.response.dispatch
    urls.url_paths[f"{cluster}/node-groups/(?P<nodegroupName>[^/]+)/update-version$"] = urls.response.dispatch
    backend = part("eks.models").EKSBackend
    around(backend, "delete_cluster", _delete_cluster)
    around(backend, "tag_resource", _tag)
    around(backend, "untag_resource", _untag)
    around(part("awslambda.models").LambdaBackend, "create_function", _create_function)
    around(part("awslambda.models").LambdaFunction, "update_configuration", _configure_function)
    around(part("awslambda.models").LambdaFunction, "update_function_code", _change_code)
    around(part("ecr.models").ECRBackend, "create_repository", _create_repository)
    scaling = part("applicationautoscaling.models").ApplicationAutoscalingBackend
    around(scaling, "put_scaling_policy", _put_scaling_policy)


# EKS


def _invalid(message: str) -> Exception:
    error: Exception = part("eks.exceptions").InvalidParameterException(message=message)
    return error


def _require_role(self: Any, arn: str) -> None:
    if not role_exists(self.current_account, arn):
        raise _invalid(f"Role with arn: {arn}, could not be assumed because it does not exist.")


def _require_network(self: Any, subnets: Sequence[str], groups: Sequence[str] = ()) -> None:
    for subnet in subnets_missing(self.current_account, self.region, list(subnets)):
        raise _invalid(f"The subnet ID '{subnet}' does not exist.")
    for group in groups_missing(self.current_account, self.region, list(groups)):
        raise _invalid(f"The security group '{group}' does not exist.")


def _note(self: Any, target: Any, names: Mapping[str, str]) -> None:
    for name, held in names.items():
        value = self._get_param(name)
        if value is not None:
            setattr(target, held, value)


def _create_cluster(answers: Wrapper, self: Any) -> Any:
    """A cluster has a name, an issuer and a security group of its own, and is only made of what is there."""
    network: Mapping[str, Any] = self._get_param("resourcesVpcConfig") or {}
    _require_role(self, self._get_param("roleArn"))
    _require_network(self, network.get("subnetIds", ()), network.get("securityGroupIds", ()))
    encryption: list[dict[str, Any]] = self._get_param("encryptionConfig") or []
    for key in (each.get("provider", {}).get("keyArn") for each in encryption):
        if key and not key_exists(self.current_account, self.region, key):
            raise _invalid(f"The KMS key {key} does not exist or is not enabled.")
    answer = answers(self)
    cluster = self.eks_backend.clusters[self._get_param("name")]
    _note(self, cluster, _CLUSTER)
    random = part("moto_api._internal").mock_random
    number = "".join(random.choices("0123456789ABCDEF", k=32))
    cluster.endpoint = f"https://{number}.gr7.{self.region}.eks.amazonaws.com"
    cluster.identity = {"oidc": {"issuer": f"https://oidc.eks.{self.region}.amazonaws.com/id/{number}"}}
    authority = _PEM.format(base64.b64encode(number.encode()).decode())
    cluster.certificate_authority = {"data": base64.b64encode(authority.encode()).decode()}
    _join_network(self, cluster)
    return answer


def _join_network(self: Any, cluster: Any) -> None:
    ec2 = part("ec2.models").ec2_backends[self.current_account][self.region]
    held: dict[str, Any] = cluster.resources_vpc_config
    vpc = ec2.get_subnet(held["subnetIds"][0]).vpc_id
    number = part("moto_api._internal").mock_random.randint(10**9, 10**10)
    group = ec2.create_security_group(
        f"eks-cluster-sg-{cluster.name}-{number}", "EKS created security group", vpc_id=vpc
    )
    cluster.resources_vpc_config = {
        "endpointPublicAccess": True,
        "endpointPrivateAccess": False,
        "publicAccessCidrs": ["0.0.0.0/0"] if held.get("endpointPublicAccess", True) else [],
        "securityGroupIds": [],
        **held,
        "clusterSecurityGroupId": group.id,
        "vpcId": vpc,
    }


def _update_cluster(answers: Wrapper, self: Any) -> Any:
    """What is not named in a change of the network stays as it is."""
    cluster = self.eks_backend.describe_cluster(self._get_param("name"))
    before: dict[str, Any] = cluster.resources_vpc_config
    network: Mapping[str, Any] = self._get_param("resourcesVpcConfig") or {}
    _require_network(self, network.get("subnetIds", ()), network.get("securityGroupIds", ()))
    answer = answers(self)
    cluster.resources_vpc_config = {**before, **network}
    _note(self, cluster, _CLUSTER)
    return answer


def _update_cluster_version(self: Any) -> Any:
    """A cluster's version can be changed, which moto has no call for."""
    cluster = self.eks_backend.describe_cluster(self._get_param("name"))
    cluster.version = self._get_param("version")
    return _updated("VersionUpdate")


def _update_node_group_version(self: Any) -> Any:
    """A node group's version can be changed, which moto has no call for."""
    group = self.eks_backend.describe_nodegroup(self._get_param("name"), self._get_param("nodegroupName"))
    _note(self, group, {"version": "version", "releaseVersion": "release_version"})
    template = self._get_param("launchTemplate")
    if template:
        group.launch_template = {**(group.launch_template or {}), **template}
    return _updated("VersionUpdate")


def _updated(kind: str) -> Any:
    number = str(part("moto_api._internal").mock_random.uuid4())
    return part("core.responses").ActionResult(
        {"update": {"id": number, "status": "Successful", "type": kind}}
    )


def _delete_cluster(deletes: Wrapper, self: Any, name: str) -> Any:
    """A protected cluster stays; the security group that came with a cluster goes with it."""
    cluster = self.clusters.get(name)
    if cluster is not None and getattr(cluster, "deletion_protection", False):
        raise part("eks.exceptions").InvalidRequestException(
            message=f"Cannot delete cluster {name} because deletion protection is enabled."
        )
    deleted = deletes(self, name)
    ec2 = part("ec2.models").ec2_backends[self.account_id][self.region_name]
    group = deleted.resources_vpc_config.get("clusterSecurityGroupId")
    if group and not groups_missing(self.account_id, self.region_name, [group]):
        # What others still refer to is theirs to clear, as on AWS.
        with contextlib.suppress(part("ec2.exceptions").DependencyViolationError):
            ec2.delete_security_group(group_id=group)
    return deleted


def _create_node_group(answers: Wrapper, self: Any) -> Any:
    """A node group is only made of what is there, and its autoscaling group is called after it."""
    self.eks_backend.describe_cluster(self._get_param("name"))
    _require_role(self, self._get_param("nodeRole"))
    _require_network(self, self._get_param("subnets") or ())
    template: Mapping[str, str] = self._get_param("launchTemplate") or {}
    known = part("ec2.models").ec2_backends[self.current_account][self.region].launch_templates
    if template.get("id") and template["id"] not in known:
        raise part("eks.exceptions").InvalidRequestException(
            message=f"Launch template with id {template['id']} does not exist."
        )
    answer = answers(self)
    cluster = self.eks_backend.clusters[self._get_param("name")]
    group = cluster.nodegroups[self._get_param("nodegroupName")]
    _note(self, group, _NODE_GROUP)
    group.resources = {"autoScalingGroups": [{"name": f"eks-{group.nodegroup_name}-{group.uuid}"}]}
    if not self._get_param("version"):
        group.version = cluster.version
    return answer


def _tagged(self: Any, arn: str) -> Any:
    groups = (group for cluster in self.clusters.values() for group in cluster.nodegroups.values())
    return next((group for group in groups if group.arn == arn), None)


def _tag(tags_it: Wrapper, self: Any, resource_arn: str, tags: dict[str, str]) -> None:
    """Node groups are tagged as clusters are."""
    group = _tagged(self, resource_arn)
    if group is None:
        tags_it(self, resource_arn, tags)
    else:
        group.tags.update(tags)


def _untag(untags: Wrapper, self: Any, resource_arn: str, tag_keys: Any) -> None:
    """Node groups lose tags as clusters do."""
    group = _tagged(self, resource_arn)
    if group is None:
        untags(self, resource_arn, tag_keys)
        return
    for key in [tag_keys] if isinstance(tag_keys, str) else list(tag_keys):
        group.tags.pop(key, None)


# Functions, images, scaling


def _create_function(creates: Wrapper, self: Any, spec: dict[str, Any]) -> Any:
    """A function has a name of its own, and is only made of what is there."""
    errors = part("awslambda.exceptions")
    name, role = str(spec.get("FunctionName")), str(spec.get("Role"))
    if any(known.function_name == name for known in self.list_functions()):
        raise errors.LambdaClientError("ResourceConflictException", f"Function already exist: {name}")
    if not role_exists(self.account_id, role):
        raise errors.InvalidParameterValueException(
            "The role defined for the function cannot be assumed by Lambda."
        )
    network: Mapping[str, list[str]] = spec.get("VpcConfig") or {}
    missing = [
        *subnets_missing(self.account_id, self.region_name, network.get("SubnetIds", [])),
        *groups_missing(self.account_id, self.region_name, network.get("SecurityGroupIds", [])),
    ]
    if missing:
        raise errors.InvalidParameterValueException(
            f"Error occurred while describing the function's network: {', '.join(missing)} does not exist."
        )
    return creates(self, spec)


def _configure_function(configures: Wrapper, self: Any, config_updates: dict[str, Any]) -> Any:
    """Everything that is asked for is changed, to a role that is there."""
    role = config_updates.get("Role")
    if role and not role_exists(self.account_id, role):
        raise part("awslambda.exceptions").InvalidParameterValueException(
            "The role defined for the function cannot be assumed by Lambda."
        )
    self.tracing_config = config_updates.get("TracingConfig") or self.tracing_config
    self.kms_key_arn = config_updates.get("KMSKeyArn") or self.kms_key_arn
    if config_updates.get("EphemeralStorage"):
        self.ephemeral_storage = config_updates["EphemeralStorage"]["Size"]
    return configures(self, config_updates)


def _change_code(changes: Wrapper, self: Any, updated_spec: dict[str, Any]) -> Any:
    """Code may come for another kind of processor."""
    self.architectures = updated_spec.get("Architectures") or self.architectures
    return changes(self, updated_spec)


def _create_repository(creates: Wrapper, self: Any, *args: Any, **kwargs: Any) -> Any:
    """A repository's key must be there."""
    encryption: Mapping[str, str] = kwargs.get("encryption_config") or {}
    key = encryption.get("kmsKey")
    if key and not key_exists(self.account_id, self.region_name, key):
        raise part("core.exceptions").JsonRESTError("KmsException", f"The KMS key {key} does not exist.")
    return creates(self, *args, **kwargs)


def _put_scaling_policy(puts: Wrapper, self: Any, *args: Any, **kwargs: Any) -> Any:
    """A policy is one of a target that is registered."""
    named = dict(
        zip(("policy_name", "service_namespace", "resource_id", "scalable_dimension"), args, strict=False)
    )
    asked = {**named, **kwargs}
    targets: Mapping[str, Mapping[str, Any]] = self.targets
    if asked["resource_id"] not in targets.get(asked["scalable_dimension"], {}):
        raise part("core.exceptions").JsonRESTError(
            "ObjectNotFoundException",
            f"No scalable target registered for service namespace: {asked['service_namespace']}, resource ID: "
            f"{asked['resource_id']}, scalable dimension: {asked['scalable_dimension']}",
        )
    return puts(self, *args, **kwargs)
