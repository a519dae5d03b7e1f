"""Everything that the program declares in Kubernetes, taken by a real API server with strict validation."""

from __future__ import annotations

import copy

import pytest

from infra.local.cluster import ApiError, Json, LocalCluster
from tests.cluster.bench import Bench
from tests.cluster.states import STACKS, States

PROGRAM_KINDS = {"Deployment", "ScaledObject", "PodDisruptionBudget", "TargetGroupBinding", "NetworkPolicy"}


def _applied(bench: Bench, items: list[Json]) -> list[str]:
    """Apply in order; what was refused, in words."""
    refused: list[str] = []
    for item in items:
        try:
            bench.apply(item)
        except ApiError as error:
            metadata = item["metadata"]
            refused.append(f"{item['kind']} {metadata.get('namespace')}/{metadata['name']}: {error}")
    return refused


@pytest.mark.parametrize("stack", STACKS)
def test_all_objects_are_taken(bench: Bench, states: States, stack: str) -> None:
    items = states.objects(stack)

    assert {item["kind"] for item in items} >= PROGRAM_KINDS
    assert not _applied(bench, items)


@pytest.mark.parametrize("stack", STACKS)
def test_applying_them_again_changes_nothing(
    cluster: LocalCluster, bench: Bench, states: States, stack: str
) -> None:
    items = [item for item in states.objects(stack) if item["kind"] not in {"Deployment"}]
    first = {_key(found): found["metadata"]["resourceVersion"] for found in map(bench.apply, items)}
    second = {_key(found): found["metadata"]["resourceVersion"] for found in map(bench.apply, items)}

    assert first == second


def _key(item: Json) -> tuple[str, str, str]:
    metadata = item["metadata"]
    return item["kind"], str(metadata.get("namespace")), metadata["name"]


def test_helm_releases_are_the_part_that_is_not_applied(states: States) -> None:
    """Charts cannot be fetched everywhere, so what is in them is not part of this proof."""
    assert states.releases("prod") == states.releases("prod-eu-west-1")
    assert set(states.releases("staging")) <= set(states.releases("prod"))
    assert len(states.releases("prod")) > 10


def test_every_deployment_leaves_its_replicas_to_its_autoscaler(states: States) -> None:
    for stack in STACKS:
        deployments = [item for item in states.objects(stack) if item["kind"] == "Deployment"]
        assert deployments
        assert not [item["metadata"]["name"] for item in deployments if "replicas" in item["spec"]]


def test_one_wrong_letter_in_the_program_s_objects_is_refused(bench: Bench, states: States) -> None:
    """The comparison must be able to fail: the same objects, each with one field misspelt."""
    spaces = [item for item in states.objects("prod") if item["kind"] == "Namespace"]
    kinds = PROGRAM_KINDS - {"TargetGroupBinding"}
    wrong: list[Json] = []
    for item in states.objects("prod"):
        if item["kind"] in kinds:
            changed = copy.deepcopy(item)
            changed["spec"]["noSuchField"] = 1
            wrong.append(changed)
    assert not _applied(bench, spaces)

    assert len(_applied(bench, wrong)) == len(wrong) > len(kinds)
