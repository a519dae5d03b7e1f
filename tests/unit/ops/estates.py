"""Both production regions in moto, as far as the operations touch them."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
from moto import mock_aws

from infra.local.cloud import faults
from infra.ops.cloud import Cloud, Server
from infra.ops.estate import Estate, read
from infra.ops.failover import Patience
from infra.ops.operations import Desk
from infra.ops.status import Holds, observe
from services import CATALOGUE

HOME, AWAY = "us-east-1", "eu-west-1"
HEAD = "parking-prod-database"
QUICK = Patience(promotion=20, drain=1, spread=20, pause=0.01)
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": HOME,
    # No image is asked for, and making up 2,600 takes half a second.
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
}


@cache
def client(service: str, region: str) -> Any:
    """A client; boto3 ships without complete types."""
    make: Any = vars(boto3)["client"]
    return make(service, region_name=region)


@cache
def production() -> Estate:
    return read("prod", catalogue=CATALOGUE)


@dataclass
class Bench:
    """A desk on moto, with what it said and what it was asked."""

    desk: Desk
    said: list[str] = field(default_factory=list[str])
    questions: list[str] = field(default_factory=list[str])
    answer: str = "yes"

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    @property
    def estate(self) -> Estate:
        return self.desk.estate

    def head(self, region: str) -> Server:
        found = Cloud().server(region, HEAD)
        assert found is not None
        return found

    def writer_name(self) -> str | None:
        zone = Cloud().zone_id(self.estate.zone)
        assert zone
        return Cloud().name_target(zone, self.estate.writer_name)


def report_lag(region: str, seconds: float, identifier: str = HEAD) -> None:
    """Report a replica's lag for this minute and the next ones, so that a minute's end makes no difference."""
    now = datetime.now(UTC)
    client("cloudwatch", region).put_metric_data(
        Namespace="AWS/RDS",
        MetricData=[
            {
                "MetricName": "ReplicaLag",
                "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": identifier}],
                "Timestamp": moment,
                "Value": seconds,
            }
            for moment in (now + timedelta(seconds=ahead) for ahead in range(0, 600, 59))
        ],
    )


def _network(region: str, number: int) -> tuple[str, str]:
    ec2 = client("ec2", region)
    vpc = ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.{number}.{place}.0/24", AvailabilityZone=f"{region}{letter}"
        )["Subnet"]["SubnetId"]
        for place, letter in enumerate("ab")
    ]
    rds = client("rds", region)
    rds.create_db_subnet_group(DBSubnetGroupName=HEAD, DBSubnetGroupDescription="data", SubnetIds=subnets)
    rds.create_db_parameter_group(
        DBParameterGroupName=f"{HEAD}-postgres17",
        DBParameterGroupFamily="postgres17",
        Description="parameters",
    )
    group = ec2.create_security_group(GroupName=f"{HEAD}-access", Description="clients", VpcId=vpc)
    return vpc, group["GroupId"]


def build_regions() -> None:
    """Writer at home with a reader; head, second recovery replica and a reader away; the name; node groups."""
    vpc, group = _network(HOME, 0)
    _, far_group = _network(AWAY, 1)
    rds, far = client("rds", HOME), client("rds", AWAY)
    rds.create_db_instance(
        DBInstanceIdentifier=HEAD,
        DBInstanceClass="db.r6g.2xlarge",
        Engine="postgres",
        AllocatedStorage=1024,
        MasterUsername="parking_owner",
        MasterUserPassword="not-a-real-one",
        DBSubnetGroupName=HEAD,
        DBParameterGroupName=f"{HEAD}-postgres17",
        VpcSecurityGroupIds=[group],
        BackupRetentionPeriod=14,
        DeletionProtection=True,
        MultiAZ=True,
        Tags=[{"Key": "cost-centre", "Value": "parking"}],
    )
    arn = rds.describe_db_instances(DBInstanceIdentifier=HEAD)["DBInstances"][0]["DBInstanceArn"]
    _replica(rds, f"{HEAD}-reader-1", HEAD, group, subnets=None)
    for name in (HEAD, f"{HEAD}-recovery-2"):
        _replica(far, name, arn, far_group, subnets=HEAD)
    far.modify_db_instance(DBInstanceIdentifier=HEAD, BackupRetentionPeriod=14, DeletionProtection=True)
    _replica(far, f"{HEAD}-reader-1", HEAD, far_group, subnets=None)
    address = rds.describe_db_instances(DBInstanceIdentifier=HEAD)["DBInstances"][0]["Endpoint"]["Address"]
    _name(vpc, address)
    _nodes(AWAY)
    report_lag(AWAY, 0)


def _replica(rds: Any, identifier: str, source: str, group: str, *, subnets: str | None) -> None:
    rds.create_db_instance_read_replica(
        DBInstanceIdentifier=identifier,
        SourceDBInstanceIdentifier=source,
        DBInstanceClass="db.r6g.2xlarge",
        VpcSecurityGroupIds=[group],
        **({"DBSubnetGroupName": subnets} if subnets else {}),
    )


def _name(vpc: str, address: str) -> None:
    route53 = client("route53", HOME)
    zone = route53.create_hosted_zone(
        Name="database.prod.internal",
        CallerReference="one",
        VPC={"VPCRegion": HOME, "VPCId": vpc},
        HostedZoneConfig={"PrivateZone": True},
    )["HostedZone"]["Id"]
    record = {
        "Name": "writer.database.prod.internal",
        "Type": "CNAME",
        "TTL": 5,
        "ResourceRecords": [{"Value": address}],
    }
    route53.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    )


def _nodes(region: str) -> None:
    eks = client("eks", region)
    role = "arn:aws:iam::123456789012:role/nodes"
    eks.create_cluster(
        name="parking-prod", roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]}
    )
    for name, desired, most in (
        ("application-on-demand", 7, 35),
        ("database-on-demand", 6, 10),
        ("analytics-x", 2, 20),
    ):
        eks.create_nodegroup(
            clusterName="parking-prod",
            nodegroupName=name,
            subnets=["subnet-1"],
            nodeRole=role,
            scalingConfig={"minSize": 1, "maxSize": most, "desiredSize": desired},
        )


@contextmanager
def bench(tmp_path: Path, *, build: bool = True, **options: Any) -> Generator[Bench]:
    """Both regions in moto, and a desk to operate them from."""
    faults.mend()
    with mock.patch.dict(os.environ, CREDENTIALS), mock_aws():
        if build:
            build_regions()
        yield desk_on(tmp_path, **options)


def desk_on(tmp_path: Path, *, patience: Patience = QUICK, **options: Any) -> Bench:
    """A desk on the cloud that is there."""
    bench = Bench(desk=None)  # type: ignore[arg-type] - set below, since the desk speaks through the bench

    def ask(question: str) -> str:
        bench.questions.append(question)
        return bench.answer

    bench.desk = Desk(
        estate=production(),
        cloud=Cloud(),
        journals=tmp_path / "journals",
        say=bench.said.append,
        ask=ask,
        patience=patience,
        **options,
    )
    return bench


def holds(one: Bench) -> dict[str, Holds]:
    return {region.region.name: region.holds for region in observe(one.estate, Cloud()).regions}
