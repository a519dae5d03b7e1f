"""The capacity of web ACLs, computed before AWS would refuse or bill it."""

import pytest

from infra.model.stack import EdgeSettings
from infra.traffic.waf import (
    MANAGED_GROUPS,
    RateRule,
    WebAclError,
    capacity,
    check_rules,
    global_rates,
    global_rules,
    regional_rules,
    service_rates,
)
from services import CATALOGUE

EDGE = EdgeSettings(
    enabled=True,
    domain="parking.example.com",
    rate_limit_per_5_minutes=500,
    login_rate_limit_per_5_minutes=50,
)


def test_managed_groups_take_1125_of_the_1500_units_in_the_base_price() -> None:
    assert capacity(managed=MANAGED_GROUPS, rates=()) == 1125


def test_the_global_and_the_regional_rules_fit_the_base_price() -> None:
    assert capacity(managed=MANAGED_GROUPS, rates=global_rates(EDGE, CATALOGUE)) == 1125 + 2 + 24
    assert capacity(managed=(), rates=service_rates(CATALOGUE)) == 6 * 24


def test_a_rule_over_two_prefixes_counts_both_and_the_choice() -> None:
    assert RateRule(name="r", limit=10, path_prefixes=("/a", "/b")).capacity == 2 + 2 * 22 + 1


def test_over_the_budget_the_error_says_what_takes_how_much() -> None:
    rates = tuple(RateRule(name=f"rate-{n}", limit=10, path_prefixes=("/a", "/b")) for n in range(8))

    with pytest.raises(WebAclError, match=r"1501 WCU.*AWSManagedRulesCommonRuleSet 700.*rate-7 47"):
        check_rules(managed=MANAGED_GROUPS, rates=rates)


def test_exactly_the_budget_is_accepted() -> None:
    rates = (
        *(RateRule(name=f"rate-{n}", limit=10, path_prefixes=("/a", "/b")) for n in range(7)),
        RateRule(name="path", limit=10, path_prefixes=("/a",)),
        *(RateRule(name=f"all-{n}", limit=10) for n in range(11)),
    )
    assert capacity(managed=MANAGED_GROUPS, rates=rates) == 1500
    check_rules(managed=MANAGED_GROUPS, rates=rates)


@pytest.mark.parametrize("limit", [9, 2_000_000_001])
def test_limits_that_aws_refuses_are_refused(limit: int) -> None:
    with pytest.raises(WebAclError, match="10 to 2,000,000,000"):
        check_rules(managed=(), rates=(RateRule(name="r", limit=limit),))


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(WebAclError, match="different names"):
        check_rules(managed=(), rates=(RateRule(name="r", limit=10), RateRule(name="r", limit=20)))


def test_login_endpoints_come_from_the_services_objectives() -> None:
    login, everything = global_rates(EDGE, CATALOGUE)

    assert (login.path_prefixes, login.limit) == (("/auth/login",), 50)
    assert (everything.path_prefixes, everything.limit) == ((), 500)


def test_without_a_login_endpoint_there_is_no_login_rule() -> None:
    without = tuple(service for service in CATALOGUE if service.name != "auth")

    assert [rule.name for rule in global_rates(EDGE, without)] == ["rate-per-address"]


def test_only_the_global_rules_have_the_managed_groups_and_both_take_the_settings_mode() -> None:
    counting = EDGE.model_copy(update={"web_acl_mode": "count"})

    assert [group.name for group in global_rules(EDGE, CATALOGUE).managed] == [
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesSQLiRuleSet",
    ]
    assert regional_rules(EDGE, CATALOGUE).managed == ()
    assert (global_rules(EDGE, CATALOGUE).mode, regional_rules(EDGE, CATALOGUE).mode) == ("block", "block")
    assert global_rules(counting, CATALOGUE).mode == regional_rules(counting, CATALOGUE).mode == "count"
