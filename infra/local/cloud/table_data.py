"""Databases, caches and brokers in the cloud's calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from infra.local.cloud.refusals import CloudRefusedError
from infra.local.cloud.requests import fill
from infra.local.cloud.rows import Call, Needed, Row

Json = Any
_INSTANCE: Final[Mapping[str, Json]] = {"DBInstanceIdentifier": "{identifier}"}
_SERVER_LOGS: Final = ("postgresql", "upgrade", "iam-db-auth-error")
_SERVER_CHANGES: Final = (
    "allocatedStorage allowMajorVersionUpgrade autoMinorVersionUpgrade backupRetentionPeriod backupWindow "
    "caCertIdentifier copyTagsToSnapshot databaseInsightsMode dbSubnetGroupName dedicatedLogVolume deletionProtection "
    "engineVersion iamDatabaseAuthenticationEnabled instanceClass iops maintenanceWindow maxAllocatedStorage "
    "monitoringInterval monitoringRoleArn multiAz networkType optionGroupName parameterGroupName password "
    "performanceInsightsEnabled performanceInsightsKmsKeyId performanceInsightsRetentionPeriod publiclyAccessible "
    "storageThroughput storageType vpcSecurityGroupIds"
)
_SERVER_NAMES: Final = {
    "identifier": "DBInstanceIdentifier",
    "instanceClass": "DBInstanceClass",
    "dbName": "DBName",
    "username": "MasterUsername",
    "password": "MasterUserPassword",
    "multiAz": "MultiAZ",
    "backupWindow": "PreferredBackupWindow",
    "maintenanceWindow": "PreferredMaintenanceWindow",
    "parameterGroupName": "DBParameterGroupName",
    "caCertIdentifier": "CACertificateIdentifier",
    "performanceInsightsEnabled": "EnablePerformanceInsights",
    "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
    "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
    "customerOwnedIpEnabled": "EnableCustomerOwnedIp",
    "replicateSourceDb": "SourceDBInstanceIdentifier",
}


def _last_snapshot(arguments: dict[str, Json], _: Mapping[str, Json]) -> None:
    """A last snapshot may only be named where one is made."""
    if arguments.get("SkipFinalSnapshot"):
        arguments.pop("FinalDBSnapshotIdentifier", None)


def _no_other_source(_: dict[str, Json], values: Mapping[str, Json]) -> None:
    """A server cannot be made to follow another one, says Terraform's provider; only its source may be taken away."""
    if values["replicateSourceDb"] != values["old"].get("replicateSourceDb"):
        raise CloudRefusedError(
            "cannot elect new source database for replication: a server becomes a replica only by being made anew; "
            "python -m infra.ops rejoin does that"
        )


