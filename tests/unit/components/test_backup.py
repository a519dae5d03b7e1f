"""Backups: locked, encrypted, copied to every other region, and no job that must fail."""

from __future__ import annotations

from typing import Any

import pytest

from components.backup import BackupPlan, BackupTarget, BackupVault, schedule
from infra.model.stack import RecoverySettings
from tests.unit.components.building import Built, build, context
from tests.unit.recording import ACCOUNT, parsed

VAULT = "aws:backup/vault:Vault"
LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
PLAN = "aws:backup/plan:Plan"
SELECTION = "aws:backup/selection:Selection"
KEY = "arn:aws:kms:us-east-1:123456789012:key/backup"


def vault(*, settings: RecoverySettings | None = None, protect: bool = True) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        made = BackupVault(
            "vault",
            context=context(protect=protect),
            settings=settings or RecoverySettings(),
            key_arn=KEY,
            opts=opts,
        )
        return {"name": made.vault_name}

    return build(make)


def plan(*, regions: tuple[str, ...] = ("eu-west-1",), settings: RecoverySettings | None = None) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        BackupPlan(
            "plan",
            context=context(),
            settings=settings or RecoverySettings(),
            target=BackupTarget(
                resources={"store": "arn:aws:rds:us-east-1:123456789012:db:store"},
                vault_name="parking-prod-backup",
                copy_regions=regions,
            ),
            opts=opts,
        )
        return {}

    return build(make)


def test_a_vault_is_encrypted_protected_and_named_alike_in_every_region() -> None:
    built = vault()
    inputs = built.recorder.one(VAULT).inputs

    assert inputs["kmsKeyArn"] == KEY
    assert inputs["name"] == "parking-prod-backup"
    assert inputs["forceDestroy"] is False
    assert built.protected() == {(VAULT, "vault-vault")}


def test_a_governance_lock_keeps_every_backup_a_week_and_administrators_may_lift_it() -> None:
    lock = vault().recorder.one(LOCK).inputs

    assert lock["minRetentionDays"] == 7
    assert "changeableForDays" not in lock


def test_a_compliance_lock_is_final_after_three_days() -> None:
    assert (
        vault(settings=RecoverySettings(vault_lock="compliance"))
        .recorder.one(LOCK)
        .inputs["changeableForDays"]
        == 3
    )


def test_a_vault_may_go_without_a_lock() -> None:
    assert vault(settings=RecoverySettings(vault_lock="none")).recorder.of_type(LOCK) == []


def test_backups_run_every_six_hours_and_are_copied_to_each_other_regions_vault() -> None:
    [rule] = plan(regions=("eu-west-1", "ap-southeast-2")).recorder.one(PLAN).inputs["rules"]

    assert rule["schedule"] == "cron(0 0/6 * * ? *)"
    assert rule["lifecycle"] == {"deleteAfter": 35}
    assert [copy["destinationVaultArn"] for copy in rule["copyActions"]] == [
        f"arn:aws:backup:ap-southeast-2:{ACCOUNT}:backup-vault:parking-prod-backup",
        f"arn:aws:backup:eu-west-1:{ACCOUNT}:backup-vault:parking-prod-backup",
    ]


@pytest.mark.parametrize(("hours", "expected"), [(1, "cron(0 0/1 * * ? *)"), (24, "cron(0 0 * * ? *)")])
def test_an_interval_becomes_a_schedule(hours: int, expected: str) -> None:
    assert schedule(hours) == expected


def test_only_aws_backup_takes_the_role_and_stores_are_selected_by_name() -> None:
    built = plan()
    selection = built.recorder.one(SELECTION).inputs
    [statement] = parsed(built.recorder.one("aws:iam/role:Role").inputs["assumeRolePolicy"])["Statement"]

    assert selection["resources"] == ["arn:aws:rds:us-east-1:123456789012:db:store"]
    assert statement["Principal"] == {"Service": "backup.amazonaws.com"}
