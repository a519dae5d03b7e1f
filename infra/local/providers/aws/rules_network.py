"""Hand-written rules for network, edge and compute types."""

from __future__ import annotations

import difflib
import functools
import importlib
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any, Final

from infra.local.providers.aws.rule_makers import at_most, between, found_at, matches, needs, one_of
from infra.local.providers.check import Failure
from infra.local.providers.plugin import Checker, Resource
from infra.local.providers.values import Map, entries, fields, has_unknown, number, plain, quote, text

_LB_NAME: Final = matches(
    "name", r"(?!-)(?!internal-)[A-Za-z0-9-]{1,32}(?<!-)", "1 to 32 letters, digits and inner hyphens"
)
_LB_PROTOCOLS: Final = ("HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC")
_PROTOCOL: Final = r"-1|all|tcp|udp|icmp|icmpv6|esp|ah|\d{1,3}|ALL|TCP|UDP|ICMP"


@functools.cache
def _instance_types() -> frozenset[str]:
    enums: Any = importlib.import_module("pulumi_aws.ec2._enums")
    return frozenset(str(member.value) for member in enums.InstanceType)


def _instance_type(path: str) -> Checker:
    """Take instance types pulumi-aws knows, and any of a family it does not know yet."""

    def check(resource: Resource) -> list[Failure]:
        failures: list[Failure] = []
        for where, value in found_at(resource.inputs, path):
            name = text(value)
            family = name.partition(".")[0] + "."
            known_family = any(known.startswith(family) for known in _instance_types())
            if name not in _instance_types() and (known_family or "." not in name):
                kin = sorted(known for known in _instance_types() if known.startswith(family))
                near = ", ".join(kin[:12] or difflib.get_close_matches(name, sorted(_instance_types()), n=4))
                failures.append(
                    Failure(where, f"is {quote(value)}; there is no such instance type (there are {near})")
                )
        return failures

    return check


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


def _scope(resource: Resource) -> list[Failure]:
    region = text(resource.inputs.get("region")) or text(resource.instance.config.get("region"))
    if text(resource.inputs.get("scope")) == "CLOUDFRONT" and region not in {"", "us-east-1"}:
        return [Failure("scope", f"is 'CLOUDFRONT' in {region}; web ACLs for CloudFront live in us-east-1")]
    return []


def _waf_actions(resource: Resource) -> list[Failure]:
    failures: list[Failure] = []
    for index, rule in enumerate(entries(resource.inputs.get("rules"))):
        statement = fields(fields(rule).get("statement"))
        group = "managedRuleGroupStatement" in statement or "ruleGroupReferenceStatement" in statement
        wanted, wrong = ("overrideAction", "action") if group else ("action", "overrideAction")
        if fields(rule).get(wrong) is not None:
            what = "a rule group" if group else "a rule that is no group"
            failures.append(Failure(f"rules[{index}].{wrong}", f"is given; {what} takes {wanted}"))
    return failures


def _record(resource: Resource) -> list[Failure]:
    inputs, failures = resource.inputs, list[Failure]()
    alias = inputs.get("aliases") not in (None, [])
    if alias and (inputs.get("records") is not None or inputs.get("ttl") is not None):
        failures.append(Failure("aliases", "is given; an alias takes neither records nor ttl"))
    if not alias and inputs.get("records") is None:
        failures.append(Failure("records", "missing: give records with ttl, or aliases"))
    if not alias and inputs.get("records") is not None and inputs.get("ttl") is None:
        failures.append(Failure("ttl", "missing: records require it"))
    policies = [
        name for name in inputs if name.endswith("RoutingPolicies") and inputs[name] not in (None, [])
    ]
    if policies and inputs.get("setIdentifier") is None:
        failures.append(Failure("setIdentifier", f"missing: {policies[0]} requires it"))
    return failures


def _scaling(resource: Resource) -> list[Failure]:
    scaling = fields(resource.inputs.get("scalingConfig"))
    numbers = [number(scaling.get(name)) for name in ("minSize", "desiredSize", "maxSize")]
    known = [value for value in numbers if value is not None]
    if len(known) == 3 and known != sorted(known):
        return [Failure("scalingConfig", f"is {known}; expected minSize <= desiredSize <= maxSize")]
    return []


