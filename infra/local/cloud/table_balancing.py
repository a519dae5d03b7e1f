"""Load balancers, their target groups, listeners and rules in the cloud's calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from infra.local.cloud.requests import fill
from infra.local.cloud.rows import Call, Row, objects

Json = Any
_BALANCER: Final = {"LoadBalancerArn": "{id}"}
_GROUP: Final = {"TargetGroupArn": "{id}"}
_BALANCER_ATTRIBUTES: Final[Mapping[str, str]] = {
    "desyncMitigationMode": "routing.http.desync_mitigation_mode",
    "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
    "enableCrossZoneLoadBalancing": "load_balancing.cross_zone.enabled",
    "enableDeletionProtection": "deletion_protection.enabled",
    "enableHttp2": "routing.http2.enabled",
    "enableTlsVersionAndCipherSuiteHeaders": "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
    "enableWafFailOpen": "waf.fail_open.enabled",
    "enableXffClientPort": "routing.http.xff_client_port.enabled",
    "enableZonalShift": "zonal_shift.config.enabled",
    "idleTimeout": "idle_timeout.timeout_seconds",
    "preserveHostHeader": "routing.http.preserve_host_header.enabled",
    "xffHeaderProcessingMode": "routing.http.xff_header_processing.mode",
    "accessLogs.enabled": "access_logs.s3.enabled",
    "accessLogs.bucket": "access_logs.s3.bucket",
    "accessLogs.prefix": "access_logs.s3.prefix",
    "connectionLogs.enabled": "connection_logs.s3.enabled",
    "connectionLogs.bucket": "connection_logs.s3.bucket",
    "connectionLogs.prefix": "connection_logs.s3.prefix",
}
_GROUP_ATTRIBUTES: Final[Mapping[str, str]] = {
    "deregistrationDelay": "deregistration_delay.timeout_seconds",
    "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
    "loadBalancingAnomalyMitigation": "load_balancing.algorithm.anomaly_mitigation",
    "loadBalancingCrossZoneEnabled": "load_balancing.cross_zone.enabled",
    "slowStart": "slow_start.duration_seconds",
    "stickiness.enabled": "stickiness.enabled",
    "stickiness.type": "stickiness.type",
    "stickiness.cookieDuration": "stickiness.lb_cookie.duration_seconds",
    "targetGroupHealth.dnsFailover.minimumHealthyTargetsCount": (
        "target_group_health.dns_failover.minimum_healthy_targets.count"
    ),
    "targetGroupHealth.dnsFailover.minimumHealthyTargetsPercentage": (
        "target_group_health.dns_failover.minimum_healthy_targets.percentage"
    ),
    "targetGroupHealth.unhealthyStateRouting.minimumHealthyTargetsCount": (
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"
    ),
}
_CHECK: Final[Mapping[str, str]] = {
    "enabled": "HealthCheckEnabled",
    "interval": "HealthCheckIntervalSeconds",
    "timeout": "HealthCheckTimeoutSeconds",
    "path": "HealthCheckPath",
    "port": "HealthCheckPort",
    "protocol": "HealthCheckProtocol",
    "healthyThreshold": "HealthyThresholdCount",
    "unhealthyThreshold": "UnhealthyThresholdCount",
}
_CONDITIONS: Final[Mapping[str, tuple[str, str]]] = {
    "hostHeader": ("host-header", "HostHeaderConfig"),
    "httpHeader": ("http-header", "HttpHeaderConfig"),
    "httpRequestMethod": ("http-request-method", "HttpRequestMethodConfig"),
    "pathPattern": ("path-pattern", "PathPatternConfig"),
    "queryStrings": ("query-string", "QueryStringConfig"),
    "sourceIp": ("source-ip", "SourceIpConfig"),
}


def _action_names(path: str) -> dict[str, str]:
    return {
        f"{path}.{name}": member
        for name, member in {
            "fixedResponse": "FixedResponseConfig",
            "redirect": "RedirectConfig",
            "forward": "ForwardConfig",
            "forward.stickiness": "TargetGroupStickinessConfig",
            "forward.stickiness.duration": "DurationSeconds",
            "forward.targetGroups.arn": "TargetGroupArn",
        }.items()
    }


def _attributes(names: Mapping[str, str], operation: str, subject: Mapping[str, str]) -> Call:
    """What a load balancer or a target group has beside its making is told as a list of texts."""

    def finish(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
        found = {attribute: fill(f"{{{path}}}", values) for path, attribute in names.items()}
        arguments["Attributes"] = [
            {"Key": attribute, "Value": str(value).lower() if isinstance(value, bool) else _number(value)}
            for attribute, value in found.items()
            if value is not None
        ]

    when = " ".join(dict.fromkeys(path.partition(".")[0] for path in names))
    return Call(operation=operation, given=subject, when=when, finish=finish)


def _shown(names: Mapping[str, str], call: Call) -> dict[str, tuple[Call, str]]:
    """The same list read: each property with its text, or an object of texts."""
    tree: dict[str, Json] = {}
    for path, attribute in names.items():
        *outer, last = path.split(".")
        place = tree
        for part in outer:
            place = place.setdefault(part, {})
        place[last] = f"Attributes[?Key=='{attribute}'] | [0].Value"
    return {name: (call, _expression(value)) for name, value in tree.items()}


def _expression(value: Json) -> str:
    if isinstance(value, str):
        return value
    return "{" + ", ".join(f"{name}: {_expression(item)}" for name, item in value.items()) + "}"


def _number(value: Json) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _scheme(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    arguments["Scheme"] = "internal" if values.get("internal") else "internet-facing"


def _check(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """The parts of a health check are arguments of their own."""
    check: dict[str, Json] = values.get("healthCheck") or {}
    for name, member in _CHECK.items():
        if check.get(name) is not None:
            value = check[name]
            arguments[member] = int(value) if isinstance(value, float) else value
    if check.get("matcher"):
        arguments["Matcher"] = {"HttpCode": str(check["matcher"])}


def _conditions(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """Every kind of condition has a field and a place of its own."""
    found: list[dict[str, Json]] = []
    for condition in objects(values, "conditions"):
        for name, (field, member) in _CONDITIONS.items():
            given = objects(condition, name)
            if name == "queryStrings" and given:
                pairs = [{part.capitalize(): text for part, text in one.items()} for one in given]
                found.append({"Field": field, member: {"Values": pairs}})
            elif given:
                header = {"HttpHeaderName": given[0]["httpHeaderName"]} if name == "httpHeader" else {}
                found.append({"Field": field, member: {**header, "Values": given[0]["values"]}})
    arguments["Conditions"] = found


def _certificate(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    if values.get("certificateArn"):
        arguments["Certificates"] = [{"CertificateArn": values["certificateArn"]}]


def _suffix(found: Json) -> str | None:
    """What metrics name a balancer or group by: the end of its ARN."""
    arn = str(found.get("LoadBalancerArn" if "DNSName" in found else "TargetGroupArn") or "")
    return arn.partition(":loadbalancer/")[2] or arn.rpartition(":")[2] or None


_BALANCER_SETTINGS: Final = _attributes(_BALANCER_ATTRIBUTES, "modify_load_balancer_attributes", _BALANCER)
_GROUP_SETTINGS: Final = _attributes(_GROUP_ATTRIBUTES, "modify_target_group_attributes", _GROUP)

_KINDS: Final[Mapping[str, Row]] = {
    "LoadBalancer": Row(
        service="elbv2",
        create=(
            Call(operation="create_load_balancer", carries=True, given={"Name": "{name}"}, finish=_scheme),
            _BALANCER_SETTINGS,
        ),
        id="LoadBalancers[0].LoadBalancerArn",
        read=Call(operation="describe_load_balancers", given={"LoadBalancerArns": ["{id}"]}),
        found="LoadBalancers[0]",
        outputs={"dnsName": "DNSName", "vpcId": "VpcId", "arnSuffix": _suffix},
        sees={
            "subnets": "sort(AvailabilityZones[].SubnetId)",
            "securityGroups": "sort(SecurityGroups || `[]`)",
            "ipAddressType": "IpAddressType",
        },
        shows=_shown(
            _BALANCER_ATTRIBUTES, Call(operation="describe_load_balancer_attributes", given=_BALANCER)
        ),
        names={
            "loadBalancerType": "Type",
            "name": "LoadBalancerName",
            **dict.fromkeys(("accessLogs", "connectionLogs"), ""),
        },
        update=(
            Call(
                operation="set_subnets",
                given={**_BALANCER, "Subnets": "{subnets}"},
                when="subnets",
                needs="subnets",
            ),
            Call(
                operation="set_security_groups",
                given={**_BALANCER, "SecurityGroups": "{securityGroups}"},
                when="securityGroups",
            ),
            Call(
                operation="set_ip_address_type",
                given={**_BALANCER, "IpAddressType": "{ipAddressType}"},
                when="ipAddressType",
                needs="ipAddressType",
            ),
            _BALANCER_SETTINGS,
        ),
        delete=(
            # The provider has asked the record for protection already.
            Call(
                operation="modify_load_balancer_attributes",
                given={**_BALANCER, "Attributes": [{"Key": "deletion_protection.enabled", "Value": "false"}]},
            ),
            Call(operation="delete_load_balancer", given=_BALANCER),
        ),
        tags="{id}",
    ),
    "TargetGroup": Row(
        service="elbv2",
        create=(
            Call(operation="create_target_group", carries=True, given={"Name": "{name}"}, finish=_check),
            _GROUP_SETTINGS,
        ),
        id="TargetGroups[0].TargetGroupArn",
        read=Call(operation="describe_target_groups", given={"TargetGroupArns": ["{id}"]}),
        found="TargetGroups[0]",
        outputs={"arnSuffix": _suffix},
        sees={
            "healthCheck": (
                f"{{{', '.join(f'{name}: {member}' for name, member in _CHECK.items())}, matcher: Matcher.HttpCode}}"
            )
        },
        shows=_shown(_GROUP_ATTRIBUTES, Call(operation="describe_target_group_attributes", given=_GROUP)),
        names={"name": "TargetGroupName", "healthCheck": "", "stickiness": "", "targetGroupHealth": ""},
        update=(
            Call(operation="modify_target_group", given=_GROUP, when="healthCheck", finish=_check),
            _GROUP_SETTINGS,
        ),
        delete=(Call(operation="delete_target_group", given=_GROUP),),
        tags="{id}",
    ),
    "Listener": Row(
        service="elbv2",
        create=(Call(operation="create_listener", carries=True, finish=_certificate),),
        id="Listeners[0].ListenerArn",
        read=Call(operation="describe_listeners", given={"ListenerArns": ["{id}"]}),
        found="Listeners[0]",
        sees={"certificateArn": "Certificates[0].CertificateArn"},
        names={"certificateArn": "", **_action_names("defaultActions")},
        # Load balancers order and complete actions in their own way; the whole of them is compared.
        update=(
            Call(
                operation="modify_listener",
                given={"ListenerArn": "{id}"},
                carries="port protocol sslPolicy defaultActions",
                when="port protocol sslPolicy defaultActions certificateArn",
                finish=_certificate,
            ),
        ),
        delete=(Call(operation="delete_listener", given={"ListenerArn": "{id}"}),),
        tags="{id}",
    ),
    "ListenerRule": Row(
        service="elbv2",
        create=(Call(operation="create_rule", carries=True, finish=_conditions),),
        id="Rules[0].RuleArn",
        read=Call(operation="describe_rules", given={"RuleArns": ["{id}"]}),
        found="Rules[0]",
        names={"conditions": "", **_action_names("actions")},
        sees={"conditions": "Conditions"},
        update=(
            Call(
                operation="modify_rule",
                given={"RuleArn": "{id}"},
                carries="actions",
                when="actions conditions",
                finish=_conditions,
            ),
            Call(
                operation="set_rule_priorities",
                given={"RulePriorities": [{"RuleArn": "{id}", "Priority": "{priority}"}]},
                when="priority",
            ),
        ),
        delete=(Call(operation="delete_rule", given={"RuleArn": "{id}"}),),
        tags="{id}",
    ),
}

ROWS: Final[Mapping[str, Row]] = {
    f"{module}:{name}": row for module in ("lb", "alb") for name, row in _KINDS.items()
}
