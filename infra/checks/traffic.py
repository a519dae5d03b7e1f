"""Checks of the way a request takes through the tiers: routes, web ACLs, time-outs, algorithms.

What the catalogue says is a problem of `services/`, what the stack file says is one of its keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from infra.model.service import Service
from infra.model.stack import StackSettings
from infra.problems import Problem
from infra.traffic import drain, timeouts, waf
from infra.traffic.mesh.destinations import is_hashed
from infra.traffic.routing import RouteError, plan_routes
from infra.traffic.timeouts import Wait


def traffic_problems(settings: StackSettings, catalogue: Sequence[Service]) -> Iterator[Problem]:
    """Every problem of the traffic tiers.

    Args:
        settings: The stack's settings.
        catalogue: The services that the stack deploys.
    """
    yield from _routes(catalogue)
    yield from _web_acls(settings, catalogue)
    yield from _affinity(catalogue)
    yield from _internet(settings, catalogue)
    yield from _canaries(settings)
    yield from _idle_connections(timeouts.idle_connections())
    for service in catalogue:
        yield from _health(service)
        yield from _answers(service)
        yield from _grace(service)


def _routes(catalogue: Sequence[Service]) -> Iterator[Problem]:
    try:
        plan_routes(catalogue)
    except RouteError as error:
        yield Problem(
            key="services (path_prefixes, rule_priority, health.path)",
            found=str(error),
            allowed="each service with paths, a priority and a health path of its own",
            why="the load balancer, the rate limits and the cache tell services apart by path and nothing else",
            action="change one of the services named, in its file of services/",
        )


def _web_acls(settings: StackSettings, catalogue: Sequence[Service]) -> Iterator[Problem]:
    edge = settings.edge
    rules = {"regional": waf.regional_rules(edge, catalogue)}
    if edge.enabled:
        rules["global"] = waf.global_rules(edge, catalogue)
    for scope, acl in rules.items():
        try:
            waf.check_rules(managed=acl.managed, rates=acl.rates)
        except waf.WebAclError as error:
            yield Problem(
                key=f"services (rules of the {scope} web ACL)",
                found=str(error),
                allowed=f"rules of together {waf.BASE_PRICE_CAPACITY} WCU at most, with limits that AWS takes",
                why="AWS bills a web ACL past its base capacity by request, and refuses one it cannot hold",
                action="merge path prefixes, or change the limits, in services/ or under parking:edge",
            )


def _affinity(catalogue: Sequence[Service]) -> Iterator[Problem]:
    for service in catalogue:
        balancing = service.load_balancing
        if is_hashed(service) and balancing.locality_affinity:
            yield Problem(
                key=f"services/{service.name}.py load_balancing.locality_affinity",
                found=f"true, with {balancing.mesh.value}",
                allowed="false with an algorithm that hashes",
                why="each zone would see other pods first, so one client would reach different pods by zone",
                action="drop locality_affinity, or choose another algorithm",
            )


def _internet(settings: StackSettings, catalogue: Sequence[Service]) -> Iterator[Problem]:
    for service in catalogue:
        own = settings.services.get(service.name)
        if own and own.internet_hosts and not service.calls_internet:
            yield Problem(
                key=f"parking:services.{service.name}.internetHosts",
                found=", ".join(own.internet_hosts),
                allowed="nothing, for a service that does not call the internet",
                why="its network policy lets nothing out to the internet, so the hosts could never be reached",
                action="remove the key, or set calls_internet in the service's file",
            )


def _canaries(settings: StackSettings) -> Iterator[Problem]:
    for name, own in settings.services.items():
        if own.canary_percent and own.canary_tag is None:
            yield Problem(
                key=f"parking:services.{name}.canaryPercent",
                found=f"{own.canary_percent}, without canaryTag",
                allowed="0, or a share together with canaryTag",
                why="without an image there are no canary pods, and their share of the requests would fail",
                action="add canaryTag, or set canaryPercent to 0",
            )
        if own.canary_tag == "latest":
            yield Problem(
                key=f"parking:services.{name}.canaryTag",
                found="latest",
                allowed="an immutable tag",
                why="what is on trial must stay the same for the length of the trial",
                action="name the version",
            )


def _idle_connections(waits: Sequence[Wait]) -> Iterator[Problem]:
    for receiver, sender in timeouts.impatient(waits):
        yield Problem(
            key="infra/traffic/timeouts.py",
            found=f"{receiver.who} {receiver.seconds:g} s, {sender.who} {sender.seconds:g} s",
            allowed=f"{receiver.who} over {sender.seconds:g} s",
            why="who receives must keep an idle connection longer than who sends, or requests meet a closed one",
            action="put the two in order",
        )


def _health(service: Service) -> Iterator[Problem]:
    for outer, inner in timeouts.impatient(timeouts.health_checks(service)):
        yield _impatient(f"services/{service.name}.py health.timeout_seconds", outer, inner)


def _answers(service: Service) -> Iterator[Problem]:
    for outer, inner in timeouts.impatient(timeouts.answers(service)):
        slowest = max(service.objectives, key=timeouts.operation_ms, default=None)
        which = f"objectives.{slowest.operation}" if slowest else "objectives"
        yield _impatient(f"services/{service.name}.py {which}", outer, inner)
    for objective in service.objectives:
        for outer, inner in timeouts.impatient(timeouts.operation(objective)):
            yield _impatient(
                f"services/{service.name}.py objectives.{objective.operation}.timeout_ms", outer, inner
            )


def _grace(service: Service) -> Iterator[Problem]:
    if not drain.grace_is_enough(service):
        yield Problem(
            key=f"services/{service.name}.py termination_grace_seconds",
            found=f"{service.termination_grace_seconds} s",
            allowed=f"more than {drain.explain_grace(service)}",
            why="Kubernetes kills a leaving pod when its grace ends, with the requests that it still serves",
            action="raise it, or shorten what it consists of",
        )


def _impatient(key: str, outer: Wait, inner: Wait) -> Problem:
    return Problem(
        key=key,
        found=f"{inner.who} {inner.seconds:g} s, {outer.who} {outer.seconds:g} s",
        allowed=f"{inner.who} under {outer.seconds:g} s, or {outer.who} over {inner.seconds:g} s",
        why="a tier that waits no longer than the one behind it gives up first, and that one's work is lost unseen",
        action="put them in order; infra/traffic/timeouts.py has the tiers' times, services/ the objectives",
    )
