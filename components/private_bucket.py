"""A private bucket: encrypted, owned by the account, reached over TLS only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.base import Component
from infra.naming import StackContext

Statement = Mapping[str, object]
ABORT_UPLOADS_AFTER_DAYS = 7


def bucket_policy(*, bucket_arn: str, statements: Sequence[Statement]) -> dict[str, object]:
    """Policy of a private bucket: refuse what comes without TLS, then grant what its owner needs."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyOverTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [bucket_arn, f"{bucket_arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            *statements,
        ],
    }


@dataclass(frozen=True, kw_only=True)
class Retention:
    """What happens to objects as they age.

    Attributes:
        expire_days: Days until a current object is deleted; none: never.
        archive_days: Days until it moves to Glacier Instant Retrieval; none: never.
        noncurrent_days: Days that a replaced or deleted version is kept; none: the bucket keeps no versions.
    """

    expire_days: int | None = None
    archive_days: int | None = None
    noncurrent_days: int | None = None


class PrivateBucket(Component):
    """An S3 bucket that nobody reaches but who `grant` names.

    All public access is blocked, ACLs are off (the account owns every object), objects are encrypted with
    S3's own keys (the one kind that log delivery of load balancers writes to), requests without TLS are
    refused, and broken uploads are swept after 7 days. Where the stack does not protect, the bucket is
    emptied when destroyed.

    Args:
        name: Logical name, e.g. `logs`; children begin with it.
        context: Names, tags and protection of the stack.
        bucket_name: Physical name, unique over all AWS accounts, 3 to 63 characters.
        retention: How objects age; a bucket that keeps non-current versions is versioned.
        opts: Options of the component.

    Outputs:
        name: The bucket's name.
        arn: The bucket.
        regional_domain_name: Where it answers in its region.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    regional_domain_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        bucket_name: pulumi.Input[str],
        retention: Retention,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("PrivateBucket", name, context=context, opts=opts)
        self._bucket = self._create_bucket(bucket_name)
        self._public_access_block = self._create_public_access_block()
        self._create_ownership()
        self._create_encryption()
        if retention.noncurrent_days is not None:
            self._create_versioning()
        self._create_lifecycle(retention)
        self.name = self._bucket.bucket
        self.arn = self._bucket.arn
        self.regional_domain_name = self._bucket.bucket_regional_domain_name
        self.register_outputs(
            {"name": self.name, "arn": self.arn, "regionalDomainName": self.regional_domain_name}
        )

    def grant(self, statements: pulumi.Input[Sequence[Statement]]) -> pulumi.Output[str]:
        """Attach the bucket's policy, once: TLS only, and these statements.

        Args:
            statements: Policy statements of who may do what.

        Returns:
            The bucket's name, known once the policy is in place, for those who write at once.
        """
        document = pulumi.Output.all(arn=self.arn, statements=statements).apply(
            lambda known: json.dumps(bucket_policy(bucket_arn=known["arn"], statements=known["statements"]))
        )
        policy = aws.s3.BucketPolicy(
            f"{self._name}-policy",
            bucket=self._bucket.bucket,
            policy=document,
            # S3 refuses two settings of one bucket at once.
            opts=self.child(depends_on=[self._public_access_block]),
        )
        return policy.bucket

    def _create_bucket(self, bucket_name: pulumi.Input[str]) -> aws.s3.Bucket:
        return aws.s3.Bucket(
            self._name,
            bucket=bucket_name,
            force_destroy=not self.context.protect,
            tags=self.tags(),
            opts=self.child(stateful=True),
        )

    def _create_public_access_block(self) -> aws.s3.BucketPublicAccessBlock:
        return aws.s3.BucketPublicAccessBlock(
            f"{self._name}-public-access",
            bucket=self._bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.child(),
        )

    def _create_ownership(self) -> None:
        aws.s3.BucketOwnershipControls(
            f"{self._name}-ownership",
            bucket=self._bucket.bucket,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self.child(),
        )

    def _create_encryption(self) -> None:
        by_default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self._name}-encryption",
            bucket=self._bucket.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=by_default(sse_algorithm="AES256")
                )
            ],
            opts=self.child(),
        )

    def _create_versioning(self) -> None:
        aws.s3.BucketVersioning(
            f"{self._name}-versioning",
            bucket=self._bucket.bucket,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=self.child(),
        )

    def _create_lifecycle(self, retention: Retention) -> None:
        aws.s3.BucketLifecycleConfiguration(
            f"{self._name}-lifecycle",
            bucket=self._bucket.bucket,
            rules=[
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="age",
                    status="Enabled",
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                    abort_incomplete_multipart_upload=(
                        aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                            days_after_initiation=ABORT_UPLOADS_AFTER_DAYS
                        )
                    ),
                    transitions=None
                    if retention.archive_days is None
                    else [
                        aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(
                            days=retention.archive_days, storage_class="GLACIER_IR"
                        )
                    ],
                    expiration=None
                    if retention.expire_days is None
                    else aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=retention.expire_days),
                    noncurrent_version_expiration=None
                    if retention.noncurrent_days is None
                    else aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                        noncurrent_days=retention.noncurrent_days
                    ),
                )
            ],
            opts=self.child(),
        )
