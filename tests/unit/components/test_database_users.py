"""Passwords of the database roles."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.database_users import DatabaseUsers
from tests.unit.components.building import Built, build, context
from tests.unit.components.sites import SECRETS_KEY, revealed
from tests.unit.recording import parsed

KEPT = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
GENERATED = "random:index/randomPassword:RandomPassword"


def built(**changes: Any) -> Built:
    def make(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        values: dict[str, Any] = {"roles": ["parking", "auth"], **changes}
        made = DatabaseUsers("database-user", context=context(), key_arn=SECRETS_KEY, opts=opts, **values)
        return {"names": made.secret_names, "passwords": made.passwords}

    return build(make)


def test_each_role_has_a_secret_of_its_own_under_the_stack_s_key() -> None:
    secrets = built().recorder.of_type(KEPT)

    assert [secret.inputs["name"] for secret in secrets] == [
        "parking-prod-use1-database-user-auth",
        "parking-prod-use1-database-user-parking",
    ]
    assert {secret.inputs["kmsKeyId"] for secret in secrets} == {SECRETS_KEY}


def test_a_secret_says_whose_it_is() -> None:
    version = built().recorder.one(VERSION, "database-user-auth-version")

    document = parsed(revealed(version.inputs["secretString"]))
    assert document == {
        "username": "auth",
        "password": "generated-value",
        "auth_password": "generated-value",
        "auth_alternate_password": "generated-value",
        "dbname": "parking",
    }


def test_the_program_gives_the_first_value_only_and_keeps_it_from_being_forgotten() -> None:
    made = built()

    options = made.options[VERSION, "database-user-auth-version"]
    assert options.ignore_changes == ["secretString", "versionStages"]
    assert made.recorder.one(VERSION, "database-user-auth-version").inputs["versionStages"] == [
        "AWSCURRENT",
        "FIRST",
    ]


def test_given_passwords_are_kept_and_none_is_generated() -> None:
    given = {role: pulumi.Output.secret(f"of-{role}") for role in ("auth", "parking")}
    made = built(passwords=given)

    version = made.recorder.one(VERSION, "database-user-parking-version")
    document = parsed(revealed(version.inputs["secretString"]))
    assert (document["username"], document["password"]) == ("parking", "of-parking")
    assert made.recorder.of_type(GENERATED) == []


def test_given_passwords_must_be_the_roles() -> None:
    with pytest.raises(ValueError, match=r"passwords for \['auth'\]"):
        built(passwords={"auth": pulumi.Output.secret("x")})


def test_a_role_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="must differ"):
        built(roles=["auth", "auth"])
