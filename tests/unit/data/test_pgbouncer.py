"""pgbouncer.ini and the connection budget."""

from __future__ import annotations

from configparser import ConfigParser

import pytest

from infra.cluster import versions
from infra.data.pgbouncer import Pool, PoolerFiles, TlsMode, budget, read_only_pool, render, users, writers
from infra.model.stack import ConnectionPoolSettings
from infra.traffic.mesh import MeshSite
from infra.traffic.mesh.access import service_sidecar
from services import CATALOGUE

SETTINGS = ConnectionPoolSettings()
POOLS = [Pool(database="auth", host="writer.example"), Pool(database="parking", host="writer.example")]


def parsed(version: tuple[int, int] = (1, 25), *, tls: TlsMode = TlsMode.VERIFY_FULL) -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.read_string(render(POOLS, settings=SETTINGS, version=version, files=PoolerFiles(tls=tls)))
    return parser


def test_numbers_of_the_specification() -> None:
    ini = parsed()["pgbouncer"]

    assert ini["pool_mode"] == "transaction"
    assert ini["default_pool_size"] == "20"
    assert ini["client_idle_timeout"] == "300"
    assert ini["max_client_conn"] == "410"
    assert (ini["query_timeout"], ini["query_wait_timeout"]) == ("35", "30")
    assert ini["listen_port"] == "6432"


def test_a_pool_takes_200_clients_on_20_servers_and_limits_statements_to_30_seconds() -> None:
    assert parsed()["databases"]["auth"] == (
        "host=writer.example port=5432 dbname=parking pool_size=20 max_db_connections=20 "
        "max_db_client_connections=200 connect_query='SET statement_timeout = 30000'"
    )


def test_no_connection_is_outside_the_budget() -> None:
    ini = parsed()["pgbouncer"]

    assert (ini["min_pool_size"], ini["reserve_pool_size"]) == ("0", "0")


def test_the_server_is_verified_by_name_and_authority() -> None:
    ini = parsed()["pgbouncer"]

    assert ini["server_tls_sslmode"] == "verify-full"
    assert ini["server_tls_ca_file"] == "/etc/pgbouncer/configuration/authorities.pem"
    assert ini["auth_type"] == "scram-sha-256"


def test_without_tls_no_authority_is_named() -> None:
    assert "server_tls_ca_file" not in parsed(tls=TlsMode.DISABLE)["pgbouncer"]


def test_a_failover_is_followed_within_the_life_of_the_server_s_record() -> None:
    ini = parsed()["pgbouncer"]

    assert (ini["dns_max_ttl"], ini["server_lifetime"], ini["server_login_retry"]) == ("5", "300", "1")


@pytest.mark.parametrize(("version", "has"), [((1, 20), False), ((1, 21), True), ((1, 25), True)])
def test_prepared_statements_are_named_where_the_version_knows_them(
    version: tuple[int, int], *, has: bool
) -> None:
    assert ("max_prepared_statements" in parsed(version)["pgbouncer"]) is has


@pytest.mark.parametrize(("version", "has"), [((1, 23), False), ((1, 24), True)])
def test_clients_of_a_database_are_limited_where_the_version_can(
    version: tuple[int, int], *, has: bool
) -> None:
    assert ("max_db_client_connections" in parsed(version)["databases"]["auth"]) is has


@pytest.mark.parametrize("pools", [[], [POOLS[0], POOLS[0]]])
def test_no_pool_or_two_of_one_name_are_refused(pools: list[Pool]) -> None:
    with pytest.raises(ValueError, match="names that differ"):
        render(pools, settings=SETTINGS, version=(1, 25))


def test_the_pinned_version_is_a_safe_one() -> None:
    assert tuple(map(int, versions.PGBOUNCER.split("."))) >= (1, 25, 2)
    assert versions.PGBOUNCER_IMAGE.endswith(f":{versions.PGBOUNCER}")


def test_pools_follow_who_reads_and_who_writes() -> None:
    assert [s.name for s in writers(CATALOGUE)] == ["auth", "configuration", "parking", "payment"]
    assert [read_only_pool(s) for s in users(CATALOGUE)] == [
        "analytics_ro",
        "auth_ro",
        "configuration_ro",
        "parking_ro",
        "payment_ro",
    ]


def test_the_budget_counts_every_pod_of_every_region_and_the_one_being_replaced() -> None:
    both = ConnectionPoolSettings(replicas=2, regions=2)

    assert budget(CATALOGUE, settings=both, readers=3).writer == 4 * 20 * (2 * 2 + 1)
    assert budget(CATALOGUE, settings=both, readers=3).reader == 5 * 20 * (2 + 1)


def test_without_readers_the_read_only_pools_count_on_the_head() -> None:
    taken = budget(CATALOGUE, settings=SETTINGS, readers=0)

    assert taken.writer == taken.reader == (4 + 5) * 20 * 3


def test_the_mesh_lets_who_uses_the_database_reach_the_poolers() -> None:
    site = MeshSite(region="us-east-1", pooler_namespace="pooling")

    for service in CATALOGUE:
        (egress,) = service_sidecar(service, site, ())["egress"]
        assert ("pooling/*" in egress["hosts"]) is service.uses_database
