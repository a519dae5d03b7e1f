"""Generated secrets: a long password under the customer's key, in clear nowhere."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.secret import GeneratedSecret, SecretOptions
from infra.model.stack import Environment, Role
from infra.naming import StackContext
from tests.unit.components.building import Built, build, context
from tests.unit.components.sites import SECRETS_KEY, revealed
from tests.unit.recording import parsed

GENERATED = "random:index/randomPassword:RandomPassword"
STORED = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"


def staging() -> StackContext:
    return StackContext(
        environment=Environment.STAGING,
        region="us-west-2",
        role=Role.PRIMARY,
        owner="platform",
        cost_centre="parking",
        protect=False,
    )


def build_secret(
    *,
    within: StackContext | None = None,
    options: SecretOptions | None = None,
    fields: dict[str, str] | None = None,
) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        secret = GeneratedSecret(
            "owner",
            context=within or context(),
            description="Owner of the database",
            key_arn=SECRETS_KEY,
            fields={"username": "someone"} if fields is None else fields,
            options=options,
            opts=opts,
        )
        return {
            "arn": secret.arn,
            "value": secret.value,
            "secret": pulumi.Output.from_input(secret.value.is_secret()),
        }

    return build(make)


def test_the_password_is_long_and_safe_in_a_connection_url() -> None:
    inputs = build_secret().recorder.one(GENERATED).inputs

    assert inputs["length"] == 48
    assert inputs["special"] is False


def test_the_secret_is_encrypted_with_the_customer_key_and_named_with_its_region() -> None:
    secret = build_secret().recorder.one(STORED).inputs

    assert secret["kmsKeyId"] == SECRETS_KEY
    assert secret["name"] == "parking-prod-use1-owner"
    assert secret["tags"]["component"] == "GeneratedSecret"


def test_the_document_holds_the_fields_and_the_password_and_reaches_the_engine_as_a_secret() -> None:
    version = build_secret(fields={"username": "someone", "port": "5432"}).recorder.one(VERSION).inputs

    assert parsed(revealed(version["secretString"])) == {
        "username": "someone",
        "port": "5432",
        "password": "generated-value",
    }


def test_the_password_leaves_the_component_as_a_pulumi_secret_only() -> None:
    outputs = build_secret().outputs

    assert outputs["value"] == "generated-value"
    assert outputs["secret"] is True


def test_a_deleted_secret_is_restorable_for_30_days_in_production_and_gone_at_once_elsewhere() -> None:
    production = build_secret().recorder.one(STORED).inputs
    elsewhere = build_secret(within=staging()).recorder.one(STORED).inputs

    assert production["recoveryWindowInDays"] == 30
    assert elsewhere["recoveryWindowInDays"] == 0


@pytest.mark.parametrize("days", [1, 6, 31])
def test_a_recovery_window_that_secrets_manager_refuses_is_refused_here(days: int) -> None:
    with pytest.raises(ValueError, match=rf"recovery window of {days} days.*0 or 7 to 30"):
        build_secret(options=SecretOptions(recovery_window_days=days))


def test_replicas_stand_in_region_order_each_under_its_own_key() -> None:
    options = SecretOptions(replica_key_arns={"us-west-2": "key-west", "eu-west-1": "key-europe"})

    secret = build_secret(options=options).recorder.one(STORED).inputs

    assert [(replica["region"], replica["kmsKeyId"]) for replica in secret["replicas"]] == [
        ("eu-west-1", "key-europe"),
        ("us-west-2", "key-west"),
    ]


def test_a_secret_without_replicas_names_no_region() -> None:
    assert not build_secret().recorder.one(STORED).inputs.get("replicas")


def test_a_new_generation_makes_a_new_password() -> None:
    first = build_secret().recorder.one(GENERATED).inputs["keepers"]
    second = build_secret(options=SecretOptions(generation=2)).recorder.one(GENERATED).inputs["keepers"]

    assert first != second


def test_protection_covers_a_stateful_secret_and_no_other() -> None:
    assert build_secret(options=SecretOptions(stateful=True)).protected() == {
        (GENERATED, "owner-password"),
        (STORED, "owner-secret"),
    }
    assert build_secret().protected() == set()


def test_a_field_may_not_hide_the_generated_password() -> None:
    with pytest.raises(ValueError, match="the field 'password' is the generated one"):
        build_secret(fields={"password": "chosen"})


def test_the_password_is_in_no_other_property_than_the_secret_document() -> None:
    shown = {
        (resource.name, key)
        for resource in build_secret().recorder.resources
        for key, value in resource.inputs.items()
        if "generated-value" in str(value)
    }

    assert shown == {("owner-version", "secretString")}
