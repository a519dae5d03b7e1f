"""Container registries: where the images of the services live in a region."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.account import account_id
from components.base import Component
from infra.naming import StackContext


def lifecycle_policy(*, keep_tagged: int, expire_untagged_days: int) -> dict[str, object]:
    """ECR lifecycle policy: untagged images go after some days, of the tagged ones the newest stay."""
    return {
        "rules": [
            {
                "rulePriority": 1,
                "description": f"Untagged images go after {expire_untagged_days} days",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": expire_untagged_days,
                },
                "action": {"type": "expire"},
            },
            {
                "rulePriority": 2,
                "description": f"The newest {keep_tagged} tagged images stay",
                "selection": {
                    "tagStatus": "tagged",
                    "tagPatternList": ["*"],
                    "countType": "imageCountMoreThan",
                    "countNumber": keep_tagged,
                },
                "action": {"type": "expire"},
            },
        ]
    }


class Registries(Component):
    """One ECR repository for each image, with tags that cannot be moved and a scan at every push.

    Repositories hold images that run, so they are protected where the stack protects; elsewhere a destroy
    takes the images along.

    Args:
        name: Logical name, e.g. `registries`; children are `<name>-<repository>` with `/` written as `-`, and
            the same with `-lifecycle`.
        context: Names, tags and protection of the stack.
        repositories: Paths below the registry's host, e.g. `parking/web-service`; they are physical names, at
            most 256 characters. Their order does not matter.
        key_arn: Customer-managed key that encrypts the images; a change replaces the repositories.
        copy_to: Regions to which every pushed image is copied, into the repositories of the same path that those
            regions' stacks make with keys of their own. The registry's replication is one setting for the
            account and region, so only one component of a region may give it. Default: none.
        keep_tagged: Tagged images kept in each repository, newest first. Default 200: far more than a stack
            runs or would roll back to, since an expired image can no longer be pulled by a new node.
        expire_untagged_days: Days after which an untagged image goes. Default 14.
        opts: Options of the component.

    Outputs:
        host: Registry host, `<account>.dkr.ecr.<region>.amazonaws.com`.
        repository_urls: Host and path of each repository, by path.

    Raises:
        ValueError: When no repository is named, or two would share a logical name.

    Source of the numbers: retention is this project's choice; the specification says nothing of images.
    """

    host: pulumi.Output[str]
    repository_urls: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        repositories: Sequence[str],
        key_arn: pulumi.Input[str],
        copy_to: Sequence[str] = (),
        keep_tagged: int = 200,
        expire_untagged_days: int = 14,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Registries", name, context=context, opts=opts)
        paths = _by_logical_name(repositories)
        lifecycle = json.dumps(
            lifecycle_policy(keep_tagged=keep_tagged, expire_untagged_days=expire_untagged_days)
        )
        self.repository_urls = {
            path: self._create_repository(suffix, path, key_arn, lifecycle).repository_url
            for suffix, path in sorted(paths.items())
        }
        if copy_to:
            self._create_replication(sorted(copy_to), sorted(repositories))
        self.host = next(iter(self.repository_urls.values())).apply(lambda url: url.split("/", 1)[0])
        self.register_outputs({"host": self.host, "repository_urls": dict(self.repository_urls)})

    def _create_replication(self, regions: Sequence[str], repositories: Sequence[str]) -> None:
        account = account_id(self)
        aws.ecr.ReplicationConfiguration(
            f"{self._name}-replication",
            replication_configuration=aws.ecr.ReplicationConfigurationReplicationConfigurationArgs(
                rules=[
                    aws.ecr.ReplicationConfigurationReplicationConfigurationRuleArgs(
                        destinations=[
                            aws.ecr.ReplicationConfigurationReplicationConfigurationRuleDestinationArgs(
                                region=region, registry_id=account
                            )
                            for region in regions
                        ],
                        repository_filters=[
                            aws.ecr.ReplicationConfigurationReplicationConfigurationRuleRepositoryFilterArgs(
                                filter=path, filter_type="PREFIX_MATCH"
                            )
                            for path in repositories
                        ],
                    )
                ]
            ),
            opts=self.child(),
        )

    def _create_repository(
        self, suffix: str, path: str, key_arn: pulumi.Input[str], lifecycle: str
    ) -> aws.ecr.Repository:
        repository = aws.ecr.Repository(
            f"{self._name}-{suffix}",
            name=path,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": key_arn}],
            force_delete=not self.context.protect,
            tags=self.tags(),
            opts=self.child(stateful=True),
        )
        aws.ecr.LifecyclePolicy(
            f"{self._name}-{suffix}-lifecycle",
            repository=repository.name,
            policy=lifecycle,
            opts=self.child(),
        )
        return repository


def _by_logical_name(repositories: Sequence[str]) -> Mapping[str, str]:
    """Repository paths by what distinguishes their logical names; refuses none and clashes."""
    paths = {path.replace("/", "-"): path for path in repositories}
    if not repositories or len(paths) != len(repositories):
        found = list(repositories)
        raise ValueError(
            f"repositories must be one or more, distinct also with '/' read as '-'; found {found}"
        )
    return paths
