"""Where moto's ElastiCache and MSK answer otherwise than AWS's: what is mended before it serves."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final, cast
from urllib.parse import unquote

from infra.local.cloud.wrapping import Wrapper, around, groups_missing, key_exists, part, subnets_missing
from infra.local.providers.aws.regions import cache_region

_PLAIN: Final[Mapping[str, str]] = {
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
    "CacheParameterGroupName": "cache_parameter_group_name",
    "ClusterMode": "cluster_mode",
    "EngineVersion": "engine_version",
    "IpDiscovery": "ip_discovery",
    "NotificationTopicArn": "notification_topic_arn",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "SecurityGroupIds": "security_group_ids",
    "SnapshotWindow": "snapshot_window",
    "TransitEncryptionEnabled": "transit_encryption_enabled",
    "TransitEncryptionMode": "transit_encryption_mode",
}
"""What a changed replication group holds, by the argument that moto does not look at."""
Change = Callable[[Wrapper, Any], None]


@functools.cache
def mend() -> None:
    """Mend moto in this process, once."""
    random = part("moto_api._internal").mock_random
    caches, kafka = part("elasticache.models"), part("kafka.models")
    # Both draw from a source that nobody seeds.
    caches.random = random
    kafka.uuid = SimpleNamespace(uuid4=random.uuid4)
    around(caches.ElastiCacheBackend, "create_cache_subnet_group", _create_subnet_group)
    around(caches.ElastiCacheBackend, "create_replication_group", _create_group)
    around(caches.ElastiCacheBackend, "delete_replication_group", _delete_group)
    around(caches.ElastiCacheBackend, "delete_user", _delete_user)
    responses = part("elasticache.responses").ElastiCacheResponse
    around(responses, "modify_replication_group", _modify_group)
    responses.delete_cache_subnet_group = _delete_subnet_group
    responses.modify_cache_subnet_group = _modify_subnet_group
    responses.modify_user = _modify_user
    around(kafka.KafkaBackend, "create_cluster", _create_cluster)
    around(kafka.KafkaBackend, "describe_cluster", _known_cluster)
    around(kafka.KafkaBackend, "describe_cluster_v2", _known_cluster)
    around(kafka.KafkaBackend, "delete_cluster", _known_cluster)
    around(kafka.FakeKafkaCluster, "_generate_arn", _cluster_arn)
    for operation, change in _CLUSTER_CHANGES.items():
        setattr(part("kafka.responses").KafkaResponse, operation, _changing(change))


def _answer(result: Any) -> Any:
    return part("core.responses").ActionResult(result)


def _invalid(message: str) -> Exception:
    error: Exception = part("elasticache.exceptions").InvalidParameterValueException(message)
    return error


def _require_subnets(self: Any, subnets: Sequence[str]) -> None:
    missing = subnets_missing(self.account_id, self.region_name, list(subnets))
    if missing:
        raise part("elasticache.exceptions").InvalidSubnet(subnet_id=missing[0])


def _require_groups(self: Any, groups: Sequence[str] | None) -> None:
    for group in groups_missing(self.account_id, self.region_name, list(groups or [])):
        raise _invalid(f"Security group {group} does not exist.")


def _create_subnet_group(creates: Wrapper, self: Any, **kwargs: Any) -> Any:
    """A subnet group is of subnets that are there."""
    _require_subnets(self, kwargs.get("subnet_ids") or [])
    return creates(self, **kwargs)


def _modify_subnet_group(self: Any) -> Any:
    """A subnet group can be changed, which moto has no call for."""
    backend, params = self.elasticache_backend, self._get_params()
    group = backend.describe_cache_subnet_groups(params["CacheSubnetGroupName"])[0]
    subnets = params.get("SubnetIds") or group.subnet_ids
    _require_subnets(backend, subnets)
    again = type(group)(
        account_id=backend.account_id,
        region_name=backend.region_name,
        cache_subnet_group_name=group.cache_subnet_group_name,
        cache_subnet_group_description=params.get("CacheSubnetGroupDescription")
        or group.cache_subnet_group_description,
        subnet_ids=subnets,
        tags=group.tags,
    )
    backend.cache_subnet_groups[group.cache_subnet_group_name] = again
    return _answer({"CacheSubnetGroup": again})


def _delete_subnet_group(self: Any) -> Any:
    """A subnet group that nothing uses can be deleted, which moto has no call for."""
    backend, name = self.elasticache_backend, self._get_params()["CacheSubnetGroupName"]
    backend.describe_cache_subnet_groups(name)
    if any(group.cache_subnet_group_name == name for group in backend.replication_groups.values()):
        raise part("elasticache.exceptions").ElastiCacheException(
            "CacheSubnetGroupInUse", f"Cache subnet group {name} is currently in use by a cache cluster."
        )
    del backend.cache_subnet_groups[name]
    return _answer({})


def _create_group(creates: Wrapper, self: Any, **kwargs: Any) -> Any:
    """A replication group is only made of what is there, and is called after its own region."""
    if kwargs.get("cache_subnet_group_name"):
        self.describe_cache_subnet_groups(kwargs["cache_subnet_group_name"])
    _require_groups(self, kwargs.get("security_group_ids"))
    key = kwargs.get("kms_key_id")
    if key and not key_exists(self.account_id, self.region_name, key):
        raise _invalid(f"The KMS key {key} does not exist or cannot be used.")
    group = creates(self, **kwargs)
    group.node_groups = _renamed(group.node_groups, self.region_name)
    if hasattr(group, "configuration_endpoint"):
        group.configuration_endpoint = _renamed(group.configuration_endpoint, self.region_name)
    return group


def _renamed(value: Any, region: str) -> Any:
    """What moto says of one region, said of another."""
    if isinstance(value, dict):
        return {key: _renamed(item, region) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_renamed(item, region) for item in cast("list[Any]", value)]
    if not isinstance(value, str):
        return value
    return value.replace(".use1.cache.", f".{cache_region(region)}.cache.").replace("us-east-1", region)


def _modify_group(answers: Wrapper, self: Any) -> Any:
    """What a replication group is asked to change to is what it has then."""
    backend, params = self.elasticache_backend, self._get_params()
    group = backend.describe_replication_groups(params["ReplicationGroupId"])[0]
    _require_groups(backend, params.get("SecurityGroupIds"))
    answer = answers(self)
    for argument, held in _PLAIN.items():
        if argument in params:
            value = params[argument]
            setattr(group, held, value == "true" if value in ("true", "false") else value)
    gone: list[str] = params.get("UserGroupIdsToRemove", [])
    added: list[str] = params.get("UserGroupIdsToAdd", [])
    group.user_group_ids = list(
        dict.fromkeys([*(held for held in group.user_group_ids if held not in gone), *added])
    )
    if "LogDeliveryConfigurations" in params:
        wanted: list[dict[str, Any]] = params["LogDeliveryConfigurations"]
        group.log_delivery_configurations = [{**delivery, "status": "active"} for delivery in wanted]
    return answer


def _delete_group(deletes: Wrapper, self: Any, replication_group_id: str, *args: Any, **kwargs: Any) -> Any:
    """A deleted replication group goes."""
    group = deletes(self, replication_group_id, *args, **kwargs)
    if not kwargs.get("retain_primary_cluster"):
        self.replication_groups.pop(replication_group_id, None)
    return group


def _delete_user(deletes: Wrapper, self: Any, user_id: str) -> Any:
    """A deleted user goes."""
    user = deletes(self, user_id)
    self.users.pop(user_id, None)
    return user


def _modify_user(self: Any) -> Any:
    """A user can be changed, which moto has no call for."""
    params = self._get_params()
    users: Mapping[str, Any] = self.elasticache_backend.users
    user = users.get(params["UserId"])
    if user is None:
        raise part("elasticache.exceptions").UserNotFound(params["UserId"])
    user.access_string = params.get("AccessString") or user.access_string
    mode: Mapping[str, Any] = params.get("AuthenticationMode", {})
    user.passwords = params.get("Passwords") or mode.get("Passwords") or user.passwords
    user.engine = params.get("Engine") or user.engine
    if "NoPasswordRequired" in params:
        user.no_password_required = str(params["NoPasswordRequired"]).lower() == "true"
    return _answer(
        vars(user) | {"user_id": user.id, "user_name": user.name, "authentication": user.authentication}
    )


def _create_cluster(creates: Wrapper, self: Any, *args: Any, **kwargs: Any) -> Any:
    """A cluster has a name of its own, is only made of what is there, and is there when asked for."""
    exceptions = part("kafka.exceptions")
    name = kwargs.get("cluster_name")
    if any(cluster.cluster_name == name for cluster in self.clusters.values()):
        raise exceptions.KafkaException("ConflictException", "A resource with this name already exists.")
    brokers: Mapping[str, list[str]] = kwargs.get("broker_node_group_info") or {}
    if subnets_missing(self.account_id, self.region_name, brokers.get("clientSubnets", [])):
        raise exceptions.BadRequestException("One or more subnets are invalid. Specify valid subnets.")
    if groups_missing(self.account_id, self.region_name, brokers.get("securityGroups", [])):
        raise exceptions.BadRequestException("One or more security groups are invalid.")
    encryption: Mapping[str, Mapping[str, str]] = kwargs.get("encryption_info") or {}
    key = encryption.get("encryptionAtRest", {}).get("dataVolumeKMSKeyId")
    if key and not key_exists(self.account_id, self.region_name, key):
        raise exceptions.BadRequestException("The KMS key provided for encryption at rest is invalid.")
    logging: Mapping[str, Any] = kwargs.get("logging_info") or {}
    logs: Mapping[str, Any] = logging.get("brokerLogs", {}).get("cloudWatchLogs", {})
    group = logs.get("logGroup") if logs.get("enabled") else None
    if group and group not in part("logs.models").logs_backends[self.account_id][self.region_name].groups:
        raise exceptions.BadRequestException(f"Log group {group} does not exist.")
    made = creates(self, *args, **kwargs)
    self.clusters[made[0]].state = "ACTIVE"
    return made


def _known_cluster(asks: Wrapper, self: Any, cluster_arn: str, *args: Any, **kwargs: Any) -> Any:
    """Of a cluster that does not exist there is an error, not a crash."""
    if cluster_arn not in self.clusters:
        raise part("kafka.exceptions").NotFoundException(
            "The requested resource doesn't exist. Check the cluster ARN and try again."
        )
    return asks(self, cluster_arn, *args, **kwargs)


def _cluster_arn(_: Wrapper, self: Any) -> str:
    """A cluster's ARN has its name and its number."""
    return (
        f"arn:aws:kafka:{self.region_name}:{self.account_id}:cluster/{self.cluster_name}/{self.cluster_id}-1"
    )


