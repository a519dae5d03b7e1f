"""Nothing is open to the internet but the load balancer, and that only to CloudFront and health checkers."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping

from infra.policy.model import UNKNOWN, Check, Policy, Site, Subject, at, by_type, is_on, items

_PUBLIC_BITS = 8
"""A public range wider than /8 is no list of known addresses."""


def is_world(cidr: object) -> bool:
    """Whether a range holds addresses of strangers: everything, or a very wide public range."""
    if not isinstance(cidr, str):
        return False
    try:
        network = ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return False
    return network.prefixlen == 0 or (network.is_global and network.prefixlen <= _PUBLIC_BITS)


def _ingress(subject: Subject, _site: Site) -> Iterator[str]:
    props = subject.props
    if subject.type in (
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    ):
        rules = items(at(props, "ingress"))
    elif subject.type == "aws:ec2/securityGroupRule:SecurityGroupRule":
        rules = [props] if at(props, "type") == "ingress" else []
    else:
        rules = [props]
    for rule in rules:
        single = [at(rule, key) for key in ("cidrIpv4", "cidrIpv6")]
        lists = [each for key in ("cidrBlocks", "ipv6CidrBlocks") for each in items(at(rule, key))]
        for cidr in (*single, *lists):
            if is_world(cidr):
                yield f"takes traffic from {cidr}; name a prefix list, a security group or a narrow range"


def _database(subject: Subject, _site: Site) -> Iterator[str]:
    if at(subject.props, "publiclyAccessible") is True:
        yield "publiclyAccessible is true"


def _subnet(subject: Subject, _site: Site) -> Iterator[str]:
    if at(subject.props, "mapPublicIpOnLaunch") is True:
        yield "mapPublicIpOnLaunch is true: whatever starts here gets a public address"


def _kafka(subject: Subject, _site: Site) -> Iterator[str]:
    access = at(subject.props, "brokerNodeGroupInfo", "connectivityInfo", "publicAccess", "type")
    if access not in (None, "DISABLED", UNKNOWN):
        yield f"publicAccess is {access}"


def _cluster(subject: Subject, _site: Site) -> Iterator[str]:
    endpoint = at(subject.props, "vpcConfig", "endpointPublicAccess")
    # AWS opens it to all unless told otherwise.
    if endpoint is not None and not is_on(endpoint):
        return
    cidrs = at(subject.props, "vpcConfig", "publicAccessCidrs")
    if cidrs is not UNKNOWN and any(is_world(cidr) for cidr in items(cidrs) or ["0.0.0.0/0"]):
        yield "the API's public endpoint is open to all: list publicAccessCidrs or close it"


def _function_url(subject: Subject, _site: Site) -> Iterator[str]:
    if at(subject.props, "authorizationType") == "NONE":
        yield "anyone may call it: set authorizationType to AWS_IAM"


def _balancer(subject: Subject, _site: Site) -> Iterator[str]:
    if at(subject.props, "internal") is not True and not is_on(at(subject.props, "dropInvalidHeaderFields")):
        yield "a public load balancer must drop invalid header fields"


def _bucket(subject: Subject, _site: Site) -> Iterator[str]:
    for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"):
        if not is_on(at(subject.props, key)):
            yield f"{key} is not true"


_SWITCHES: Mapping[str, Check] = {
    "aws:rds/instance:Instance": _database,
    "aws:ec2/subnet:Subnet": _subnet,
    "aws:msk/cluster:Cluster": _kafka,
    "aws:eks/cluster:Cluster": _cluster,
    "aws:lambda/functionUrl:FunctionUrl": _function_url,
    "aws:lb/loadBalancer:LoadBalancer": _balancer,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _bucket,
}


def _service_type(subject: Subject, _site: Site) -> Iterator[str]:
    kind = at(subject.props, "spec", "type")
    if kind in ("LoadBalancer", "NodePort"):
        yield f"a Service of type {kind} is a way in beside the load balancer; use ClusterIP and a target group"


POLICIES = (
    Policy(
        name="no-open-ingress",
        why="only CloudFront and health checkers may come from outside, by prefix list",
        types=frozenset(
            {
                "aws:ec2/securityGroup:SecurityGroup",
                "aws:ec2/securityGroupRule:SecurityGroupRule",
                "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
                "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
            }
        ),
        check=_ingress,
    ),
    by_type(
        _SWITCHES,
        name="no-public-exposure",
        why="stores, nodes and the Kubernetes API have no business on the internet",
    ),
    Policy(
        name="no-second-entrance",
        why="traffic comes in through the load balancer and its web ACL only",
        types=frozenset({"kubernetes:core/v1:Service"}),
        check=_service_type,
    ),
)
