"""Backups beside the stores' own: a locked vault, a plan, copies in other regions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import account_id
from components.base import Component
from infra.iam import service_trust
from infra.model.stack import RecoverySettings
from infra.naming import StackContext

START_WINDOW_MINUTES = 60
"""Shortest time within which AWS Backup starts a job."""
COMPLETION_WINDOW_MINUTES = 360
GRACE_DAYS = 3
"""Days for which a compliance lock can still be taken off: the fewest that AWS Backup takes."""
_POLICIES = ("AWSBackupServiceRolePolicyForBackup", "AWSBackupServiceRolePolicyForRestores")


class BackupVault(Component):
    """The vault of a region: encrypted with the customer's key, locked against early deletion.

    Its name is the same in every region, so that plans can name the others' vaults before these exist; a copy to a
    vault that is not there yet fails alone and is made with the next backup.

    Args:
        name: Logical name, e.g. `backup-vault`; the vault is `parking-<environment>-backup`.
        context: Names, tags and protection of the stack.
        settings: Lock and its days.
        key_arn: KMS key, of this region, for what is in the vault.
        opts: Options of the component itself.

    Outputs:
        vault_name: Name of the vault.

    Source of the numbers: `RecoverySettings`; three days of grace are AWS Backup's least.
    """

    vault_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        settings: RecoverySettings,
        key_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("BackupVault", name, context=context, opts=opts)
        vault = aws.backup.Vault(
            f"{name}-vault",
            name=vault_name(context),
            kms_key_arn=key_arn,
            # A vault with backups in it cannot be deleted; where nothing protects, they go with it.
            force_destroy=not context.protect,
            tags=self.tags(),
            opts=self.child(stateful=True),
        )
        if settings.vault_lock != "none":
            aws.backup.VaultLockConfiguration(
                f"{name}-lock",
                backup_vault_name=vault.name,
                min_retention_days=settings.vault_lock_days,
                changeable_for_days=GRACE_DAYS if settings.vault_lock == "compliance" else None,
                opts=self.child(),
            )
        self.vault_name = vault.name
        self.register_outputs({"vault_name": self.vault_name})


@dataclass(frozen=True, kw_only=True)
class BackupTarget:
    """What is backed up, and where to.

    Attributes:
        resources: ARN of each store, by a name that stays.
        vault_name: Vault of this region.
        copy_regions: Regions whose vaults of the same name get a copy of every backup.
    """

    resources: Mapping[str, pulumi.Input[str]]
    vault_name: pulumi.Input[str]
    copy_regions: Sequence[str]


class BackupPlan(Component):
    """Backups of a region's stores at fixed hours, copied to the environment's other regions.

    They stand beside RDS' own daily snapshots and transaction logs, which go with the instance and its region.

    Args:
        name: Logical name, e.g. `backup-plan`.
        context: Names, tags and protection of the stack.
        settings: Interval in hours, retention in days.
        target: What is backed up, and where to.
        opts: Options of the component itself.

    Source of the numbers: `RecoverySettings`.
    """

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        settings: RecoverySettings,
        target: BackupTarget,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("BackupPlan", name, context=context, opts=opts)
        role = self._create_role()
        plan = self._create_plan(settings, target)
        for store, resource in sorted(target.resources.items()):
            aws.backup.Selection(
                f"{name}-{store}",
                name=context.name(store, limit=50),
                plan_id=plan.id,
                iam_role_arn=role,
                resources=[resource],
                opts=self.child(),
            )
        self.register_outputs({})

    def _create_plan(self, settings: RecoverySettings, target: BackupTarget) -> aws.backup.Plan:
        account = account_id(self)
        copies = [
            aws.backup.PlanRuleCopyActionArgs(
                destination_vault_arn=account.apply(_vault_arn(self.context, region)),
                lifecycle=aws.backup.PlanRuleCopyActionLifecycleArgs(
                    delete_after=settings.copy_retention_days
                ),
            )
            for region in sorted(target.copy_regions)
        ]
        return aws.backup.Plan(
            f"{self._name}-plan",
            name=self.context.name("backup", limit=50),
            rules=[
                aws.backup.PlanRuleArgs(
                    rule_name=f"every-{settings.backup_interval_hours}-hours",
                    target_vault_name=target.vault_name,
                    schedule=schedule(settings.backup_interval_hours),
                    start_window=START_WINDOW_MINUTES,
                    completion_window=COMPLETION_WINDOW_MINUTES,
                    lifecycle=aws.backup.PlanRuleLifecycleArgs(delete_after=settings.backup_retention_days),
                    copy_actions=copies,
                )
            ],
            tags=self.tags(),
            opts=self.child(),
        )

    def _create_role(self) -> pulumi.Output[str]:
        role = aws.iam.Role(
            f"{self._name}-role",
            name=self.context.global_name("backup", limit=64),
            description="Lets AWS Backup back up and restore the stores of this stack",
            assume_role_policy=service_trust("backup.amazonaws.com"),
            tags=self.tags(),
            opts=self.child(),
        )
        attached = [
            aws.iam.RolePolicyAttachment(
                f"{self._name}-{policy.removeprefix('AWSBackupServiceRolePolicyFor').lower()}",
                role=role.name,
                policy_arn=f"arn:aws:iam::aws:policy/service-role/{policy}",
                opts=self.child(),
            ).id
            for policy in _POLICIES
        ]
        # By way of the attachments: a first backup would fail while the role may not make it.
        return pulumi.Output.all(role.arn, *attached).apply(lambda known: str(known[0]))


def vault_name(context: StackContext) -> str:
    """Name of an environment's vault, the same in every region."""
    return context.name("backup", limit=50)


def schedule(hours: int) -> str:
    """Cron expression, in UTC, of a backup every so many hours, from midnight on."""
    return "cron(0 0 * * ? *)" if hours == 24 else f"cron(0 0/{hours} * * ? *)"


def _vault_arn(context: StackContext, region: str) -> Callable[[str], str]:
    return lambda account: f"arn:aws:backup:{region}:{account}:backup-vault:{vault_name(context)}"
