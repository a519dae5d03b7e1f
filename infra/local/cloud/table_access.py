"""Security groups, their rules, and launch templates in the cloud's calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from infra.local.cloud.rows import Call, Row, listed, objects
from infra.local.cloud.table_network import TAGGED

Json = Any
_EVERYWHERE: Final[Json] = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
_ABSENT: Final = "InvalidPermission.NotFound"


def permission(rule: Mapping[str, Json]) -> dict[str, Json]:
    """One permission as EC2 takes it.

    Args:
        rule: Of a rule resource, or of the list of a group.
    """
    about = {"Description": rule["description"]} if rule.get("description") else {}
    found: dict[str, Json] = {"IpProtocol": str(rule.get("ipProtocol", rule.get("protocol", "-1")))}
    for name, member in (("fromPort", "FromPort"), ("toPort", "ToPort")):
        if rule.get(name) is not None:
            found[member] = int(rule[name])
    groups = [*listed(rule, "securityGroups"), *listed(rule, "referencedSecurityGroupId")]
    ranges = [*listed(rule, "cidrBlocks"), *listed(rule, "cidrIpv4")]
    wider = [*listed(rule, "ipv6CidrBlocks"), *listed(rule, "cidrIpv6")]
    lists = [*listed(rule, "prefixListIds"), *listed(rule, "prefixListId")]
    for member, inner, given in (
        ("IpRanges", "CidrIp", ranges),
        ("Ipv6Ranges", "CidrIpv6", wider),
        ("PrefixListIds", "PrefixListId", lists),
        ("UserIdGroupPairs", "GroupId", groups),
    ):
        if given:
            found[member] = [{inner: one, **about} for one in given]
    return found


def _itself(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    arguments["IpPermissions"] = [permission(values)]


def _changed(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """The new form of a rule, flat as this call wants it."""
    rule: dict[str, Json] = {
        "IpProtocol": str(values["ipProtocol"]),
        **{
            member: int(values[name])
            for name, member in (("fromPort", "FromPort"), ("toPort", "ToPort"))
            if values.get(name) is not None
        },
        "CidrIpv4": values.get("cidrIpv4"),
        "CidrIpv6": values.get("cidrIpv6"),
        "PrefixListId": values.get("prefixListId"),
        "ReferencedGroupId": values.get("referencedSecurityGroupId"),
        "Description": values.get("description") or "",
    }
    given = {name: value for name, value in rule.items() if value is not None}
    arguments["SecurityGroupRules"] = [{"SecurityGroupRuleId": values["id"], "SecurityGroupRule": given}]


def _rule(direction: str) -> Row:
    """A rule of its own, `ingress` or `egress`."""
    return Row(
        service="ec2",
        create=(
            Call(
                operation=f"authorize_security_group_{direction}",
                given={
                    "GroupId": "{securityGroupId}",
                    "TagSpecifications": [{"ResourceType": "security-group-rule", "Tags": "{tagList}"}],
                },
                finish=_itself,
            ),
        ),
        id="SecurityGroupRules[0].SecurityGroupRuleId",
        read=Call(operation="describe_security_group_rules", given={"SecurityGroupRuleIds": ["{id}"]}),
        found="SecurityGroupRules[0]",
        update=(
            Call(
                operation="modify_security_group_rules",
                given={"GroupId": "{securityGroupId}"},
                when="ipProtocol fromPort toPort cidrIpv4 cidrIpv6 prefixListId referencedSecurityGroupId description",
                finish=_changed,
            ),
        ),
        delete=(
            Call(
                operation=f"revoke_security_group_{direction}",
                given={"GroupId": "{securityGroupId}", "SecurityGroupRuleIds": ["{id}"]},
            ),
        ),
        tags="{id}",
        sees={"referencedSecurityGroupId": "ReferencedGroupInfo.GroupId"},
    )


def _inline(direction: str, *, old: bool) -> Call:
    """Rules that stand in the group itself: the old ones go before the new ones come."""

    def finish(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
        rules = objects(values["old"] if old else values, direction)
        for rule in rules:
            itself = [values["id"]] if rule.get("self") else []
            whole = {**rule, "securityGroups": [*listed(rule, "securityGroups"), *itself]}
            arguments.setdefault("IpPermissions", []).append(permission(whole))

    given = {"GroupId": "{id}"}
    if old:
        operation = f"revoke_security_group_{direction}"
        return Call(operation=operation, given=given, when=direction, finish=finish, tolerates=_ABSENT)
    operation = f"authorize_security_group_{direction}"
    return Call(operation=operation, given=given, when=direction, needs=direction, finish=finish)


_NO_WAY_OUT: Final = Call(
    operation="revoke_security_group_egress",
    given={"GroupId": "{id}", "IpPermissions": _EVERYWHERE},
    tolerates=_ABSENT,
)
"""Terraform's provider takes away the way out that AWS gives to every group."""
_NOBODY_OF_ITS_OWN: Final = Call(
    operation="revoke_security_group_ingress",
    given={
        "GroupId": "{id}",
        "IpPermissions": [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "{id}"}]}],
    },
    tolerates=_ABSENT,
)

