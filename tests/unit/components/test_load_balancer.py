"""The regional load balancer: who gets in, what goes where, and how each service is balanced."""

from typing import Any

import pytest

from components.load_balancer import LoadBalancer, LoadBalancerNetwork
from infra.model.service import Service
from infra.traffic.timeouts import CLOUDFRONT_KEEP_ALIVE_SECONDS
from services import CATALOGUE
from tests.unit.components.building import Built, build, context
from tests.unit.components.traffic import SECRETS, TrafficRecorder, is_secret, revealed
from tests.unit.recording import Recorded

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LISTENER = "aws:lb/listener:Listener"
RULE = "aws:lb/listenerRule:ListenerRule"
TARGETS = "aws:lb/targetGroup:TargetGroup"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"

SUBNETS = ("subnet-a", "subnet-b")
CLOUDFRONT = "list-of-com.amazonaws.global.cloudfront.origin-facing"


def build_balancer(
    *,
    services: tuple[Service, ...] = CATALOGUE,
    secrets: tuple[str, ...] = SECRETS,
    subnets: tuple[str, ...] = SUBNETS,
    protect: bool = True,
) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        balancer = LoadBalancer(
            "load-balancer",
            context=context(protect=protect),
            services=services,
            network=LoadBalancerNetwork(
                vpc_id="vpc-1",
                vpc_cidr="10.0.0.0/16",
                public_subnet_ids=subnets,
                target_security_group_id="sg-nodes",
                target_port=8443,
            ),
            certificate_arn="arn:certificate",
            origin_secrets=secrets,
            log_bucket="the-logs",
            opts=opts,
        )
        return {"targets": balancer.target_group_arns, "group": balancer.security_group_id}

    return build(make, recorder=TrafficRecorder())


@pytest.fixture(scope="module")
def built() -> Built:
    return build_balancer()


def rules(built: Built) -> dict[str, dict[str, Any]]:
    return {
        rule.name.removeprefix("load-balancer-"): revealed(rule.inputs)
        for rule in built.recorder.of_type(RULE)
    }


def header_values(rule: dict[str, Any]) -> list[str] | None:
    found = [condition["httpHeader"] for condition in rule["conditions"] if "httpHeader" in condition]
    assert all(header["httpHeaderName"] == "X-Origin-Verify" for header in found)
    return found[0]["values"] if found else None


def paths(rule: dict[str, Any]) -> list[str]:
    return [
        path for each in rule["conditions"] if "pathPattern" in each for path in each["pathPattern"]["values"]
    ]


def test_the_load_balancer_is_hardened_and_logs_requests_and_connections(built: Built) -> None:
    inputs = built.recorder.one(BALANCER).inputs

    assert inputs["loadBalancerType"] == "application"
    assert inputs["internal"] is False
    assert inputs["dropInvalidHeaderFields"] is True
    assert inputs["desyncMitigationMode"] == "strictest"
    assert inputs["enableCrossZoneLoadBalancing"] is True
    assert inputs["enableHttp2"] is True
    assert inputs["enableWafFailOpen"] is False
    assert inputs["enableDeletionProtection"] is True
    assert inputs["subnets"] == list(SUBNETS)
    assert inputs["accessLogs"] == {"bucket": "the-logs", "enabled": True, "prefix": "load-balancer"}
    assert inputs["connectionLogs"] == {
        "bucket": "the-logs",
        "enabled": True,
        "prefix": "load-balancer-connections",
    }


def test_it_waits_longer_than_cloudfront_before_it_closes_an_idle_connection(built: Built) -> None:
    assert built.recorder.one(BALANCER).inputs["idleTimeout"] == 45
    assert CLOUDFRONT_KEEP_ALIVE_SECONDS < 45


def test_the_last_forwarded_address_stays_the_one_that_cloudfront_saw(built: Built) -> None:
    assert built.recorder.one(BALANCER).inputs["xffHeaderProcessingMode"] == "preserve"


def test_deletion_protection_is_off_where_the_stack_does_not_protect() -> None:
    assert build_balancer(protect=False).recorder.one(BALANCER).inputs["enableDeletionProtection"] is False


