"""Web ACLs: their rules, what count mode changes, and what never reaches a log."""

from typing import Any

import pytest

from components.web_acl import WebAcl, WebAclLog
from infra.model.stack import EdgeSettings
from infra.traffic.waf import (
    MANAGED_GROUPS,
    Mode,
    RateRule,
    WebAclError,
    WebAclRules,
    global_rates,
    service_rates,
)
from services import CATALOGUE
from tests.unit.components.building import Built, build, context
from tests.unit.components.traffic import TrafficRecorder, virginia

ACL = "aws:wafv2/webAcl:WebAcl"
LOGGING = "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"
ASSOCIATION = "aws:wafv2/webAclAssociation:WebAclAssociation"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
EDGE = EdgeSettings(enabled=True, domain="parking.example.com")


def build_global(mode: Mode = "block") -> Built:
    def make(opts: Any) -> dict[str, Any]:
        acl = WebAcl(
            "global-web-acl",
            context=context(),
            scope="CLOUDFRONT",
            rules=WebAclRules(mode=mode, rates=global_rates(EDGE, CATALOGUE), managed=MANAGED_GROUPS),
            provider=virginia(opts),
            opts=opts,
        )
        return {"arn": acl.arn, "log": acl.log_group_name}

    return build(make, recorder=TrafficRecorder())


def build_regional(mode: Mode = "block", rates: tuple[RateRule, ...] | None = None) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        acl = WebAcl(
            "web-acl",
            context=context(),
            scope="REGIONAL",
            rules=WebAclRules(mode=mode, rates=service_rates(CATALOGUE) if rates is None else rates),
            log=WebAclLog(key_arn="arn:key", retention_days=30),
            resource_arn="arn:load-balancer",
            opts=opts,
        )
        return {"arn": acl.arn}

    return build(make, recorder=TrafficRecorder())


def rules(built: Built) -> dict[str, dict[str, Any]]:
    return {rule["name"]: rule for rule in built.recorder.one(ACL).inputs["rules"]}


def rate(rule: dict[str, Any]) -> dict[str, Any]:
    return rule["statement"]["rateBasedStatement"]


def test_the_global_web_acl_has_both_limits_and_all_four_managed_groups() -> None:
    known = rules(build_global())

    assert sorted(known, key=lambda name: known[name]["priority"]) == [
        "rate-login",
        "rate-per-address",
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesSQLiRuleSet",
    ]
    assert rate(known["rate-per-address"])["limit"] == 3000
    assert rate(known["rate-login"])["limit"] == 100


def test_addresses_are_counted_over_five_minutes_as_they_connect() -> None:
    known = rules(build_global())

    for name in ("rate-login", "rate-per-address"):
        assert rate(known[name])["evaluationWindowSec"] == 300
        assert rate(known[name])["aggregateKeyType"] == "IP"
    assert "scopeDownStatement" not in rate(known["rate-per-address"])


def test_login_protection_counts_login_requests_only_even_when_encoded() -> None:
    match = rate(rules(build_global())["rate-login"])["scopeDownStatement"]["byteMatchStatement"]

    assert match["searchString"] == "/auth/login"
    assert match["positionalConstraint"] == "STARTS_WITH"
    assert "uriPath" in match["fieldToMatch"]
    assert [change["type"] for change in match["textTransformations"]] == ["URL_DECODE", "NORMALIZE_PATH"]


def test_the_region_limits_each_service_by_the_address_that_our_edge_vouches_for() -> None:
    known = rules(build_regional())

    assert {name: rate(rule)["limit"] for name, rule in known.items()} == {
        f"rate-{service.name}": service.rate_limit_per_5_minutes for service in CATALOGUE
    }
    for service in CATALOGUE:
        statement = rate(known[f"rate-{service.name}"])
        assert statement["aggregateKeyType"] == "FORWARDED_IP"
        assert statement["forwardedIpConfig"] == {
            "headerName": "X-Viewer-Address",
            "fallbackBehavior": "MATCH",
        }
        assert (
            statement["scopeDownStatement"]["byteMatchStatement"]["searchString"] == service.path_prefixes[0]
        )


