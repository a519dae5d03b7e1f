"""Migrations and partitions, run from inside the cluster."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest

from components.database_jobs import DatabaseJobs, JobSite, Logins
from infra.data.logins import logins
from infra.data.migrations import MigrationError, driver
from tests.unit.components.building import Built, build, context

OWNER = "prod-owner"
JOB, CRON = "kubernetes:batch/v1:Job", "kubernetes:batch/v1:CronJob"


def built(*, seconds: int = 30) -> Built:
    def make(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        jobs = DatabaseJobs(
            "database-jobs",
            context=context(),
            site=JobSite(
                provider=k8s.Provider("cluster"),
                namespace="pooling",
                store="pooling-secrets",
                data_cidrs=("10.0.36.0/22",),
                authorities="certificates",
            ),
            host="writer.example",
            logins=Logins(
                owner="parking_owner",
                owner_secret=OWNER,
                role_secrets={"auth": "prod-auth", "analytics": "prod-analytics"},
                writers=["auth"],
                statement_timeout_seconds=seconds,
            ),
            opts=opts,
        )
        return {"job": jobs.job}

    return build(make)


def container(type_token: str) -> dict[str, Any]:
    spec = built().recorder.one(type_token).inputs["spec"]
    spec = spec["jobTemplate"]["spec"] if type_token == CRON else spec
    (one,) = spec["template"]["spec"]["containers"]
    return one


def test_the_job_applies_migrations_then_makes_roles() -> None:
    assert container(JOB)["args"] == ["--file=/migrations/apply.sql", "--file=/migrations/roles.sql"]


def test_it_verifies_the_writer_by_name() -> None:
    variables = {one["name"]: one["value"] for one in container(JOB)["env"]}

    assert (variables["PGSSLMODE"], variables["PGHOST"]) == ("verify-full", "writer.example")
    assert variables["PGSSLROOTCERT"] == "/migrations/authorities.pem"


def test_no_password_is_in_an_argument_a_variable_or_a_script() -> None:
    recorder = built().recorder
    external = recorder.one("kubernetes:external-secrets.io/v1:ExternalSecret").inputs["spec"]

    assert external["target"]["template"]["data"] == {
        "PGPASSWORD": "{{ .owner }}",
        "PASSWORD_AUTH": "{{ .auth }}",
        "PASSWORD_AUTH_ALTERNATE": "{{ .auth_alternate }}",
        "PASSWORD_ANALYTICS": "{{ .analytics }}",
        "PASSWORD_ANALYTICS_ALTERNATE": "{{ .analytics_alternate }}",
    }
    taken = {one["secretKey"]: one["remoteRef"] for one in external["data"]}
    assert taken["auth_alternate"] == {"key": "prod-auth", "property": "auth_alternate_password"}
    assert container(JOB)["envFrom"] == [{"secretRef": {"name": "database-jobs-credentials"}}]
    scripts = recorder.one("kubernetes:core/v1:ConfigMap").inputs["data"]
    assert "\\getenv password PASSWORD_AUTH" in scripts["roles.sql"]
    assert not {"PGPASSWORD", "PASSWORD_AUTH"} & {one["name"] for one in container(JOB)["env"]}


def test_both_logins_of_a_role_may_do_the_same() -> None:
    script = built().recorder.one("kubernetes:core/v1:ConfigMap").inputs["data"]["roles.sql"]
    of = {login: [line for line in script.splitlines() if f'"{login}"' in line] for login in logins("auth")}

    assert [line.replace("auth_alternate", "auth") for line in of["auth_alternate"]] == of["auth"]


def test_something_new_to_run_is_a_new_job() -> None:
    assert built().outputs == built().outputs != built(seconds=31).outputs


def test_partitions_are_made_every_day_and_never_twice_at_once() -> None:
    spec = built().recorder.one(CRON).inputs["spec"]
    scripts = built().recorder.one("kubernetes:core/v1:ConfigMap").inputs["data"]

    assert (spec["schedule"], spec["concurrencyPolicy"]) == ("17 3 * * *", "Forbid")
    assert container(CRON)["args"] == ["--file=/migrations/partitions.sql"]
    assert scripts["partitions.sql"].splitlines() == [
        "SELECT make_partitions_ahead(4);",
        "SELECT detach_old_partitions(8);",
    ]


def test_roles_that_only_read_cannot_write() -> None:
    script = built().recorder.one("kubernetes:core/v1:ConfigMap").inputs["data"]["roles.sql"]

    assert 'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "analytics"' in script
    assert 'ALTER ROLE "analytics" SET default_transaction_read_only = on' in script
    assert 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "auth"' in script
    assert "ALTER ROLE \"auth\" SET statement_timeout = '30s'" in script


@pytest.mark.parametrize("names", [("0001_a.sql", "0003_b.sql"), ("0001_a.sql", "0001_b.sql"), ("a.sql",)])
def test_migrations_out_of_order_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(MigrationError, match="without gaps"):
        driver(dict.fromkeys(names, "SELECT 1;"))
