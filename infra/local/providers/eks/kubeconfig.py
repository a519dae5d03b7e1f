"""The kubeconfig of a cluster: it names the AWS command line for tokens and holds no secret itself."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

from infra.local.providers.eks.arguments import Inputs


def region_of(arn: str) -> str:
    """Read the region out of an ARN."""
    return arn.split(":")[3]


def _document(found: list[Any], *, with_profile: bool) -> dict[str, Any]:
    name, endpoint, authority, arn, credentials = found
    command = ["--region", region_of(arn), "eks", "get-token", "--cluster-name", name, "--output", "json"]
    if credentials and credentials.get("roleArn"):
        command += ["--role", credentials["roleArn"]]
    if with_profile and credentials and credentials.get("profileName"):
        command += ["--profile", credentials["profileName"]]
    version = "client.authentication.k8s.io/v1beta1"
    run = {
        "apiVersion": version,
        "command": "aws",
        "args": command,
        "env": [{"name": "KUBERNETES_EXEC_INFO", "value": f'{{"apiVersion": "{version}"}}'}],
    }
    return {
        "apiVersion": "v1",
        "clusters": [
            {"cluster": {"server": endpoint, "certificate-authority-data": authority}, "name": "kubernetes"}
        ],
        "contexts": [{"context": {"cluster": "kubernetes", "user": "aws"}, "name": "aws"}],
        "current-context": "aws",
        "kind": "Config",
        "users": [{"name": "aws", "user": {"exec": run}}],
    }


def kubeconfig(
    cluster: aws.eks.Cluster, credentials: Inputs | None, *, with_profile: bool
) -> pulumi.Output[Any]:
    """Make the kubeconfig of a cluster."""
    authority = cluster.certificate_authority.apply(lambda found: found.data)
    parts = pulumi.Output.all(cluster.name, cluster.endpoint, authority, cluster.arn, credentials)
    return parts.apply(lambda found: _document(list(found), with_profile=with_profile))
