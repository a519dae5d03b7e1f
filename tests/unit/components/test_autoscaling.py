"""Who moves replicas and pod sizes, against the specification's own objects."""

from __future__ import annotations

from typing import Any

import pulumi_kubernetes as k8s
import pytest
import yaml

from components.autoscaling import Autoscaler, MetricSources
from infra.model.service import ResourceMetric, Scaling, Service
from infra.model.triggers import GENERAL_TRIGGERS, GeneralTriggers
from services import CATALOGUE
from tests.unit.components.building import Built, build, context
from tests.unit.components.workloads import STEADY, busy_service, service, site

SCALED_OBJECT = "kubernetes:keda.sh/v1alpha1:ScaledObject"
VERTICAL = "kubernetes:autoscaling.k8s.io/v1:VerticalPodAutoscaler"
BY_NAME = {described.name: described for described in CATALOGUE}
SOURCES = MetricSources(
    prometheus_address="http://prometheus:9090", kafka_bootstrap_servers="b-1:9098,b-2:9098"
)


def built(
    described: Service,
    *,
    sources: MetricSources = SOURCES,
    general: GeneralTriggers | None = GENERAL_TRIGGERS,
) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        crds = k8s.core.v1.Namespace("crds")
        autoscaler = Autoscaler(
            f"{described.name}-autoscaler",
            context=context(),
            site=site(after=(crds,)),
            service=described,
            deployment_name=described.workload_name,
            sources=sources,
            general=general,
            opts=opts,
        )
        return {"hpa": autoscaler.hpa_name}

    return build(make)


def spec(name: str) -> dict[str, Any]:
    return built(BY_NAME[name]).recorder.one(SCALED_OBJECT).inputs["spec"]


def triggers(name: str) -> dict[str, dict[str, Any]]:
    return {trigger["name"]: trigger for trigger in spec(name)["triggers"]}


def behavior(name: str) -> dict[str, Any]:
    return spec(name)["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]


def one_policy(window: int, kind: str, value: int, period: int) -> dict[str, Any]:
    return {
        "stabilizationWindowSeconds": window,
        "selectPolicy": "Max",
        "policies": [{"type": kind, "value": value, "periodSeconds": period}],
    }


@pytest.mark.parametrize("described", CATALOGUE, ids=lambda s: s.name)
def test_the_hpa_has_the_specifications_name_and_target(described: Service) -> None:
    made = built(described)
    scaled = made.recorder.one(SCALED_OBJECT).inputs

    assert scaled["metadata"]["name"] == f"{described.name}-service"
    assert (
        scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["name"] == f"{described.name}-service-hpa"
    )
    assert scaled["spec"]["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": f"{described.name}-service",
    }
    assert made.outputs == {"hpa": f"{described.name}-service-hpa"}


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("auth", (3, 50)),
        ("parking", (5, 100)),
        ("payment", (3, 30)),
        ("analytics", (2, 20)),
        ("notification", (2, 30)),
        ("configuration", (2, 4)),
    ],
)
def test_replicas_stay_within_the_bounds(name: str, bounds: tuple[int, int]) -> None:
    assert (spec(name)["minReplicaCount"], spec(name)["maxReplicaCount"]) == bounds


@pytest.mark.parametrize(("name", "cpu", "memory"), [("auth", "70", "80"), ("parking", "60", "75")])
def test_cpu_and_memory_are_utilisations(name: str, cpu: str, memory: str) -> None:
    found = triggers(name)

    for metric, value in (("cpu", cpu), ("memory", memory)):
        assert found[metric] == {
            "type": metric,
            "name": metric,
            "metricType": "Utilization",
            "metadata": {"value": value},
        }


@pytest.mark.parametrize(
    ("name", "metric", "threshold"),
    [("auth", "requests_per_second", "100"), ("parking", "database_connections_active", "80")],
)
def test_custom_metrics_are_averages_over_the_pods(name: str, metric: str, threshold: str) -> None:
    trigger = triggers(name)[metric]

    assert (trigger["type"], trigger["metricType"]) == ("prometheus", "AverageValue")
    assert trigger["metadata"]["threshold"] == threshold
    assert trigger["metadata"]["serverAddress"] == "http://prometheus:9090"


