"""A service as it runs."""

from __future__ import annotations

import json
from typing import Any

import pulumi_kubernetes as k8s
import pytest

from components.workload import Images, Workload, canary_replicas, pinned
from infra.model.service import Criticality, LoadBalancing, MeshAlgorithm, Pool, Service, TargetGroupAlgorithm
from services import CATALOGUE
from tests.unit.components.building import Built, build, context
from tests.unit.components.workloads import busy_service, service, site

IMAGE = "registry.example/parking/sample-service:1.2.3"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"


def built(
    of: Service | None = None,
    *,
    image: str = IMAGE,
    canary: str | None = None,
    calls: tuple[Service, ...] = (),
    **where: Any,
) -> Built:
    described = of or service()

    def make(opts: Any) -> dict[str, Any]:
        workload = Workload(
            described.name,
            context=context(),
            site=site(**where),
            service=described,
            images=Images(stable=image, canary=canary),
            calls=calls,
            environment={"DATABASE_HOST": "writer.example.internal"},
            opts=opts,
        )
        return {"host": workload.host, "port": workload.port, "account": workload.service_account_name}

    return build(make)


def deployment(of: Service | None = None) -> dict[str, Any]:
    return built(of).recorder.one(DEPLOYMENT).inputs["spec"]


def pod(of: Service | None = None) -> dict[str, Any]:
    return deployment(of)["template"]["spec"]


def container(of: Service | None = None) -> dict[str, Any]:
    containers = pod(of)["containers"]
    assert len(containers) == 1
    return containers[0]


def egress(of: Service, **more: Any) -> list[dict[str, Any]]:
    return built(of, **more).recorder.one(POLICY).inputs["spec"]["egress"]


def ports_to(rules: list[dict[str, Any]], peer: dict[str, Any]) -> list[int]:
    return [int(port["port"]) for rule in rules if peer in rule["to"] for port in rule["ports"]]


def test_objects_are_called_as_the_specification_calls_them() -> None:
    recorder = built().recorder

    for kind in (
        DEPLOYMENT,
        "kubernetes:core/v1:Service",
        "kubernetes:core/v1:ServiceAccount",
        "kubernetes:policy/v1:PodDisruptionBudget",
        POLICY,
    ):
        metadata = recorder.one(kind).inputs["metadata"]
        assert (metadata["name"], metadata["namespace"]) == ("sample-service", "workloads"), kind
    assert container()["name"] == "sample-service"


def test_outputs_name_the_service_in_the_cluster() -> None:
    assert built().outputs == {
        "host": "sample-service.workloads.svc.cluster.local",
        "port": 8080,
        "account": "sample-service",
    }


def test_the_deployment_leaves_the_replica_count_to_the_autoscaler() -> None:
    assert "replicas" not in deployment()


def test_the_container_asks_for_the_services_resources() -> None:
    assert container()["resources"] == {
        "requests": {"cpu": "200m", "memory": "512Mi"},
        "limits": {"cpu": "1", "memory": "2Gi"},
    }


def test_readiness_asks_the_health_path() -> None:
    probe = container()["readinessProbe"]

    assert probe["httpGet"] == {"path": "/sample/health", "port": "http", "scheme": "HTTP"}
    assert probe["timeoutSeconds"] <= probe["periodSeconds"]


@pytest.mark.parametrize("probe", ["livenessProbe", "startupProbe"])
def test_an_outage_of_a_dependency_restarts_no_pod(probe: str) -> None:
    assert container()[probe]["tcpSocket"] == {"port": "http"}
    assert "httpGet" not in container()[probe]


def test_a_container_that_does_not_listen_after_30_seconds_is_restarted() -> None:
    probe = container()["startupProbe"]

    assert probe["periodSeconds"] * probe["failureThreshold"] == 30


def test_the_pod_holds_the_restricted_pod_security_standard() -> None:
    security, own = pod()["securityContext"], container()["securityContext"]

    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] > 0
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own["allowPrivilegeEscalation"] is False
    assert own["privileged"] is False
    assert own["capabilities"] == {"drop": ["ALL"]}


def test_only_the_scratch_directory_is_writable() -> None:
    assert container()["securityContext"]["readOnlyRootFilesystem"] is True
    writable = [mount["mountPath"] for mount in container()["volumeMounts"] if not mount.get("readOnly")]
    assert [path.strip("/") for path in writable] == ["tmp"]


def test_no_pod_carries_a_kubernetes_token() -> None:
    account = built().recorder.one("kubernetes:core/v1:ServiceAccount").inputs

    assert pod()["automountServiceAccountToken"] is False
    assert account["automountServiceAccountToken"] is False