def _changing(change: Change) -> Callable[[Any], str]:
    """A cluster can be changed, which moto has no calls for."""

    def answer(self: Any) -> str:
        path = unquote(str(self.parsed_url.path)).partition("/clusters/")[2]
        arn = re.sub(r"/(nodes/\w+|version|configuration|monitoring|security)$", "", path)
        self.kafka_backend.describe_cluster(arn)
        change(self._get_param, self.kafka_backend.clusters[arn])
        operation = arn.replace(":cluster/", ":cluster-operation/")
        return json.dumps({"clusterArn": arn, "clusterOperationArn": operation})

    return answer


def _count(asked: Wrapper, cluster: Any) -> None:
    cluster.number_of_broker_nodes = asked("targetNumberOfBrokerNodes")


def _type(asked: Wrapper, cluster: Any) -> None:
    wanted = asked("targetInstanceType")
    cluster.broker_node_group_info = {**cluster.broker_node_group_info, "instanceType": wanted}


def _storage(asked: Wrapper, cluster: Any) -> None:
    volume: dict[str, Any] = asked("targetBrokerEBSVolumeInfo")[0]
    storage = {"ebsStorageInfo": {"volumeSize": volume["volumeSizeGB"]}}
    cluster.broker_node_group_info = {**cluster.broker_node_group_info, "storageInfo": storage}


