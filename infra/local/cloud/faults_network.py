"""Where moto's load balancers, rules of security groups and names answer otherwise than AWS's."""

from __future__ import annotations

import functools
from typing import Any

from infra.local.cloud.wrapping import around, groups_missing, part, subnets_missing, vpc_exists


@functools.cache
def mend() -> None:
    """Mend moto in this process, once."""
    balancing = part("elbv2.models").ELBv2Backend
    around(balancing, "create_load_balancer", _create_load_balancer)
    around(balancing, "set_security_groups", _set_security_groups)
    around(balancing, "create_target_group", _create_target_group)
    groups = part("ec2.models.security_groups")
    around(groups.SecurityGroupBackend, "modify_security_group_rules", _modify_rules)
    groups.SecurityGroupRule.description = property(_description)
    names = part("route53.models")
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
    if vpc and not vpc_exists(self.account_id, self.region_name, vpc):
        raise part("elbv2.exceptions").ELBClientError("ValidationError", f"The VPC ID '{vpc}' is not found")
    return original(self, name, **kwargs)


def _description(self: Any) -> str | None:
    """A rule that names a group has its description with that."""
    return self.ip_range.get("Description") or self.source_group.get("Description")


def _modify_rules(modifies: Any, self: Any, group_id: str, rules: dict[str, dict[str, Any]]) -> None:
    """A change of a rule may name another group, list or IPv6 range, which moto forgets."""
    wanted = [new["ReferencedGroupId"] for new in rules.values() if new.get("ReferencedGroupId")]
    for missing in groups_missing(self.account_id, self.region_name, wanted):
        raise part("ec2.exceptions").InvalidSecurityGroupNotFoundError(missing)
    modifies(self, group_id, rules)
    group = self.get_security_group_by_name_or_id(group_id)
    for rule_id, new in rules.items():
        rule = group.get_rule(rule_id)
        if new.get("CidrIpv6"):
            rule.ip_range["CidrIpv6"] = new["CidrIpv6"]
        if new.get("PrefixListId"):
            rule.prefix_list_id = new["PrefixListId"]
        if named := new.get("ReferencedGroupId"):
            about = {"Description": new["Description"]} if new.get("Description") else {}
            rule.source_group = {**rule.source_group, "GroupId": named, **about}
            # It stands with the group, not with a range that there is not.
            rule.ip_range = {}
