"""Machines, the cluster's version, images, tags."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping

from infra.cluster.versions import STANDARD_SUPPORT
from infra.policy.model import UNKNOWN, Policy, Site, Subject, at, is_on
from infra.policy.pods import WORKLOADS, containers, pod_spec
from infra.tags import REQUIRED_TAGS

MUTABLE_TAGS: Mapping[str, str] = {
    "public.ecr.aws/docker/library/postgres": "the tag names the full version; a digest needs the registry, "
    "which a plan does not ask",
    "ghcr.io/cloudnative-pg/pgbouncer": "as above",
    "docker.io/prometheuscommunity/pgbouncer-exporter": "as above",
    "k8s.gcr.io/": "as above",
    "registry.k8s.io/": "as above",
}
"""Public images, by what their names begin with, that may have a tag of a full version instead of a digest, and why."""
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_FULL_VERSION = re.compile(r":v?\d+\.\d+[\w.-]*$")
_OWN_REGISTRY = re.compile(r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/")


def _metadata(subject: Subject, _site: Site) -> Iterator[str]:
    options = at(subject.props, "metadataOptions")
    if at(options, "httpTokens") not in ("required", UNKNOWN):
        yield "the metadata service answers without a token: set metadataOptions.httpTokens to required"
    if at(options, "httpPutResponseHopLimit") not in (1, 1.0, "1", UNKNOWN):
        yield "pods reach the node's metadata: set metadataOptions.httpPutResponseHopLimit to 1"


def _support(subject: Subject, site: Site) -> Iterator[str]:
    version = at(subject.props, "version")
    if version is UNKNOWN:
        return
    end = STANDARD_SUPPORT.get(str(version))
    if end is None:
        known = ", ".join(STANDARD_SUPPORT)
        yield f"no end of standard support is known for Kubernetes {version}; known are {known}"
    elif dt.date.fromisoformat(end) < site.today:
        yield f"standard support of Kubernetes {version} ended on {end}; upgrade, or pay for extended support"
    if at(subject.props, "upgradePolicy", "supportType") not in ("STANDARD", UNKNOWN):
        yield "it would enter extended support at its end: set upgradePolicy.supportType to STANDARD"


def _image(subject: Subject, _site: Site) -> Iterator[str]:
    for container in containers(pod_spec(subject)):
        image = at(container, "image")
        if not isinstance(image, str) or _DIGEST.search(image):
            continue
        name = at(container, "name")
        _, tagged, tag = image.rpartition("/")[2].partition(":")
        if not tagged or tag == "latest":
            yield f"container {name}: {image} means another image every day; pin a digest or a version"
        elif _OWN_REGISTRY.match(image):
            continue
        elif not (image.startswith(tuple(MUTABLE_TAGS)) and _FULL_VERSION.search(image)):
            yield f"container {name}: the tag of {image} can be moved; pin its digest"


def _immutable_tags(subject: Subject, _site: Site) -> Iterator[str]:
    if at(subject.props, "imageTagMutability") not in ("IMMUTABLE", UNKNOWN):
        yield "tags can be moved to another image: set imageTagMutability to IMMUTABLE"
    if not is_on(at(subject.props, "imageScanningConfiguration", "scanOnPush")):
        yield "images are not scanned: set imageScanningConfiguration.scanOnPush"


def missing_tags(subject: Subject) -> list[str]:
    """Required tags that a resource lacks."""
    tags = at(subject.props, "tags")
    if tags is UNKNOWN:
        return []
    return [key for key in REQUIRED_TAGS if at(tags, key) in (None, "")]


def _tags(subject: Subject, _site: Site) -> Iterator[str]:
    if missing := missing_tags(subject):
        yield f"tags are missing: {', '.join(missing)}"


TAGGED = frozenset(
    f"aws:{kind}"
    for kind in [
        "acm/certificate:Certificate",
        "backup/plan:Plan",
        "backup/vault:Vault",
        "cloudfront/distribution:Distribution",
        "cloudwatch/eventRule:EventRule",
        "cloudwatch/logGroup:LogGroup",
        "cloudwatch/metricAlarm:MetricAlarm",
        "cloudwatch/compositeAlarm:CompositeAlarm",
        "dynamodb/table:Table",
        "ec2/defaultSecurityGroup:DefaultSecurityGroup",
        "ec2/eip:Eip",
        "ec2/flowLog:FlowLog",
        "ec2/internetGateway:InternetGateway",
        "ec2/launchTemplate:LaunchTemplate",
        "ec2/natGateway:NatGateway",
        "ec2/routeTable:RouteTable",
        "ec2/securityGroup:SecurityGroup",
        "ec2/subnet:Subnet",
        "ec2/vpc:Vpc",
        "ec2/vpcEndpoint:VpcEndpoint",
        "ec2/vpcPeeringConnection:VpcPeeringConnection",
        "ecr/repository:Repository",
        "eks/addon:Addon",
        "eks/cluster:Cluster",
        "eks/nodeGroup:NodeGroup",
        "eks/podIdentityAssociation:PodIdentityAssociation",
        "elasticache/parameterGroup:ParameterGroup",
        "elasticache/replicationGroup:ReplicationGroup",
        "elasticache/subnetGroup:SubnetGroup",
        "elasticache/user:User",
        "elasticache/userGroup:UserGroup",
        "iam/policy:Policy",
        "iam/role:Role",
        "kms/key:Key",
        "lambda/function:Function",
        "lb/listener:Listener",
        "lb/listenerRule:ListenerRule",
        "lb/loadBalancer:LoadBalancer",
        "lb/targetGroup:TargetGroup",
        "msk/cluster:Cluster",
        "rds/instance:Instance",
        "rds/parameterGroup:ParameterGroup",
        "rds/subnetGroup:SubnetGroup",
        "route53/healthCheck:HealthCheck",
        "route53/zone:Zone",
        "s3/bucket:Bucket",
        "secretsmanager/secret:Secret",
        "sns/topic:Topic",
        "sqs/queue:Queue",
        "ssm/parameter:Parameter",
        "synthetics/canary:Canary",
        "wafv2/ipSet:IpSet",
        "vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "wafv2/webAcl:WebAcl",
    ]
)
"""Types that take tags and are billed, reached or searched by them."""

POLICIES = (
    Policy(
        name="metadata-needs-a-token",
        why="a forged request must not fetch the node's credentials (IMDSv2, one hop)",
        types=frozenset({"aws:ec2/launchTemplate:LaunchTemplate", "aws:ec2/instance:Instance"}),
        check=_metadata,
    ),
    Policy(
        name="kubernetes-is-supported",
        why="outside standard support AWS bills six times the price and upgrades on its own date",
        types=frozenset({"aws:eks/cluster:Cluster"}),
        check=_support,
    ),
    Policy(
        name="images-are-pinned",
        why="what was tested must be what runs",
        types=WORKLOADS,
        check=_image,
    ),
    Policy(
        name="image-tags-are-immutable",
        why="a tag must always mean the same image",
        types=frozenset({"aws:ecr/repository:Repository"}),
        check=_immutable_tags,
    ),
    Policy(
        name="tags-are-complete",
        why="whose it is, what it is for and who pays must be readable from the resource itself",
        types=TAGGED,
        check=_tags,
    ),
)
