"""Databases, caches and brokers in the cloud's calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from infra.local.cloud.rows import Call, Row

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
        read=Call(operation="describe_db_instances", given=_INSTANCE),
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
        tags="{arn}",
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

ROWS: Final[Mapping[str, Row]] = {**_DATABASES}
