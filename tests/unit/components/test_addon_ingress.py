"""The ingress controller's release: whom it believes, how it is placed and how its pods leave."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from components.addon_charts import NAMESPACES
from components.addon_contract import AddOnSizes, IngressTraffic, NamespacePlan
from components.addon_ingress import cert_manager, nginx_ingress
from infra.traffic.timeouts import INGRESS_KEEP_ALIVE_SECONDS, LOAD_BALANCER_IDLE_SECONDS

PUBLIC = ["10.0.32.0/22", "10.0.96.0/22"]
NODES = {"pool": "application"}


@cache
def controller(replicas: int = 3) -> Any:
    add_on = nginx_ingress(
        AddOnSizes(ingress_replicas=replicas),
        traffic=IngressTraffic(trusted_hops=PUBLIC, drain_seconds=35, request_seconds=25),
        node_selector=NODES,
    )
    return add_on.values["controller"]


def entries() -> dict[str, str]:
    return controller()["config"]["entries"]


def namespace(name: str) -> NamespacePlan:
    return next(plan for plan in NAMESPACES if plan.name == name)


def test_it_asks_aws_for_nothing_and_offers_tls_alone() -> None:
    service = controller()["service"]

    assert service["type"] == "ClusterIP"
    assert service["httpPort"] == {"enable": False}


def test_a_clients_address_is_believed_from_the_load_balancers_subnets_alone() -> None:
    assert entries()["set-real-ip-from"] == ",".join(PUBLIC)
    assert entries()["real-ip-header"] == "X-Forwarded-For"


def test_only_the_last_forwarded_address_is_believed() -> None:
    assert entries()["real-ip-recursive"] == "False"


def test_what_the_load_balancer_sends_does_not_pass_the_sidecar() -> None:
    annotations = controller()["pod"]["annotations"]

    # Past it, every peer would look like the pod itself.
    ports = annotations["traffic.sidecar.istio.io/excludeInboundPorts"].split(",")
    assert sorted(ports) == ["443", "8081", "9113"]
    assert "sidecar.istio.io/inject" not in annotations


def test_its_own_default_server_leaves_the_tls_port_to_ours() -> None:
    assert controller()["defaultHTTPSListenerPort"] == 9443


def test_no_one_may_write_configuration_into_an_object() -> None:
    assert controller()["enableSnippets"] is False


def test_it_keeps_connections_longer_than_the_load_balancer() -> None:
    assert entries()["keepalive-timeout"] == f"{INGRESS_KEEP_ALIVE_SECONDS}s"
    assert INGRESS_KEEP_ALIVE_SECONDS > LOAD_BALANCER_IDLE_SECONDS


def test_old_protocols_and_versions_are_not_told() -> None:
    assert entries()["ssl-protocols"] == "TLSv1.2 TLSv1.3"
    assert entries()["server-tokens"] == "False"


def test_a_leaving_pod_serves_until_it_is_deregistered_and_ends_its_requests() -> None:
    assert controller()["lifecycle"]["preStop"]["sleep"]["seconds"] == 35
    assert controller()["terminationGracePeriodSeconds"] == 35 + 25 + 10
    assert entries()["worker-shutdown-timeout"] == "25s"


def test_a_roll_out_never_has_fewer_pods_than_before() -> None:
    assert controller()["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_a_drain_of_a_node_is_never_blocked() -> None:
    assert controller()["podDisruptionBudget"] == {"enabled": True, "maxUnavailable": 1}
    assert controller(1)["podDisruptionBudget"]["enabled"] is False


def test_pods_are_spread_over_zones_and_nodes_without_insisting() -> None:
    constraints = controller()["topologySpreadConstraints"]

    assert [item["topologyKey"] for item in constraints] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    assert {item["whenUnsatisfiable"] for item in constraints} == {"ScheduleAnyway"}
    assert "requiredDuringSchedulingIgnoredDuringExecution" not in controller()["affinity"]["podAntiAffinity"]


def test_it_outranks_every_service() -> None:
    assert controller()["priorityClassName"] == "system-cluster-critical"


def test_a_pod_counts_as_ready_once_the_load_balancer_finds_it_healthy() -> None:
    gate = "elbv2.k8s.aws/pod-readiness-gate-inject"

    assert namespace("nginx-ingress").labels[gate] == "enabled"
    assert [plan.name for plan in NAMESPACES if gate in plan.labels] == ["nginx-ingress"]


def test_a_log_line_is_json_without_query_strings() -> None:
    line = json.loads(entries()["log-format"])

    assert entries()["log-format-escaping"] == "json"
    assert line["client"] == "$remote_addr"
    assert not {"$request", "$args", "$request_uri"} & set(line.values())


def test_the_issuer_brings_its_kinds_and_stays_on_steady_nodes() -> None:
    values = cert_manager(AddOnSizes(), node_selector=NODES).values

    assert values["crds"] == {"enabled": True}
    assert values["replicaCount"] == 2
    for part in ("webhook", "cainjector"):
        assert values[part] == {"replicaCount": 2, "nodeSelector": NODES}
    assert namespace("cert-manager").pod_security == "restricted"
