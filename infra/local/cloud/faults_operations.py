"""Where moto's logs, backups and budgets answer otherwise than AWS's: what is mended before it serves."""

from __future__ import annotations

import functools
import json
from typing import Any, cast

from infra.local.cloud.wrapping import Wrapper, around, key_exists, part


@functools.cache
def mend() -> None:
    """Mend moto in this process, once."""
    _mend_logs()
    _mend_backups()
    part("budgets.responses").BudgetsResponse.update_budget = _update_budget
    around(part("cloudwatch.models").CloudWatchBackend, "put_metric_alarm", _put_alarm)
    part("s3.models").FakeDeleteMarker.dispose = _nothing


def _nothing(_: Any) -> None:
    """The mark of a deletion, which holds nothing, can be the last that is deleted of an object."""


def _put_alarm(puts: Wrapper, self: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """A new alarm has seen no data yet; one that is changed stays as it is."""
    old = self.alarms.get(name)
    alarm = puts(self, name, *args, **kwargs)
    if old is None:
        alarm.state_value = "INSUFFICIENT_DATA"
    else:
        for what in (
            "state_value",
            "state_reason",
            "state_reason_data",
            "state_updated_timestamp",
            "history",
        ):
            setattr(alarm, what, getattr(old, what))
    return alarm


# Logs


def _mend_logs() -> None:
    answers = part("logs.responses").LogsResponse
    answers.associate_kms_key = _associate_key
    answers.disassociate_kms_key = _disassociate_key
    answers.update_delivery_configuration = _update_delivery
    around(part("logs.models").LogsBackend, "create_log_group", _create_group)


def _require_key(backend: Any, key: str | None) -> None:
    if key and not key_exists(backend.account_id, backend.region_name, key):
        raise part("logs.exceptions").InvalidParameterException(
            "The specified KMS Key Id does not exist or is not allowed to be used."
        )


def _create_group(
    creates: Wrapper, self: Any, log_group_name: str, tags: dict[str, str], **kwargs: Any
) -> Any:
    """The key of a log group exists."""
    _require_key(self, kwargs.get("kmsKeyId"))
    return creates(self, log_group_name, tags, **kwargs)


def _group(self: Any) -> Any:
    name = self._get_param("logGroupName")
    found = self.logs_backend.groups.get(name)
    if found is None:
        raise part("logs.exceptions").ResourceNotFoundException
    return found


def _associate_key(self: Any) -> str:
    """A log group can be given a key later."""
    group, key = _group(self), self._get_param("kmsKeyId")
    _require_key(self.logs_backend, key)
    group.kms_key_id = key
    return ""


def _disassociate_key(self: Any) -> str:
    """A log group can lose its key."""
    _group(self).kms_key_id = None
    return ""


def _update_delivery(self: Any) -> str:
    """What a delivery writes, and where in its bucket, can be changed."""
    delivery = self.logs_backend.get_delivery(self._get_param("id"))
    for name, attribute in (
        ("recordFields", "record_fields"),
        ("fieldDelimiter", "field_delimiter"),
        ("s3DeliveryConfiguration", "s3_delivery_configuration"),
    ):
        if (value := self._get_param(name)) is not None:
            setattr(delivery, attribute, value)
    return "{}"


# Backups


def _mend_backups() -> None:
    backend, answers = part("backup.models").BackupBackend, part("backup.responses").BackupResponse
    around(backend, "create_backup_vault", _create_vault)
    around(backend, "delete_backup_vault", _delete_vault)
    around(backend, "delete_backup_plan", _delete_plan)
    answers.update_backup_plan = _update_plan


def _create_vault(
    creates: Wrapper,
    self: Any,
    backup_vault_name: str,
    *args: Any,
    encryption_key_arn: str = "",
    **kwargs: Any,
) -> Any:
    """The key of a vault exists."""
    if encryption_key_arn and not key_exists(self.account_id, self.region_name, encryption_key_arn):
        raise part("backup.exceptions").InvalidParameterValueException(
            f"The KMS key {encryption_key_arn} does not exist or cannot be used"
        )
    return creates(self, backup_vault_name, *args, encryption_key_arn=encryption_key_arn, **kwargs)


def _delete_vault(deletes: Wrapper, self: Any, backup_vault_name: str) -> Any:
    """A vault that is not there cannot be deleted."""
    self.describe_backup_vault(backup_vault_name)
    return deletes(self, backup_vault_name)


def _delete_plan(deletes: Wrapper, self: Any, backup_plan_id: str) -> Any:
    """A plan that was deleted is gone, and its name is free."""
    answer = deletes(self, backup_plan_id)
    del self.plans[backup_plan_id]
    return answer


def _update_plan(self: Any) -> str:
    """A plan can be changed, which makes a new version of it."""
    identity = str(self.path).rstrip("/").rpartition("/")[2]
    old = self.backup_backend.get_backup_plan(identity, None)
    wanted = cast("dict[str, Any]", json.loads(self.body)["BackupPlan"])
    new = part("backup.models").Plan(
        backup_plan=wanted, creator_request_id=old.creator_request_id, backend=self.backup_backend
    )
    new.backup_plan_id, new.backup_plan_arn = old.backup_plan_id, old.backup_plan_arn
    self.backup_backend.plans[identity] = new
    return json.dumps(new.to_dict())


# Budgets


def _update_budget(self: Any) -> str:
    """A budget can be changed; who is told of it stays."""
    account, wanted = self._get_param("AccountId"), self._get_param("NewBudget")
    self.backend.describe_budget(account_id=account, budget_name=wanted["BudgetName"])
    kept = self.backend.budgets[account][wanted["BudgetName"]]
    period = {"TimePeriod": kept.budget["TimePeriod"]}
    kept.budget = {**period, **wanted, "LastUpdatedTime": part("core.utils").unix_time()}
    return "{}"
