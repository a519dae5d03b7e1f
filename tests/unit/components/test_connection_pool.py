"""PgBouncer's pods and what surrounds them."""

from __future__ import annotations

from configparser import ConfigParser
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest

from components.connection_pool import ConnectionPool, PooledServer, PoolerSite
from components.secret_store import KeptPassword
from infra.cluster import versions
from infra.data.pgbouncer import STATISTICS_USER, TlsMode
from infra.model.stack import ConnectionPoolSettings
from tests.unit.components.building import Built, build, context

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
CONFIG = "kubernetes:core/v1:ConfigMap"
EXTERNAL = "kubernetes:external-secrets.io/v1:ExternalSecret"
PASSWORDS = {
    "parking": KeptPassword(kept_in="prod-parking", field="parking_password"),
    "auth": KeptPassword(kept_in="prod-auth", field="auth_password"),
    STATISTICS_USER: KeptPassword(kept_in="prod-statistics"),
}


def built(*, host: str = "writer.example", tls: TlsMode = TlsMode.VERIFY_FULL, **changes: Any) -> Built:
    def make(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        pool = ConnectionPool(
            "pgbouncer",
            context=context(),
            settings=changes.get("settings", ConnectionPoolSettings()),
            site=PoolerSite(
                provider=k8s.Provider("cluster"),
                namespace="pooling",
                client_namespace="parking",
                mesh_namespace="istio-system",
                monitoring_namespace="monitoring",
                data_cidrs=("10.0.36.0/22",),
                store="pooling-secrets",
                authorities="certificates",
            ),
            server=PooledServer(host=host, databases=["auth", "parking"], tls=tls),
            passwords=changes.get("passwords", PASSWORDS),
            opts=opts,
        )
        return {"host": pool.host, "port": pool.port}

    return build(make)


def pod() -> dict[str, Any]:
    return built().recorder.one(DEPLOYMENT).inputs["spec"]["template"]["spec"]


def container(name: str) -> dict[str, Any]:
    return next(one for one in pod()["containers"] if one["name"] == name)


def test_clients_find_it_in_the_cluster() -> None:
    assert built().outputs == {"host": "pgbouncer.pooling.svc.cluster.local", "port": 6432}


def test_two_pods_run_and_one_more_while_one_is_replaced() -> None:
    spec = built().recorder.one(DEPLOYMENT).inputs["spec"]

    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_pods_are_on_the_database_pool_and_apart() -> None:
    spec = pod()

    assert spec["nodeSelector"] == {"parking.platform/pool": "database"}
    assert [(t["key"], t["value"]) for t in spec["tolerations"]] == [("dedicated", "database")]
    (term,) = spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert term["podAffinityTerm"]["topologyKey"] == "kubernetes.io/hostname"
    assert spec["topologySpreadConstraints"][0]["topologyKey"] == "topology.kubernetes.io/zone"


def test_evictions_take_one_pod_at_a_time() -> None:
    budget = built().recorder.one("kubernetes:policy/v1:PodDisruptionBudget").inputs["spec"]

    assert budget["maxUnavailable"] == 1


def test_a_leaving_pod_finishes_its_transactions() -> None:
    command = container("pgbouncer")["lifecycle"]["preStop"]["exec"]["command"]

    assert command == ["/bin/sh", "-c", "sleep 15; kill -INT 1; sleep 45"]
    assert pod()["terminationGracePeriodSeconds"] > 15 + 45
    assert ConnectionPoolSettings().statement_timeout_seconds < 45


def test_images_are_the_pinned_ones() -> None:
    assert container("pgbouncer")["image"] == versions.PGBOUNCER_IMAGE
    assert container("exporter")["image"] == versions.PGBOUNCER_EXPORTER_IMAGE


def test_containers_are_hardened() -> None:
    spec = pod()

    assert spec["securityContext"]["runAsNonRoot"] is True
    for one in spec["containers"]:
        assert one["securityContext"]["readOnlyRootFilesystem"] is True
        assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_the_configuration_names_the_server_and_no_password() -> None:
    data = built(host="reader.example", tls=TlsMode.VERIFY_CA).recorder.one(CONFIG).inputs["data"]
    ini = ConfigParser(interpolation=None)
    ini.read_string(data["pgbouncer.ini"])

    assert data["authorities.pem"] == "certificates"
    assert "host=reader.example " in ini["databases"]["auth"]
    assert ini["pgbouncer"]["server_tls_sslmode"] == "verify-ca"
    assert "password" not in data["pgbouncer.ini"]


def test_another_configuration_makes_other_pods() -> None:
    def digest(host: str) -> str:
        template = built(host=host).recorder.one(DEPLOYMENT).inputs["spec"]["template"]
        return template["metadata"]["annotations"]["parking.platform/configuration-digest"]

    assert digest("a.example") == digest("a.example") != digest("b.example")


def test_a_pod_becomes_pgbouncer_and_tells_it_when_its_users_change() -> None:
    pooler = container("pgbouncer")
    paths = {mount["mountPath"] for mount in pooler["volumeMounts"]}
    shell, flag, script = pooler["command"]

    assert (shell, flag) == ("/bin/sh", "-c")
    assert "exec pgbouncer /etc/pgbouncer/configuration/pgbouncer.ini" in script
    assert "kill -HUP $$" in script
    assert {"/etc/pgbouncer/configuration", "/etc/pgbouncer/credentials"} <= paths
    # A path below the folder, not the file itself: only then does the kubelet bring changes.
    assert all("subPath" not in mount for mount in pooler["volumeMounts"])


def test_passwords_come_from_secrets_manager_by_name() -> None:
    spec = built().recorder.one(EXTERNAL).inputs["spec"]

    assert spec["secretStoreRef"] == {"name": "pooling-secrets", "kind": "SecretStore"}
    taken = {one["secretKey"]: one["remoteRef"] for one in spec["data"]}
    assert taken == {key: {"key": kept.kept_in, "property": kept.field} for key, kept in PASSWORDS.items()}
    assert spec["target"]["template"]["data"]["userlist.txt"] == (
        '"auth" "{{ .auth }}"\n"parking" "{{ .parking }}"\n"pooler_statistics" "{{ .pooler_statistics }}"\n'
    )


def test_pods_wait_for_their_credentials() -> None:
    assert "pgbouncer-credentials" in built().depends_on(DEPLOYMENT, "pgbouncer-deployment")


def test_only_the_services_connect_and_only_the_servers_are_reached() -> None:
    spec = built().recorder.one(POLICY).inputs["spec"]
    entrance = [
        (rule["from"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"], port["port"])
        for rule in spec["ingress"]
        for port in rule["ports"]
    ]
    ranges = [
        (peer["ipBlock"]["cidr"], rule["ports"])
        for rule in spec["egress"]
        for peer in rule["to"]
        if "ipBlock" in peer
    ]

    assert entrance[0] == ("parking", 6432)
    assert {name for name, _ in entrance[1:]} == {"monitoring"}
    assert ranges == [("10.0.36.0/22", [{"protocol": "TCP", "port": 5432}])]


def test_the_mesh_proves_clients() -> None:
    recorder = built().recorder
    strict = recorder.one("kubernetes:security.istio.io/v1:PeerAuthentication").inputs["spec"]
    allowed = recorder.one("kubernetes:security.istio.io/v1:AuthorizationPolicy").inputs["spec"]

    assert strict["mtls"] == {"mode": "STRICT"}
    assert allowed["rules"] == [
        {
            "from": [{"source": {"namespaces": ["parking"]}}],
            "to": [{"operation": {"ports": ["6432"]}}],
        }
    ]


def test_the_exporter_s_user_needs_a_password() -> None:
    with pytest.raises(ValueError, match=STATISTICS_USER):
        built(passwords={"auth": KeptPassword(kept_in="prod-auth")})
