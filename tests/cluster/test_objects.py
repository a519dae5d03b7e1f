"""Everything that the program declares in Kubernetes, taken by a real API server with strict validation."""

from __future__ import annotations

import copy

import pytest

from infra.cluster.owners import conflicts
from infra.local.cluster.testing import ApiError, Json
from services import CATALOGUE
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
def test_applying_them_again_changes_nothing(bench: Bench, states: States, stack: str) -> None:
    items = states.objects(stack)
    first = [_said(bench.apply(item)) for item in items]
    second = [_said(bench.apply(item)) for item in items]

    assert first == second


def _said(item: Json) -> Json:
    """An object without what controllers say about it meanwhile."""
    noise = ("managedFields", "resourceVersion", "annotations")
    metadata = {name: value for name, value in item["metadata"].items() if name not in noise}
    return {"metadata": metadata} | {
        name: value for name, value in item.items() if name not in {"status", "metadata"}
    }


def test_helm_releases_are_the_part_that_is_not_applied(states: States) -> None:
    """Charts cannot be fetched everywhere, so what is in them is not part of this proof."""
    assert states.releases("prod") == states.releases("prod-eu-west-1")
    assert set(states.releases("staging")) <= set(states.releases("prod"))
    assert len(states.releases("prod")) > 10


def test_what_an_autoscaler_owns_leaves_its_replicas_out(states: States) -> None:
    for stack in STACKS:
        items = states.objects(stack)
        owned = {item["spec"]["scaleTargetRef"]["name"] for item in items if item["kind"] == "ScaledObject"}
        deployments = [item for item in items if item["kind"] == "Deployment"]
        counted = {item["metadata"]["name"] for item in deployments if "replicas" in item["spec"]}
        assert len(owned) == len(CATALOGUE)
        assert not owned & counted


@pytest.mark.parametrize("stack", STACKS)
def test_every_number_of_a_workload_has_one_owner(states: States, stack: str) -> None:
    items = states.objects(stack)
    deployments = {item["metadata"]["name"]: item for item in items if item["kind"] == "Deployment"}
    second = {**deployments["auth-service"], "spec": {**deployments["auth-service"]["spec"], "replicas": 3}}

    assert conflicts(items) == []
    # The comparison must be able to fail.
    assert len(conflicts([*items, second])) == 1


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
