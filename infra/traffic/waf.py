"""Rules of the web ACLs as data, and what they cost in WAF capacity units (WCU)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from infra.model.service import Service
from infra.model.stack import EdgeSettings
from infra.traffic.routing import VIEWER_ADDRESS_HEADER

Scope = Literal["REGIONAL", "CLOUDFRONT"]
Mode = Literal["count", "block"]

BASE_PRICE_CAPACITY = 1500
"""WCU in a web ACL's base price; more is billed by request."""
RATE_WINDOW_SECONDS = 300
LOGIN_OPERATION = "login"
"""Name of the objective whose path gets the login protection."""

_RATE_RULE_CAPACITY = 2
_PATH_MATCH_CAPACITY = 2
_OR_CAPACITY = 1
_TRANSFORMATION_CAPACITY = 10
PATH_TRANSFORMATIONS = ("URL_DECODE", "NORMALIZE_PATH")
"""Applied to a path before it is compared, so that `/a/../login` or `%6Cogin` does not slip by."""


class WebAclError(ValueError):
    """Rules that AWS WAF would refuse or bill beyond the base price."""


@dataclass(frozen=True, kw_only=True)
class ManagedGroup:
    """A rule group that AWS maintains: its name and its capacity in WCU."""

    name: str
    capacity: int


MANAGED_GROUPS = (
    ManagedGroup(name="AWSManagedRulesAmazonIpReputationList", capacity=25),
    ManagedGroup(name="AWSManagedRulesCommonRuleSet", capacity=700),
    ManagedGroup(name="AWSManagedRulesKnownBadInputsRuleSet", capacity=200),
    ManagedGroup(name="AWSManagedRulesSQLiRuleSet", capacity=200),
)
"""Groups of the global web ACL, cheapest verdict first. Capacities: AWS WAF's list of managed rule groups."""


@dataclass(frozen=True, kw_only=True)
class RateRule:
    """A limit for each client address.

    Attributes:
        name: Name of the rule and its metric; letters, digits and hyphens.
        limit: Requests that one address may make in five minutes; 10 to 2,000,000,000.
        path_prefixes: Paths it counts; none: all.
        address_header: Header with the client's address; none: the address that connects.
    """

    name: str
    limit: int
    path_prefixes: tuple[str, ...] = ()
    address_header: str | None = None

    @property
    def capacity(self) -> int:
        """WCU of the rule; transformations are counted for every match, which is an upper bound."""
        match = _PATH_MATCH_CAPACITY + _TRANSFORMATION_CAPACITY * len(PATH_TRANSFORMATIONS)
        either = _OR_CAPACITY if len(self.path_prefixes) > 1 else 0
        return _RATE_RULE_CAPACITY + match * len(self.path_prefixes) + either


@dataclass(frozen=True, kw_only=True)
class WebAclRules:
    """What a web ACL does.

    Attributes:
        mode: `block`, or `count` to watch new rules before they bite.
        rates: Limits for each client address over five minutes, asked in this order.
        managed: Groups that AWS maintains, asked after the limits; none: only limits.
    """

    mode: Mode
    rates: tuple[RateRule, ...]
    managed: tuple[ManagedGroup, ...] = ()


def capacity(*, managed: Sequence[ManagedGroup], rates: Sequence[RateRule]) -> int:
    """WCU of a web ACL's rules together."""
    return sum(group.capacity for group in managed) + sum(rule.capacity for rule in rates)


def check_rules(*, managed: Sequence[ManagedGroup], rates: Sequence[RateRule]) -> None:
    """Refuse rules that AWS would refuse, or that would cost more than the base price.

    Raises:
        WebAclError: When the capacity is over 1,500 WCU, a limit is out of range or names repeat.
    """
    total = capacity(managed=managed, rates=rates)
    if total > BASE_PRICE_CAPACITY:
        parts = ", ".join(
            [f"{group.name} {group.capacity}" for group in managed]
            + [f"{r.name} {r.capacity}" for r in rates]
        )
        raise WebAclError(
            f"the web ACL needs {total} WCU; {BASE_PRICE_CAPACITY} are in the base price. Drop or merge rules: {parts}"
        )
    for rule in rates:
        if not 10 <= rule.limit <= 2_000_000_000:
            raise WebAclError(
                f"rate rule {rule.name} has limit {rule.limit}; AWS takes 10 to 2,000,000,000 requests per window"
            )
    names = [group.name for group in managed] + [rule.name for rule in rates]
    if len(set(names)) != len(names):
        raise WebAclError(f"rules of a web ACL need different names; found {names}")


def global_rates(settings: EdgeSettings, services: Sequence[Service]) -> tuple[RateRule, ...]:
    """Rate rules of the global web ACL: login endpoints first, then everything.

    Args:
        settings: The global tier, with both limits.
        services: The catalogue; a login endpoint is the path of an objective named `login`.
    """
    logins = tuple(
        dict.fromkeys(
            objective.path
            for service in services
            for objective in service.objectives
            if objective.operation == LOGIN_OPERATION
        )
    )
    everything = RateRule(name="rate-per-address", limit=settings.rate_limit_per_5_minutes)
    if not logins:
        return (everything,)
    login = RateRule(name="rate-login", limit=settings.login_rate_limit_per_5_minutes, path_prefixes=logins)
    return (login, everything)


def service_rates(services: Sequence[Service]) -> tuple[RateRule, ...]:
    """Rate rules of a regional web ACL: one for each service's paths.

    The region sees CloudFront's addresses only, so clients are told apart by the header that CloudFront sets.
    """
    return tuple(
        RateRule(
            name=f"rate-{service.name}",
            limit=service.rate_limit_per_5_minutes,
            path_prefixes=service.path_prefixes,
            address_header=VIEWER_ADDRESS_HEADER,
        )
        for service in services
    )


def global_rules(settings: EdgeSettings, services: Sequence[Service]) -> WebAclRules:
    """Rules of the global web ACL: both limits, then every managed group."""
    return WebAclRules(
        mode=settings.web_acl_mode, rates=global_rates(settings, services), managed=MANAGED_GROUPS
    )


def regional_rules(settings: EdgeSettings, services: Sequence[Service]) -> WebAclRules:
    """Rules of a regional web ACL: each service's limit; the managed groups have seen the request before."""
    return WebAclRules(mode=settings.web_acl_mode, rates=service_rates(services))
