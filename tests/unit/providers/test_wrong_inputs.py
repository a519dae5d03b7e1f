"""Inputs that AWS refuses: each is refused here too, by the layer that `wrong_inputs.yaml` says, or listed as not."""

from __future__ import annotations

import copy
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from infra.local.providers import sdk
from infra.local.providers.aws.plugin import AwsPlugin
from infra.local.providers.check import Failure, check_inputs
from infra.local.providers.plugin import Instance, Resource
from infra.local.providers.values import Map
from infra.local.value_checks.judge import asked_of
from infra.local.value_checks.linter import Linter
from tests.unit.providers.conftest import urn
from tests.unit.stack_files import problems

TABLE: Final[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).with_name("wrong_inputs.yaml")).read_text(encoding="utf-8")
)
WRONG: Final[list[dict[str, Any]]] = TABLE["wrong"]
SETTINGS: Final[list[dict[str, Any]]] = TABLE["settings"]


@pytest.fixture(scope="module")
def linter() -> Linter:
    return Linter()


@pytest.fixture(scope="module")
def plugin() -> AwsPlugin:
    return AwsPlugin()


def changed(base: Map, changes: dict[str, Any]) -> Map:
    """Inputs with values set by path, `a.b[0].c`; null removes."""
    found: Any = copy.deepcopy(base)
    for path, value in changes.items():
        *way, last = re.findall(r"[^.\[\]]+", path)
        place: Any = found
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return found


def refused(token: str, inputs: Map, *, plugin: AwsPlugin, linter: Linter) -> tuple[str, list[Failure]]:
    """The first layer that refuses, and what it says."""
    schema = sdk.schema(token)
    assert schema is not None
    resource = Resource(urn(token, "it"), inputs, Instance({"region": TABLE["region"]}))
    if found := check_inputs(schema.inputs, inputs):
        return "sdk", found
    if found := plugin.check(resource):
        return "rules", found
    asked = asked_of(resource, TABLE["region"])
    lint = linter.findings(asked["token"], asked["region"], asked["inputs"])
    return ("cfn-lint", [Failure(*one) for one in lint]) if lint else ("nobody", [])


@pytest.mark.parametrize("token", TABLE["good"])
def test_the_inputs_that_are_made_wrong_are_right_before(
    token: str, plugin: AwsPlugin, linter: Linter
) -> None:
    assert refused(token, TABLE["good"][token], plugin=plugin, linter=linter) == ("nobody", [])


@pytest.mark.parametrize("wrong", WRONG, ids=[wrong["kind"] for wrong in WRONG])
def test_a_wrong_input_is_refused_by_the_layer_the_table_says(
    wrong: dict[str, Any], plugin: AwsPlugin, linter: Linter
) -> None:
    inputs = changed(TABLE["good"][wrong["type"]], wrong["set"])

    layer, failures = refused(wrong["type"], inputs, plugin=plugin, linter=linter)

    assert layer == wrong["layer"], failures
    heads = {re.split(r"[.\[]", path)[0] for path in wrong["set"]}
    # Where two properties do not go together, the other may be the one that is named.
    heads |= set(wrong.get("named", ()))
    assert {re.split(r"[.\[]", failure.path)[0] for failure in failures} <= heads


@pytest.mark.parametrize("wrong", SETTINGS, ids=[wrong["kind"] for wrong in SETTINGS])
def test_a_wrong_setting_is_refused_before_any_resource(wrong: dict[str, Any]) -> None:
    changes = {path.replace(".", "__"): value for path, value in wrong["set"].items()}

    found = problems(wrong["stack"], other_ranges=wrong.get("others"), **changes)

    assert f"parking:{wrong['key']}" in [problem.key for problem in found]


def test_the_table_is_as_wide_as_it_claims() -> None:
    layers = Counter(wrong["layer"] for wrong in WRONG)
    kinds = [wrong["kind"] for wrong in (*WRONG, *TABLE["references"], *SETTINGS)]

    assert len(set(kinds)) == len(kinds)
    assert len(WRONG) >= 45
    assert len({wrong["type"] for wrong in WRONG}) >= 7
    assert layers.total() - layers["nobody"] >= 40
    assert min(layers[layer] for layer in ("sdk", "rules", "cfn-lint")) >= 10
