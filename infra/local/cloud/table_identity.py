"""Roles, keys and secrets in the cloud's calls."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any, Final, cast

import botocore.session

from infra.local.cloud.rows import Call, Row

Json = Any
_ROLE: Final[Mapping[str, Json]] = {"RoleName": "{id}"}
_KEY: Final[Mapping[str, Json]] = {"KeyId": "{id}"}
_ROTATION: Final = Call(operation="get_key_rotation_status", given=_KEY)
_SECRET: Final[Mapping[str, Json]] = {"SecretId": "{id}"}
_ATTACHED: Final[Mapping[str, Json]] = {"RoleName": "{role}", "PolicyArn": "{policyArn}"}
_INLINE: Final = {"name": "PolicyName", "policy": "PolicyDocument", "role": "RoleName"}


def _no_empty_replicas(arguments: dict[str, Json], _: Mapping[str, Json]) -> None:
    """A list of no replicas is refused."""
    if not arguments.get("AddReplicaRegions"):
        arguments.pop("AddReplicaRegions", None)


def _every_region(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """Wherever a replica may be, it goes: where replicas were is not known any more."""
    # botocore ships without types.
    session: Any = vars(botocore.session)["get_session"]()
    regions = cast("list[str]", session.get_available_regions("secretsmanager"))
    arguments["RemoveReplicaRegions"] = [region for region in regions if region != values["region"]]


def _window(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """A recovery window of no days frees the name at once."""
    if values.get("recoveryWindowInDays") == 0:
        del arguments["RecoveryWindowInDays"]
        arguments["ForceDeleteWithoutRecovery"] = True


def _version_id(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """A version is called after what creates it, so that asking again makes no second one."""
    digest = hashlib.sha256(f"{values.get('key')}{values.get('secretId')}".encode()).digest()
    arguments["ClientRequestToken"] = str(uuid.UUID(bytes=digest[:16], version=4))


_UNREPLICATE: Final = Call(
    operation="remove_regions_from_replication", given=_SECRET, when="replicas", finish=_every_region
)
_SECRET_POLICY: Final = Call(
    operation="put_resource_policy",
    given={**_SECRET, "ResourcePolicy": "{policy}"},
    when="policy",
    needs="policy",
)
_DISABLE: Final = Call(operation="disable_key", given=_KEY, when="isEnabled", needs="isEnabled=false")

ROWS: Final[Mapping[str, Row]] = {
    "iam:Role": Row(
        service="iam",
        create=(Call(operation="create_role", carries=True),),
        id="Role.RoleName",
        read=Call(operation="get_role", given=_ROLE),
        found="Role",
        outputs={"arn": "Arn", "uniqueId": "RoleId"},
        names={"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"},
        update=(
            Call(
                operation="update_assume_role_policy",
                given={**_ROLE, "PolicyDocument": "{assumeRolePolicy}"},
                when="assumeRolePolicy",
            ),
            Call(
                operation="update_role",
                given=_ROLE,
                carries="description maxSessionDuration",
                when="description maxSessionDuration",
            ),
            Call(
                operation="put_role_permissions_boundary",
                given={**_ROLE, "PermissionsBoundary": "{permissionsBoundary}"},
                when="permissionsBoundary",
                needs="permissionsBoundary",
            ),
            Call(
                operation="delete_role_permissions_boundary",
                given=_ROLE,
                when="permissionsBoundary",
                unless="permissionsBoundary",
            ),
        ),
        delete=(Call(operation="delete_role", given=_ROLE),),
        tags="{id}",
    ),
    "iam:RolePolicy": Row(
        service="iam",
        create=(Call(operation="put_role_policy", carries=True),),
        id="{role}:{name}",
        read=Call(operation="get_role_policy", given={"RoleName": "{role}", "PolicyName": "{name}"}),
        names=_INLINE,
        update=(Call(operation="put_role_policy", carries=True, when="policy"),),
        delete=(Call(operation="delete_role_policy", given={"RoleName": "{role}", "PolicyName": "{name}"}),),
    ),
    "iam:RolePolicyAttachment": Row(
        service="iam",
        create=(Call(operation="attach_role_policy", given=_ATTACHED),),
        id="{role}/{policyArn}",
        read=Call(operation="list_attached_role_policies", given={"RoleName": "{role}"}),
        found="AttachedPolicies[?PolicyArn=='{policyArn}'] | [0]",
        delete=(Call(operation="detach_role_policy", given=_ATTACHED),),
    ),
    "kms:Key": Row(
        service="kms",
        create=(
            Call(operation="create_key", carries=True),
            Call(
                operation="enable_key_rotation",
                given=_KEY,
                carries="rotationPeriodInDays",
                needs="enableKeyRotation=true",
            ),
            _DISABLE,
        ),
        id="KeyMetadata.KeyId",
        read=Call(operation="describe_key", given=_KEY),
        found="[KeyMetadata][?KeyState!='PendingDeletion'] | [0]",
        outputs={"arn": "Arn", "keyId": "KeyId"},
        sees={"isEnabled": "Enabled"},
        shows={
            "policy": (
                Call(operation="get_key_policy", given={**_KEY, "PolicyName": "default"}),
                "Policy",
            ),
            "enableKeyRotation": (_ROTATION, "KeyRotationEnabled"),
            "rotationPeriodInDays": (_ROTATION, "RotationPeriodInDays"),
        },
        names={"customerMasterKeySpec": "KeySpec"},
        update=(
            Call(operation="enable_key", given=_KEY, when="isEnabled", unless="isEnabled"),
            Call(operation="enable_key", given=_KEY, when="isEnabled", needs="isEnabled=true"),
            Call(
                operation="update_key_description",
                given={**_KEY, "Description": "{description}"},
                when="description",
            ),
            Call(
                operation="put_key_policy",
                given={**_KEY, "PolicyName": "default", "Policy": "{policy}"},
                carries="bypassPolicyLockoutSafetyCheck",
                when="policy",
                needs="policy",
            ),
            Call(
                operation="enable_key_rotation",
                given=_KEY,
                carries="rotationPeriodInDays",
                when="enableKeyRotation rotationPeriodInDays",
                needs="enableKeyRotation=true",
            ),
            Call(
                operation="disable_key_rotation",
                given=_KEY,
                when="enableKeyRotation",
                needs="enableKeyRotation=false",
            ),
            Call(
                operation="disable_key_rotation",
                given=_KEY,
                when="enableKeyRotation",
                unless="enableKeyRotation",
            ),
            _DISABLE,
        ),
        delete=(
            Call(
                operation="schedule_key_deletion",
                given={**_KEY, "PendingWindowInDays": "{deletionWindowInDays}"},
                tolerates="KMSInvalidStateException",
            ),
        ),
        tags="{id}",
    ),
    "kms:Alias": Row(
        service="kms",
        create=(
            Call(operation="create_alias", given={"AliasName": "{name}", "TargetKeyId": "{targetKeyId}"}),
        ),
        id="{name}",
        read=Call(operation="list_aliases"),
        found="Aliases[?AliasName=='{id}'] | [0]",
        outputs={"arn": "AliasArn"},
        update=(
            Call(
                operation="update_alias",
                given={"AliasName": "{id}", "TargetKeyId": "{targetKeyId}"},
                when="targetKeyId",
            ),
        ),
        delete=(Call(operation="delete_alias", given={"AliasName": "{id}"}),),
    ),
    "secretsmanager:Secret": Row(
        service="secretsmanager",
        create=(Call(operation="create_secret", carries=True, finish=_no_empty_replicas), _SECRET_POLICY),
        id="ARN",
        read=Call(operation="describe_secret", given=_SECRET),
        found="[@][?!DeletedDate] | [0]",
        outputs={"arn": "ARN"},
        sees={"replicas": "sort((ReplicationStatus || `[]`)[].Region)"},
        names={"replicas": "AddReplicaRegions"},
        update=(
            Call(
                operation="update_secret",
                given={**_SECRET, "Description": "{description}", "KmsKeyId": "{kmsKeyId}"},
                when="description kmsKeyId",
            ),
            _SECRET_POLICY,
            Call(operation="delete_resource_policy", given=_SECRET, when="policy", unless="policy"),
            _UNREPLICATE,
            Call(
                operation="replicate_secret_to_regions",
                given=_SECRET,
                carries="replicas forceOverwriteReplicaSecret",
                when="replicas",
                needs="replicas",
            ),
        ),
        delete=(
            Call(
                operation="remove_regions_from_replication",
                given=_SECRET,
                needs="replicas",
                finish=_every_region,
            ),
            Call(
                operation="delete_secret",
                given={**_SECRET, "RecoveryWindowInDays": "{recoveryWindowInDays}"},
                finish=_window,
            ),
        ),
        tags="{id}",
    ),
    "secretsmanager:SecretVersion": Row(
        service="secretsmanager",
        create=(Call(operation="put_secret_value", carries=True, finish=_version_id),),
        id="{secretId}|{versionId}",
        read=Call(operation="describe_secret", given={"SecretId": "{secretId}"}),
        # Read by its labels: what it holds is nothing to keep.
        found=(
            '[@][?!DeletedDate] | [0].VersionIdsToStages."{versionId}" '
            "| {VersionStages: sort(@), VersionId: '{versionId}'}"
        ),
        outputs={"versionId": "VersionId"},
    ),
    "secretsmanager:SecretRotation": Row(
        service="secretsmanager",
        create=(Call(operation="rotate_secret", carries=True),),
        id="{secretId}",
        read=Call(operation="describe_secret", given=_SECRET),
        found="[@][?RotationEnabled && !DeletedDate] | [0]",
        update=(
            Call(
                operation="rotate_secret",
                carries=True,
                when="rotationLambdaArn rotationRules rotateImmediately",
            ),
        ),
        delete=(Call(operation="cancel_rotate_secret", given=_SECRET),),
    ),
}