def test_a_service_with_two_prefixes_is_limited_over_both() -> None:
    built = build_regional(
        rates=(RateRule(name="rate-valet", limit=50, path_prefixes=("/valet", "/drivers")),)
    )
    statements = rate(rules(built)["rate-valet"])["scopeDownStatement"]["orStatement"]["statements"]

    assert [each["byteMatchStatement"]["searchString"] for each in statements] == ["/valet", "/drivers"]


def test_blocking_answers_429_and_leaves_managed_groups_their_own_actions() -> None:
    known = rules(build_global("block"))

    assert known["rate-login"]["action"] == {"block": {"customResponse": {"responseCode": 429}}}
    for group in MANAGED_GROUPS:
        assert known[group.name]["overrideAction"] == {"none": {}}
        assert "action" not in known[group.name]


def test_count_mode_blocks_nothing() -> None:
    known = rules(build_global("count"))

    for name, rule in known.items():
        key = "action" if name.startswith("rate-") else "overrideAction"
        assert rule[key] == {"count": {}}
        assert "block" not in str(rule)


def test_credentials_are_redacted_and_only_matches_are_logged() -> None:
    for built in (build_global(), build_regional()):
        inputs = built.recorder.one(LOGGING).inputs

        assert {field["singleHeader"]["name"] for field in inputs["redactedFields"]} == {
            "authorization",
            "cookie",
            "x-origin-verify",
        }
        assert inputs["loggingFilter"]["defaultBehavior"] == "DROP"
        (kept,) = inputs["loggingFilter"]["filters"]
        assert (kept["behavior"], kept["requirement"]) == ("KEEP", "MEETS_ANY")
        assert [each["actionCondition"]["action"] for each in kept["conditions"]] == ["BLOCK", "COUNT"]


def test_the_log_group_has_the_name_that_waf_writes_to_and_the_stacks_key() -> None:
    inputs = build_regional().recorder.one(LOG_GROUP).inputs

    assert inputs["name"] == "aws-waf-logs-parking-prod-web-acl-regional"
    assert (inputs["kmsKeyId"], inputs["retentionInDays"]) == ("arn:key", 30)


def test_a_regional_web_acl_is_associated_and_a_global_one_is_not() -> None:
    association = build_regional().recorder.one(ASSOCIATION).inputs

    assert association["resourceArn"] == "arn:load-balancer"
    assert build_global().recorder.of_type(ASSOCIATION) == []


def test_everything_of_a_global_web_acl_is_in_the_given_provider() -> None:
    built = build_global()

    for kind in (ACL, LOG_GROUP, LOGGING):
        (options,) = [options for (token, _), options in built.options.items() if token == kind]
        assert options.provider is not None


@pytest.mark.parametrize(
    ("scope", "resource_arn", "why"),
    [("REGIONAL", None, "without resource_arn"), ("CLOUDFRONT", "arn:x", "leave resource_arn out")],
)
def test_scope_and_resource_must_fit(scope: Any, resource_arn: str | None, why: str) -> None:
    def make(opts: Any) -> dict[str, Any]:
        rules = WebAclRules(mode="block", rates=())
        WebAcl("acl", context=context(), scope=scope, rules=rules, resource_arn=resource_arn, opts=opts)
        return {}

    with pytest.raises(WebAclError, match=why):
        build(make, recorder=TrafficRecorder())


def test_a_global_web_acl_needs_its_provider() -> None:
    def make(opts: Any) -> dict[str, Any]:
        WebAcl(
            "acl", context=context(), scope="CLOUDFRONT", rules=WebAclRules(mode="block", rates=()), opts=opts
        )
        return {}

    with pytest.raises(WebAclError, match="us-east-1"):
        build(make, recorder=TrafficRecorder())


def test_rules_over_the_budget_register_nothing() -> None:
    recorder = TrafficRecorder()
    rates = tuple(
        RateRule(name=f"rate-{number}", limit=100, path_prefixes=(f"/service-{number}",))
        for number in range(20)
    )

    def make(opts: Any) -> dict[str, Any]:
        rules = WebAclRules(mode="block", rates=rates, managed=MANAGED_GROUPS)
        WebAcl("acl", context=context(), scope="REGIONAL", rules=rules, resource_arn="arn:x", opts=opts)
        return {}

    with pytest.raises(WebAclError, match="1605 WCU"):
        build(make, recorder=recorder)
    assert recorder.resources == []