def doors(built: Built) -> list[Recorded]:
    """Rules that let somebody in to the load balancer itself."""
    return [r for r in built.recorder.of_type(INGRESS) if r.inputs["securityGroupId"] != "sg-nodes"]


def test_the_pods_admit_the_load_balancer_on_their_port_only(built: Built) -> None:
    rules = [r.inputs for r in built.recorder.of_type(INGRESS) if r.inputs["securityGroupId"] == "sg-nodes"]

    assert len(rules) == 1
    assert rules[0]["referencedSecurityGroupId"] == built.outputs["group"]
    assert (rules[0]["fromPort"], rules[0]["toPort"], rules[0]["ipProtocol"]) == (8443, 8443, "tcp")


def test_only_cloudfront_and_route_53_health_checkers_are_let_in(built: Built) -> None:
    admitted = {
        (rule.inputs["prefixListId"], rule.inputs["fromPort"], rule.inputs["toPort"]) for rule in doors(built)
    }

    assert admitted == {
        (CLOUDFRONT, 443, 443),
        (CLOUDFRONT, 80, 80),
        ("list-of-com.amazonaws.us-east-1.route53-healthchecks", 443, 443),
    }
    for rule in doors(built):
        assert not {"cidrIpv4", "cidrIpv6", "referencedSecurityGroupId"} & set(rule.inputs)
    for group in built.recorder.of_type(GROUP):
        assert not {"ingress", "egress"} & set(group.inputs)


def test_each_prefix_list_has_a_security_group_of_its_own(built: Built) -> None:
    # CloudFront's list counts as 55 rules, and a group takes 60.
    groups = [rule.inputs["securityGroupId"] for rule in doors(built)]

    assert len(set(groups)) == len(groups) == 3
    assert sorted(built.recorder.one(BALANCER).inputs["securityGroups"]) == sorted(groups)


def test_the_load_balancer_reaches_nothing_but_the_pods_port_in_the_vpc(built: Built) -> None:
    egress = built.recorder.one(EGRESS).inputs

    assert (egress["cidrIpv4"], egress["fromPort"], egress["toPort"]) == ("10.0.0.0/16", 8443, 8443)
    assert egress["securityGroupId"] == built.outputs["group"]


def test_http_is_redirected_for_good(built: Built) -> None:
    inputs = built.recorder.one(LISTENER, "load-balancer-http").inputs

    assert (inputs["port"], inputs["protocol"]) == (80, "HTTP")
    assert inputs["defaultActions"] == [
        {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}
    ]


def test_https_needs_tls_1_2_and_refuses_by_default(built: Built) -> None:
    inputs = built.recorder.one(LISTENER, "load-balancer-https").inputs

    assert (inputs["port"], inputs["protocol"]) == (443, "HTTPS")
    assert inputs["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
    assert inputs["certificateArn"] == "arn:certificate"
    (action,) = inputs["defaultActions"]
    assert action["type"] == "fixed-response"
    assert action["fixedResponse"]["statusCode"] == "403"


@pytest.mark.parametrize(
    ("service", "algorithm", "sticky", "slow_start", "anomaly"),
    [
        ("auth", "round_robin", 3600, 30, None),
        ("parking", "least_outstanding_requests", None, 0, None),
        ("payment", "round_robin", 3600, 0, None),
        ("analytics", "weighted_random", None, 0, "on"),
        ("notification", "round_robin", None, 0, None),
        ("configuration", "round_robin", None, 0, None),
    ],
)
def test_each_service_is_balanced_as_the_design_says(
    built: Built, service: str, algorithm: str, sticky: int | None, slow_start: int, anomaly: str | None
) -> None:
    inputs = built.recorder.one(TARGETS, f"load-balancer-{service}").inputs

    assert inputs["loadBalancingAlgorithmType"] == algorithm
    assert inputs["stickiness"].get("cookieDuration") == sticky
    assert inputs["stickiness"]["enabled"] is (sticky is not None)
    assert inputs["slowStart"] == slow_start
    assert inputs.get("loadBalancingAnomalyMitigation") == anomaly


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda service: service.name)
def test_target_groups_speak_tls_to_pods_and_ask_the_services_health_path(
    built: Built, service: Service
) -> None:
    inputs = built.recorder.one(TARGETS, f"load-balancer-{service.name}").inputs

    assert (inputs["targetType"], inputs["protocol"], inputs["port"]) == ("ip", "HTTPS", 8443)
    assert inputs["deregistrationDelay"] == service.load_balancing.deregistration_delay_seconds
    assert inputs["healthCheck"]["path"] == service.health.path
    assert inputs["healthCheck"]["protocol"] == "HTTPS"
    assert inputs["healthCheck"]["matcher"] == "200"
    assert inputs["healthCheck"]["interval"] == service.health.interval_seconds
    assert len(inputs["name"]) <= 32


