"""The origin of static assets: a private bucket that one CloudFront distribution reads."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.account import account_id
from components.base import Component
from components.private_bucket import PrivateBucket, Retention, Statement
from infra.naming import StackContext

KEEP_REPLACED_DAYS = 30


def reader_statements(*, bucket_arn: str, distribution_arn: str) -> tuple[Statement, ...]:
    """The distribution may read objects, nothing else may."""
    return (
        {
            "Sid": "CloudFrontReads",
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": f"{bucket_arn}/*",
            "Condition": {"StringEquals": {"AWS:SourceArn": distribution_arn}},
        },
    )


class StaticAssets(Component):
    """A private, versioned bucket in the stack's region, and the signature by which CloudFront reads it.

    Upload below `static/`: a request's path is the object's key. Replaced objects are kept for 30 days.

    Args:
        name: Logical name, e.g. `edge-static`; children begin with it.
        context: Names, tags and protection of the stack.
        opts: Options of the component.

    Outputs:
        bucket_name: The bucket to upload to.
        regional_domain_name: The origin's name.
        access_control_id: CloudFront's origin access control for it.
    """

    bucket_name: pulumi.Output[str]
    regional_domain_name: pulumi.Output[str]
    access_control_id: pulumi.Output[str]

    def __init__(
        self, name: str, *, context: StackContext, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("StaticAssets", name, context=context, opts=opts)
        self._bucket = self._create_bucket()
        self.access_control_id = self._create_access_control().id
        self.bucket_name = self._bucket.name
        self.regional_domain_name = self._bucket.regional_domain_name
        self.register_outputs(
            {
                "bucketName": self.bucket_name,
                "regionalDomainName": self.regional_domain_name,
                "accessControlId": self.access_control_id,
            }
        )

    def admit(self, distribution_arn: pulumi.Input[str]) -> None:
        """Let one distribution read, once it exists."""

        def statements(bucket: str, distribution: str) -> Sequence[Statement]:
            return reader_statements(bucket_arn=bucket, distribution_arn=distribution)

        known = pulumi.Output.all(self._bucket.arn, distribution_arn)
        self._bucket.grant(known.apply(lambda arns: statements(*arns)))

    def _create_bucket(self) -> PrivateBucket:
        context = self.context
        return PrivateBucket(
            f"{self._name}-bucket",
            context=context,
            bucket_name=account_id(self).apply(lambda number: context.global_name("static", number)),
            retention=Retention(noncurrent_days=KEEP_REPLACED_DAYS),
            opts=self.child(),
        )

    def _create_access_control(self) -> aws.cloudfront.OriginAccessControl:
        return aws.cloudfront.OriginAccessControl(
            f"{self._name}-access",
            name=self.context.name("static", limit=64),
            description="CloudFront signs its requests for static assets",
            origin_access_control_origin_type="s3",
            signing_behavior="always",
            signing_protocol="sigv4",
            opts=self.child(),
        )
