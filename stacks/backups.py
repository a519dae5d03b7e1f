"""Backups of a region: a vault everywhere, a plan where the writer is."""

from __future__ import annotations

from collections.abc import Sequence

from components.backup import BackupPlan, BackupTarget, BackupVault
from components.encryption import Purpose
from infra.model.sibling import Sibling
from infra.model.stack import StackSettings
from infra.naming import StackContext
from stacks.data import Data
from stacks.foundation import Foundation


def build(
    *,
    context: StackContext,
    settings: StackSettings,
    foundation: Foundation,
    data: Data,
    siblings: Sequence[Sibling],
    writer_here: bool,
) -> None:
    """Create the region's vault, and the plan that fills it and the others' where the writer is."""
    vault = BackupVault(
        "backup-vault",
        context=context,
        settings=settings.recovery,
        key_arn=foundation.keys.arn(Purpose.BACKUP),
    )
    if writer_here:
        BackupPlan(
            "backup-plan",
            context=context,
            settings=settings.recovery,
            target=BackupTarget(
                resources={"database": data.database.arn},
                vault_name=vault.vault_name,
                copy_regions=sorted({sibling.region for sibling in siblings}),
            ),
        )
