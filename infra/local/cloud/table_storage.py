"""Buckets, parameters and backups in the cloud's calls."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

from infra.local.cloud.packages import package
from infra.local.cloud.rows import Call, Each, Needed, Row, role_by_arn

Json = Any
_BUCKET: Final = {"Bucket": "{bucket}"}
_FIRST_REGION: Final = "us-east-1"


def _location(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """The first region takes no word about where a bucket is, all others need it."""
    if values["region"] != _FIRST_REGION:
        arguments["CreateBucketConfiguration"] = {"LocationConstraint": values["region"]}


def _content(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """The body of an object is text, a file, or an archive that is packed."""
    source = cast("dict[str, Json]", values.get("source") or {})
    if values.get("content") is not None:
        arguments["Body"] = str(values["content"]).encode()
    elif values.get("contentBase64") is not None:
        arguments["Body"] = base64.b64decode(str(values["contentBase64"]))
    elif source.get("text") is not None:
        arguments["Body"] = str(source["text"]).encode()
    elif isinstance(source.get("path"), str) and Path(source["path"]).is_file():
        arguments["Body"] = Path(source["path"]).read_bytes()
    else:
        arguments["Body"] = package(source)


def _unquoted(answer: Json) -> Json:
    """Pulumi shows the tag of an object's content without the quotes of the header."""
    return str(answer["ETag"]).strip('"')


def _of_bucket(
    setting: str, *, put: str = "", inside: str = "", found: str, sees: Mapping[str, str], delete: str = ""
) -> Row:
    """A setting that a bucket has one of.

    Args:
        setting: Its name in the calls.
        put: The call that sets it, where it is not `put_` and the name.
        inside: Where the inputs go.
        found: Where the answer has it.
        sees: As in a row.
        delete: The call that takes it away; none: AWS has none, and it stays.
    """
    call = Call(operation=put or f"put_{setting}", carries=True, given=_BUCKET, inside=inside)
    gone = (Call(operation=delete, given=_BUCKET),) if delete else ()
    return Row(
        service="s3",
        create=(call,),
        id="{bucket}",
        read=Call(operation=f"get_{setting}", given=_BUCKET),
        found=found,
        sees=sees,
        update=(call,),
        delete=gone,
        names={"bucket": ""},
    )


_EMPTY: Final = Call(
    operation="delete_objects",
    given={**_BUCKET, "Delete": {"Objects": "{items}"}},
    needs="forceDestroy=true",
    each=Each(
        operation="list_object_versions",
        given=_BUCKET,
        path="[Versions, DeleteMarkers][] | [].{Key: Key, VersionId: VersionId}",
    ),
)
_OBJECT: Final = {**_BUCKET, "Key": "{key}"}


def _tags(kind: str, named: Mapping[str, Json]) -> tuple[Call, Call]:
    """All tags are set at once, so that what is not among them is gone."""
    put = Call(
        operation=f"put_{kind}_tagging", given={**named, "Tagging": {"TagSet": "{tagList}"}}, needs="tagList"
    )
    return put, Call(operation=f"delete_{kind}_tagging", given=named, unless="tagList")


_TAGGING: Final = _tags("bucket", _BUCKET)
_OBJECT_TAGGING: Final = _tags("object", _OBJECT)
_PUT_OBJECT: Final = Call(operation="put_object", carries=True, given=_OBJECT, finish=_content)
_OBJECT_CONTENT: Final = (
    "source content contentBase64 sourceHash etag contentType contentDisposition contentEncoding contentLanguage "
    "cacheControl metadata storageClass serverSideEncryption kmsKeyId bucketKeyEnabled websiteRedirect acl"
)
_EMPTY_OBJECT: Final = replace(
    _EMPTY,
    needs="",
    each=Each(
        operation="list_object_versions",
        given={**_BUCKET, "Prefix": "{key}"},
        path="[Versions, DeleteMarkers][] | [?Key=='{key}'].{Key: Key, VersionId: VersionId}",
    ),
)

