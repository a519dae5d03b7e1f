"""Which question to the AWS Price List API each price key stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Query:
    """One question to the API.

    Attributes:
        service: Service code, e.g. `AmazonEC2`.
        filters: Attribute to value, all of which must match; the region is added.
        usage: End of the usage type of the wanted product, when the filters leave several.
    """

    service: str
    filters: Mapping[str, str]
    usage: str = ""


_NODE = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "licenseModel": "No License required",
}
_FIXED = {
    "ebs.gp3_gib": Query(service="AmazonEC2", filters={"volumeApiName": "gp3", "productFamily": "Storage"}),
    "rds.gp3_gib": Query(
        service="AmazonRDS",
        filters={
            "volumeType": "General Purpose-GP3",
            "databaseEngine": "PostgreSQL",
            "deploymentOption": "Single-AZ",
        },
        usage="RDS:GP3-Storage",
    ),
    "rds.gp3_iops": Query(
        service="AmazonRDS",
        filters={"databaseEngine": "PostgreSQL", "deploymentOption": "Single-AZ"},
        usage="RDS:GP3-PIOPS",
    ),
    "rds.gp3_mibps": Query(
        service="AmazonRDS",
        filters={"databaseEngine": "PostgreSQL", "deploymentOption": "Single-AZ"},
        usage="RDS:GP3-Throughput",
    ),
    "rds.backup_gib": Query(
        service="AmazonRDS", filters={"productFamily": "Storage Snapshot"}, usage="RDS:ChargedBackupUsage"
    ),
    "msk.storage_gib": Query(service="AmazonMSK", filters={"group": "Broker"}, usage="Kafka.Storage.GP2"),
    "cache.backup_gib": Query(service="AmazonElastiCache", filters={}, usage="BackupUsage"),
    "alb.hour": Query(
        service="AWSELB", filters={"productFamily": "Load Balancer-Application"}, usage="LoadBalancerUsage"
    ),
    "alb.lcu": Query(
        service="AWSELB", filters={"productFamily": "Load Balancer-Application"}, usage="LCUUsage"
    ),
    "nat.hour": Query(
        service="AmazonEC2", filters={"productFamily": "NAT Gateway"}, usage="NatGateway-Hours"
    ),
    "nat.gb": Query(service="AmazonEC2", filters={"productFamily": "NAT Gateway"}, usage="NatGateway-Bytes"),
    "endpoint.hour": Query(
        service="AmazonVPC", filters={"productFamily": "VpcEndpoint"}, usage="VpcEndpoint-Hours"
    ),
    "endpoint.gb": Query(
        service="AmazonVPC", filters={"productFamily": "VpcEndpoint"}, usage="VpcEndpoint-Bytes"
    ),
    "ipv4.hour": Query(service="AmazonVPC", filters={"group": "VPCPublicIPv4Address"}, usage="InUseAddress"),
    "logs.gb": Query(
        service="AmazonCloudWatch", filters={"group": "Ingested Logs"}, usage="DataProcessing-Bytes"
    ),
    "kms.key": Query(service="awskms", filters={"productFamily": "Encryption Key"}, usage="KMS-Keys"),
    "secret": Query(
        service="AWSSecretsManager", filters={"productFamily": "Secret"}, usage="AWSSecretsManager-Secrets"
    ),
    "ecr.gb": Query(
        service="AmazonECR", filters={"productFamily": "EC2 Container Registry"}, usage="TimedStorage-ByteHrs"
    ),
    "eks.standard": Query(service="AmazonEKS", filters={}, usage="AmazonEKS-Hours:perCluster"),
}


def query_for(key: str) -> Query | None:
    """The question for a price key; None for what is read from price pages by hand (tiers, web ACLs, DNS).

    Args:
        key: Key in the price table, e.g. `ec2.c5.4xlarge`.
    """
    if key in _FIXED:
        return _FIXED[key]
    kind, _, size = key.partition(".")
    if "." not in size or kind not in _BY_SIZE:
        return None
    return _BY_SIZE[kind](size)


_BY_SIZE: Mapping[str, Callable[[str], Query]] = {
    "ec2": lambda size: Query(service="AmazonEC2", filters={"instanceType": size, **_NODE}),
    "rds": lambda size: Query(
        service="AmazonRDS",
        filters={
            "instanceType": f"db.{size}",
            "databaseEngine": "PostgreSQL",
            "deploymentOption": "Single-AZ",
        },
    ),
    "cache": lambda size: Query(
        service="AmazonElastiCache", filters={"instanceType": f"cache.{size}", "cacheEngine": "Valkey"}
    ),
    "msk": lambda size: Query(service="AmazonMSK", filters={"group": "Broker"}, usage=f"Kafka.{size}"),
}