def _logs(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """Changes to logs are given as those to switch on and off."""
    wanted = cast("list[str]", values.get("enabledCloudwatchLogsExports") or [])
    arguments["CloudwatchLogsExportConfiguration"] = {
        "EnableLogTypes": wanted,
        "DisableLogTypes": [log for log in _SERVER_LOGS if log not in wanted],
    }


_AFTER_REPLICATING: Final = Call(
    operation="modify_db_instance",
    given={**_INSTANCE, "ApplyImmediately": True},
    carries="backupRetentionPeriod backupWindow maintenanceWindow",
    needs="replicateSourceDb",
)
_PARAMETERS: Final = Call(
    operation="modify_db_parameter_group",
    given={"DBParameterGroupName": "{id}"},
    carries="parameters",
    when="parameters",
    needs="parameters",
)

_DATABASES: Final[Mapping[str, Row]] = {
    "rds:Instance": Row(
        service="rds",
        create=(
            Call(operation="create_db_instance", carries=True, unless="replicateSourceDb"),
            Call(operation="create_db_instance_read_replica", carries=True, needs="replicateSourceDb"),
            _AFTER_REPLICATING,
        ),
        id="DBInstance.DbiResourceId",
        # As Terraform's provider does: a server made anew under the same identifier is another one.
        read=Call(
            operation="describe_db_instances",
            given={"Filters": [{"Name": "dbi-resource-id", "Values": ["{id}"]}]},
        ),
        found="DBInstances[0]",
        outputs={
            "arn": "DBInstanceArn",
            "resourceId": "DbiResourceId",
            "address": "Endpoint.Address",
            "endpoint": "Endpoint && join(':', [Endpoint.Address, to_string(Endpoint.Port)])",
            "port": "Endpoint.Port",
            "status": "DBInstanceStatus",
            "availabilityZone": "AvailabilityZone",
        },
        sees={
            "replicateSourceDb": "ReadReplicaSourceDBInstanceIdentifier",
            "vpcSecurityGroupIds": "sort((VpcSecurityGroups || `[]`)[].VpcSecurityGroupId)",
            "parameterGroupName": "DBParameterGroups[0].DBParameterGroupName",
            "dbSubnetGroupName": "DBSubnetGroup.DBSubnetGroupName",
            "performanceInsightsEnabled": "PerformanceInsightsEnabled || `false`",
            "enabledCloudwatchLogsExports": "sort(EnabledCloudwatchLogsExports || `[]`)",
            "port": "Endpoint.Port",
        },
        names=_SERVER_NAMES,
        update=(
            Call(
                operation="describe_db_instances",
                given=_INSTANCE,
                when="replicateSourceDb",
                needs="replicateSourceDb",
                finish=_no_other_source,
            ),
            Call(
                operation="promote_read_replica",
                given=_INSTANCE,
                when="replicateSourceDb",
                unless="replicateSourceDb",
                tolerates="InvalidDBInstanceState InvalidDBInstanceStateFault",
            ),
            Call(
                operation="modify_db_instance",
                given={**_INSTANCE, "ApplyImmediately": True},
                carries=_SERVER_CHANGES,
                when=_SERVER_CHANGES,
            ),
            Call(
                operation="modify_db_instance",
                given={**_INSTANCE, "ApplyImmediately": True, "DBPortNumber": "{port}"},
                when="port",
            ),
            Call(
                operation="modify_db_instance",
                given={**_INSTANCE, "ApplyImmediately": True},
                when="enabledCloudwatchLogsExports",
                finish=_logs,
            ),
        ),
        delete=(
            Call(
                operation="delete_db_instance",
                given={
                    **_INSTANCE,
                    "SkipFinalSnapshot": "{skipFinalSnapshot}",
                    "FinalDBSnapshotIdentifier": "{finalSnapshotIdentifier}",
                    "DeleteAutomatedBackups": "{deleteAutomatedBackups}",
                },
                finish=_last_snapshot,
            ),
        ),
        tags="{arn}",
    ),
    "rds:ParameterGroup": Row(
        service="rds",
        create=(Call(operation="create_db_parameter_group", carries=True), _PARAMETERS),
        id="DBParameterGroup.DBParameterGroupName",
        read=Call(operation="describe_db_parameters", given={"DBParameterGroupName": "{id}"}),
        sees={
            "parameters": (
                "sort_by(Parameters, &ParameterName)[]"
                ".{name: ParameterName, value: ParameterValue, applyMethod: ApplyMethod}"
            )
        },
        names={
            "name": "DBParameterGroupName",
            "family": "DBParameterGroupFamily",
            "parameters.name": "ParameterName",
            "parameters.value": "ParameterValue",
        },
        update=(
            Call(
                operation="reset_db_parameter_group",
                given={"DBParameterGroupName": "{id}", "ResetAllParameters": True},
                when="parameters",
            ),
            _PARAMETERS,
        ),
        delete=(Call(operation="delete_db_parameter_group", given={"DBParameterGroupName": "{id}"}),),
        tags="arn:aws:rds:{region}:{account}:pg:{id}",
    ),
    "rds:SubnetGroup": Row(
        service="rds",
        create=(Call(operation="create_db_subnet_group", carries=True),),
        id="DBSubnetGroup.DBSubnetGroupName",
        read=Call(operation="describe_db_subnet_groups", given={"DBSubnetGroupName": "{id}"}),
        found="DBSubnetGroups[0]",
        outputs={"arn": "DBSubnetGroupArn", "vpcId": "VpcId"},
        sees={"subnetIds": "sort(Subnets[].SubnetIdentifier)"},
        names={"name": "DBSubnetGroupName", "description": "DBSubnetGroupDescription"},
        update=(
            Call(
                operation="modify_db_subnet_group",
                carries="name description subnetIds",
                when="description subnetIds",
            ),
        ),
        delete=(Call(operation="delete_db_subnet_group", given={"DBSubnetGroupName": "{id}"}),),
        tags="{arn}",
    ),
}

_GROUP: Final[Mapping[str, Json]] = {"ReplicationGroupId": "{id}"}
_CACHE_CHANGES: Final = (
    "authToken authTokenUpdateStrategy autoMinorVersionUpgrade automaticFailoverEnabled clusterMode description "
    "durability engine engineVersion ipDiscovery logDeliveryConfigurations maintenanceWindow multiAzEnabled nodeType "
    "notificationTopicArn parameterGroupName securityGroupIds snapshotRetentionLimit snapshotWindow "
    "transitEncryptionEnabled transitEncryptionMode"
)
_USER: Final[Mapping[str, Json]] = {"UserId": "{id}"}
_USER_CHANGES: Final = "accessString authenticationMode engine noPasswordRequired passwords"


def _log_deliveries(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """Where logs go is told in a word of its own for each kind of destination."""
    given = cast("list[dict[str, Json]]", values.get("logDeliveryConfigurations") or [])
    written = cast("list[dict[str, Json]]", arguments.get("LogDeliveryConfigurations") or [])
    for delivery, target in zip(given, written, strict=False):
        logs = delivery["destinationType"] == "cloudwatch-logs"
        kind, name = (
            ("CloudWatchLogsDetails", "LogGroup") if logs else ("KinesisFirehoseDetails", "DeliveryStream")
        )
        target["DestinationDetails"] = {kind: {name: delivery["destination"]}}


def _user_groups(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """The groups that a cache shall have are added; it has one at most."""
    arguments["UserGroupIdsToAdd"] = values["userGroupIds"]


_CACHES: Final[Mapping[str, Row]] = {
    "elasticache:SubnetGroup": Row(
        service="elasticache",
        create=(Call(operation="create_cache_subnet_group", carries=True),),
        id="CacheSubnetGroup.CacheSubnetGroupName",
        read=Call(operation="describe_cache_subnet_groups", given={"CacheSubnetGroupName": "{id}"}),
        found="CacheSubnetGroups[0]",
        outputs={"arn": "ARN", "vpcId": "VpcId"},
        sees={"subnetIds": "sort(Subnets[].SubnetIdentifier)"},
        names={"name": "CacheSubnetGroupName", "description": "CacheSubnetGroupDescription"},
        update=(
            Call(
                operation="modify_cache_subnet_group",
                carries="name description subnetIds",
                when="description subnetIds",
            ),
        ),
        delete=(Call(operation="delete_cache_subnet_group", given={"CacheSubnetGroupName": "{id}"}),),
        tags="{arn}",
    ),
    "elasticache:ReplicationGroup": Row(
        service="elasticache",
        create=(Call(operation="create_replication_group", carries=True, finish=_log_deliveries),),
        id="ReplicationGroup.ReplicationGroupId",
        read=Call(operation="describe_replication_groups", given=_GROUP),
        found="ReplicationGroups[0]",
        outputs={
            "arn": "ARN",
            "configurationEndpointAddress": "ConfigurationEndpoint.Address",
            "primaryEndpointAddress": "NodeGroups[0].PrimaryEndpoint.Address",
            "readerEndpointAddress": "NodeGroups[0].ReaderEndpoint.Address",
            "memberClusters": "MemberClusters",
        },
        sees={
            "automaticFailoverEnabled": "AutomaticFailover == 'enabled'",
            "multiAzEnabled": "MultiAZ == 'enabled'",
            "description": "Description",
            "numNodeGroups": "length(NodeGroups)",
        },
        names={
            "description": "ReplicationGroupDescription",
            "nodeType": "CacheNodeType",
            "parameterGroupName": "CacheParameterGroupName",
            "subnetGroupName": "CacheSubnetGroupName",
            "maintenanceWindow": "PreferredMaintenanceWindow",
            "securityGroupNames": "CacheSecurityGroupNames",
            "preferredCacheClusterAzs": "PreferredCacheClusterAZs",
            "multiAzEnabled": "MultiAZEnabled",
            "logDeliveryConfigurations.destination": "",
        },
        update=(
            Call(
                operation="modify_replication_group",
                given={**_GROUP, "ApplyImmediately": True},
                carries=_CACHE_CHANGES,
                when=_CACHE_CHANGES,
                finish=_log_deliveries,
            ),
            Call(
                operation="modify_replication_group",
                given={**_GROUP, "ApplyImmediately": True},
                when="userGroupIds",
                needs="userGroupIds",
                finish=_user_groups,
            ),
        ),
        delete=(
            Call(
                operation="delete_replication_group",
                given={**_GROUP, "FinalSnapshotIdentifier": "{finalSnapshotIdentifier}"},
            ),
        ),
        tags="{arn}",
    ),
    "elasticache:User": Row(
        service="elasticache",
        create=(Call(operation="create_user", carries=True),),
        id="UserId",
        read=Call(operation="describe_users", given=_USER),
        found="Users[?Status!='deleting'] | [0]",
        outputs={"arn": "ARN"},
        update=(Call(operation="modify_user", given=_USER, carries=_USER_CHANGES, when=_USER_CHANGES),),
        delete=(Call(operation="delete_user", given=_USER),),
        tags="{arn}",
    ),
}


def _security(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """Ways to log in are objects with a switch, and the key at rest has a place of its own."""
    logins = cast("dict[str, Json]", values.get("clientAuthentication") or {})
    sasl = cast("dict[str, Json]", logins.get("sasl") or {})
    tls = cast("dict[str, Json]", logins.get("tls") or {})
    authentication: dict[str, Json] = {}
    if sasl:
        authentication["Sasl"] = {
            name.title(): {"Enabled": bool(sasl.get(name))} for name in ("iam", "scram")
        }
    if tls:
        arns = cast("list[str]", tls.get("certificateAuthorityArns") or [])
        authentication["Tls"] = {"Enabled": bool(arns), "CertificateAuthorityArnList": arns}
    if "unauthenticated" in logins:
        authentication["Unauthenticated"] = {"Enabled": bool(logins["unauthenticated"])}
    if authentication:
        arguments["ClientAuthentication"] = authentication
    encryption = cast("dict[str, Json]", values.get("encryptionInfo") or {})
    if key := encryption.get("encryptionAtRestKmsKeyArn"):
        arguments.setdefault("EncryptionInfo", {})["EncryptionAtRest"] = {"DataVolumeKMSKeyId": key}


def _changed_security(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """The key at rest stays for good, and is not said again."""
    _security(arguments, values)
    arguments.get("EncryptionInfo", {}).pop("EncryptionAtRest", None)


def _volumes(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """Volumes of all brokers grow together."""
    size = fill("{brokerNodeGroupInfo.storageInfo.ebsStorageInfo.volumeSize}", values)
    arguments["TargetBrokerEBSVolumeInfo"] = [{"KafkaBrokerNodeId": "All", "VolumeSizeGB": int(size or 1000)}]


_STREAMS: Final[Mapping[str, Json]] = {"ClusterArn": "{id}", "CurrentVersion": "{currentVersion}"}
_BROKERS: Final[Mapping[str, Row]] = {
    "msk:Cluster": Row(
        service="kafka",
        create=(Call(operation="create_cluster", carries=True, finish=_security),),
        id="ClusterArn",
        read=Call(operation="describe_cluster", given={"ClusterArn": "{id}"}),
        found="ClusterInfo",
        outputs={"arn": "ClusterArn", "currentVersion": "CurrentVersion"},
        sees={
            "configurationInfo": (
                "CurrentBrokerSoftwareInfo.{arn: ConfigurationArn, revision: ConfigurationRevision}"
            ),
            "clientAuthentication": (
                "ClientAuthentication.{sasl: {iam: Sasl.Iam.Enabled, scram: Sasl.Scram.Enabled}, "
                "unauthenticated: Unauthenticated.Enabled}"
            ),
            "kafkaVersion": "CurrentBrokerSoftwareInfo.KafkaVersion",
            "numberOfBrokerNodes": "NumberOfBrokerNodes",
        },
        blind="encryptionInfo",
        names={
            "clientAuthentication": "",
            "brokerNodeGroupInfo.azDistribution": "BrokerAZDistribution",
            "encryptionInfo.encryptionAtRestKmsKeyArn": "",
        },
        update=(
            Call(
                operation="update_broker_count",
                given={**_STREAMS, "TargetNumberOfBrokerNodes": "{numberOfBrokerNodes}"},
                when="numberOfBrokerNodes",
            ),
            Call(
                operation="update_broker_type",
                given={**_STREAMS, "TargetInstanceType": "{brokerNodeGroupInfo.instanceType}"},
                when="brokerNodeGroupInfo",
            ),
            Call(
                operation="update_broker_storage", given=_STREAMS, when="brokerNodeGroupInfo", finish=_volumes
            ),
            Call(
                operation="update_cluster_kafka_version",
                given={**_STREAMS, "TargetKafkaVersion": "{kafkaVersion}"},
                carries="configurationInfo",
                when="kafkaVersion",
            ),
            Call(
                operation="update_cluster_configuration",
                given=_STREAMS,
                carries="configurationInfo",
                when="configurationInfo",
                needs="configurationInfo",
            ),
            Call(
                operation="update_monitoring",
                given=_STREAMS,
                carries="enhancedMonitoring openMonitoring loggingInfo",
                when="enhancedMonitoring openMonitoring loggingInfo",
            ),
            Call(
                operation="update_security",
                given=_STREAMS,
                carries="encryptionInfo",
                when="clientAuthentication encryptionInfo",
                finish=_changed_security,
            ),
        ),
        delete=(Call(operation="delete_cluster", given={"ClusterArn": "{id}"}),),
        tags="{id}",
    ),
}

ROWS: Final[Mapping[str, Row]] = {**_DATABASES, **_CACHES, **_BROKERS}
NEEDED: Final[Mapping[str, tuple[Needed, ...]]] = {
    "elasticache:UserGroup": (
        Needed(
            call=Call(service="elasticache", operation="describe_users", given={"UserId": "{item}"}),
            each="userIds",
        ),
    ),
    "msk:Topic": (
        Needed(
            call=Call(service="kafka", operation="describe_cluster", given={"ClusterArn": "{clusterArn}"})
        ),
    ),
}
LEFT_OUT: Final[Mapping[str, str]] = {
    "elasticache:ParameterGroup": "moto has no parameter groups of caches",
    "elasticache:UserGroup": "moto has no groups of cache users",
    "msk:Configuration": "moto has no configurations of brokers",
    "msk:Topic": "moto has no topics",
}