def test_only_critical_services_take_their_region_out_of_dns(built: Built) -> None:
    needed = {
        group.name.removeprefix("load-balancer-"): group.inputs["targetGroupHealth"]["dnsFailover"][
            "minimumHealthyTargetsCount"
        ]
        for group in built.recorder.of_type(TARGETS)
    }

    assert needed == {
        "auth": "1",
        "parking": "1",
        "payment": "1",
        "notification": "off",
        "analytics": "off",
        "configuration": "off",
    }


@pytest.mark.parametrize("service", CATALOGUE, ids=lambda service: service.name)
def test_paths_of_a_service_need_the_secret_and_go_to_its_target_group(
    built: Built, service: Service
) -> None:
    rule = rules(built)[service.name]
    (prefix,) = service.path_prefixes

    assert paths(rule) == [prefix, f"{prefix}/*"]
    assert header_values(rule) == list(SECRETS)
    assert rule["priority"] == service.rule_priority
    assert rule["actions"] == [{"type": "forward", "targetGroupArn": built.outputs["targets"][service.name]}]


def test_nothing_but_health_paths_is_answered_without_the_secret(built: Built) -> None:
    open_paths = sorted(
        path for rule in rules(built).values() if not header_values(rule) for path in paths(rule)
    )

    assert open_paths == sorted(service.health.path for service in CATALOGUE)


def test_the_secret_stays_a_secret_even_when_given_in_clear(built: Built) -> None:
    for rule in built.recorder.of_type(RULE):
        assert is_secret(rule.inputs["conditions"]) is not rule.name.endswith("-health")


def test_health_paths_are_exact(built: Built) -> None:
    for service in CATALOGUE:
        assert paths(rules(built)[f"{service.name}-health"]) == [service.health.path]


def test_a_path_of_no_service_gets_404_after_all_other_rules(built: Built) -> None:
    known = rules(built)
    rule = known["unknown-path"]

    assert rule["actions"][0]["fixedResponse"]["statusCode"] == "404"
    assert header_values(rule) == list(SECRETS)
    assert rule["priority"] == max(each["priority"] for each in known.values()) == 50_000


def test_a_rule_never_has_more_condition_values_than_aws_allows(built: Built) -> None:
    for rule in rules(built).values():
        assert len(paths(rule)) + len(header_values(rule) or []) <= 5


def test_every_taggable_resource_carries_the_required_tags(built: Built) -> None:
    for kind in (BALANCER, LISTENER, RULE, TARGETS, GROUP, INGRESS, EGRESS):
        for resource in built.recorder.of_type(kind):
            assert {"environment", "region-role", "component", "owner", "cost-centre", "managed-by"} <= set(
                resource.inputs["tags"]
            )


@pytest.mark.parametrize("secrets", [(), ("a", "b", "c", "d")])
def test_no_secret_and_too_many_secrets_are_refused(secrets: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="1 to 3 origin secrets"):
        build_balancer(secrets=secrets)


def test_one_subnet_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two zones"):
        build_balancer(subnets=("subnet-a",))


def test_a_new_service_needs_no_change_here() -> None:
    extra = CATALOGUE[0].model_copy(
        update={
            "name": "valet",
            "path_prefixes": ("/valet", "/drivers"),
            "rule_priority": 300,
            "health": CATALOGUE[0].health.model_copy(update={"path": "/valet/health"}),
        }
    )
    known = rules(build_balancer(services=(*CATALOGUE, extra)))

    assert paths(known["valet"]) == ["/valet", "/valet/*"]
    assert paths(known["valet-1"]) == ["/drivers", "/drivers/*"]
    assert (known["valet"]["priority"], known["valet-1"]["priority"]) == (300, 301)
