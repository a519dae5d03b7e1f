"""Answers to the functions (`get_...`) of pulumi-aws."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from infra.local.providers.aws import regions
from infra.local.providers.aws.kinds import short
from infra.local.providers.aws.policy_documents import policy_document
from infra.local.providers.plugin import RefusedError, UnknownFunctionError
from infra.local.providers.values import Map, Secret, Value, entries, plain, text

Function = Callable[[Map, str], Map]


def _digits(*content: str, length: int = 17) -> str:
    return hashlib.sha256("\0".join(content).encode()).hexdigest()[:length]


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
    identity = f"ami-{_digits(region, seed)}"
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
    return {"id": _digits(region), "ids": [_image(arguments, region)["id"]]}


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
        value = f"ami-{_digits(region, name)}"
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
    identity = f"pl-{_digits(region, name, length=8)}"
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


# The ids of CloudFront's managed policies are the same in every account.
_CACHE_POLICIES: Final[Mapping[str, str]] = {
    "Managed-Amplify": "2e54312d-136d-493c-8eb9-b001f22f67d2",
    "Managed-CachingDisabled": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
    "Managed-CachingOptimized": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    "Managed-CachingOptimizedForUncompressedObjects": "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
    "Managed-Elemental-MediaPackage": "08627262-05a9-4f76-9ded-b50ca2e3a84f",
    "UseOriginCacheControlHeaders": "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
    "UseOriginCacheControlHeaders-QueryStrings": "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
}
_ORIGIN_POLICIES: Final[Mapping[str, str]] = {
    "Managed-AllViewer": "216adef6-5c7f-47e4-b989-5492eafa07d3",
    "Managed-AllViewerAndCloudFrontHeaders-2022-06": "33f36d7e-f396-46d9-90e0-52428a34d9dc",
    "Managed-AllViewerExceptHostHeader": "b689b0a8-53d0-40ab-baf2-68738e2966ac",
    "Managed-CORS-CustomOrigin": "59781a5b-3903-41f3-afcb-af62929ccde1",
    "Managed-CORS-S3Origin": "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
    "Managed-Elemental-MediaTailor-PersonalizedManifests": "775133bc-15f2-49f9-abea-afb2e0bf67d2",
    "Managed-UserAgentRefererHeaders": "acba4595-bd28-49b8-b9fe-13317c0390fa",
}
_HEADER_POLICIES: Final[Mapping[str, str]] = {
    "Managed-CORS-With-Preflight": "5cc3b908-e619-4b99-88e5-2cf7f45965bd",
    "Managed-CORS-with-preflight-and-SecurityHeadersPolicy": "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
    "Managed-CORS-and-SecurityHeadersPolicy": "e61eb60c-9c35-4d20-a928-2b84e02af89c",
    "Managed-SecurityHeadersPolicy": "67f7725c-6f97-4210-82d7-5512b31e9d03",
    "Managed-SimpleCORS": "60669652-455b-4ae9-85a4-c4c02393f86c",
}


def _managed(known: Mapping[str, str], kind: str) -> Function:
    def find(arguments: Map, region: str) -> Map:
        del region
        name, identity = text(arguments.get("name")), text(arguments.get("id"))
        names = {value: key for key, value in known.items()}
        if identity not in names and name not in known:
            raise RefusedError(f"no {kind} {name or identity!r}; AWS manages {', '.join(known)}")
        return {
            "id": identity or known[name],
            "name": name or names[identity],
            "etag": "E23ZP02F085DFQ",
            "arn": f"arn:aws:cloudfront::{regions.ACCOUNT}:{kind}/{identity or known[name]}",
        }

    return find


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
    zone = zone or "Z" + _digits("zone", name, length=20).upper()
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
    identity = text(arguments.get("id")) or f"vpc-{_digits(region, 'default')}"
    return {
        "id": identity,
        "arn": f"arn:aws:ec2:{region}:{regions.ACCOUNT}:vpc/{identity}",
        "cidrBlock": text(arguments.get("cidrBlock")) or "172.31.0.0/16",
        "default": arguments.get("default", False),
        "dhcpOptionsId": "dopt-" + _digits(region, "dopt"),
        "enableDnsHostnames": True,
        "enableDnsSupport": True,
        "instanceTenancy": "default",
        "mainRouteTableId": "rtb-" + _digits(region, "rtb"),
        "ownerId": regions.ACCOUNT,
        "state": "available",
    }


def _subnet_ids(arguments: Map, region: str) -> Map:
    seed = str(sorted(map(str, arguments.items())))
    ids: list[Value] = [f"subnet-{_digits(zone, seed)}" for zone in regions.zones(region)]
    return {"id": region, "ids": ids}


def _security_group(arguments: Map, region: str) -> Map:
    identity = text(arguments.get("id")) or f"sg-{_digits(region, text(arguments.get('name')))}"
    return {"id": identity, "arn": f"arn:aws:ec2:{region}:{regions.ACCOUNT}:security-group/{identity}"}


def _eks_cluster(arguments: Map, region: str) -> Map:
    name = text(arguments.get("name"))
    number = _digits(region, name, length=32).upper()
    return {
        "id": name,
        "name": name,
        "arn": f"arn:aws:eks:{region}:{regions.ACCOUNT}:cluster/{name}",
        "endpoint": f"https://{number}.gr7.{region}.eks.amazonaws.com",
        "identities": [{"oidcs": [{"issuer": f"https://oidc.eks.{region}.amazonaws.com/id/{number}"}]}],
        "certificateAuthorities": [{"data": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="}],
        "status": "ACTIVE",
        "version": "1.36",
    }


def _eks_token(arguments: Map, region: str) -> Map:
    name = text(arguments.get("name"))
    return {"id": name, "name": name, "token": Secret(f"k8s-aws-v1.{_digits(region, name, length=40)}")}


_ADDON_VERSIONS: Final[Mapping[str, str]] = {
    "vpc-cni": "v1.21.1-eksbuild.1",
    "coredns": "v1.13.1-eksbuild.1",
    "kube-proxy": "v{version}.0-eksbuild.2",
    "aws-ebs-csi-driver": "v1.54.0-eksbuild.1",
    "aws-efs-csi-driver": "v2.1.15-eksbuild.1",
    "eks-pod-identity-agent": "v1.3.10-eksbuild.1",
    "metrics-server": "v0.8.0-eksbuild.3",
    "snapshot-controller": "v8.3.0-eksbuild.1",
    "amazon-cloudwatch-observability": "v4.7.0-eksbuild.1",
    "eks-node-monitoring-agent": "v1.4.2-eksbuild.1",
}


def _addon_version(arguments: Map, region: str) -> Map:
    del region
    name = text(arguments.get("addonName"))
    if name not in _ADDON_VERSIONS:
        raise RefusedError(f"no EKS add-on {name!r} is known; known: {', '.join(_ADDON_VERSIONS)}")
    version = _ADDON_VERSIONS[name].format(version=text(arguments.get("kubernetesVersion")))
    return {"id": name, "addonName": name, "version": version}


def _key(arguments: Map, region: str) -> Map:
    given = text(arguments.get("keyId"))
    identity = given.rpartition("/")[2] or _digits(region, "key", length=32)
    arn = given if given.startswith("arn:") else f"arn:aws:kms:{region}:{regions.ACCOUNT}:key/{identity}"
    return {
        "id": identity,
        "arn": arn,
        "awsAccountId": regions.ACCOUNT,
        "enabled": True,
        "keyState": "Enabled",
        "keyUsage": "ENCRYPT_DECRYPT",
    }


def _alias(arguments: Map, region: str) -> Map:
    name = text(arguments.get("name"))
    key = _digits(region, name, length=32)
    base = f"arn:aws:kms:{region}:{regions.ACCOUNT}:"
    return {
        "id": base + name,
        "arn": base + name,
        "name": name,
        "targetKeyId": key,
        "targetKeyArn": f"{base}key/{key}",
    }


def _engine_version(arguments: Map, region: str) -> Map:
    del region
    engine = text(arguments.get("engine"))
    version = text(arguments.get("version")) or text(arguments.get("preferredVersions")) or "17.6"
    family = engine + version.partition(".")[0]
    return {
        "id": version,
        "engine": engine,
        "version": version,
        "versionActual": version,
        "parameterGroupFamily": family,
        "status": "available",
        "versionDescription": f"{engine} {version}",
        "supportsReadReplica": True,
    }


def _kafka_version(arguments: Map, region: str) -> Map:
    del region
    preferred = [text(version) for version in entries(arguments.get("preferredVersions"))]
    version = text(arguments.get("version")) or (preferred or ["3.9.x"])[0]
    return {"id": version, "version": version, "status": "ACTIVE"}


def _registry_token(arguments: Map, region: str) -> Map:
    del arguments
    password = _digits(region, "ecr", length=40)
    return {
        "id": region,
        "userName": "AWS",
        "password": Secret(password),
        "authorizationToken": Secret(password),
        "proxyEndpoint": f"https://{regions.ACCOUNT}.dkr.ecr.{region}.amazonaws.com",
        "expiresAt": "2026-01-01T12:00:00Z",
    }


def _role(arguments: Map, region: str) -> Map:
    del region
    name = text(arguments.get("name"))
    return {"id": name, "name": name, "arn": f"arn:aws:iam::{regions.ACCOUNT}:role/{name}", "path": "/"}


def _managed_policy(arguments: Map, region: str) -> Map:
    del region
    name, arn = text(arguments.get("name")), text(arguments.get("arn"))
    arn = arn or f"arn:aws:iam::aws:policy/{name}"
    return {
        "id": arn,
        "arn": arn,
        "name": name or arn.rpartition("/")[2],
        "path": "/",
        "policyId": "ANPALOCAL",
    }


def _document(arguments: Map, region: str) -> Map:
    del region
    return policy_document(arguments)


def _instance_type(arguments: Map, region: str) -> Map:
    del region
    name = text(arguments.get("instanceType"))
    return {"id": name, "instanceType": name, "supportedArchitectures": ["x86_64"]}


FUNCTIONS: Final[Mapping[str, Function]] = {
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
    "ec2:getInstanceType": _instance_type,
    "ssm:getParameter": _parameter,
    "cloudfront:getCachePolicy": _managed(_CACHE_POLICIES, "cache-policy"),
    "cloudfront:getOriginRequestPolicy": _managed(_ORIGIN_POLICIES, "origin-request-policy"),
    "cloudfront:getResponseHeadersPolicy": _managed(_HEADER_POLICIES, "response-headers-policy"),
    "iam:getPolicyDocument": _document,
    "iam:getRole": _role,
    "iam:getPolicy": _managed_policy,
    "elb:getServiceAccount": _elb_account,
    "route53:getZone": _hosted_zone,
    "eks:getCluster": _eks_cluster,
    "eks:getClusterAuth": _eks_token,
    "eks:getAddonVersion": _addon_version,
    "kms:getKey": _key,
    "kms:getAlias": _alias,
    "rds:getEngineVersion": _engine_version,
    "msk:getKafkaVersion": _kafka_version,
    "ecr:getAuthorizationToken": _registry_token,
    "ecr:getCredentials": _registry_token,
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