def test_auth_moves_as_the_specification_says() -> None:
    assert behavior("auth") == {
        "scaleUp": one_policy(60, "Percent", 100, 60),
        "scaleDown": one_policy(300, "Percent", 50, 300),
    }


def test_parking_moves_as_the_specification_says() -> None:
    assert behavior("parking") == {
        "scaleUp": one_policy(30, "Pods", 4, 60),
        "scaleDown": one_policy(180, "Percent", 25, 180),
    }


def test_payments_configuration_is_written_as_the_specification_writes_it() -> None:
    config_map = built(BY_NAME["payment"]).recorder.one("kubernetes:core/v1:ConfigMap").inputs

    assert config_map["metadata"]["name"] == "payment-service-metrics"
    assert list(config_map["data"]) == ["scaling-config.yaml"]
    assert yaml.safe_load(config_map["data"]["scaling-config.yaml"]) == {
        "triggers": [
            {"metric": "queue_depth", "threshold": 1000, "scaleUp": 2, "cooldown": "60s"},
            {"metric": "processing_latency", "threshold": "500ms", "scaleUp": 1, "cooldown": "120s"},
            {"metric": "error_rate", "threshold": "5%", "scaleUp": 3, "cooldown": "30s"},
        ]
    }


def test_payments_metrics_are_the_configurations_and_no_other() -> None:
    found = {name: (t["metricType"], t["metadata"]["threshold"]) for name, t in triggers("payment").items()}

    assert found == {
        "queue_depth": ("Value", "1000"),
        "processing_latency": ("Value", "500"),
        "error_rate": ("Value", "5"),
    }


def test_payments_steps_and_cooldowns_are_scale_up_policies() -> None:
    assert behavior("payment")["scaleUp"] == {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Pods", "value": 2, "periodSeconds": 60},
            {"type": "Pods", "value": 1, "periodSeconds": 120},
            {"type": "Pods", "value": 3, "periodSeconds": 30},
        ],
    }


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - {"payment"}))
def test_services_without_triggers_have_no_metrics_configuration(name: str) -> None:
    assert built(BY_NAME[name]).recorder.of_type("kubernetes:core/v1:ConfigMap") == []


@pytest.mark.parametrize(
    ("name", "topic", "lag"),
    [("notification", "notification-events", "1000"), ("analytics", "vehicle-events", "5000")],
)
def test_lag_is_read_with_iam_over_tls_and_bounded_by_the_partitions(name: str, topic: str, lag: str) -> None:
    made = built(BY_NAME[name]).recorder
    authentication = made.one("kubernetes:keda.sh/v1alpha1:TriggerAuthentication").inputs
    trigger = triggers(name)["consumer_lag"]

    assert authentication["spec"] == {"podIdentity": {"provider": "aws"}}
    assert trigger["authenticationRef"] == {"name": authentication["metadata"]["name"]}
    assert trigger["type"] == "apache-kafka"
    assert trigger["metadata"] == {
        "bootstrapServers": "b-1:9098,b-2:9098",
        "consumerGroup": f"{name}-service",
        "topic": topic,
        "lagThreshold": lag,
        "offsetResetPolicy": "earliest",
        "allowIdleConsumers": "false",
        "sasl": "aws_msk_iam",
        "tls": "enable",
        "awsRegion": "us-east-1",
    }


def test_a_service_that_reads_no_lag_needs_no_brokers() -> None:
    made = built(BY_NAME["auth"], sources=MetricSources(prometheus_address="http://prometheus:9090"))

    assert made.recorder.of_type("kubernetes:keda.sh/v1alpha1:TriggerAuthentication") == []


def test_lag_without_brokers_is_refused() -> None:
    with pytest.raises(ValueError, match="kafka_bootstrap_servers is missing"):
        built(BY_NAME["notification"], sources=MetricSources(prometheus_address="http://prometheus:9090"))


