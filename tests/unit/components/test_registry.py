"""Container registries: immutable, scanned, encrypted, and emptied of what nobody runs."""

from typing import Any

import pytest

from components.registry import Registries
from tests.unit.components.building import Built, build, context
from tests.unit.recording import ACCOUNT, parsed

REPOSITORY = "aws:ecr/repository:Repository"
LIFECYCLE = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
REPLICATION = "aws:ecr/replicationConfiguration:ReplicationConfiguration"
PATHS = ("parking/web-service", "parking/batch-service")
HOST = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"


def build_registries(*, repositories: tuple[str, ...] = PATHS, protect: bool = True, **more: Any) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        registries = Registries(
            "registries",
            context=context(protect=protect),
            repositories=repositories,
            key_arn="arn:aws:kms:us-east-1:123456789012:key/registry",
            opts=opts,
            **more,
        )
        return {"host": registries.host, "urls": dict(registries.repository_urls)}

    return build(make)


def test_every_image_has_a_repository_of_its_own_under_its_exact_path() -> None:
    repositories = build_registries().recorder.of_type(REPOSITORY)

    assert {(repository.name, repository.inputs["name"]) for repository in repositories} == {
        ("registries-parking-web-service", "parking/web-service"),
        ("registries-parking-batch-service", "parking/batch-service"),
    }


def test_tags_cannot_be_moved_and_every_push_is_scanned() -> None:
    for repository in build_registries().recorder.of_type(REPOSITORY):
        assert repository.inputs["imageTagMutability"] == "IMMUTABLE"
        assert repository.inputs["imageScanningConfiguration"] == {"scanOnPush": True}
        assert "imageTagMutabilityExclusionFilters" not in repository.inputs


def test_images_are_encrypted_with_the_customer_key() -> None:
    for repository in build_registries().recorder.of_type(REPOSITORY):
        assert repository.inputs["encryptionConfigurations"] == [
            {"encryptionType": "KMS", "kmsKey": "arn:aws:kms:us-east-1:123456789012:key/registry"}
        ]


def test_a_protected_stack_keeps_repositories_and_their_images() -> None:
    built = build_registries()

    assert {name for _, name in built.protected()} == {
        "registries-parking-web-service",
        "registries-parking-batch-service",
    }
    assert [r.inputs["forceDelete"] for r in built.recorder.of_type(REPOSITORY)] == [False, False]


def test_an_unprotected_stack_takes_the_images_along() -> None:
    built = build_registries(protect=False)

    assert built.protected() == set()
    assert [r.inputs["forceDelete"] for r in built.recorder.of_type(REPOSITORY)] == [True, True]


def test_untagged_images_go_and_the_newest_tagged_ones_stay() -> None:
    recorder = build_registries(keep_tagged=30, expire_untagged_days=3).recorder

    policies = {policy.inputs["repository"]: policy for policy in recorder.of_type(LIFECYCLE)}
    assert set(policies) == set(PATHS)
    for policy in policies.values():
        untagged, tagged = parsed(policy.inputs["policy"])["rules"]
        assert untagged["rulePriority"] < tagged["rulePriority"]
        assert untagged["selection"] == {
            "tagStatus": "untagged",
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": 3,
        }
        assert tagged["selection"] == {
            "tagStatus": "tagged",
            "tagPatternList": ["*"],
            "countType": "imageCountMoreThan",
            "countNumber": 30,
        }
        assert untagged["action"] == tagged["action"] == {"type": "expire"}


def test_two_weeks_and_200_images_are_kept_unless_said_otherwise() -> None:
    policy = build_registries(repositories=("parking/web-service",)).recorder.one(LIFECYCLE)

    untagged, tagged = parsed(policy.inputs["policy"])["rules"]
    assert (untagged["selection"]["countNumber"], tagged["selection"]["countNumber"]) == (14, 200)


def test_repositories_carry_the_stack_tags() -> None:
    for repository in build_registries().recorder.of_type(REPOSITORY):
        assert repository.inputs["tags"] == context().tags("Registries")


def test_the_host_and_the_urls_are_where_images_are_pulled_from() -> None:
    outputs = build_registries().outputs

    assert outputs == {"host": HOST, "urls": {path: f"{HOST}/{path}" for path in PATHS}}


@pytest.mark.parametrize("repositories", [(), ("a/b", "a/b"), ("a/b", "a-b")])
def test_no_repository_or_a_clash_of_names_is_refused(repositories: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="one or more, distinct"):
        build_registries(repositories=repositories)


def test_images_are_copied_to_the_other_regions_and_only_those_of_this_platform() -> None:
    replication = build_registries(copy_to=("eu-west-1", "ap-southeast-2")).recorder.one(REPLICATION)

    [rule] = replication.inputs["replicationConfiguration"]["rules"]
    assert [(one["region"], one["registryId"]) for one in rule["destinations"]] == [
        ("ap-southeast-2", ACCOUNT),
        ("eu-west-1", ACCOUNT),
    ]
    assert [one["filter"] for one in rule["repositoryFilters"]] == sorted(PATHS)


def test_a_region_that_copies_nothing_leaves_the_registrys_one_setting_alone() -> None:
    assert build_registries().recorder.of_type(REPLICATION) == []
