"""A web ACL: managed rule groups, rate limits, and a log without credentials."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi_aws import wafv2

from components.base import Component
from infra.model.stack import LogRetentionDays
from infra.naming import StackContext
from infra.traffic.routing import ORIGIN_VERIFY_HEADER
from infra.traffic.waf import (
    PATH_TRANSFORMATIONS,
    RATE_WINDOW_SECONDS,
    ManagedGroup,
    Mode,
    RateRule,
    Scope,
    WebAclError,
    WebAclRules,
    check_rules,
)

REDACTED_HEADERS = ("authorization", "cookie", ORIGIN_VERIFY_HEADER.lower())
"""Headers whose values never reach the log."""
TOO_MANY_REQUESTS = 429

_Scoped = wafv2.WebAclRuleStatementRateBasedStatementScopeDownStatementArgs
_ScopedAny = wafv2.WebAclRuleStatementRateBasedStatementScopeDownStatementOrStatementArgs
_ScopedMatch = wafv2.WebAclRuleStatementRateBasedStatementScopeDownStatementByteMatchStatementArgs
_ScopedField = wafv2.WebAclRuleStatementRateBasedStatementScopeDownStatementByteMatchStatementFieldToMatchArgs
_UriPath = (
    wafv2.WebAclRuleStatementRateBasedStatementScopeDownStatementByteMatchStatementFieldToMatchUriPathArgs
)
_Change = (
    wafv2.WebAclRuleStatementRateBasedStatementScopeDownStatementByteMatchStatementTextTransformationArgs
)


@dataclass(frozen=True, kw_only=True)
class WebAclLog:
    """Where and how long a web ACL logs.

    Attributes:
        key_arn: Customer key of the log group, in the web ACL's region; none: CloudWatch's own.
        retention_days: Days that the log is kept.
    """

    key_arn: pulumi.Input[str] | None = None
    retention_days: LogRetentionDays = 90


class WebAcl(Component):
    """AWS WAF rules in front of a load balancer (REGIONAL) or a CloudFront distribution (CLOUDFRONT).

    Rate rules come first, so that a flood never costs a managed group's inspection; the default is to allow.
    In `count` mode every rule only counts. Clients over a rate limit get 429. Only requests that a rule
    blocked or counted are logged, with the values of `authorization`, `cookie` and the origin secret's header
    redacted.

    Args:
        name: Logical name, e.g. `web-acl`; children are `<name>-rules`, `<name>-logs`, `<name>-logging` and
            `<name>-association`.
        context: Names, tags and protection of the stack.
        scope: `REGIONAL`, or `CLOUDFRONT`, which exists in us-east-1 only.
        rules: Mode, rate limits and managed groups; see `infra.traffic.waf` for both scopes' rules.
        log: Key and retention (default 90 days) of the log.
        resource_arn: What a REGIONAL web ACL protects; a distribution names its web ACL itself.
        provider: Explicit AWS provider; of us-east-1 for CLOUDFRONT.
        opts: Options of the component.

    Outputs:
        arn: The web ACL.
        metric_name: Its name in metrics (dimension `WebACL`).
        log_group_name: Where its log is.

    Raises:
        WebAclError: When the rules need over 1,500 WCU or AWS would refuse them, or scope and arguments differ.

    Source of the numbers: 1,500 WCU are in the base price (AWS WAF pricing); limits are settings and `services/`.
    """

    arn: pulumi.Output[str]
    metric_name: str
    log_group_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        scope: Scope,
        rules: WebAclRules,
        log: WebAclLog | None = None,
        resource_arn: pulumi.Input[str] | None = None,
        provider: pulumi.ProviderResource | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        check_rules(managed=rules.managed, rates=rules.rates)
        _require_scope(scope, resource_arn, provider)
        super().__init__("WebAcl", name, context=context, opts=opts)
        self._aws_provider = provider
        self.metric_name = context.name(name, scope.lower(), limit=128)
        web_acl = self._create_rules(scope, rules)
        log_group = self._create_log_group(log or WebAclLog())
        self._create_logging(web_acl, log_group)
        if resource_arn is not None:
            self._create_association(web_acl, resource_arn)
        self.arn = web_acl.arn
        self.log_group_name = log_group.name
        self.register_outputs(
            {"arn": self.arn, "metricName": self.metric_name, "logGroupName": self.log_group_name}
        )

    def _create_rules(self, scope: Scope, rules: WebAclRules) -> wafv2.WebAcl:
        limits = [_rate_rule(rate, index, rules.mode) for index, rate in enumerate(rules.rates)]
        groups = [
            _managed_rule(group, len(limits) + index, rules.mode) for index, group in enumerate(rules.managed)
        ]
        return wafv2.WebAcl(
            f"{self._name}-rules",
            name=self.metric_name,
            description=f"{scope.lower()} rules of {self.context.name()}, mode {rules.mode}",
            scope=scope,
            default_action=wafv2.WebAclDefaultActionArgs(allow=wafv2.WebAclDefaultActionAllowArgs()),
            rules=[*limits, *groups],
            visibility_config=wafv2.WebAclVisibilityConfigArgs(
                cloudwatch_metrics_enabled=True, metric_name=self.metric_name, sampled_requests_enabled=True
            ),
            tags=self.tags(),
            opts=self.child(provider=self._aws_provider),
        )

    def _create_log_group(self, log: WebAclLog) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            f"{self._name}-logs",
            # AWS WAF writes only to groups whose names begin so.
            name=f"aws-waf-logs-{self.metric_name}",
            retention_in_days=log.retention_days,
            kms_key_id=log.key_arn,
            tags=self.tags(),
            opts=self.child(provider=self._aws_provider),
        )

    def _create_logging(self, web_acl: wafv2.WebAcl, log_group: aws.cloudwatch.LogGroup) -> None:
        condition = wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionArgs
        action = wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionActionConditionArgs
        wafv2.WebAclLoggingConfiguration(
            f"{self._name}-logging",
            resource_arn=web_acl.arn,
            log_destination_configs=[log_group.arn],
            redacted_fields=[
                wafv2.WebAclLoggingConfigurationRedactedFieldArgs(
                    single_header=wafv2.WebAclLoggingConfigurationRedactedFieldSingleHeaderArgs(name=header)
                )
                for header in REDACTED_HEADERS
            ],
            logging_filter=wafv2.WebAclLoggingConfigurationLoggingFilterArgs(
                default_behavior="DROP",
                filters=[
                    wafv2.WebAclLoggingConfigurationLoggingFilterFilterArgs(
                        behavior="KEEP",
                        requirement="MEETS_ANY",
                        conditions=[
                            condition(action_condition=action(action="BLOCK")),
                            condition(action_condition=action(action="COUNT")),
                        ],
                    )
                ],
            ),
            opts=self.child(provider=self._aws_provider),
        )

    def _create_association(self, web_acl: wafv2.WebAcl, resource_arn: pulumi.Input[str]) -> None:
        wafv2.WebAclAssociation(
            f"{self._name}-association",
            resource_arn=resource_arn,
            web_acl_arn=web_acl.arn,
            opts=self.child(provider=self._aws_provider),
        )


def _require_scope(
    scope: Scope, resource_arn: pulumi.Input[str] | None, provider: pulumi.ProviderResource | None
) -> None:
    if scope == "REGIONAL" and resource_arn is None:
        raise WebAclError("a REGIONAL web ACL protects nothing without resource_arn")
    if scope == "CLOUDFRONT" and resource_arn is not None:
        raise WebAclError("a CLOUDFRONT web ACL is named by its distribution: leave resource_arn out")
    if scope == "CLOUDFRONT" and provider is None:
        raise WebAclError("a CLOUDFRONT web ACL lives in us-east-1: pass a provider of that region")


def _rate_rule(rate: RateRule, priority: int, mode: Mode) -> wafv2.WebAclRuleArgs:
    too_many = wafv2.WebAclRuleActionBlockArgs(
        custom_response=wafv2.WebAclRuleActionBlockCustomResponseArgs(response_code=TOO_MANY_REQUESTS)
    )
    return wafv2.WebAclRuleArgs(
        name=rate.name,
        priority=priority,
        action=wafv2.WebAclRuleActionArgs(block=too_many)
        if mode == "block"
        else wafv2.WebAclRuleActionArgs(count=wafv2.WebAclRuleActionCountArgs()),
        statement=wafv2.WebAclRuleStatementArgs(rate_based_statement=_rate_statement(rate)),
        visibility_config=_visibility(rate.name),
    )


def _rate_statement(rate: RateRule) -> wafv2.WebAclRuleStatementRateBasedStatementArgs:
    forwarded = None
    if rate.address_header is not None:
        forwarded = wafv2.WebAclRuleStatementRateBasedStatementForwardedIpConfigArgs(
            header_name=rate.address_header,
            # Our own edge always sends a valid address: anything else is counted together, as one client.
            fallback_behavior="MATCH",
        )
    return wafv2.WebAclRuleStatementRateBasedStatementArgs(
        limit=rate.limit,
        evaluation_window_sec=RATE_WINDOW_SECONDS,
        aggregate_key_type="IP" if forwarded is None else "FORWARDED_IP",
        forwarded_ip_config=forwarded,
        scope_down_statement=_paths_statement(rate.path_prefixes),
    )


def _paths_statement(prefixes: tuple[str, ...]) -> _Scoped | None:
    matches = [
        _Scoped(
            byte_match_statement=_ScopedMatch(
                search_string=prefix,
                positional_constraint="STARTS_WITH",
                field_to_match=_ScopedField(uri_path=_UriPath()),
                text_transformations=[
                    _Change(priority=index, type=change) for index, change in enumerate(PATH_TRANSFORMATIONS)
                ],
            )
        )
        for prefix in prefixes
    ]
    if len(matches) > 1:
        return _Scoped(or_statement=_ScopedAny(statements=matches))
    return matches[0] if matches else None


def _managed_rule(group: ManagedGroup, priority: int, mode: Mode) -> wafv2.WebAclRuleArgs:
    return wafv2.WebAclRuleArgs(
        name=group.name,
        priority=priority,
        # A group has actions of its own, so it takes an override in place of an action.
        override_action=wafv2.WebAclRuleOverrideActionArgs(none=wafv2.WebAclRuleOverrideActionNoneArgs())
        if mode == "block"
        else wafv2.WebAclRuleOverrideActionArgs(count=wafv2.WebAclRuleOverrideActionCountArgs()),
        statement=wafv2.WebAclRuleStatementArgs(
            managed_rule_group_statement=wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs(
                vendor_name="AWS", name=group.name
            )
        ),
        visibility_config=_visibility(group.name),
    )


def _visibility(metric: str) -> wafv2.WebAclRuleVisibilityConfigArgs:
    return wafv2.WebAclRuleVisibilityConfigArgs(
        cloudwatch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=True
    )