_BUCKETS: Final[Mapping[str, Row]] = {
    "s3:Bucket": Row(
        service="s3",
        create=(
            Call(
                operation="create_bucket",
                given={**_BUCKET, "ObjectLockEnabledForBucket": "{objectLockEnabled}"},
                finish=_location,
            ),
            _TAGGING[0],
        ),
        id="{bucket}",
        # A bucket without tags is none that is gone.
        read=Call(operation="get_bucket_tagging", given=_BUCKET, tolerates="NoSuchTagSet"),
        found="{TagSet: TagSet || `[]`}",
        update=_TAGGING,
        delete=(_EMPTY, Call(operation="delete_bucket", given=_BUCKET)),
        tags="{bucket}",
    ),
    "s3:BucketObjectv2": Row(
        service="s3",
        create=(_PUT_OBJECT, _OBJECT_TAGGING[0]),
        id="{bucket}/{key}",
        read=Call(operation="head_object", given=_OBJECT),
        outputs={"etag": _unquoted, "versionId": "VersionId"},
        names={
            "kmsKeyId": "SSEKMSKeyId",
            "websiteRedirect": "WebsiteRedirectLocation",
            "content": "",
            "etag": "",
        },
        update=(replace(_PUT_OBJECT, when=_OBJECT_CONTENT), *_OBJECT_TAGGING),
        delete=(_EMPTY_OBJECT,),
    ),
    "s3:BucketPolicy": Row(
        service="s3",
        create=(Call(operation="put_bucket_policy", carries=True, given=_BUCKET),),
        id="{bucket}",
        read=Call(operation="get_bucket_policy", given=_BUCKET),
        sees={"policy": "Policy"},
        update=(Call(operation="put_bucket_policy", carries=True, given=_BUCKET),),
        delete=(Call(operation="delete_bucket_policy", given=_BUCKET),),
    ),
    "s3:BucketPublicAccessBlock": _of_bucket(
        "public_access_block",
        inside="PublicAccessBlockConfiguration",
        found="PublicAccessBlockConfiguration",
        sees={
            "blockPublicAcls": "BlockPublicAcls",
            "blockPublicPolicy": "BlockPublicPolicy",
            "ignorePublicAcls": "IgnorePublicAcls",
            "restrictPublicBuckets": "RestrictPublicBuckets",
        },
        delete="delete_public_access_block",
    ),
    "s3:BucketOwnershipControls": _of_bucket(
        "bucket_ownership_controls",
        inside="OwnershipControls",
        found="OwnershipControls",
        sees={"rule": "Rules[0].{objectOwnership: ObjectOwnership}"},
        delete="delete_bucket_ownership_controls",
    ),
    "s3:BucketServerSideEncryptionConfiguration": _of_bucket(
        "bucket_encryption",
        inside="ServerSideEncryptionConfiguration",
        found="ServerSideEncryptionConfiguration",
        sees={"rules": "Rules"},
        delete="delete_bucket_encryption",
    ),
    "s3:BucketLifecycleConfiguration": _of_bucket(
        "bucket_lifecycle_configuration",
        inside="LifecycleConfiguration",
        found="Rules && @",
        sees={"rules": "Rules"},
        delete="delete_bucket_lifecycle",
    ),
    "s3:BucketVersioning": Row(
        service="s3",
        create=(Call(operation="put_bucket_versioning", carries=True, given=_BUCKET),),
        id="{bucket}",
        read=Call(operation="get_bucket_versioning", given=_BUCKET),
        found="Status && @",
        sees={"versioningConfiguration": "{status: Status}"},
        update=(Call(operation="put_bucket_versioning", carries=True, given=_BUCKET),),
        delete=(
            Call(
                operation="put_bucket_versioning",
                given={**_BUCKET, "VersioningConfiguration": {"Status": "Suspended"}},
            ),
        ),
    ),
}

_VAULT: Final = {"BackupVaultName": "{name}"}
_LOCK: Final = Call(operation="put_backup_vault_lock_configuration", carries=True)
_PLAN_NAMES: Final = {
    "name": "BackupPlanName",
    "rules.ruleName": "RuleName",
    "rules.schedule": "ScheduleExpression",
    "rules.targetVaultName": "TargetBackupVaultName",
    "rules.startWindow": "StartWindowMinutes",
    "rules.completionWindow": "CompletionWindowMinutes",
    "rules.lifecycle.deleteAfter": "DeleteAfterDays",
    "rules.lifecycle.coldStorageAfter": "MoveToColdStorageAfterDays",
    "rules.copyActions.destinationVaultArn": "DestinationBackupVaultArn",
    "rules.copyActions.lifecycle.deleteAfter": "DeleteAfterDays",
    "rules.copyActions.lifecycle.coldStorageAfter": "MoveToColdStorageAfterDays",
}


