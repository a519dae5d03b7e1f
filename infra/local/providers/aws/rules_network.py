"""Hand-written rules for networks and load balancing."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Final

from infra.local.providers.aws.rule_makers import at_most, between, matches, needs, one_of
from infra.local.providers.check import Failure
from infra.local.providers.plugin import Checker, Resource
from infra.local.providers.values import entries, fields, has_unknown, number, plain, text

_LB_NAME: Final = matches(
    "name", r"(?!-)(?!internal-)[A-Za-z0-9-]{1,32}(?<!-)", "1 to 32 letters, digits and inner hyphens"
)
_LB_PROTOCOLS: Final = ("HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC")
_PROTOCOL: Final = r"-1|all|tcp|udp|icmp|icmpv6|esp|ah|\d{1,3}|ALL|TCP|UDP|ICMP"


def _block_size(low: int, high: int) -> Checker:
    def check(resource: Resource) -> list[Failure]:
        block = text(resource.inputs.get("cidrBlock"))
        try:
            size = ip_network(block).prefixlen if block else low
        except ValueError:
            return []
        return (
            []
            if low <= size <= high
            else [Failure("cidrBlock", f"is {block!r}; AWS takes /{low} to /{high}")]
        )

    return check


def _ports(resource: Resource) -> list[Failure]:
    low, high = number(resource.inputs.get("fromPort")), number(resource.inputs.get("toPort"))
    if low is None or high is None or low <= high or text(resource.inputs.get("protocol")).startswith("icmp"):
        return []
    return [Failure("fromPort", f"is {text(low)}; expected at most toPort, {text(high)}")]


def _rule_source(resource: Resource) -> list[Failure]:
    sources = ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "sourceSecurityGroupId", "self")
    if any(resource.inputs.get(source) not in (None, [], False) for source in sources):
        return []
    return [Failure("", f"names nobody: one of {', '.join(sources)} must be given")]


def _subnets(resource: Resource) -> list[Failure]:
    if text(resource.inputs.get("loadBalancerType"), "application") != "application":
        return []
    subnets = resource.inputs.get("subnets")
    if subnets is None or has_unknown(subnets) or len(entries(subnets)) >= 2:
        return []
    return [
        Failure(
            "subnets", f"has {len(entries(subnets))}; an application load balancer needs two zones at least"
        )
    ]


def _algorithm(resource: Resource) -> list[Failure]:
    inputs = resource.inputs
    algorithm = text(inputs.get("loadBalancingAlgorithmType"), "round_robin")
    failures: list[Failure] = []
    if text(inputs.get("loadBalancingAnomalyMitigation"), "off") == "on" and algorithm != "weighted_random":
        failures.append(Failure("loadBalancingAnomalyMitigation", "is 'on'; only weighted_random has it"))
    if (number(inputs.get("slowStart")) or 0) > 0 and algorithm != "round_robin":
        failures.append(Failure("slowStart", f"is given; {algorithm} has no slow start, only round_robin"))
    stickiness = fields(inputs.get("stickiness"))
    if algorithm == "weighted_random" and stickiness and plain(stickiness.get("enabled")) is not False:
        failures.append(Failure("stickiness", "is on; weighted_random takes no stickiness"))
    return failures


def _health_check(resource: Resource) -> list[Failure]:
    check = fields(resource.inputs.get("healthCheck"))
    timeout, interval = number(check.get("timeout")), number(check.get("interval"))
    if timeout is None or interval is None or timeout < interval:
        return []
    return [
        Failure(
            "healthCheck.timeout", f"is {text(timeout)}; expected less than the interval, {text(interval)}"
        )
    ]


def _certificate(resource: Resource) -> list[Failure]:
    if (
        text(resource.inputs.get("protocol")) in {"HTTPS", "TLS"}
        and resource.inputs.get("certificateArn") is None
    ):
        return [Failure("certificateArn", "missing: an HTTPS or TLS listener requires it")]
    return []


_LOAD_BALANCER: Final[list[Checker]] = [
    _LB_NAME,
    one_of("loadBalancerType", ("application", "network", "gateway")),
    one_of("ipAddressType", ("ipv4", "dualstack", "dualstack-without-public-ipv4")),
    one_of("desyncMitigationMode", ("monitor", "defensive", "strictest")),
    between("idleTimeout", 1, 4000),
    _subnets,
]
_TARGET_GROUP: Final[list[Checker]] = [
    _LB_NAME,
    one_of("targetType", ("instance", "ip", "lambda", "alb")),
    one_of("protocol", _LB_PROTOCOLS),
    one_of("protocolVersion", ("HTTP1", "HTTP2", "GRPC")),
    one_of("loadBalancingAlgorithmType", ("round_robin", "least_outstanding_requests", "weighted_random")),
    one_of("loadBalancingAnomalyMitigation", ("on", "off")),
    one_of("loadBalancingCrossZoneEnabled", ("true", "false", "use_load_balancer_configuration")),
    one_of(
        "stickiness.type",
        ("lb_cookie", "app_cookie", "source_ip", "source_ip_dest_ip", "source_ip_dest_ip_proto"),
    ),
    one_of("healthCheck.protocol", ("HTTP", "HTTPS", "TCP")),
    between("port", 1, 65535),
    between("deregistrationDelay", 0, 3600),
    between("healthCheck.interval", 5, 300),
    between("healthCheck.timeout", 2, 120),
    between("healthCheck.healthyThreshold", 2, 10),
    between("healthCheck.unhealthyThreshold", 2, 10),
    between("stickiness.cookieDuration", 1, 604800),
    _algorithm,
    _health_check,
]
_LISTENER: Final[list[Checker]] = [
    matches(
        "sslPolicy",
        r"ELBSecurityPolicy-((TLS|TLS13|FS)-([0-9A-Za-z]+-)*)?20\d\d-\d\d",
        "a policy such as ELBSecurityPolicy-TLS13-1-2-2021-06",
    ),
    one_of("protocol", _LB_PROTOCOLS),
    between("port", 1, 65535),
    one_of(
        "defaultActions.type",
        (
            "forward",
            "redirect",
            "fixed-response",
            "authenticate-cognito",
            "authenticate-oidc",
            "jwt-validation",
        ),
    ),
    matches("defaultActions.fixedResponse.statusCode", r"[245]\d\d", "a status of the 200s, 400s or 500s"),
    _certificate,
]
_RULE: Final[list[Checker]] = [
    between("priority", 1, 50000),
    one_of(
        "actions.type",
        (
            "forward",
            "redirect",
            "fixed-response",
            "authenticate-cognito",
            "authenticate-oidc",
            "jwt-validation",
        ),
    ),
]
_BALANCING: Final = {
    f"{module}:{name}": found
    for module in ("lb", "alb")
    for name, found in {
        "LoadBalancer": _LOAD_BALANCER,
        "TargetGroup": _TARGET_GROUP,
        "Listener": _LISTENER,
        "ListenerRule": _RULE,
    }.items()
}


TABLE: Final[Mapping[str, list[Checker]]] = {
    **_BALANCING,
    "ec2:Vpc": [_block_size(16, 28), one_of("instanceTenancy", ("default", "dedicated"))],
    "ec2:Subnet": [
        _block_size(16, 28),
        needs("cidrBlock", unless=("ipv4IpamPoolId", "ipv6Native", "ipv6CidrBlock")),
    ],
    "ec2:Eip": [one_of("domain", ("vpc", "standard"))],
    "ec2:NatGateway": [one_of("connectivityType", ("public", "private"))],
    "ec2:VpcEndpoint": [
        one_of(
            "vpcEndpointType", ("Gateway", "Interface", "GatewayLoadBalancer", "Resource", "ServiceNetwork")
        )
    ],
    "ec2:FlowLog": [
        one_of("trafficType", ("ACCEPT", "REJECT", "ALL")),
        one_of("maxAggregationInterval", (60, 600)),
    ],
    "ec2:SecurityGroup": [
        at_most("name", 255),
        at_most("description", 255),
        matches("ingress.protocol", _PROTOCOL, "a protocol name or number, -1 for all"),
        matches("egress.protocol", _PROTOCOL, "a protocol name or number, -1 for all"),
    ],
    "ec2:SecurityGroupRule": [
        one_of("type", ("ingress", "egress")),
        matches("protocol", _PROTOCOL, "a protocol name or number, -1 for all"),
        between("fromPort", -1, 65535),
        between("toPort", -1, 65535),
        _ports,
        _rule_source,
    ],
    "vpc:SecurityGroupIngressRule": [
        matches("ipProtocol", _PROTOCOL, "a protocol name or number, -1 for all"),
        between("fromPort", -1, 65535),
        between("toPort", -1, 65535),
        _ports,
    ],
    "vpc:SecurityGroupEgressRule": [
        matches("ipProtocol", _PROTOCOL, "a protocol name or number, -1 for all"),
        between("fromPort", -1, 65535),
        between("toPort", -1, 65535),
        _ports,
    ],
}