def _version(asked: Wrapper, cluster: Any) -> None:
    cluster.kafka_version = asked("targetKafkaVersion")
    cluster.configuration_info = asked("configurationInfo") or cluster.configuration_info


def _configuration(asked: Wrapper, cluster: Any) -> None:
    cluster.configuration_info = asked("configurationInfo")


def _monitoring(asked: Wrapper, cluster: Any) -> None:
    cluster.enhanced_monitoring = asked("enhancedMonitoring") or cluster.enhanced_monitoring
    cluster.open_monitoring = asked("openMonitoring") or cluster.open_monitoring
    cluster.logging_info = asked("loggingInfo") or cluster.logging_info


def _security(asked: Wrapper, cluster: Any) -> None:
    cluster.client_authentication = asked("clientAuthentication") or cluster.client_authentication
    cluster.encryption_info = {
        **(cluster.encryption_info or {}),
        **(asked("encryptionInfo") or {}),
    }


_CLUSTER_CHANGES: Final[Mapping[str, Change]] = {
    "update_broker_count": _count,
    "update_broker_type": _type,
    "update_broker_storage": _storage,
    "update_cluster_kafka_version": _version,
    "update_cluster_configuration": _configuration,
    "update_monitoring": _monitoring,
    "update_security": _security,
}