def test_analytics_is_sized_as_the_specification_says() -> None:
    vertical = built(BY_NAME["analytics"]).recorder.one(VERTICAL).inputs

    assert vertical["metadata"]["name"] == "analytics-service-vpa"
    assert vertical["spec"] == {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "analytics-service"},
        "updatePolicy": {"updateMode": "Auto"},
        "resourcePolicy": {
            "containerPolicies": [
                {
                    "containerName": "analytics-service",
                    "minAllowed": {"cpu": "500m", "memory": "1Gi"},
                    "maxAllowed": {"cpu": "4", "memory": "16Gi"},
                    "controlledResources": ["cpu", "memory"],
                }
            ]
        },
    }


@pytest.mark.parametrize("described", CATALOGUE, ids=lambda s: s.name)
def test_no_service_has_two_owners_of_cpu_or_memory(described: Service) -> None:
    recorder = built(described).recorder
    types = {trigger["type"] for trigger in recorder.one(SCALED_OBJECT).inputs["spec"]["triggers"]}

    sized = bool(recorder.of_type(VERTICAL))
    assert sized == (described.name in {"analytics", "configuration"})
    assert not (sized and types & {"cpu", "memory"})


def test_two_owners_are_refused_even_past_the_models_own_check() -> None:
    analytics = BY_NAME["analytics"]
    cpu = ResourceMetric(name="cpu", utilization_percent=70)
    doubled = analytics.scaling.model_copy(update={"metrics": (cpu, *analytics.scaling.metrics)})

    with pytest.raises(ValueError, match="cpu would move both the replicas and"):
        built(analytics.model_copy(update={"scaling": doubled}))


def test_a_workload_that_nothing_lets_grow_is_refused() -> None:
    silent = Scaling.model_construct(
        min_replicas=1,
        max_replicas=2,
        metrics=(),
        triggers=(),
        scale_up=None,
        scale_down=STEADY,
        vertical=None,
    )

    with pytest.raises(ValueError, match="neither scaleUp nor triggers"):
        built(service().model_copy(update={"scaling": silent}))


def test_response_over_the_objective_adds_pods() -> None:
    trigger = built(busy_service()).recorder.one(SCALED_OBJECT).inputs["spec"]["triggers"][-1]

    assert trigger["name"] == "response_time_to_objective"
    assert (trigger["metricType"], trigger["metadata"]["threshold"]) == ("Value", "1")
    assert 'operation="work"' in trigger["metadata"]["query"]


def test_the_general_triggers_can_be_left_out() -> None:
    made = built(busy_service(), general=None).recorder.one(SCALED_OBJECT).inputs["spec"]["triggers"]

    assert [trigger["name"] for trigger in made] == ["load"]


def test_a_load_nobody_reports_is_unknown_and_a_ratio_without_traffic_is_nothing() -> None:
    def absent_is_zero(name: str) -> dict[str, str]:
        found = triggers(name).items()
        return {key: t["metadata"]["ignoreNullValues"] for key, t in found if t["type"] == "prometheus"}

    assert absent_is_zero("auth") == {"requests_per_second": "false", "response_time_to_objective": "true"}
    assert absent_is_zero("payment") == {
        "queue_depth": "false",
        "processing_latency": "true",
        "error_rate": "true",
    }


def test_blind_scaling_never_removes_pods() -> None:
    assert spec("parking")["fallback"] == {
        "failureThreshold": 3,
        "replicas": 5,
        "behavior": "currentReplicasIfHigher",
    }


def test_no_fallback_where_keda_refuses_one() -> None:
    assert "fallback" not in spec("payment")


@pytest.mark.parametrize("described", CATALOGUE, ids=lambda s: s.name)
def test_trigger_names_are_unique_and_deletion_keeps_the_replicas(described: Service) -> None:
    scaled = spec(described.name)
    names = [trigger["name"] for trigger in scaled["triggers"]]

    assert len(set(names)) == len(names)
    assert scaled["advanced"]["restoreToOriginalReplicaCount"] is False


@pytest.mark.parametrize("described", CATALOGUE, ids=lambda s: s.name)
def test_custom_resources_wait_for_their_kinds(described: Service) -> None:
    made = built(described)
    custom = [key for key in made.options if "keda.sh" in key[0] or "autoscaling.k8s.io" in key[0]]

    assert custom
    for kind, name in custom:
        assert made.depends_on(kind, name) == ["crds"]