def test_pods_spread_over_zones_and_nodes_within_one() -> None:
    constraints = pod()["topologySpreadConstraints"]

    assert [c["topologyKey"] for c in constraints] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    assert {c["maxSkew"] for c in constraints} == {1}
    assert {c["whenUnsatisfiable"] for c in constraints} == {"ScheduleAnyway"}
    assert {c["nodeTaintsPolicy"] for c in constraints} == {"Honor"}


def test_pods_prefer_a_node_without_their_like() -> None:
    affinity = pod()["affinity"]["podAntiAffinity"]

    (term,) = affinity["preferredDuringSchedulingIgnoredDuringExecution"]
    assert term["podAffinityTerm"]["topologyKey"] == "kubernetes.io/hostname"
    assert "requiredDuringSchedulingIgnoredDuringExecution" not in affinity


@pytest.mark.parametrize("criticality", list(Criticality))
def test_the_priority_class_follows_the_criticality(criticality: Criticality) -> None:
    assert pod(service(criticality=criticality))["priorityClassName"] == f"parking-{criticality.value}"


def test_application_pods_tolerate_no_other_pool() -> None:
    assert pod()["nodeSelector"] == {"parking.platform/pool": "application"}
    assert not pod().get("tolerations")


def test_analytics_pods_go_to_their_own_pool() -> None:
    placed = pod(service(pool=Pool.ANALYTICS))

    assert placed["nodeSelector"] == {"parking.platform/pool": "analytics"}
    assert placed["tolerations"] == [
        {"key": "dedicated", "operator": "Equal", "value": "analytics", "effect": "NoSchedule"}
    ]


def test_a_leaving_pod_serves_longer_than_the_deregistration_delay() -> None:
    assert container()["lifecycle"]["preStop"]["sleep"]["seconds"] == 35
    assert pod()["terminationGracePeriodSeconds"] == 75


@pytest.mark.parametrize("described", CATALOGUE, ids=lambda s: s.name)
def test_every_service_has_grace_for_its_drain(described: Service) -> None:
    sleep = container(described)["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert sleep > described.load_balancing.deregistration_delay_seconds
    assert pod(described)["terminationGracePeriodSeconds"] > sleep


def test_a_grace_that_would_cut_requests_is_refused() -> None:
    slow = LoadBalancing(
        target_group=TargetGroupAlgorithm.ROUND_ROBIN,
        mesh=MeshAlgorithm.LEAST_REQUEST,
        deregistration_delay_seconds=120,
    )

    with pytest.raises(ValueError, match="terminationGraceSeconds is 75; it must exceed 135 s"):
        built(service(load_balancing=slow))


def test_a_roll_out_never_has_fewer_pods_than_before() -> None:
    assert deployment()["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0},
    }


def test_the_disruption_budget_never_blocks_a_drain() -> None:
    budget = built().recorder.one("kubernetes:policy/v1:PodDisruptionBudget").inputs["spec"]

    # A share is rounded up: at any count of replicas at least one pod may go.
    assert budget["maxUnavailable"] == "10%"
    assert "minAvailable" not in budget
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_selectors_match_the_pods_labels() -> None:
    recorder = built().recorder
    labels = deployment()["template"]["metadata"]["labels"]
    selectors = [
        deployment()["selector"]["matchLabels"],
        recorder.one("kubernetes:core/v1:Service").inputs["spec"]["selector"],
        recorder.one("kubernetes:policy/v1:PodDisruptionBudget").inputs["spec"]["selector"]["matchLabels"],
        recorder.one(POLICY).inputs["spec"]["podSelector"]["matchLabels"],
    ]

    for selector in selectors:
        assert selector
        assert selector.items() <= labels.items()


def test_the_service_reaches_every_version_and_the_deployment_only_its_own() -> None:
    assert "version" not in built().recorder.one("kubernetes:core/v1:Service").inputs["spec"]["selector"]
    assert deployment()["selector"]["matchLabels"]["version"] == "stable"


def test_the_service_is_internal_and_says_its_protocol() -> None:
    spec = built().recorder.one("kubernetes:core/v1:Service").inputs["spec"]

    assert spec["type"] == "ClusterIP"
    assert [(p["name"], p["port"], p["appProtocol"]) for p in spec["ports"]] == [
        ("http", 8080, "http"),
        ("http-metrics", 9090, "http"),
    ]


def test_endpoints_arrive_as_environment_variables() -> None:
    recorder = built().recorder
    environment = recorder.one("kubernetes:core/v1:ConfigMap", "sample-environment").inputs["data"]

    assert environment["DATABASE_HOST"] == "writer.example.internal"
    assert environment["AWS_REGION"] == "us-east-1"
    assert container()["envFrom"] == [{"configMapRef": {"name": "sample-service-environment"}}]


def test_cache_lifetimes_and_topics_arrive_as_a_typed_policy() -> None:
    data = built(busy_service()).recorder.one("kubernetes:core/v1:ConfigMap", "sample-policy").inputs["data"]

    assert json.loads(data["policy.json"]) == {
        "service": "sample-service",
        "applicationCache": [{"entry": "things", "ttlSeconds": 60, "store": "cache"}],
        "queryCache": [
            {"entry": "frequently-accessed-queries", "ttlSeconds": 900, "store": "cache"},
            {"entry": "statistics-queries", "ttlSeconds": 300, "store": "cache"},
            {"entry": "location-based-queries", "ttlSeconds": 1800, "store": "cache"},
        ],
        "produces": ["out-events"],
        "consumes": {"group": "sample-service", "topics": ["in-events"], "members": 4},
        "objectives": [
            {
                "operation": "work",
                "method": "POST",
                "path": "/sample",
                "targetMs": 250,
                "percentile": 95,
                # What the general triggers compare with: a quarter, half, once, twice, four times the objective.
                "bucketsSeconds": [0.0625, 0.125, 0.25, 0.5, 1.0],
            }
        ],
    }


def test_a_changed_configuration_rolls_the_pods() -> None:
    def digest(of: Service) -> str:
        annotations = deployment(of)["template"]["metadata"]["annotations"]
        return annotations["parking.platform/configuration-digest"]

    assert digest(service()) == digest(service())
    assert digest(service()) != digest(service(produces=("more-events",)))


def test_nobody_but_ingress_callers_and_monitoring_gets_in() -> None:
    rules = built(busy_service()).recorder.one(POLICY).inputs["spec"]["ingress"]

    assert [([int(p["port"]) for p in rule["ports"]], rule["from"]) for rule in rules] == [
        (
            [8080],
            [
                {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "nginx"}}},
                {
                    "podSelector": {
                        "matchLabels": {
                            "app.kubernetes.io/name": "caller-service",
                            "app.kubernetes.io/part-of": "parking",
                        }
                    }
                },
            ],
        ),
        (
            [9090, 15020, 15090],
            [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        ),
    ]


