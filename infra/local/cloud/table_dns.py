"""Names, health checks and certificates in the cloud's calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from infra.local.cloud.rows import Call, Needed, Row, objects

Json = Any
_HOME: Final = "us-east-1"
"""Where a service that is in no region is asked."""
_WAITING: Final = "InvalidChangeBatch"


def _set(values: Mapping[str, Json]) -> dict[str, Json]:
    """A record set, whichever way its answer is chosen."""
    record: dict[str, Json] = {"Name": values["name"], "Type": values["type"]}
    for name, member in (("setIdentifier", "SetIdentifier"), ("healthCheckId", "HealthCheckId")):
        if values.get(name):
            record[member] = values[name]
    if values.get("ttl") is not None:
        record["TTL"] = int(values["ttl"])
    if values.get("records"):
        record["ResourceRecords"] = [{"Value": _quoted(values["type"], value)} for value in values["records"]]
    for alias in objects(values, "aliases"):
        record["AliasTarget"] = {
            "HostedZoneId": alias["zoneId"],
            "DNSName": alias["name"],
            "EvaluateTargetHealth": bool(alias.get("evaluateTargetHealth")),
        }
    for policy in objects(values, "latencyRoutingPolicies"):
        record["Region"] = policy["region"]
    for policy in objects(values, "weightedRoutingPolicies"):
        record["Weight"] = int(policy["weight"])
    for policy in objects(values, "failoverRoutingPolicies"):
        record["Failover"] = policy["type"]
    return record


def _quoted(kind: str, value: str) -> str:
    return f'"{value}"' if kind == "TXT" and not value.startswith('"') else value


def _change(action: str) -> Call:
    def finish(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
        arguments["ChangeBatch"] = {"Changes": [{"Action": action, "ResourceRecordSet": _set(values)}]}

    return Call(
        operation="change_resource_record_sets",
        given={"HostedZoneId": "{zoneId}"},
        finish=finish,
        tolerates=_WAITING if action == "DELETE" else "",
    )


def _overwrites(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    action = "UPSERT" if values.get("allowOverwrite") else "CREATE"
    arguments["ChangeBatch"] = {"Changes": [{"Action": action, "ResourceRecordSet": _set(values)}]}


def _zone(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """A private zone is made with its first VPC."""
    vpcs = objects(values, "vpcs")
    comment = {"Comment": values.get("comment") or "Managed by Pulumi", "PrivateZone": bool(vpcs)}
    arguments["HostedZoneConfig"] = comment
    if vpcs:
        arguments["VPC"] = {
            "VPCId": vpcs[0]["vpcId"],
            "VPCRegion": vpcs[0].get("vpcRegion") or values["region"],
        }


def _check(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """AWS knows children and regions under other names than the program."""
    config = arguments.get("HealthCheckConfig", arguments)
    config.pop("HealthThreshold", None)
    if values.get("childHealthThreshold") is not None:
        config["HealthThreshold"] = int(values["childHealthThreshold"])


def _tagged(kind: str) -> Call:
    return Call(
        operation="change_tags_for_resource",
        given={"ResourceType": kind, "ResourceId": "{id}", "AddTags": "{tagList}"},
        needs="tagList",
    )


_CHECK_NAMES: Final = {
    "fqdn": "FullyQualifiedDomainName",
    "ipAddress": "IPAddress",
    "enableSni": "EnableSNI",
    "childHealthchecks": "ChildHealthChecks",
    "childHealthThreshold": "HealthThreshold",
    "invertHealthcheck": "Inverted",
    "port": "Port",
}
_CHECK_CHANGES: Final = (
    "fqdn port resourcePath searchString failureThreshold enableSni regions childHealthchecks childHealthThreshold "
    "invertHealthcheck disabled"
)

_NAMES: Final[Mapping[str, Row]] = {
    "route53:Zone": Row(
        service="route53",
        region=_HOME,
        create=(
            Call(
                operation="create_hosted_zone",
                given={"Name": "{name}", "CallerReference": "{token}"},
                finish=_zone,
            ),
            _tagged("hostedzone"),
        ),
        id=lambda answer: str(answer["HostedZone"]["Id"]).rpartition("/")[2],
        read=Call(operation="get_hosted_zone", given={"Id": "{id}"}),
        outputs={
            "nameServers": "DelegationSet.NameServers",
            "primaryNameServer": "DelegationSet.NameServers[0]",
        },
        sees={"comment": "HostedZone.Config.Comment"},
        # Regions that share a zone associate their own VPCs with it.
        blind="vpcs",
        update=(
            Call(
                operation="update_hosted_zone_comment",
                given={"Id": "{id}", "Comment": "{comment}"},
                when="comment",
            ),
        ),
        delete=(Call(operation="delete_hosted_zone", given={"Id": "{id}"}),),
        tags="hostedzone/{id}",
    ),
    "route53:Record": Row(
        service="route53",
        region=_HOME,
        create=(
            Call(
                operation="change_resource_record_sets",
                given={"HostedZoneId": "{zoneId}"},
                finish=_overwrites,
            ),
        ),
        id="{zoneId}_{name}_{type}{setSuffix}",
        read=Call(
            operation="list_resource_record_sets",
            given={
                "HostedZoneId": "{zoneId}",
                "StartRecordName": "{name}",
                "StartRecordType": "{type}",
            },
        ),
        found=(
            "ResourceRecordSets[?Type=='{type}' && (Name=='{name}' || Name=='{name}.') && "
            "(SetIdentifier || '')=='{setIdentifier}'] | [0]"
        ),
        sees={
            "records": "ResourceRecords && ResourceRecords[].Value",
            "ttl": "TTL",
            "healthCheckId": "HealthCheckId",
            "aliases": (
                "AliasTarget && [{name: AliasTarget.DNSName, zoneId: AliasTarget.HostedZoneId, "
                "evaluateTargetHealth: AliasTarget.EvaluateTargetHealth}]"
            ),
            "latencyRoutingPolicies": "Region && [{region: Region}]",
            "weightedRoutingPolicies": "Weight && [{weight: Weight}]",
            "failoverRoutingPolicies": "Failover && [{type: Failover}]",
        },
        update=(_change("UPSERT"),),
        delete=(_change("DELETE"),),
    ),
    "route53:HealthCheck": Row(
        service="route53",
        region=_HOME,
        create=(
            Call(
                operation="create_health_check",
                carries=True,
                inside="HealthCheckConfig",
                given={"CallerReference": "{token}"},
                finish=_check,
            ),
            _tagged("healthcheck"),
        ),
        id="HealthCheck.Id",
        read=Call(operation="get_health_check", given={"HealthCheckId": "{id}"}),
        found="HealthCheck",
        outputs={"arn": "Id && join('', ['arn:aws:route53:::healthcheck/', Id])"},
        sees={
            "fqdn": "HealthCheckConfig.FullyQualifiedDomainName",
            "port": "HealthCheckConfig.Port",
            "resourcePath": "HealthCheckConfig.ResourcePath",
            "failureThreshold": "HealthCheckConfig.FailureThreshold",
            "childHealthThreshold": "HealthCheckConfig.HealthThreshold",
            "childHealthchecks": "HealthCheckConfig.ChildHealthChecks && sort(HealthCheckConfig.ChildHealthChecks)",
            "disabled": "HealthCheckConfig.Disabled",
            "enableSni": "HealthCheckConfig.EnableSNI",
            "invertHealthcheck": "HealthCheckConfig.Inverted",
            "regions": "HealthCheckConfig.Regions && sort(HealthCheckConfig.Regions)",
            "searchString": "HealthCheckConfig.SearchString",
        },
        names=_CHECK_NAMES,
        update=(
            Call(
                operation="update_health_check",
                given={"HealthCheckId": "{id}"},
                carries=_CHECK_CHANGES,
                when=_CHECK_CHANGES,
                finish=_check,
            ),
        ),
        delete=(Call(operation="delete_health_check", given={"HealthCheckId": "{id}"}),),
        tags="healthcheck/{id}",
    ),
    "route53:ZoneAssociation": Row(
        service="route53",
        region=_HOME,
        create=(
            Call(
                operation="associate_vpc_with_hosted_zone",
                given={
                    "HostedZoneId": "{zoneId}",
                    "VPC": {"VPCId": "{vpcId}", "VPCRegion": "{vpcRegion}"},
                },
            ),
        ),
        id="{zoneId}:{vpcId}",
        read=Call(operation="get_hosted_zone", given={"Id": "{zoneId}"}),
        found="VPCs[?VPCId=='{vpcId}'] | [0]",
        delete=(
            Call(
                operation="disassociate_vpc_from_hosted_zone",
                given={
                    "HostedZoneId": "{zoneId}",
                    "VPC": {"VPCId": "{vpcId}", "VPCRegion": "{vpcRegion}"},
                },
            ),
        ),
    ),
}

_CERTIFICATES: Final[Mapping[str, Row]] = {
    "acm:Certificate": Row(
        service="acm",
        create=(Call(operation="request_certificate", carries=True, unless="certificateBody privateKey"),),
        id="CertificateArn",
        read=Call(operation="describe_certificate", given={"CertificateArn": "{id}"}),
        found="Certificate",
        blind="validationMethod",
        delete=(Call(operation="delete_certificate", given={"CertificateArn": "{id}"}),),
        tags="{id}",
    ),
}

ROWS: Final[Mapping[str, Row]] = {**_NAMES, **_CERTIFICATES}
NEEDED: Final[Mapping[str, tuple[Needed, ...]]] = {
    "acm:CertificateValidation": (
        Needed(
            call=Call(
                service="acm",
                operation="describe_certificate",
                given={"CertificateArn": "{certificateArn}"},
            )
        ),
    ),
}
LEFT_OUT: Final[Mapping[str, str]] = {
    "acm:CertificateValidation": "it waits, and is nothing of its own on AWS",
}
