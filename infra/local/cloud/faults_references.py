"""References to what is not there, which AWS refuses and moto lets pass."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Final

from infra.local.cloud.wrapping import Wrapper, around, groups_missing, part, vpc_exists

_LOGS: Final = ("access_logs", "connection_logs")


@functools.cache
def mend() -> None:
    """Mend moto in this process, once."""
    network = part("ec2.models").EC2Backend
    around(network, "create_security_group", _create_security_group)
    around(network, "associate_route_table", _associate_route_table)
    around(network, "create_route", _create_route)
    around(network, "create_vpc_endpoint", _create_vpc_endpoint)
    names = part("route53.models").Route53Backend
    around(names, "create_hosted_zone", _create_hosted_zone)
    around(names, "associate_vpc_with_hosted_zone", _associate_vpc)
    around(names, "change_resource_record_sets", _change_records)
    around(names, "create_health_check", _create_health_check)
    around(part("elbv2.models").ELBv2Backend, "modify_load_balancer_attributes", _log_to)
    around(part("backup.models").BackupBackend, "create_backup_plan", _create_backup_plan)


def _create_security_group(creates: Wrapper, self: Any, *args: Any, **kwargs: Any) -> Any:
    """The VPC of a security group exists."""
    vpc = kwargs.get("vpc_id") or (args[2] if len(args) > 2 else None)
    if vpc:
        self.get_vpc(vpc)
    return creates(self, *args, **kwargs)


def _associate_route_table(associates: Wrapper, self: Any, *args: Any, **kwargs: Any) -> Any:
    """A route table exists, and a subnet has one."""
    wanted = kwargs.get("route_table_id") or args[0]
    self.get_route_table(wanted)
    subnet = kwargs.get("subnet_id") or (args[2] if len(args) > 2 else None)
    for table in self.route_tables.values() if subnet else ():
        if table.id != wanted and subnet in table._associations.values():  # noqa: SLF001 - moto has no other way
            raise part("ec2.exceptions").EC2ClientError(
                "Resource.AlreadyAssociated",
                f"the specified association for route table {wanted} conflicts with an existing association",
            )
    return associates(self, *args, **kwargs)


def _create_vpc_endpoint(creates: Wrapper, self: Any, *args: Any, **kwargs: Any) -> Any:
    """The security groups of an endpoint exist."""
    groups: list[str] = kwargs.get("security_group_ids") or []
    for group in groups_missing(self.account_id, self.region_name, groups):
        raise part("ec2.exceptions").InvalidSecurityGroupNotFoundError(group)
    return creates(self, *args, **kwargs)


def _create_route(follows: Wrapper, self: Any, *args: Any, **kwargs: Any) -> Any:
    """The NAT gateway that a route leads to exists."""
    gateway = kwargs.get("nat_gateway_id")
    if gateway and gateway not in self.nat_gateways:
        raise part("ec2.exceptions").EC2ClientError(
            "InvalidNatGatewayID.NotFound", f"The natGateway ID '{gateway}' does not exist"
        )
    return follows(self, *args, **kwargs)


def _create_hosted_zone(follows: Wrapper, self: Any, *args: Any, **kwargs: Any) -> Any:
    """The VPC of a private zone exists."""
    if kwargs.get("vpcid"):
        _see_vpc(self, kwargs["vpcid"], kwargs.get("vpcregion"))
    return follows(self, *args, **kwargs)


def _associate_vpc(follows: Wrapper, self: Any, zone_id: str, vpcid: str, vpcregion: str) -> Any:
    """A VPC that is given a zone exists."""
    _see_vpc(self, vpcid, vpcregion)
    return follows(self, zone_id, vpcid, vpcregion)


def _see_vpc(self: Any, vpc: str, region: str | None) -> None:
    if not region or not vpc_exists(self.account_id, region, vpc):
        raise part("route53.exceptions").InvalidVPCId


def _change_records(follows: Wrapper, self: Any, zoneid: str, change_list: list[dict[str, Any]]) -> None:
    """The health check that a record depends on exists; one that goes may depend on what is gone."""
    for change in change_list:
        check = change["ResourceRecordSet"].get("HealthCheckId")
        if check and change["Action"] != "DELETE" and check not in self.health_checks:
            raise part("route53.exceptions").NoSuchHealthCheck(check)
    return follows(self, zoneid, change_list)


def _create_health_check(creates: Wrapper, self: Any, *args: Any, **kwargs: Any) -> Any:
    """The health checks that one is calculated from exist."""
    wanted: Mapping[str, Any] = kwargs.get("health_check_args") or args[1]
    children: list[str] = wanted.get("children") or []
    missing = [child for child in children if child not in self.health_checks]
    if missing:
        raise part("route53.exceptions").InvalidInput(f"Health check {missing[0]} does not exist")
    return creates(self, *args, **kwargs)


def _log_to(modifies: Wrapper, self: Any, arn: str, attrs: dict[str, Any]) -> Any:
    """The bucket that a load balancer logs into exists."""
    for kind in _LOGS:
        bucket = attrs.get(f"{kind}.s3.bucket")
        if bucket and str(attrs.get(f"{kind}.s3.enabled")).lower() == "true":
            known = part("s3.models").s3_backends[self.account_id]["aws"].buckets
            if bucket not in known:
                raise part("elbv2.exceptions").ELBClientError(
                    "InvalidConfigurationRequest",
                    f"Access Denied for bucket: {bucket}. Please check S3bucket permission",
                )
    return modifies(self, arn, attrs)


def _create_backup_plan(creates: Wrapper, self: Any, *args: Any, **kwargs: Any) -> Any:
    """The vaults that a plan's rules fill exist."""
    plan: Mapping[str, Any] = kwargs.get("backup_plan") or args[0]
    rules: list[dict[str, Any]] = plan.get("Rules") or []
    for rule in rules:
        if rule["TargetBackupVaultName"] not in self.vaults:
            raise part("backup.exceptions").InvalidParameterValueException(
                f"Backup vault {rule['TargetBackupVaultName']} does not exist"
            )
    return creates(self, *args, **kwargs)
