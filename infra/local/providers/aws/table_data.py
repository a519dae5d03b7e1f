"""Facts about data types: RDS, ElastiCache, MSK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from infra.local.providers.aws.kinds import Kind, arn
from infra.local.providers.naming import AutoName
from infra.local.providers.values import Map, text


def _engine_changed(path: str, old: Map, new: Map) -> bool:
    """From Redis to Valkey a replication group is changed in place; any other way round it is made anew."""
    before, after = text(old.get("engine"), "redis"), text(new.get("engine"), "redis")
    return path == "engine" and (before, after) != ("redis", "valkey")


KINDS: Final[Mapping[str, Kind]] = {
    "rds:Instance": Kind(
        id="db-{B26}",
        outputs={
            "arn": arn("rds", "db:{identifier}"),
            "resourceId": "{id}",
            "address": "{identifier}.c{x11}.{region}.rds.amazonaws.com",
            "endpoint": "{address}:{port}",
            "port": 5432,
            "hostedZoneId": "{rdsZone}",
            "status": "available",
            "engine": "{source:engine}",
            "engineVersion": "17.6",
            "engineVersionActual": "{engineVersion}",
            "allocatedStorage": 20,
            "storageType": "gp2",
            "storageThroughput": 0,
            "iops": 0,
            "dbName": "{source:dbName}",
            "username": "{source:username}",
            "availabilityZone": "{region}a",
            "backupRetentionPeriod": 0,
            "backupTarget": "region",
            "backupWindow": "07:00-07:30",
            "maintenanceWindow": "sun:08:00-sun:08:30",
            "caCertIdentifier": "rds-ca-rsa2048-g1",
            "dbSubnetGroupName": "default",
            "parameterGroupName": "default.postgres17",
            "optionGroupName": "default:postgres-17",
            "licenseModel": "postgresql-license",
            "monitoringInterval": 0,
            "multiAz": False,
            "networkType": "IPV4",
            "latestRestorableTime": "2026-01-01T00:00:00Z",
            "identifierPrefix": "",
            "replicas": [],
            "listenerEndpoints": [],
            "masterUserSecrets": [],
            "vpcSecurityGroupIds": [],
            "kmsKeyId": "",
            "engineLifecycleSupport": "open-source-rds-extended-support",
        },
        keeps=(
            "allocatedStorage availabilityZone backupRetentionPeriod backupWindow caCertIdentifier dbName "
            "dbSubnetGroupName engine engineVersion kmsKeyId maintenanceWindow monitoringRoleArn multiAz "
            "parameterGroupName port username vpcSecurityGroupIds"
        ),
        replaces=(
            "availabilityZone backupTarget characterSetName customIamInstanceProfile dbName engine identifierPrefix "
            "kmsKeyId ncharCharacterSetName restoreToPointInTime s3Import snapshotIdentifier storageEncrypted timezone "
            "username customerOwnedIpEnabled"
        ),
        name=AutoName("identifier", limit=63, lower=True),
        unordered="vpcSecurityGroupIds enabledCloudwatchLogsExports",
        secrets="password passwordWo",
        protected="deletionProtection",
    ),
    "rds:Cluster": Kind(
        id="{clusterIdentifier}",
        outputs={
            "arn": arn("rds", "cluster:{clusterIdentifier}"),
            "clusterResourceId": "cluster-{B26}",
            "endpoint": "{clusterIdentifier}.cluster-c{x11}.{region}.rds.amazonaws.com",
            "readerEndpoint": "{clusterIdentifier}.cluster-ro-c{x11}.{region}.rds.amazonaws.com",
            "hostedZoneId": "{rdsZone}",
            "port": 5432,
        },
        replaces=(
            "clusterIdentifier databaseName engine engineMode kmsKeyId masterUsername storageEncrypted "
            "snapshotIdentifier dbSubnetGroupName availabilityZones"
        ),
        name=AutoName("clusterIdentifier", limit=63, lower=True),
        secrets="masterPassword masterPasswordWo",
        protected="deletionProtection",
        unordered="vpcSecurityGroupIds availabilityZones enabledCloudwatchLogsExports",
    ),
    "rds:ClusterInstance": Kind(
        id="{identifier}",
        outputs={
            "arn": arn("rds", "db:{identifier}"),
            "dbiResourceId": "db-{B26}",
            "endpoint": "{identifier}.c{x11}.{region}.rds.amazonaws.com",
            "port": 5432,
        },
        replaces="clusterIdentifier engine identifier availabilityZone",
        name=AutoName("identifier", limit=63, lower=True),
    ),
    "rds:SubnetGroup": Kind(
        outputs={
            "arn": arn("rds", "subgrp:{name}"),
            "description": "Managed by Pulumi",
            "vpcId": "{vpcOf:subnetIds}",
        },
        replaces="name namePrefix",
        name=AutoName(lower=True),
        unordered="subnetIds",
    ),
    "rds:ParameterGroup": Kind(
        outputs={"arn": arn("rds", "pg:{name}"), "description": "Managed by Pulumi"},
        replaces="name namePrefix family description",
        name=AutoName(lower=True),
        unordered="parameters",
    ),
    "rds:ClusterParameterGroup": Kind(
        outputs={"arn": arn("rds", "cluster-pg:{name}"), "description": "Managed by Pulumi"},
        replaces="name namePrefix family description",
        name=AutoName(lower=True),
        unordered="parameters",
    ),
    "rds:OptionGroup": Kind(
        outputs={"arn": arn("rds", "og:{name}")},
        replaces="name namePrefix engineName majorEngineVersion optionGroupDescription",
        name=AutoName(lower=True),
    ),
    "rds:EventSubscription": Kind(
        outputs={"arn": arn("rds", "es:{name}"), "customerAwsId": "{account}"},
        replaces="name namePrefix",
        name=AutoName(),
        unordered="eventCategories sourceIds",
    ),
    "rds:InstanceAutomatedBackupsReplication": Kind(id=arn("rds", "auto-backup:ab-{a17}"), replaces="all"),
    "rds:Snapshot": Kind(
        id="{dbSnapshotIdentifier}",
        outputs={"dbSnapshotArn": arn("rds", "snapshot:{dbSnapshotIdentifier}")},
        replaces="dbInstanceIdentifier dbSnapshotIdentifier",
    ),
    "rds:Proxy": Kind(
        outputs={
            "arn": arn("rds", "db-proxy:prx-{x17}"),
            "endpoint": "{name}.proxy-c{x11}.{region}.rds.amazonaws.com",
        },
        replaces="name engineFamily vpcSubnetIds",
        name=AutoName(),
    ),
    "elasticache:ReplicationGroup": Kind(
        id="{replicationGroupId}",
        outputs={
            "arn": arn("elasticache", "replicationgroup:{replicationGroupId}"),
            "engine": "redis",
            "engineVersion": "7.1",
            "engineVersionActual": "{engineVersion}",
            "configurationEndpointAddress": "clustercfg.{replicationGroupId}.{a6}.{cacheRegion}.cache.amazonaws.com",
            "primaryEndpointAddress": "master.{replicationGroupId}.{a6}.{cacheRegion}.cache.amazonaws.com",
            "readerEndpointAddress": "replica.{replicationGroupId}.{a6}.{cacheRegion}.cache.amazonaws.com",
            "clusterEnabled": False,
            "memberClusters": ["{replicationGroupId}-001"],
            "port": 6379,
            "numNodeGroups": 1,
            "replicasPerNodeGroup": 0,
            "numCacheClusters": 1,
            "atRestEncryptionEnabled": False,
            "transitEncryptionEnabled": False,
            "transitEncryptionMode": "",
            "clusterMode": "disabled",
            "ipDiscovery": "ipv4",
            "networkType": "ipv4",
            "maintenanceWindow": "sun:08:00-sun:09:00",
            "snapshotWindow": "06:00-07:00",
            "parameterGroupName": "default.redis7",
            "nodeType": "cache.r6g.large",
            "subnetGroupName": "default",
            "securityGroupNames": [],
            "securityGroupIds": [],
            "globalReplicationGroupId": "",
            "dataTieringEnabled": False,
            "autoMinorVersionUpgrade": True,
        },
        replaces=(
            "replicationGroupId atRestEncryptionEnabled dataTieringEnabled durability kmsKeyId networkType port "
            "preferredCacheClusterAzs securityGroupNames snapshotArns snapshotName subnetGroupName"
        ),
        replaces_if=_engine_changed,
        name=AutoName("replicationGroupId", limit=40, lower=True),
        secrets="authToken authTokenWo",
        unordered="securityGroupIds securityGroupNames userGroupIds",
    ),
    "elasticache:Cluster": Kind(
        id="{clusterId}",
        outputs={
            "arn": arn("elasticache", "cluster:{clusterId}"),
            "port": 6379,
            "clusterAddress": "{clusterId}.{a6}.cfg.{cacheRegion}.cache.amazonaws.com",
            "configurationEndpoint": "{clusterAddress}:{port}",
        },
        replaces="clusterId engine subnetGroupName port replicationGroupId availabilityZone networkType",
        name=AutoName("clusterId", limit=50, lower=True),
        unordered="securityGroupIds",
    ),
    "elasticache:ServerlessCache": Kind(
        outputs={"arn": arn("elasticache", "serverlesscache:{name}"), "status": "available"},
        replaces="name kmsKeyId subnetIds engine",
        name=AutoName(lower=True),
    ),
    "elasticache:SubnetGroup": Kind(
        outputs={
            "arn": arn("elasticache", "subnetgroup:{name}"),
            "description": "Managed by Pulumi",
            "vpcId": "{vpcOf:subnetIds}",
        },
        replaces="name",
        name=AutoName(lower=True),
        unordered="subnetIds",
    ),
    "elasticache:ParameterGroup": Kind(
        outputs={"arn": arn("elasticache", "parametergroup:{name}"), "description": "Managed by Pulumi"},
        replaces="name family description",
        name=AutoName(lower=True),
        unordered="parameters",
    ),
    "elasticache:User": Kind(
        id="{userId}",
        outputs={"arn": arn("elasticache", "user:{userId}")},
        replaces="userId userName",
        secrets="passwords",
        unordered="passwords",
    ),
    "elasticache:UserGroup": Kind(
        id="{userGroupId}",
        outputs={"arn": arn("elasticache", "usergroup:{userGroupId}")},
        replaces="userGroupId",
        unordered="userIds",
    ),
    "elasticache:UserGroupAssociation": Kind(id="{userGroupId},{userId}", replaces="all"),
    "elasticache:GlobalReplicationGroup": Kind(
        id="{a5}-{globalReplicationGroupIdSuffix}",
        outputs={
            "arn": "arn:aws:elasticache::{account}:globalreplicationgroup:{id}",
            "globalReplicationGroupId": "{id}",
        },
        replaces="globalReplicationGroupIdSuffix primaryReplicationGroupId",
    ),
    "msk:Cluster": Kind(
        id=arn("kafka", "cluster/{clusterName}/{uuid}-1"),
        outputs={
            "arn": "{id}",
            "clusterUuid": "{uuid}-1",
            "currentVersion": "K3AEGXETSR30VB",
            "enhancedMonitoring": "DEFAULT",
            "storageMode": "LOCAL",
            "zookeeperConnectString": "",
            "zookeeperConnectStringTls": "",
            "bootstrapBrokers": "",
            "bootstrapBrokersPublicSaslIam": "",
            "bootstrapBrokersPublicSaslScram": "",
            "bootstrapBrokersPublicTls": "",
            "bootstrapBrokersSaslIam": "{brokers:9098}",
            "bootstrapBrokersSaslScram": "{brokers:9096}",
            "bootstrapBrokersTls": "{brokers:9094}",
            "bootstrapBrokersVpcConnectivitySaslIam": "",
            "bootstrapBrokersVpcConnectivitySaslScram": "",
            "bootstrapBrokersVpcConnectivityTls": "",
        },
        replaces=(
            "clusterName brokerNodeGroupInfo.clientSubnets brokerNodeGroupInfo.securityGroups "
            "brokerNodeGroupInfo.azDistribution encryptionInfo.encryptionAtRestKmsKeyArn "
            "encryptionInfo.encryptionInTransit.inCluster"
        ),
        updates="currentVersion",
        name=AutoName("clusterName", limit=64),
        unordered="clientSubnets securityGroups",
    ),
    "msk:Configuration": Kind(
        id=arn("kafka", "configuration/{name}/{uuid}-1"),
        outputs={"arn": "{id}", "latestRevision": 1, "description": ""},
        replaces="name kafkaVersions",
        updates="latestRevision",
        name=AutoName(),
        unordered="kafkaVersions",
    ),
    "msk:ServerlessCluster": Kind(
        id=arn("kafka", "cluster/{clusterName}/{uuid}-s1"),
        outputs={
            "arn": "{id}",
            "clusterUuid": "{uuid}-s1",
            "bootstrapBrokersSaslIam": "boot-{a8}.c1.kafka-serverless.{region}.amazonaws.com:9098",
        },
        replaces="clusterName clientAuthentication vpcConfigs",
        name=AutoName("clusterName", limit=64),
    ),
    "msk:ScramSecretAssociation": Kind(id="{clusterArn}", replaces="clusterArn", unordered="secretArnLists"),
    "msk:SingleScramSecretAssociation": Kind(id="{clusterArn},{secretArn}", replaces="all"),
    "msk:ClusterPolicy": Kind(
        id="{clusterArn}", outputs={"currentVersion": "K3AEGXETSR30VB"}, replaces="clusterArn"
    ),
    "msk:Topic": Kind(
        id="{clusterArn},{name}",
        outputs={"arn": "{topicArn}"},
        replaces="clusterArn name replicationFactor",
        grows="partitionCount",
        name=None,
    ),
    "msk:Replicator": Kind(
        id=arn("kafka", "replicator/{replicatorName}/{uuid}"),
        outputs={"arn": "{id}", "currentVersion": "K3AEGXETSR30VB"},
        replaces="replicatorName kafkaClusters serviceExecutionRoleArn",
    ),
    "msk:VpcConnection": Kind(
        id=arn("kafka", "vpc-connection/{x16}/{uuid}"), outputs={"arn": "{id}"}, replaces="all"
    ),
}
