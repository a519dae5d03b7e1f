"""The specification's numbers, read back from the state of the production stacks."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.engine.platform import Resource

States = dict[str, list[Resource]]
PRODUCTION = ("prod", "prod-eu-west-1")


def of_type(states: States, stack: str, token: str) -> list[Resource]:
    return [resource for resource in states[stack] if resource.type == token]


def one(states: States, stack: str, token: str, name: str) -> Resource:
    found = [resource for resource in of_type(states, stack, token) if resource.name == name]
    assert len(found) == 1, f"{token} {name}: {sorted(r.name for r in of_type(states, stack, token))}"
    return found[0]


def plain(value: Any) -> Any:
    """JSON text as data; other values as they are."""
    return json.loads(value) if isinstance(value, str) and value[:1] in "{[" else value


GROUPS = {
    "application-on-demand": (["c5.4xlarge"], 4, 35, "ON_DEMAND"),
    "database-on-demand": (["r5.2xlarge"], 3, 10, "ON_DEMAND"),
    "analytics-on-demand": (["c5.9xlarge"], 2, 20, "ON_DEMAND"),
    "analytics-gpu-on-demand": (["g5.2xlarge"], 0, 4, "ON_DEMAND"),
}


@pytest.mark.parametrize("stack", PRODUCTION)
@pytest.mark.parametrize("name", GROUPS)
def test_node_groups_have_their_type_and_bounds(states: States, stack: str, name: str) -> None:
    inputs = one(states, stack, "aws:eks/nodeGroup:NodeGroup", name).inputs
    scaling = inputs["scalingConfig"]

    found = (inputs["instanceTypes"], scaling["minSize"], scaling["maxSize"], inputs["capacityType"])
    assert found == GROUPS[name]


@pytest.mark.parametrize("stack", PRODUCTION)
def test_spot_is_thirty_percent_of_the_application_pool_at_most(states: States, stack: str) -> None:
    steady = one(states, stack, "aws:eks/nodeGroup:NodeGroup", "application-on-demand").inputs[
        "scalingConfig"
    ]
    spot = one(states, stack, "aws:eks/nodeGroup:NodeGroup", "application-spot").inputs
    assert spot["capacityType"] == "SPOT"

    for bound, total in (("minSize", 5), ("maxSize", 50), ("desiredSize", 10)):
        spots = spot["scalingConfig"][bound]
        assert spots + steady[bound] == total
        assert spots == int(0.3 * total), bound


def test_the_primary_database_is_as_specified(states: States) -> None:
    writer = one(states, "prod", "aws:rds/instance:Instance", "database-head").inputs

    assert writer["instanceClass"] == "db.r6g.2xlarge"
    assert (writer["allocatedStorage"], writer["storageType"], writer["iops"]) == (1024, "gp3", 16_000)
    assert writer["multiAz"] is True
    assert writer["storageEncrypted"] is True
    assert writer["deletionProtection"] is True
    assert writer["backupRetentionPeriod"] >= 14
    assert writer["publiclyAccessible"] is False


@pytest.mark.parametrize("stack", PRODUCTION)
def test_each_region_has_three_readers_and_five_hundred_connections(states: States, stack: str) -> None:
    databases = of_type(states, stack, "aws:rds/instance:Instance")
    readers = [r for r in databases if r.inputs["instanceClass"] == "db.r6g.xlarge"]
    parameters = of_type(states, stack, "aws:rds/parameterGroup:ParameterGroup")[0].inputs["parameters"]

    assert len(readers) == 3
    assert all(reader.inputs.get("replicateSourceDb") for reader in readers)
    assert {p["name"]: p["value"] for p in parameters}["max_connections"] == "500"


def test_the_secondary_keeps_two_replicas_of_the_primary(states: States) -> None:
    arn = one(states, "prod", "aws:rds/instance:Instance", "database-head").outputs["arn"]
    databases = of_type(states, "prod-eu-west-1", "aws:rds/instance:Instance")

    assert sum(r.inputs.get("replicateSourceDb") == arn for r in databases) == 2


STORES = {
    "cache": ("cache.r6g.xlarge", 3, 1, "async", 7),
    "sessions": ("cache.r6g.large", 1, 2, "sync", 0),
    "rate-limit": ("cache.m6g.large", 1, 2, "disabled", 0),
}


@pytest.mark.parametrize("stack", PRODUCTION)
@pytest.mark.parametrize("name", STORES)
def test_redis_stores_have_their_nodes_and_persistence(states: States, stack: str, name: str) -> None:
    inputs = next(
        r.inputs
        for r in of_type(states, stack, "aws:elasticache/replicationGroup:ReplicationGroup")
        if r.name.startswith(name)
    )

    assert (
        inputs["nodeType"],
        inputs["numNodeGroups"],
        inputs["replicasPerNodeGroup"],
        inputs["durability"],
        inputs.get("snapshotRetentionLimit", 0),
    ) == STORES[name]
    assert inputs["transitEncryptionEnabled"] is True


@pytest.mark.parametrize("stack", PRODUCTION)
def test_kafka_has_three_brokers_and_the_three_topics(states: States, stack: str) -> None:
    cluster = of_type(states, stack, "aws:msk/cluster:Cluster")[0].inputs
    topics = {r.inputs["name"]: r.inputs for r in of_type(states, stack, "aws:msk/topic:Topic")}
    brokers = cluster["brokerNodeGroupInfo"]

    assert (cluster["numberOfBrokerNodes"], brokers["instanceType"]) == (3, "kafka.m5.2xlarge")
    assert brokers["storageInfo"]["ebsStorageInfo"]["volumeSize"] == 1024
    assert {name: (t["partitionCount"], t["replicationFactor"]) for name, t in topics.items()} == {
        "vehicle-events": (50, 3),
        "payment-events": (20, 3),
        "notification-events": (30, 3),
    }
    expected = {
        "vehicle-events": (7, "snappy"),
        "payment-events": (30, "gzip"),
        "notification-events": (3, "lz4"),
    }
    for name, (days, compression) in expected.items():
        text = json.dumps(topics[name])
        assert str(days * 86_400_000) in text, name
        assert compression in text, name


WORKLOADS = {
    "auth-service": ("200m", "512Mi", "1000m", "2Gi", "/auth/health"),
    "parking-service": ("500m", "1Gi", "2000m", "4Gi", "/parking/health"),
    "payment-service": ("300m", "512Mi", "1500m", "3Gi", "/payments/health"),
    "analytics-service": ("1000m", "2Gi", "4000m", "16Gi", "/analytics/health"),
}


@pytest.mark.parametrize("stack", PRODUCTION)
@pytest.mark.parametrize("name", WORKLOADS)
def test_deployments_have_the_resources_and_leave_replicas_to_the_autoscaler(
    states: States, stack: str, name: str
) -> None:
    deployment = next(
        r.inputs
        for r in of_type(states, stack, "kubernetes:apps/v1:Deployment")
        if r.inputs["metadata"]["name"] == name
    )
    container = next(c for c in deployment["spec"]["template"]["spec"]["containers"] if c["name"] == name)
    requests, limits = container["resources"]["requests"], container["resources"]["limits"]

    assert "replicas" not in deployment["spec"]
    assert (
        requests["cpu"],
        requests["memory"],
        limits["cpu"],
        limits["memory"],
        container["readinessProbe"]["httpGet"]["path"],
    ) == WORKLOADS[name]


SCALERS: dict[str, tuple[int, int, dict[str, Any], dict[str, Any]]] = {
    "auth-service": (
        3,
        50,
        {"window": 60, "policies": [("Percent", 100, 60)]},
        {"window": 300, "policies": [("Percent", 50, 300)]},
    ),
    "parking-service": (
        5,
        100,
        {"window": 30, "policies": [("Pods", 4, 60)]},
        {"window": 180, "policies": [("Percent", 25, 180)]},
    ),
}


def scaled_object(states: States, stack: str, name: str) -> dict[str, Any]:
    return next(
        r.inputs["spec"]
        for r in of_type(states, stack, "kubernetes:keda.sh/v1alpha1:ScaledObject")
        if r.inputs["metadata"]["name"] == name
    )


def direction(behavior: dict[str, Any]) -> dict[str, Any]:
    return {
        "window": behavior["stabilizationWindowSeconds"],
        "policies": [(p["type"], p["value"], p["periodSeconds"]) for p in behavior["policies"]],
    }


@pytest.mark.parametrize("stack", PRODUCTION)
@pytest.mark.parametrize("name", SCALERS)
def test_autoscalers_have_the_specification_s_bounds_and_behavior(
    states: States, stack: str, name: str
) -> None:
    spec = scaled_object(states, stack, name)
    hpa = spec["advanced"]["horizontalPodAutoscalerConfig"]

    assert hpa["name"] == f"{name}-hpa"
    assert (
        spec["minReplicaCount"],
        spec["maxReplicaCount"],
        direction(hpa["behavior"]["scaleUp"]),
        direction(hpa["behavior"]["scaleDown"]),
    ) == SCALERS[name]


TARGETS = {
    "auth-service": {"cpu": "70", "memory": "80", "requests_per_second": "100"},
    "parking-service": {"cpu": "60", "memory": "75", "database_connections_active": "80"},
}


@pytest.mark.parametrize("name", TARGETS)
def test_autoscalers_have_the_specification_s_targets(states: States, name: str) -> None:
    triggers = {
        trigger.get("name") or trigger["type"]: trigger["metadata"].get("value")
        or trigger["metadata"].get("threshold")
        for trigger in scaled_object(states, "prod", name)["triggers"]
    }

    assert TARGETS[name].items() <= triggers.items()


def test_payment_s_triggers_are_the_specification_s_text(states: States) -> None:
    config = next(
        r.inputs["data"]
        for r in of_type(states, "prod", "kubernetes:core/v1:ConfigMap")
        if r.inputs["metadata"]["name"] == "payment-service-metrics"
    )

    assert yaml.safe_load(config["scaling-config.yaml"]) == {
        "triggers": [
            {"metric": "queue_depth", "threshold": 1000, "scaleUp": 2, "cooldown": "60s"},
            {"metric": "processing_latency", "threshold": "500ms", "scaleUp": 1, "cooldown": "120s"},
            {"metric": "error_rate", "threshold": "5%", "scaleUp": 3, "cooldown": "30s"},
        ]
    }
    assert tuple(
        scaled_object(states, "prod", "payment-service")[key]
        for key in ("minReplicaCount", "maxReplicaCount")
    ) == (3, 30)


def test_analytics_is_sized_by_the_specification_s_vpa(states: States) -> None:
    spec = next(
        r.inputs["spec"]
        for r in of_type(states, "prod", "kubernetes:autoscaling.k8s.io/v1:VerticalPodAutoscaler")
        if r.inputs["metadata"]["name"] == "analytics-service-vpa"
    )
    policy = spec["resourcePolicy"]["containerPolicies"][0]

    assert spec["updatePolicy"]["updateMode"] == "Auto"
    assert policy["containerName"] == "analytics-service"
    assert (policy["minAllowed"], policy["maxAllowed"]) == (
        {"cpu": "500m", "memory": "1Gi"},
        {"cpu": "4", "memory": "16Gi"},
    )
    assert policy["controlledResources"] == ["cpu", "memory"]


ALGORITHMS = {
    "auth": ("round_robin", True),
    "parking": ("least_outstanding_requests", False),
    "payment": ("round_robin", True),
    "notification": ("round_robin", False),
    "analytics": ("weighted_random", False),
    "configuration": ("round_robin", False),
}


@pytest.mark.parametrize("stack", PRODUCTION)
@pytest.mark.parametrize("service", ALGORITHMS)
def test_target_groups_have_their_algorithm_and_stickiness(states: States, stack: str, service: str) -> None:
    group = next(
        r.inputs for r in of_type(states, stack, "aws:lb/targetGroup:TargetGroup") if r.name.endswith(service)
    )

    sticky = group.get("stickiness", {}).get("enabled", False)
    assert (group["loadBalancingAlgorithmType"], sticky) == ALGORITHMS[service]


def test_health_checks_ask_every_ten_seconds_and_give_up_after_three(states: States) -> None:
    checks = [
        r.inputs
        for r in of_type(states, "prod", "aws:route53/healthCheck:HealthCheck")
        if r.inputs["type"] != "CALCULATED"
    ]

    assert {(c["requestInterval"], c["failureThreshold"]) for c in checks} == {(10, 3)}


def test_the_edge_is_in_the_primary_only(states: States) -> None:
    distribution = "aws:cloudfront/distribution:Distribution"

    assert len(of_type(states, "prod", distribution)) == 1
    assert of_type(states, "prod-eu-west-1", distribution) == []
    assert len(of_type(states, "staging", distribution)) == 1
