"""Encryption keys: one a purpose, rotated, protected, and open to no more than need them."""

import re
from typing import Any

import pytest

from components.encryption import Keys, Purpose, UnknownKeyError, key_policy
from tests.unit.components.building import Built, build, context
from tests.unit.recording import ACCOUNT, REGION, parsed

KEY = "aws:kms/key:Key"
ALIAS = "aws:kms/alias:Alias"


def build_keys(*, purposes: tuple[Purpose, ...] = tuple(Purpose), protect: bool = True) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        keys = Keys("keys", context=context(protect=protect), purposes=purposes, opts=opts)
        return {purpose.value: keys.arn(purpose) for purpose in purposes}

    return build(make)


def statements(purpose: Purpose) -> dict[str, dict[str, Any]]:
    policy: Any = key_policy(purpose, account=ACCOUNT, region=REGION)
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def test_every_purpose_has_its_own_key_and_alias() -> None:
    recorder = build_keys().recorder

    assert {key.name for key in recorder.of_type(KEY)} == {f"keys-{purpose.value}" for purpose in Purpose}
    assert {(alias.inputs["name"], alias.inputs["targetKeyId"]) for alias in recorder.of_type(ALIAS)} == {
        (f"alias/parking-prod-{purpose.value}", f"key-keys-{purpose.value}") for purpose in Purpose
    }


def test_only_the_purposes_asked_for_get_a_key() -> None:
    recorder = build_keys(purposes=(Purpose.LOGS,)).recorder

    assert [key.name for key in recorder.of_type(KEY)] == ["keys-logs"]
    assert [alias.name for alias in recorder.of_type(ALIAS)] == ["keys-logs-alias"]


def test_every_key_rotates_yearly_and_waits_30_days_when_deleted() -> None:
    for key in build_keys().recorder.of_type(KEY):
        assert key.inputs["enableKeyRotation"] is True
        assert key.inputs["rotationPeriodInDays"] == 365
        assert key.inputs["deletionWindowInDays"] == 30


def test_no_key_is_multi_region_or_skips_the_lockout_check() -> None:
    for key in build_keys().recorder.of_type(KEY):
        assert not key.inputs.get("multiRegion")
        assert not key.inputs.get("bypassPolicyLockoutSafetyCheck")


def test_keys_are_protected_where_the_stack_protects_and_aliases_are_not() -> None:
    assert build_keys().protected() == {(KEY, f"keys-{purpose.value}") for purpose in Purpose}
    assert build_keys(protect=False).protected() == set()


def test_every_key_carries_its_purpose_and_the_stack_tags() -> None:
    for key in build_keys().recorder.of_type(KEY):
        assert key.inputs["tags"] == {
            "project": "parking",
            "environment": "prod",
            "region-role": "primary",
            "component": "Keys",
            "owner": "platform",
            "cost-centre": "parking",
            "managed-by": "pulumi",
            "purpose": key.name.removeprefix("keys-"),
        }


def test_each_key_carries_the_policy_of_its_purpose_for_this_account() -> None:
    recorder = build_keys().recorder

    for purpose in Purpose:
        policy = parsed(recorder.one(KEY, f"keys-{purpose.value}").inputs["policy"])
        assert policy == key_policy(purpose, account=ACCOUNT, region=REGION)


@pytest.mark.parametrize("purpose", Purpose)
def test_the_account_delegates_every_key_to_iam(purpose: Purpose) -> None:
    assert statements(purpose)["AccountDelegatesToIam"]["Principal"] == {
        "AWS": f"arn:aws:iam::{ACCOUNT}:root"
    }


def test_only_services_that_act_by_themselves_are_named_in_a_policy() -> None:
    more = {purpose for purpose in Purpose if len(statements(purpose)) > 1}

    assert more == {Purpose.LOGS, Purpose.STORAGE, Purpose.NOTIFICATIONS}


def test_log_groups_of_this_account_and_region_only_may_use_the_key_for_logs() -> None:
    statement = statements(Purpose.LOGS)["CloudWatchLogs"]

    assert statement["Principal"] == {"Service": "logs.us-east-1.amazonaws.com"}
    assert statement["Condition"] == {
        "ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:*"}
    }
    assert "kms:CreateGrant" not in statement["Action"]


def test_auto_scaling_may_use_the_key_for_disks_only_as_its_service_linked_role() -> None:
    role = (
        f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    )
    found = statements(Purpose.STORAGE)

    for sid in ("AutoScalingUsesTheKey", "AutoScalingGrantsTheKeyToVolumes"):
        equals = found[sid]["Condition"]["StringEquals"]
        assert equals["aws:PrincipalArn"] == role
        assert equals["kms:CallerAccount"] == ACCOUNT
    assert "kms:CreateGrant" not in found["AutoScalingUsesTheKey"]["Action"]
    assert found["AutoScalingGrantsTheKeyToVolumes"]["Action"] == "kms:CreateGrant"
    assert found["AutoScalingGrantsTheKeyToVolumes"]["Condition"]["Bool"] == {
        "kms:GrantIsForAWSResource": "true"
    }


def test_alarms_and_budgets_of_this_account_only_may_publish_to_encrypted_topics() -> None:
    statement = statements(Purpose.NOTIFICATIONS)["PublishersOfThisAccount"]

    assert set(statement["Principal"]["Service"]) == {
        "cloudwatch.amazonaws.com",
        "budgets.amazonaws.com",
        "costalerts.amazonaws.com",
    }
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


@pytest.mark.parametrize("purpose", Purpose)
def test_nobody_but_the_account_gets_a_wildcard_action_or_an_unconditional_statement(
    purpose: Purpose,
) -> None:
    for sid, statement in statements(purpose).items():
        if sid == "AccountDelegatesToIam":
            continue
        assert statement["Condition"]
        assert "*" not in "".join(statement["Action"])


def test_a_key_is_found_by_its_purpose() -> None:
    built = build_keys(purposes=(Purpose.DATABASE, Purpose.LOGS))

    assert built.outputs["database"].endswith(":key/keys-database")
    assert built.outputs["logs"].endswith(":key/keys-logs")


def test_a_key_that_the_stack_does_not_make_is_refused_by_name() -> None:
    def make(opts: Any) -> dict[str, Any]:
        keys = Keys("keys", context=context(), purposes=(Purpose.LOGS,), opts=opts)
        return {"arn": keys.arn(Purpose.CACHE)}

    with pytest.raises(UnknownKeyError, match=re.escape("no key for 'cache'; this stack makes: logs")):
        build(make)


@pytest.mark.parametrize("purposes", [(), (Purpose.LOGS, Purpose.LOGS)])
def test_no_purpose_or_one_twice_is_refused(purposes: tuple[Purpose, ...]) -> None:
    with pytest.raises(ValueError, match="one or more, each once"):
        build_keys(purposes=purposes)
