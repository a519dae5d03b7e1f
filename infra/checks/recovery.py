"""Recovery objectives against what the settings add up to."""

from __future__ import annotations

from collections.abc import Iterator

from infra import recovery
from infra.checks.subject import Subject
from infra.model.stack import Environment
from infra.problems import Problem


def check_recovery(subject: Subject) -> Iterator[Problem]:
    """In production every computed recovery time and loss keeps its objective, or is accepted by name."""
    settings = subject.settings
    own = settings.recovery
    if own.vault_lock != "none" and own.vault_lock_days > min(
        own.backup_retention_days, own.copy_retention_days
    ):
        yield Problem(
            key="parking:recovery.vaultLockDays",
            found=f"{own.vault_lock_days}, with backups kept {own.backup_retention_days} and copies "
            f"{own.copy_retention_days} days",
            allowed="at most the days for which backups and copies are kept",
            why="AWS Backup fails every job whose retention is under its vault's lock",
            action="lower vaultLockDays, or raise the retention",
        )
    if settings.environment is not Environment.PROD:
        return
    for row in recovery.objectives(settings):
        if not row.met and row.name not in own.accepted_over:
            yield Problem(
                key="parking:recovery",
                found=f"{row.name} ({row.kind}): {row.computed_seconds:g} s = "
                + " + ".join(f"{part.what} {part.seconds:g}" for part in row.parts),
                allowed=f"at most {row.objective_seconds:g} s",
                why=f"it is the objective of {row.source}",
                action="change what it consists of, or accept it in parking:recovery.acceptedOver"
                if row.kind == "RTO"
                else "change what it consists of",
            )
