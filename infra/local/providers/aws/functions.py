"""Answers to the functions (`get_...`) of pulumi-aws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from infra.local.providers.aws import regions
from infra.local.providers.aws.functions_services import SERVICES, Function, digits
from infra.local.providers.aws.kinds import short
from infra.local.providers.plugin import RefusedError, UnknownFunctionError
from infra.local.providers.values import Map, Secret, Value, entries, plain, text


def _region(arguments: Map, region: str) -> Map:
    name = text(arguments.get("name")) or region
    return {
        "id": name,
        "name": name,
        "region": name,
        "description": name,
        "endpoint": f"ec2.{name}.amazonaws.com",
    }


def _identity(arguments: Map, region: str) -> Map:
    del arguments, region
    user = f"arn:aws:iam::{regions.ACCOUNT}:user/local"
    return {
        "id": regions.ACCOUNT,
        "accountId": regions.ACCOUNT,
        "arn": user,
        "userId": "AIDALOCALPLATFORM000",
    }


def _partition(arguments: Map, region: str) -> Map:
    del arguments, region
    return {
        "id": "aws",
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    }


def _zones(arguments: Map, region: str) -> Map:
    left_out = {text(name) for name in entries(arguments.get("excludeNames"))}
    left_out_ids = {text(name) for name in entries(arguments.get("excludeZoneIds"))}
    names: list[Value] = [
        zone
        for zone in regions.zones(region)
        if zone not in left_out and regions.zone_id(zone) not in left_out_ids
    ]
    ids: list[Value] = [regions.zone_id(str(zone)) for zone in names]
    return {"id": region, "names": names, "zoneIds": ids, "groupNames": [region]}


def _zone(arguments: Map, region: str) -> Map:
    name = text(arguments.get("name")) or regions.zones(region)[0]
    return {
        "id": name,
        "name": name,
        "nameSuffix": name[-1],
        "zoneId": regions.zone_id(name),
        "zoneType": "availability-zone",
        "groupName": region,
        "networkBorderGroup": region,
        "optInStatus": "opt-in-not-required",
        "state": "available",
    }


def _all_regions(arguments: Map, region: str) -> Map:
    del arguments
    return {
        "id": region,
        "names": ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-central-1"],
    }


def _service_principal(arguments: Map, region: str) -> Map:
    service = text(arguments.get("serviceName"))
    name = f"{service}.amazonaws.com"
    return {
        "id": f"{service}.{region}.amazonaws.com",
        "name": name,
        "suffix": "amazonaws.com",
        "serviceName": service,
    }


def _image(arguments: Map, region: str) -> Map:
    seed = str(sorted(map(str, arguments.items())))
    identity = f"ami-{digits(region, seed)}"
    return {
        "id": identity,
        "imageId": identity,
        "arn": f"arn:aws:ec2:{region}::image/{identity}",
        "architecture": "x86_64",
        "name": "al2023-ami-2023.0.0-kernel-6.1-x86_64",
        "ownerId": "137112412989",
        "rootDeviceType": "ebs",
        "state": "available",
        "virtualizationType": "hvm",
    }


def _image_ids(arguments: Map, region: str) -> Map:
    return {"id": digits(region), "ids": [_image(arguments, region)["id"]]}


def _parameter(arguments: Map, region: str) -> Map:
    """Answer the public parameters AWS itself publishes: image ids; anything else nobody wrote here."""
    name = text(arguments.get("name"))
    if not name.startswith("/aws/service/"):
        raise RefusedError(
            f"ParameterNotFound: {name}; the local platform knows only /aws/service/ parameters"
        )
    if name.endswith("release_version"):
        value = "1.36.0-20260801"
    elif "image_version" in name:
        value = "20260801"
    else:
        value = f"ami-{digits(region, name)}"
    arn = f"arn:aws:ssm:{region}::parameter{name}"
    return {
        "id": name,
        "arn": arn,
        "name": name,
        "type": "String",
        "value": Secret(value),
        "insecureValue": value,
        "version": 1,
    }


_PREFIX_LISTS: Final = (
    "cloudfront.origin-facing",
    "route53-healthchecks",
    "s3",
    "dynamodb",
    "ec2-instance-connect",
)


def _prefix_list(arguments: Map, region: str) -> Map:
    name = text(arguments.get("name")) or text(arguments.get("id"))
    service = name.removeprefix("com.amazonaws.").removeprefix("global.").removeprefix(f"{region}.")
    if name.startswith("com.amazonaws.") and service not in _PREFIX_LISTS:
        raise RefusedError(f"no prefix list {name}; known: {', '.join(_PREFIX_LISTS)}")
    identity = f"pl-{digits(region, name, length=8)}"
    return {
        "id": identity,
        "prefixListId": identity,
        "name": name,
        "arn": f"arn:aws:ec2:{region}:aws:prefix-list/{identity}",
        "addressFamily": "IPv4",
        "maxEntries": 55,
        "ownerId": "AWS",
        "version": 1,
        "entries": [{"cidr": "120.52.22.96/27", "description": ""}],
        "cidrBlocks": ["120.52.22.96/27"],
    }


def _elb_account(arguments: Map, region: str) -> Map:
    del arguments
    account = regions.elb_account(region)
    return {"id": account, "arn": f"arn:aws:iam::{account}:root"}


def _ip_ranges(arguments: Map, region: str) -> Map:
    del arguments, region
    return {
        "id": "2026-01-01-00-00-00",
        "cidrBlocks": ["54.183.255.128/26", "54.228.16.0/26", "107.23.255.0/26"],
        "ipv6CidrBlocks": [],
        "createDate": "2026-01-01-00-00-00",
        "syncToken": 1_767_225_600,
    }


def _hosted_zone(arguments: Map, region: str) -> Map:
    del region
    name, zone = text(arguments.get("name")), text(arguments.get("zoneId"))
    zone = zone or "Z" + digits("zone", name, length=20).upper()
    servers: list[Value] = [f"ns-{number}.awsdns-0{number % 8}.com" for number in (1, 513, 1025, 1537)]
    return {
        "id": zone,
        "zoneId": zone,
        "name": name.rstrip(".") or "example.com",
        "arn": f"arn:aws:route53:::hostedzone/{zone}",
        "nameServers": servers,
        "primaryNameServer": servers[0],
        "callerReference": "local",
    }


def _vpc(arguments: Map, region: str) -> Map:
    identity = text(arguments.get("id")) or f"vpc-{digits(region, 'default')}"
    return {
        "id": identity,
        "arn": f"arn:aws:ec2:{region}:{regions.ACCOUNT}:vpc/{identity}",
        "cidrBlock": text(arguments.get("cidrBlock")) or "172.31.0.0/16",
        "default": arguments.get("default", False),
        "dhcpOptionsId": "dopt-" + digits(region, "dopt"),
        "enableDnsHostnames": True,
        "enableDnsSupport": True,
        "instanceTenancy": "default",
        "mainRouteTableId": "rtb-" + digits(region, "rtb"),
        "ownerId": regions.ACCOUNT,
        "state": "available",
    }


def _subnet_ids(arguments: Map, region: str) -> Map:
    seed = str(sorted(map(str, arguments.items())))
    ids: list[Value] = [f"subnet-{digits(zone, seed)}" for zone in regions.zones(region)]
    return {"id": region, "ids": ids}


def _security_group(arguments: Map, region: str) -> Map:
    identity = text(arguments.get("id")) or f"sg-{digits(region, text(arguments.get('name')))}"
    return {"id": identity, "arn": f"arn:aws:ec2:{region}:{regions.ACCOUNT}:security-group/{identity}"}


FUNCTIONS: Final[Mapping[str, Function]] = {
    **SERVICES,
    "index:getRegion": _region,
    "index:getCallerIdentity": _identity,
    "index:getPartition": _partition,
    "index:getAvailabilityZones": _zones,
    "index:getAvailabilityZone": _zone,
    "index:getRegions": _all_regions,
    "index:getIpRanges": _ip_ranges,
    "index:getServicePrincipal": _service_principal,
    "ec2:getAmi": _image,
    "ec2:getAmiIds": _image_ids,
    "ec2:getManagedPrefixList": _prefix_list,
    "ec2:getPrefixList": _prefix_list,
    "ec2:getVpc": _vpc,
    "ec2:getSubnets": _subnet_ids,
    "ec2:getSecurityGroup": _security_group,
    "ssm:getParameter": _parameter,
    "elb:getServiceAccount": _elb_account,
    "route53:getZone": _hosted_zone,
}


# Python's signatures give every argument a default; these the provider insists on.
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "index:getServicePrincipal": ("serviceName",),
    "ec2:getInstanceType": ("instanceType",),
    "ssm:getParameter": ("name",),
    "iam:getRole": ("name",),
    "eks:getCluster": ("name",),
    "eks:getClusterAuth": ("name",),
    "eks:getAddonVersion": ("addonName", "kubernetesVersion"),
    "kms:getKey": ("keyId",),
    "kms:getAlias": ("name",),
    "rds:getEngineVersion": ("engine",),
}


def missing(token: str, arguments: Map) -> list[str]:
    """List the required arguments that were not given."""
    return [name for name in REQUIRED.get(short(token), ()) if plain(arguments.get(name)) is None]


def answer(token: str, arguments: Map, region: str) -> Map:
    """Answer a function by its token.

    Raises:
        UnknownFunctionError: there is no stand-in for it.
    """
    function = FUNCTIONS.get(short(token))
    if function is None:
        raise UnknownFunctionError(token)
    result: Map = {key: value for key, value in arguments.items() if plain(value) is not None}
    result.update(function(arguments, region))
    result.setdefault("region", region)
    return result
