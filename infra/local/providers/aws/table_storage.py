"""Facts about storage, keys, secrets and backup types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from infra.local.providers.aws.kinds import Kind, arn
from infra.local.providers.naming import AutoName

_BUCKET_PARTS_TEXT: Final = (
    "BucketPublicAccessBlock BucketPolicy BucketOwnershipControls BucketNotification BucketMetric "
    "BucketReplicationConfig BucketIntelligentTieringConfiguration"
)
_BUCKET_PARTS: Final = _BUCKET_PARTS_TEXT.split()
_BUCKET_TWINS_TEXT: Final = (
    "BucketVersioning BucketServerSideEncryptionConfiguration BucketLifecycleConfiguration BucketLogging BucketAcl "
    "BucketCorsConfiguration BucketWebsiteConfiguration BucketObjectLockConfiguration BucketAccelerateConfiguration "
    "BucketRequestPaymentConfiguration"
)
_BUCKET_TWINS: Final = _BUCKET_TWINS_TEXT.split()
_BUCKET_ROWS: Final = {
    f"s3:{part}": Kind(id="{bucket}", replaces="bucket")
    for part in (*_BUCKET_PARTS, *_BUCKET_TWINS, *(f"{twin}V2" for twin in _BUCKET_TWINS))
}

KINDS: Final[Mapping[str, Kind]] = {
    **_BUCKET_ROWS,
    "s3:Bucket": Kind(
        id="{bucket}",
        outputs={
            "arn": "arn:aws:s3:::{bucket}",
            "bucketDomainName": "{bucket}.s3.amazonaws.com",
            "bucketRegionalDomainName": "{bucket}.s3.{region}.amazonaws.com",
            "bucketRegion": "{region}",
            "hostedZoneId": "{s3Zone}",
            "requestPayer": "BucketOwner",
            "bucketPrefix": "",
            "bucketNamespace": "global",
        },
        replaces="bucket bucketPrefix objectLockEnabled bucketNamespace",
        name=AutoName("bucket", limit=63, lower=True),
    ),
    "s3:BucketV2": Kind(
        id="{bucket}",
        outputs={
            "arn": "arn:aws:s3:::{bucket}",
            "bucketDomainName": "{bucket}.s3.amazonaws.com",
            "bucketRegionalDomainName": "{bucket}.s3.{region}.amazonaws.com",
            "hostedZoneId": "{s3Zone}",
        },
        replaces="bucket bucketPrefix objectLockEnabled",
        name=AutoName("bucket", limit=63, lower=True),
    ),
    "s3:BucketObject": Kind(
        id="{bucket}/{key}", outputs={"etag": "{x32}", "versionId": ""}, replaces="bucket key"
    ),
    "s3:BucketObjectv2": Kind(
        id="{bucket}/{key}", outputs={"etag": "{x32}", "versionId": ""}, replaces="bucket key"
    ),
    "dynamodb:Table": Kind(
        outputs={
            "arn": arn("dynamodb", "table/{name}"),
            "streamArn": "",
            "streamLabel": "",
            "billingMode": "PROVISIONED",
        },
        replaces="name hashKey rangeKey localSecondaryIndexes",
        name=AutoName(),
        protected="deletionProtectionEnabled",
    ),
    "kms:Key": Kind(
        id="{uuid}",
        outputs={
            "arn": arn("kms", "key/{uuid}"),
            "keyId": "{uuid}",
            "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "keyUsage": "ENCRYPT_DECRYPT",
            "isEnabled": True,
            "multiRegion": False,
            "rotationPeriodInDays": 365,
            "description": "",
            "policy": (
                '{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"kms:*","Resource":"*",'
                '"Principal":{{"AWS":"arn:aws:iam::{account}:root"}}}}]}}'
            ),
        },
        replaces="customerMasterKeySpec keyUsage multiRegion customKeyStoreId xksKeyId",
    ),
    "kms:ReplicaKey": Kind(
        id="{primaryKeyId}",
        outputs={
            "arn": arn("kms", "key/{primaryKeyId}"),
            "keyId": "{primaryKeyId}",
            "keyRotationEnabled": True,
            "keySpec": "SYMMETRIC_DEFAULT",
            "keyUsage": "ENCRYPT_DECRYPT",
        },
        replaces="primaryKeyArn",
    ),
    "kms:Alias": Kind(
        id="{name}",
        outputs={"arn": arn("kms", "{name}"), "targetKeyArn": "{targetKeyArn}", "namePrefix": ""},
        replaces="name namePrefix",
        name=AutoName(limit=256, prefix="alias/"),
    ),
    "kms:Grant": Kind(
        id="{keyId}:{x64}",
        outputs={"grantId": "{x64}", "grantToken": "{b64}"},
        replaces="all",
        secrets="grantToken",
    ),
    "secretsmanager:Secret": Kind(
        id=arn("secretsmanager", "secret:{name}-{a6}"),
        outputs={"arn": "{id}", "namePrefix": "", "recoveryWindowInDays": 30, "policy": "", "replicas": []},
        replaces="name namePrefix",
        name=AutoName(limit=512),
        unordered="replicas",
    ),
    "secretsmanager:SecretVersion": Kind(
        id="{secretId}|{VERSION}",
        outputs={
            "arn": "{secretId}",
            "versionId": "{VERSION}",
            "versionStages": ["AWSCURRENT"],
            "hasSecretStringWo": False,
        },
        replaces="secretId secretString secretBinary secretStringWoVersion",
        secrets="secretString secretBinary secretStringWo",
        unordered="versionStages",
    ),
    "secretsmanager:SecretPolicy": Kind(id="{secretArn}", replaces="secretArn"),
    "secretsmanager:SecretRotation": Kind(
        id="{secretId}", outputs={"rotationEnabled": True}, replaces="secretId"
    ),
    "ssm:Parameter": Kind(
        outputs={
            "arn": "arn:aws:ssm:{region}:{account}:parameter/{name}",
            "version": 1,
            "dataType": "text",
            "tier": "Standard",
            "keyId": "",
            "insecureValue": "",
        },
        replaces="name",
        updates="version",
        name=AutoName(limit=2048),
        secrets="value",
    ),
    "backup:Vault": Kind(
        outputs={"arn": arn("backup", "backup-vault:{name}"), "recoveryPoints": 0},
        replaces="name kmsKeyArn",
        name=AutoName(limit=50),
    ),
    "backup:Plan": Kind(
        id="{uuid}",
        outputs={"arn": arn("backup", "backup-plan:{uuid}"), "version": "{b64}"},
        updates="version",
        name=AutoName(limit=50),
        unordered="rules",
    ),
    "backup:Selection": Kind(id="{uuid}", replaces="all", name=AutoName(limit=50)),
    "backup:VaultPolicy": Kind(
        id="{backupVaultName}",
        outputs={"backupVaultArn": arn("backup", "backup-vault:{backupVaultName}")},
        replaces="backupVaultName",
    ),
    "backup:VaultLockConfiguration": Kind(
        id="{backupVaultName}",
        outputs={"backupVaultArn": arn("backup", "backup-vault:{backupVaultName}")},
        replaces="all",
    ),
    "backup:VaultNotifications": Kind(
        id="{backupVaultName}",
        outputs={"backupVaultArn": arn("backup", "backup-vault:{backupVaultName}")},
        replaces="all",
    ),
    "efs:FileSystem": Kind(
        id="fs-{x17}",
        outputs={
            "arn": arn("elasticfilesystem", "file-system/{id}"),
            "dnsName": "{id}.efs.{region}.amazonaws.com",
            "ownerId": "{account}",
        },
        replaces="creationToken encrypted kmsKeyId performanceMode availabilityZoneName",
    ),
}
