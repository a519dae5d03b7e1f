"""The bucket that load balancers and CloudFront write their access logs to."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.account import account_id
from components.base import Component
from components.private_bucket import PrivateBucket, Retention, Statement
from infra.naming import StackContext

LOAD_BALANCER_PREFIX = "load-balancer"
CONNECTION_PREFIX = "load-balancer-connections"
"""Connection logs lie beside the access logs, not among them."""
ARCHIVE_AFTER_DAYS = 90


def delivery_statements(*, bucket_arn: str, account: str, region: str) -> tuple[Statement, ...]:
    """Who may write logs: load balancers of this region and CloudFront's log delivery, both of this account."""
    return (
        {
            "Sid": "LoadBalancerLogs",
            "Effect": "Allow",
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": [
                f"{bucket_arn}/{prefix}/AWSLogs/{account}/*"
                for prefix in (LOAD_BALANCER_PREFIX, CONNECTION_PREFIX)
            ],
            "Condition": {
                "StringEquals": {"aws:SourceAccount": account},
                "ArnLike": {
                    "aws:SourceArn": f"arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/*"
                },
            },
        },
        {
            "Sid": "CloudFrontLogs",
            "Effect": "Allow",
            "Principal": {"Service": "delivery.logs.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"{bucket_arn}/AWSLogs/{account}/*",
            "Condition": {
                "StringEquals": {
                    "aws:SourceAccount": account,
                    "s3:x-amz-acl": "bucket-owner-full-control",
                },
                # CloudFront's log deliveries are made in us-east-1, wherever the bucket is.
                "ArnLike": {"aws:SourceArn": f"arn:aws:logs:us-east-1:{account}:delivery-source:*"},
            },
        },
    )


class LogBucket(Component):
    """A private bucket that takes the logs of this account's load balancers and distributions, from AWS only.

    Logs move to Glacier Instant Retrieval after 90 days and are deleted after `retention_days`. Encryption is
    with S3's own keys because load balancers deliver to no other.

    Args:
        name: Logical name, e.g. `log-bucket`; children begin with it.
        context: Names, tags and protection of the stack; the bucket is in its region.
        retention_days: Days until a log is deleted, more than 90; default 365.
        opts: Options of the component.

    Outputs:
        name: The bucket's name, known once its policy lets logs in, so that whoever logs waits for it.
        arn: The bucket, known likewise.

    Raises:
        ValueError: When logs would be deleted before they are archived.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        retention_days: int = 365,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if retention_days <= ARCHIVE_AFTER_DAYS:
            raise ValueError(
                f"logs are archived after {ARCHIVE_AFTER_DAYS} days, so retention_days {retention_days} must be more"
            )
        super().__init__("LogBucket", name, context=context, opts=opts)
        account = account_id(self)
        bucket = self._create_bucket(account, retention_days)
        self.name = self._admit_deliveries(bucket, account)
        self.arn = pulumi.Output.all(bucket.arn, self.name).apply(lambda known: str(known[0]))
        self.register_outputs({"name": self.name, "arn": self.arn})

    def _create_bucket(self, account: pulumi.Output[str], retention_days: int) -> PrivateBucket:
        context = self.context
        return PrivateBucket(
            f"{self._name}-bucket",
            context=context,
            # Bucket names are taken over all accounts: the account's number makes ours free.
            bucket_name=account.apply(lambda number: context.global_name("logs", number)),
            retention=Retention(archive_days=ARCHIVE_AFTER_DAYS, expire_days=retention_days),
            opts=self.child(),
        )

    def _admit_deliveries(self, bucket: PrivateBucket, account: pulumi.Output[str]) -> pulumi.Output[str]:
        region = self.context.region

        def statements(arn: str, number: str) -> Sequence[Statement]:
            return delivery_statements(bucket_arn=arn, account=number, region=region)

        return bucket.grant(pulumi.Output.all(bucket.arn, account).apply(lambda known: statements(*known)))