def test_a_service_that_uses_nothing_reaches_only_the_platform() -> None:
    rules = egress(service())

    assert [int(port["port"]) for rule in rules for port in rule["ports"]] == [53, 53, 15012, 80, 443]
    assert ports_to(rules, {"ipBlock": {"cidr": "10.0.0.0/16"}}) == [443]


def test_stores_are_reached_on_their_ports_and_in_their_ranges_alone() -> None:
    rules = egress(busy_service())

    for cidr in ("10.0.36.0/22", "10.0.100.0/22"):
        assert ports_to(rules, {"ipBlock": {"cidr": cidr}}) == [5432, 6379, 9098]


def test_with_a_pooler_the_database_is_out_of_direct_reach() -> None:
    rules = egress(busy_service(), pooler_namespace="pooling")

    assert ports_to(rules, {"ipBlock": {"cidr": "10.0.36.0/22"}}) == [6379, 9098]
    pooler = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "pooling"}}}
    assert ports_to(rules, pooler) == [6432]


def test_called_services_are_reached_on_their_port() -> None:
    called = service("other", port=8443)
    peer = {
        "podSelector": {
            "matchLabels": {"app.kubernetes.io/name": "other-service", "app.kubernetes.io/part-of": "parking"}
        }
    }

    assert ports_to(egress(service(), calls=(called,)), peer) == [8443]
    assert ports_to(egress(service()), peer) == []


def test_the_internet_is_open_only_where_the_service_calls_it() -> None:
    def reaches_it(rules: list[dict[str, Any]]) -> bool:
        blocks = [peer.get("ipBlock", {}) for rule in rules for peer in rule["to"]]
        return any(block.get("cidr") == "0.0.0.0/0" and "10.0.0.0/8" in block["except"] for block in blocks)

    assert reaches_it(egress(service(calls_internet=True)))
    assert not reaches_it(egress(busy_service()))