_GROUPS: Final[Mapping[str, Row]] = {
    "ec2:SecurityGroup": Row(
        service="ec2",
        create=(
            Call(operation="create_security_group", carries=True),
            _NO_WAY_OUT,
            _inline("ingress", old=False),
            _inline("egress", old=False),
        ),
        id="GroupId",
        read=Call(operation="describe_security_groups", given={"GroupIds": ["{id}"]}),
        found="SecurityGroups[0]",
        outputs={"vpcId": "VpcId"},
        names={"name": "GroupName", "ingress": "", "egress": ""},
        update=(
            _inline("ingress", old=True),
            _inline("egress", old=True),
            _inline("ingress", old=False),
            _inline("egress", old=False),
        ),
        delete=(Call(operation="delete_security_group", given={"GroupId": "{id}"}),),
        tags="{id}",
        tag_type="security-group",
    ),
    "ec2:DefaultSecurityGroup": Row(
        service="ec2",
        create=(
            Call(
                operation="describe_security_groups",
                given={
                    "Filters": [
                        {"Name": "vpc-id", "Values": ["{vpcId}"]},
                        {"Name": "group-name", "Values": ["default"]},
                    ]
                },
            ),
            _NO_WAY_OUT,
            _NOBODY_OF_ITS_OWN,
            TAGGED,
        ),
        id="SecurityGroups[0].GroupId",
        read=Call(operation="describe_security_groups", given={"GroupIds": ["{id}"]}),
        found="SecurityGroups[0]",
        # AWS deletes it with its VPC, and nobody else does.
        delete=(),
        tags="{id}",
    ),
    "vpc:SecurityGroupIngressRule": _rule("ingress"),
    "vpc:SecurityGroupEgressRule": _rule("egress"),
}


def _next_version(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """The version that was made just before becomes the default."""
    arguments["DefaultVersion"] = str(int(values["old"].get("latestVersion") or 1) + 1)


_TEMPLATE: Final = (
    "blockDeviceMappings capacityReservationSpecification cpuOptions creditSpecification disableApiTermination "
    "ebsOptimized iamInstanceProfile imageId instanceInitiatedShutdownBehavior instanceType keyName metadataOptions "
    "monitoring networkInterfaces placement tagSpecifications userData vpcSecurityGroupIds"
)

_LATEST: Final = Call(
    operation="describe_launch_template_versions",
    given={"LaunchTemplateId": "{id}", "Versions": ["$Latest"]},
)
_DATA: Final = "LaunchTemplateVersions[0].LaunchTemplateData"
_SHOWN: Final = {
    "blockDeviceMappings": "BlockDeviceMappings",
    "ebsOptimized": "EbsOptimized",
    "imageId": "ImageId",
    "instanceType": "InstanceType",
    "metadataOptions": "MetadataOptions",
    "monitoring": "Monitoring",
    "userData": "UserData",
    "vpcSecurityGroupIds": "SecurityGroupIds",
}

_TEMPLATES: Final[Mapping[str, Row]] = {
    "ec2:LaunchTemplate": Row(
        service="ec2",
        create=(
            Call(
                operation="create_launch_template",
                carries=_TEMPLATE,
                inside="LaunchTemplateData",
                given={
                    "LaunchTemplateName": "{name}",
                    "TagSpecifications": [{"ResourceType": "launch-template", "Tags": "{tagList}"}],
                },
            ),
        ),
        id="LaunchTemplate.LaunchTemplateId",
        read=Call(operation="describe_launch_templates", given={"LaunchTemplateIds": ["{id}"]}),
        found="LaunchTemplates[0]",
        outputs={"latestVersion": "LatestVersionNumber", "defaultVersion": "DefaultVersionNumber"},
        shows={name: (_LATEST, f"{_DATA}.{member}") for name, member in _SHOWN.items()},
        names={"vpcSecurityGroupIds": "SecurityGroupIds", "name": "LaunchTemplateName"},
        update=(
            Call(
                operation="create_launch_template_version",
                carries=_TEMPLATE,
                inside="LaunchTemplateData",
                given={"LaunchTemplateId": "{id}"},
                when=_TEMPLATE,
            ),
            Call(
                operation="modify_launch_template",
                given={"LaunchTemplateId": "{id}"},
                when=_TEMPLATE,
                needs="updateDefaultVersion=true",
                finish=_next_version,
            ),
        ),
        delete=(Call(operation="delete_launch_template", given={"LaunchTemplateId": "{id}"}),),
        tags="{id}",
    ),
}

ROWS: Final[Mapping[str, Row]] = {**_GROUPS, **_TEMPLATES}
