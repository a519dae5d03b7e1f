"""Hand-written rules for WAF, Route 53, CloudFront and ACM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from infra.local.providers.aws.rule_makers import between, matches, one_of
from infra.local.providers.check import Failure
from infra.local.providers.plugin import Checker, Resource
from infra.local.providers.values import entries, fields, text


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


TABLE: Final[Mapping[str, list[Checker]]] = {
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
