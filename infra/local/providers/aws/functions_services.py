"""Answers to functions about single services: CloudFront's managed policies, EKS, KMS, RDS, MSK, ECR, IAM."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from infra.local.providers.aws import regions
from infra.local.providers.aws.policy_documents import policy_document
from infra.local.providers.plugin import RefusedError
from infra.local.providers.values import Map, Secret, entries, text

Function = Callable[[Map, str], Map]


def digits(*content: str, length: int = 17) -> str:
    """Make stable hexadecimal digits out of what a function was asked."""
    return hashlib.sha256("\0".join(content).encode()).hexdigest()[:length]


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


def _eks_cluster(arguments: Map, region: str) -> Map:
    name = text(arguments.get("name"))
    number = digits(region, name, length=32).upper()
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
    return {"id": name, "name": name, "token": Secret(f"k8s-aws-v1.{digits(region, name, length=40)}")}


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
    identity = given.rpartition("/")[2] or digits(region, "key", length=32)
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
    key = digits(region, name, length=32)
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
    password = digits(region, "ecr", length=40)
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


SERVICES: Final[Mapping[str, Function]] = {
    "ec2:getInstanceType": _instance_type,
    "cloudfront:getCachePolicy": _managed(_CACHE_POLICIES, "cache-policy"),
    "cloudfront:getOriginRequestPolicy": _managed(_ORIGIN_POLICIES, "origin-request-policy"),
    "cloudfront:getResponseHeadersPolicy": _managed(_HEADER_POLICIES, "response-headers-policy"),
    "iam:getPolicyDocument": _document,
    "iam:getRole": _role,
    "iam:getPolicy": _managed_policy,
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