def _update_config(resource: Resource) -> list[Failure]:
    update: Map = fields(resource.inputs.get("updateConfig"))
    if "maxUnavailable" in update and "maxUnavailablePercentage" in update:
        return [
            Failure("updateConfig", "has maxUnavailable and maxUnavailablePercentage; EKS takes one of them")
        ]
    return []


def _launch_template(resource: Resource) -> list[Failure]:
    template = fields(resource.inputs.get("launchTemplate"))
    wrong = "diskSize" if template and resource.inputs.get("diskSize") is not None else ""
    return (
        [Failure(wrong, "is given beside launchTemplate; the disk belongs in the template")] if wrong else []
    )


_AMI_TYPES_TEXT: Final = (
    "AL2_x86_64 AL2_x86_64_GPU AL2_ARM_64 CUSTOM BOTTLEROCKET_ARM_64 BOTTLEROCKET_x86_64 BOTTLEROCKET_ARM_64_FIPS "
    "BOTTLEROCKET_x86_64_FIPS BOTTLEROCKET_ARM_64_NVIDIA BOTTLEROCKET_x86_64_NVIDIA BOTTLEROCKET_ARM_64_NVIDIA_FIPS "
    "BOTTLEROCKET_x86_64_NVIDIA_FIPS WINDOWS_CORE_2019_x86_64 WINDOWS_FULL_2019_x86_64 WINDOWS_CORE_2022_x86_64 "
    "WINDOWS_FULL_2022_x86_64 WINDOWS_CORE_2025_x86_64 WINDOWS_FULL_2025_x86_64 AL2023_x86_64_STANDARD "
    "AL2023_ARM_64_STANDARD AL2023_x86_64_NEURON AL2023_x86_64_NVIDIA AL2023_ARM_64_NVIDIA"
)
_AMI_TYPES: Final = _AMI_TYPES_TEXT.split()
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
    "ec2:LaunchTemplate": [
        matches("name", r"[A-Za-z0-9().\-/_]{3,128}", "3 to 128 letters, digits and ( ) . - / _"),
        one_of("metadataOptions.httpTokens", ("optional", "required")),
        one_of("metadataOptions.httpEndpoint", ("enabled", "disabled")),
        one_of("metadataOptions.instanceMetadataTags", ("enabled", "disabled")),
        between("metadataOptions.httpPutResponseHopLimit", 1, 64),
        one_of("blockDeviceMappings.ebs.volumeType", ("standard", "gp2", "gp3", "io1", "io2", "sc1", "st1")),
        one_of("instanceInitiatedShutdownBehavior", ("stop", "terminate")),
        _instance_type("instanceType"),
    ],
    "eks:Cluster": [
        matches(
            "name", r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}", "1 to 100 letters, digits, hyphens and underscores"
        ),
        matches("version", r"1\.\d{2}", "a Kubernetes version such as 1.36"),
        one_of("accessConfig.authenticationMode", ("API", "API_AND_CONFIG_MAP", "CONFIG_MAP")),
        one_of("enabledClusterLogTypes", ("api", "audit", "authenticator", "controllerManager", "scheduler")),
        one_of("upgradePolicy.supportType", ("STANDARD", "EXTENDED")),
        one_of("kubernetesNetworkConfig.ipFamily", ("ipv4", "ipv6")),
        one_of("encryptionConfig.resources", ("secrets",)),
        one_of("controlPlaneScalingConfig.tier", ("standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl")),
    ],
    "eks:NodeGroup": [
        at_most("nodeGroupName", 63),
        one_of("capacityType", ("ON_DEMAND", "SPOT", "CAPACITY_BLOCK")),
        one_of("amiType", _AMI_TYPES),
        one_of("taints.effect", ("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE")),
        one_of("updateConfig.updateStrategy", ("DEFAULT", "MINIMAL")),
        between("updateConfig.maxUnavailablePercentage", 1, 100),
        between("updateConfig.maxUnavailable", 1, 100),
        between("scalingConfig.minSize", 0, 5000),
        between("scalingConfig.maxSize", 1, 5000),
        _instance_type("instanceTypes"),
        _scaling,
        _update_config,
        _launch_template,
    ],
    "eks:Addon": [
        one_of("resolveConflictsOnCreate", ("NONE", "OVERWRITE")),
        one_of("resolveConflictsOnUpdate", ("NONE", "OVERWRITE", "PRESERVE")),
    ],
    "eks:AccessEntry": [
        one_of(
            "type",
            (
                "STANDARD",
                "EC2_LINUX",
                "EC2_WINDOWS",
                "FARGATE_LINUX",
                "EC2",
                "HYBRID_LINUX",
                "HYPERPOD_LINUX",
            ),
        )
    ],
    "eks:AccessPolicyAssociation": [one_of("accessScope.type", ("cluster", "namespace"))],
    "wafv2:WebAcl": [
        one_of("scope", ("REGIONAL", "CLOUDFRONT")),
        matches("name", r"[\w-]{1,128}", "1 to 128 letters, digits, hyphens and underscores"),
        between("rules.statement.rateBasedStatement.limit", 10, 2_000_000_000),
        one_of("rules.statement.rateBasedStatement.evaluationWindowSec", (60, 120, 300, 600)),
        one_of(
            "rules.statement.rateBasedStatement.aggregateKeyType",
            ("IP", "FORWARDED_IP", "CONSTANT", "CUSTOM_KEYS"),
        ),
        _scope,
        _waf_actions,
    ],
    "wafv2:IpSet": [
        one_of("scope", ("REGIONAL", "CLOUDFRONT")),
        one_of("ipAddressVersion", ("IPV4", "IPV6")),
        _scope,
    ],
    "wafv2:RuleGroup": [one_of("scope", ("REGIONAL", "CLOUDFRONT")), _scope],
    "route53:Record": [
        _record,
        between("ttl", 0, 2_147_483_647),
        one_of(
            "type",
            (
                "A",
                "AAAA",
                "CAA",
                "CNAME",
                "DS",
                "HTTPS",
                "MX",
                "NAPTR",
                "NS",
                "PTR",
                "SOA",
                "SPF",
                "SRV",
                "SSHFP",
                "SVCB",
                "TLSA",
                "TXT",
            ),
        ),
        one_of("failoverRoutingPolicies.type", ("PRIMARY", "SECONDARY")),
        between("weightedRoutingPolicies.weight", 0, 255),
    ],
    "route53:HealthCheck": [
        one_of(
            "type",
            (
                "HTTP",
                "HTTPS",
                "HTTP_STR_MATCH",
                "HTTPS_STR_MATCH",
                "TCP",
                "CALCULATED",
                "CLOUDWATCH_METRIC",
                "RECOVERY_CONTROL",
            ),
        ),
        one_of("requestInterval", (10, 30)),
        between("failureThreshold", 1, 10),
        between("port", 1, 65535),
    ],
    "cloudfront:Distribution": [
        one_of("priceClass", ("PriceClass_All", "PriceClass_200", "PriceClass_100", "None")),
        one_of("httpVersion", ("http1.1", "http2", "http2and3", "http3")),
        one_of("defaultCacheBehavior.viewerProtocolPolicy", ("allow-all", "https-only", "redirect-to-https")),
        one_of(
            "orderedCacheBehaviors.viewerProtocolPolicy", ("allow-all", "https-only", "redirect-to-https")
        ),
        one_of("restrictions.geoRestriction.restrictionType", ("none", "whitelist", "blacklist")),
        one_of("viewerCertificate.sslSupportMethod", ("vip", "sni-only", "static-ip")),
    ],
    "cloudfront:OriginAccessControl": [
        one_of("originAccessControlOriginType", ("s3", "mediastore", "mediapackagev2", "lambda")),
        one_of("signingBehavior", ("always", "never", "no-override")),
        one_of("signingProtocol", ("sigv4",)),
    ],
    "acm:Certificate": [
        one_of("validationMethod", ("DNS", "EMAIL", "HTTP", "NONE")),
        matches("domainName", r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", "a domain name"),
    ],
}