def _vault_tags(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    tags = {tag["Key"]: tag["Value"] for tag in cast("list[dict[str, str]]", values.get("tagList") or [])}
    name = "BackupPlanTags" if "BackupPlan" in arguments else "BackupVaultTags"
    arguments[name] = tags


_OTHERS: Final[Mapping[str, Row]] = {
    "backup:Vault": Row(
        service="backup",
        create=(
            Call(
                operation="create_backup_vault",
                given={**_VAULT, "EncryptionKeyArn": "{kmsKeyArn}"},
                finish=_vault_tags,
            ),
        ),
        id="{name}",
        read=Call(operation="describe_backup_vault", given=_VAULT),
        outputs={"arn": "BackupVaultArn"},
        sees={"kmsKeyArn": "EncryptionKeyArn"},
        delete=(Call(operation="delete_backup_vault", given=_VAULT),),
        tags="{arn}",
    ),
    "backup:VaultLockConfiguration": Row(
        service="backup",
        create=(_LOCK,),
        id="{backupVaultName}",
        read=Call(operation="describe_backup_vault", given={"BackupVaultName": "{backupVaultName}"}),
        found="Locked && @",
        sees={"minRetentionDays": "MinRetentionDays", "maxRetentionDays": "MaxRetentionDays"},
        delete=(
            Call(
                operation="delete_backup_vault_lock_configuration",
                given={"BackupVaultName": "{backupVaultName}"},
            ),
        ),
    ),
    "backup:Plan": Row(
        service="backup",
        create=(Call(operation="create_backup_plan", carries=True, inside="BackupPlan", finish=_vault_tags),),
        id="BackupPlanId",
        read=Call(operation="get_backup_plan", given={"BackupPlanId": "{id}"}),
        found="[@][?!DeletionDate] | [0]",
        outputs={"arn": "BackupPlanArn", "version": "VersionId"},
        sees={"name": "BackupPlan.BackupPlanName", "rules": "BackupPlan.Rules"},
        names=_PLAN_NAMES,
        update=(
            Call(
                operation="update_backup_plan",
                carries=True,
                inside="BackupPlan",
                given={"BackupPlanId": "{id}"},
                when="name rules advancedBackupSettings",
            ),
        ),
        delete=(Call(operation="delete_backup_plan", given={"BackupPlanId": "{id}"}),),
        tags="{arn}",
    ),
    "ssm:Parameter": Row(
        service="ssm",
        create=(Call(operation="put_parameter", carries=True),),
        id="{name}",
        read=Call(operation="get_parameter", given={"Name": "{name}", "WithDecryption": True}),
        found="Parameter",
        outputs={"arn": "ARN", "version": "Version"},
        shows={
            "description": (
                Call(
                    operation="describe_parameters",
                    given={"ParameterFilters": [{"Key": "Name", "Values": ["{name}"]}]},
                ),
                "Parameters[0].Description",
            )
        },
        names={"insecureValue": "Value"},
        update=(
            Call(
                operation="put_parameter",
                carries=True,
                given={"Overwrite": True},
                when="value insecureValue description type tier keyId allowedPattern dataType",
            ),
        ),
        delete=(Call(operation="delete_parameter", given={"Name": "{name}"}),),
        tags="{name}",
    ),
}

ROWS: Final[Mapping[str, Row]] = {**_BUCKETS, **_OTHERS}
NEEDED: Final[Mapping[str, tuple[Needed, ...]]] = {
    "backup:Selection": (
        Needed(call=Call(service="backup", operation="get_backup_plan", given={"BackupPlanId": "{planId}"})),
        Needed(
            call=role_by_arn("iamRoleArn"),
            says="InvalidParameterValueException: The role does not exist or cannot be assumed by AWS Backup.",
        ),
    ),
}
LEFT_OUT: Final[Mapping[str, str]] = {"backup:Selection": "moto has no selections"}