@pytest.mark.parametrize("described", CATALOGUE, ids=lambda s: s.name)
def test_no_rule_of_any_service_admits_everyone(described: Service) -> None:
    spec = built(described).recorder.one(POLICY).inputs["spec"]

    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert all(rule["from"] and rule["ports"] for rule in spec["ingress"])
    assert all(rule["to"] and rule["ports"] for rule in spec["egress"])


def test_prometheus_is_told_where_the_metrics_are() -> None:
    spec = built().recorder.one("kubernetes:monitoring.coreos.com/v1:ServiceMonitor").inputs["spec"]

    assert spec["endpoints"] == [{"port": "http-metrics", "path": "/metrics", "interval": "15s"}]
    assert spec["selector"]["matchLabels"]["app.kubernetes.io/name"] == "sample-service"


def test_pods_wait_for_the_releases_they_need() -> None:
    def make(opts: Any) -> dict[str, Any]:
        mesh = k8s.core.v1.Namespace("mesh")
        identity = k8s.core.v1.Namespace("identity")
        where = site(after=(mesh,)).waiting_for(identity)
        Workload(
            "sample", context=context(), site=where, service=service(), images=Images(stable=IMAGE), opts=opts
        )
        return {}

    assert build(make).depends_on(DEPLOYMENT, "sample-deployment") == ["mesh", "identity"]


def test_a_first_update_can_go_on_before_the_images_are_there() -> None:
    skip = {"pulumi.com/skipAwait": "true"}

    waiting, hurried = built(), built(await_rollouts=False)
    for kind in (DEPLOYMENT, "kubernetes:core/v1:Service"):
        assert "annotations" not in waiting.recorder.one(kind).inputs["metadata"]
        assert hurried.recorder.one(kind).inputs["metadata"]["annotations"] == skip


@pytest.mark.parametrize("image", ["host:5000/a/b:1.0", "a/b@sha256:" + "0" * 64, "a/b:sha-1234567"])
def test_pinned_images_are_taken_as_they_are(image: str) -> None:
    assert pinned(image) == image


@pytest.mark.parametrize("image", ["a/b", "a/b:latest", "host:5000/a/b", "a/b@sha256:123", ""])
def test_an_image_that_can_change_is_refused(image: str) -> None:
    with pytest.raises(ValueError, match="immutable tag or a digest"):
        pinned(image)


def test_a_workload_refuses_a_floating_image() -> None:
    with pytest.raises(ValueError, match="latest"):
        built(image="registry.example/sample:latest")


def test_every_object_goes_to_the_given_cluster() -> None:
    made = built()
    providers = {
        options.provider.pulumi_resource_name
        for (kind, _), options in made.options.items()
        if kind.startswith("kubernetes:") and options.provider
    }

    assert providers == {"cluster"}
    assert all(
        options.provider for (kind, _), options in made.options.items() if kind.startswith("kubernetes:")
    )


def versions(made: Built) -> dict[str, Any]:
    """Specification of each Deployment by the version that its pods carry."""
    return {
        item.inputs["spec"]["template"]["metadata"]["labels"]["version"]: item.inputs["spec"]
        for item in made.recorder.of_type(DEPLOYMENT)
    }


def test_without_a_canary_there_are_only_stable_pods() -> None:
    assert set(versions(built())) == {"stable"}


def test_a_canary_runs_its_image_beside_the_stable_pods_in_the_same_service() -> None:
    made = built(service(canary_percent=10), canary=IMAGE.replace("1.2.3", "1.3.0"))
    stable, canary = (versions(made)[name] for name in ("stable", "canary"))

    assert canary["template"]["spec"]["containers"][0]["image"].endswith(":1.3.0")
    assert stable["template"]["spec"]["containers"][0]["image"].endswith(":1.2.3")
    for spec in (stable, canary):
        labels = spec["template"]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"].items() <= labels.items()
        assert spec["selector"]["matchLabels"]["version"] == labels["version"]
    reached = made.recorder.one("kubernetes:core/v1:Service").inputs["spec"]["selector"]
    assert "version" not in reached


def test_a_canary_has_the_pods_that_its_share_of_the_peak_needs() -> None:
    tried = service(canary_percent=10)
    made = versions(built(tried, canary=IMAGE))

    # Nine regular pods carry 90% at the peak, so one carries 10%.
    assert made["canary"]["replicas"] == 1 == canary_replicas(tried)
    assert "replicas" not in made["stable"]
    assert canary_replicas(service(canary_percent=50)) == 9
    assert canary_replicas(service(canary_percent=0)) == 1


def test_a_canarys_image_is_pinned_too() -> None:
    with pytest.raises(ValueError, match="latest"):
        built(canary="registry.example/parking/sample-service:latest")
