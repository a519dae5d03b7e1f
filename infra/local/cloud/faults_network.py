"""Where moto's load balancers, routes and names answer otherwise than AWS's."""

from __future__ import annotations

from typing import Any

from infra.local.cloud.wrapping import around, groups_missing, part, subnets_missing

_applied: list[str] = []


def mend() -> None:
    """Mend moto in this process, once."""
    if _applied:
        return
    _applied.append("network")
    balancing = part("elbv2.models").ELBv2Backend
    around(balancing, "create_load_balancer", _create_load_balancer)
    around(balancing, "set_security_groups", _set_security_groups)
    around(balancing, "create_target_group", _create_target_group)
    around(part("ec2.models").EC2Backend, "create_route", _create_route)
    names = part("route53.models")
    around(names.Route53Backend, "create_hosted_zone", _create_hosted_zone)
    around(names.Route53Backend, "associate_vpc_with_hosted_zone", _associate_vpc)
    around(names.Route53Backend, "change_resource_record_sets", _change_records)
    make = names.create_route53_zone_id
    # The id of a zone begins with this letter.
    names.create_route53_zone_id = lambda *args, **kwargs: f"Z{make(*args, **kwargs)[1:]}"  # type: ignore[reportUnknownLambdaType] - as moto's own


def _create_load_balancer(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    """A name is taken once in a region, and subnets and security groups exist."""
    name = args[0] if args else kwargs["name"]
    if any(balancer.name == name for balancer in self.load_balancers.values()):
        raise part("elbv2.exceptions").DuplicateLoadBalancerName
    subnets: list[str] = kwargs.get("subnet_ids") or (args[2] if len(args) > 2 else None) or []
    if subnets_missing(self.account_id, self.region_name, subnets):
        raise part("elbv2.exceptions").SubnetNotFoundError
    _see_groups(self, kwargs.get("security_groups") or (args[1] if len(args) > 1 else None))
    return original(self, *args, **kwargs)


def _set_security_groups(original: Any, self: Any, arn: str, sec_groups: list[str]) -> Any:
    """Security groups exist."""
    _see_groups(self, sec_groups)
    return original(self, arn, sec_groups)


def _see_groups(self: Any, groups: list[str] | None) -> None:
    missing = groups_missing(self.account_id, self.region_name, list(groups or []))
    if missing:
        raise part("elbv2.exceptions").ELBClientError(
            "InvalidSecurityGroup", f"Security group '{missing[0]}' does not exist"
        )


def _create_target_group(original: Any, self: Any, name: str, **kwargs: Any) -> Any:
    """The VPC of a target group exists."""
    vpc = kwargs.get("vpc_id")
    known = part("ec2.models").ec2_backends[self.account_id][self.region_name].vpcs
    if vpc and vpc not in known:
        raise part("elbv2.exceptions").ELBClientError("ValidationError", f"The VPC ID '{vpc}' is not found")
    return original(self, name, **kwargs)


def _create_route(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    """The NAT gateway that a route leads to exists."""
    gateway = kwargs.get("nat_gateway_id")
    if gateway and gateway not in self.nat_gateways:
        raise part("ec2.exceptions").EC2ClientError(
            "InvalidNatGatewayID.NotFound", f"The natGateway ID '{gateway}' does not exist"
        )
    return original(self, *args, **kwargs)


def _create_hosted_zone(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    """The VPC of a private zone exists."""
    if kwargs.get("vpcid"):
        _see_vpc(self, kwargs["vpcid"], kwargs.get("vpcregion"))
    return original(self, *args, **kwargs)


def _associate_vpc(original: Any, self: Any, zone_id: str, vpcid: str, vpcregion: str) -> Any:
    """A VPC that is given a zone exists."""
    _see_vpc(self, vpcid, vpcregion)
    return original(self, zone_id, vpcid, vpcregion)


def _see_vpc(self: Any, vpc: str, region: str | None) -> None:
    if not region or vpc not in part("ec2.models").ec2_backends[self.account_id][region].vpcs:
        raise part("route53.exceptions").InvalidVPCId


def _change_records(original: Any, self: Any, zoneid: str, change_list: list[dict[str, Any]]) -> None:
    """The health check that a record depends on exists; one that goes may depend on what is gone."""
    for change in change_list:
        check = change["ResourceRecordSet"].get("HealthCheckId")
        if check and change["Action"] != "DELETE" and check not in self.health_checks:
            raise part("route53.exceptions").NoSuchHealthCheck(check)
    return original(self, zoneid, change_list)
