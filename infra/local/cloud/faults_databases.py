"""Where moto's RDS answers otherwise than AWS's, besides replicas: what is mended before it serves."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final

from infra.local.cloud import faults
from infra.local.cloud.wrapping import (
    Wrapper,
    around,
    groups_missing,
    key_exists,
    part,
    role_exists,
    subnets_missing,
)

_CALLED: Final[Mapping[str, str]] = {
    "enable_performance_insights": "performance_insights_enabled",
    "performance_insights_kms_key_id": "performance_insights_kms_key_id",
    "performance_insights_retention_period": "performance_insights_retention_period",
    "database_insights_mode": "database_insights_mode",
    "enable_cloudwatch_logs_exports": "enabled_cloudwatch_logs_exports",
    "db_port_number": "port",
    "enable_iam_database_authentication": "enable_iam_database_authentication",
    "engine_lifecycle_support": "engine_lifecycle_support",
    "network_type": "network_type",
}
"""What an instance shows by the argument that sets it."""


@functools.cache
def mend() -> None:
    """Mend moto in this process, once."""
    # Replicas are made by another module's words, which are put in place first.
    faults.mend()
    models = part("rds.models")
    backend = models.RDSBackend
    around(backend, "create_db_instance", _create)
    around(backend, "create_db_instance_read_replica", _create_replica)
    around(backend, "modify_db_instance", _modify)
    around(backend, "delete_db_instance", _delete)
    around(backend, "create_subnet_group", _create_subnet_group)
    around(backend, "modify_db_subnet_group", _modify_subnet_group)
    around(backend, "delete_subnet_group", _delete_subnet_group)
    around(backend, "delete_db_parameter_group", _delete_parameter_group)
    around(models.DBInstance, "update", _update)
    responses = part("rds.responses").RDSResponse
    around(responses, "create_db_subnet_group", _require_subnets)
    around(responses, "modify_db_subnet_group", _require_subnets)
    responses.reset_db_parameter_group = _reset_parameter_group


def _refuse(code: str, message: str) -> Exception:
    error: Exception = part("rds.exceptions").RDSClientError(code, message)
    return error


def _require(self: Any, wanted: Mapping[str, Any]) -> None:
    """Keys, groups and roles that an instance is made of must be there."""
    for name in ("kms_key_id", "performance_insights_kms_key_id"):
        key = wanted.get(name)
        if key and not key_exists(self.account_id, self.region_name, key):
            raise part("rds.exceptions").KMSKeyNotAccessibleFault(key)
    for group in groups_missing(
        self.account_id, self.region_name, wanted.get("vpc_security_group_ids") or []
    ):
        raise _refuse("InvalidParameterValue", f"Invalid security group , groupId= {group}, groupName=.")
    parameters = wanted.get("db_parameter_group_name") or "default."
    if not parameters.startswith("default.") and parameters not in self.db_parameter_groups:
        raise part("rds.exceptions").DBParameterGroupNotFoundError(parameters)
    role = wanted.get("monitoring_role_arn")
    if role and not role_exists(self.account_id, role):
        raise _refuse(
            "InvalidParameterValue",
            "IAM role ARN value is invalid or does not include the required permissions.",
        )


def _show(database: Any, wanted: Mapping[str, Any]) -> None:
    for argument, shown in _CALLED.items():
        if wanted.get(argument) is not None:
            setattr(database, shown, copy.copy(wanted[argument]))


def _create(creates: Wrapper, self: Any, db_kwargs: dict[str, Any]) -> Any:
    """An instance is only made of what is there."""
    _require(self, db_kwargs)
    database = creates(self, db_kwargs)
    _show(database, db_kwargs)
    return database


def _create_replica(creates: Wrapper, self: Any, db_kwargs: dict[str, Any]) -> Any:
    """A replica has tags of its own, a key of its region, and is only made of what is there."""
    _require(self, db_kwargs)
    source = str(db_kwargs["source_db_instance_identifier"])
    key = db_kwargs.get("kms_key_id")
    other_region = source.startswith("arn:") and source.split(":")[3] != self.region_name
    if other_region and self.find_db_from_id(source).storage_encrypted and not key:
        raise _refuse(
            "InvalidParameterCombination",
            "Cannot create a cross region read replica from encrypted source without key.",
        )
    replica = creates(self, db_kwargs)
    replica.tags = list(db_kwargs.get("tags") or [])
    if not str(replica.availability_zone).startswith(self.region_name):
        replica.availability_zone = f"{self.region_name}a"
    _show(replica, db_kwargs)
    return replica


def _modify(modifies: Wrapper, self: Any, db_instance_identifier: str, db_kwargs: dict[str, Any]) -> Any:
    """An instance is only changed to what is there."""
    self.describe_db_instances(db_instance_identifier)
    _require(self, db_kwargs)
    return modifies(self, db_instance_identifier, db_kwargs)


def _update(updates: Wrapper, self: Any, *args: Any, **kwargs: Any) -> Any:
    """Logs are switched on once, and off only where they were on; what was asked for is shown."""
    exports: dict[str, list[str]] = kwargs.pop("cloudwatch_logs_export_configuration", None) or {}
    wanted, unwanted = exports.get("EnableLogTypes") or [], exports.get("DisableLogTypes") or []
    updated = updates(self, *args, **kwargs)
    _show(self, kwargs)
    if exports:
        held = [log for log in self.enabled_cloudwatch_logs_exports if log not in unwanted]
        self.enabled_cloudwatch_logs_exports = [*held, *(log for log in wanted if log not in held)]
    return updated


def _delete(deletes: Wrapper, self: Any, db_instance_identifier: str, *args: Any, **kwargs: Any) -> Any:
    """Either a last snapshot is named or none is wanted; a replica leaves none."""
    doomed = self.databases.get(db_instance_identifier)
    snapshot = kwargs.get("final_db_snapshot_identifier") or (args[0] if args else None)
    skips = kwargs.get("skip_final_snapshot") or (args[1] if len(args) > 1 else False)
    if doomed is not None and not doomed.deletion_protection and not (snapshot or skips or doomed.is_replica):
        raise _refuse(
            "InvalidParameterCombination",
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
        )
    return deletes(self, db_instance_identifier, *args, **kwargs)


def _require_subnets(answers: Wrapper, self: Any) -> Any:
    """A subnet group is of subnets that are there."""
    subnets: Sequence[str] = self.params.get("SubnetIds", [])
    missing = subnets_missing(self.current_account, self.region, list(subnets))
    if missing or not subnets:
        raise _refuse("InvalidSubnet", f"Some input subnets in :[{', '.join(missing)}] are invalid.")
    return answers(self)


def _create_subnet_group(creates: Wrapper, self: Any, subnet_name: str, *args: Any, **kwargs: Any) -> Any:
    """A name is given once."""
    if subnet_name.lower() in self.subnet_groups:
        raise _refuse("DBSubnetGroupAlreadyExists", f"The DB subnet group {subnet_name} already exists.")
    return creates(self, subnet_name, *args, **kwargs)


def _modify_subnet_group(modifies: Wrapper, self: Any, subnet_name: str, *args: Any, **kwargs: Any) -> Any:
    """A subnet group that was changed is still there."""
    self.describe_db_subnet_groups(subnet_name)
    group = modifies(self, subnet_name, *args, **kwargs)
    self.subnet_groups[subnet_name] = group
    return group


def _delete_subnet_group(deletes: Wrapper, self: Any, subnet_name: str) -> Any:
    """A subnet group in use stays."""
    used = [
        database
        for database in self.databases.values()
        if getattr(getattr(database, "db_subnet_group", None), "name", None) == subnet_name
    ]
    if used:
        raise _refuse(
            "InvalidDBSubnetGroupStateFault",
            f"Cannot delete the subnet group '{subnet_name}' because at least one database instance is still using it.",
        )
    return deletes(self, subnet_name)


def _delete_parameter_group(deletes: Wrapper, self: Any, db_parameter_group_name: str) -> Any:
    """A parameter group in use stays."""
    if any(
        database.db_parameter_group_name == db_parameter_group_name for database in self.databases.values()
    ):
        raise _refuse(
            "InvalidDBParameterGroupState",
            "One or more database instances are still members of this parameter group "
            f"{db_parameter_group_name}, so the group cannot be deleted",
        )
    return deletes(self, db_parameter_group_name)


def _reset_parameter_group(self: Any) -> Any:
    """Parameters go back to their defaults, which moto has no call for."""
    name = self.params.get("DBParameterGroupName")
    groups = self.backend.describe_db_parameter_groups({"db_parameter_group_name": name})
    if not groups:
        raise part("rds.exceptions").DBParameterGroupNotFoundError(name)
    if self.params.get("ResetAllParameters"):
        groups[0].parameters.clear()
    for parameter in self.params.get("Parameters", []):
        groups[0].parameters.pop(parameter.original_dict()["ParameterName"], None)
    return part("core.responses").ActionResult({"DBParameterGroupName": name})
