"""The specification's custom-metric scaling format: written, read back, and turned into metrics and policies.

The format is the YAML under `scaling-config.yaml` in the ConfigMap `<service>-service-metrics`:

    triggers:
      - metric: queue_depth
        threshold: 1000
        scaleUp: 2
        cooldown: 60s

The ConfigMap is the only source of what is derived from it: `parse` reads its text and nothing else says a
threshold, a step or a cooldown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

import yaml

from infra.model.service import Objective, ScalingDirection, ScalingPolicy, ScalingTrigger
from infra.model.triggers import GeneralTriggers

_METRIC = re.compile(r"[a-z][a-z0-9_]*")
_THRESHOLD = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>ms|s|%)?")
_COOLDOWN = re.compile(r"(?P<number>\d+)(?P<unit>[sm])")
_KEYS = ("metric", "threshold", "scaleUp", "cooldown")
_LONGEST_PERIOD_SECONDS = 1800
"""Kubernetes takes policy periods of 1 to 1,800 s."""


class TriggerFormatError(ValueError):
    """A scaling configuration that cannot be read; the message says where, what was found and what is allowed."""


class Unit(StrEnum):
    """What a threshold counts; the query of its metric must answer in the same unit."""

    COUNT = "count"
    MILLISECONDS = "milliseconds"
    PERCENT = "percent"


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """One trigger as read: over `threshold` (in `unit`) add `scale_up` pods, at most once a cooldown."""

    metric: str
    threshold: float
    unit: Unit
    scale_up: int
    cooldown_seconds: int


def render(triggers: Sequence[ScalingTrigger]) -> str:
    """The triggers in the specification's format, checked by reading them back."""
    lines = ["triggers:"]
    for trigger in triggers:
        lines += [
            f"  - metric: {trigger.metric}",
            f"    threshold: {trigger.threshold}",
            f"    scaleUp: {trigger.scale_up}",
            f"    cooldown: {trigger.cooldown_seconds}s",
        ]
    text = "\n".join(lines) + "\n"
    parse(text)
    return text


def parse(text: str) -> tuple[Trigger, ...]:
    """Read a scaling configuration.

    Raises:
        TriggerFormatError: When the text is no YAML, has unknown or missing keys, a value out of range or a
            metric twice.
    """
    try:
        document: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TriggerFormatError(f"the scaling configuration is not YAML: {error}") from error
    if not isinstance(document, dict) or set(cast("dict[object, object]", document)) != {"triggers"}:
        raise TriggerFormatError("the scaling configuration must be a mapping with the one key 'triggers'")
    entries = cast("dict[str, object]", document)["triggers"]
    if not isinstance(entries, list) or not entries:
        raise TriggerFormatError(f"triggers: found {entries!r}; a list of at least one trigger is needed")
    triggers = tuple(
        _trigger(f"triggers[{i}]", entry) for i, entry in enumerate(cast("list[object]", entries))
    )
    names = [trigger.metric for trigger in triggers]
    for name in names:
        if names.count(name) > 1:
            raise TriggerFormatError(f"triggers: metric {name!r} stands twice; one trigger a metric")
    return triggers


def _trigger(where: str, entry: object) -> Trigger:
    if not isinstance(entry, dict):
        raise TriggerFormatError(f"{where}: found {entry!r}; a mapping with {', '.join(_KEYS)} is needed")
    values = cast("dict[str, Any]", entry)
    missing = [key for key in _KEYS if key not in values]
    unknown = sorted(str(key) for key in values if key not in _KEYS)
    if missing or unknown:
        found = "; ".join(
            f"{label} {', '.join(keys)}"
            for label, keys in (("missing", missing), ("unknown", unknown))
            if keys
        )
        raise TriggerFormatError(f"{where}: {found}; exactly {', '.join(_KEYS)} are needed")
    threshold, unit = _threshold(f"{where}.threshold", values["threshold"])
    return Trigger(
        metric=_matched(f"{where}.metric", values["metric"], _METRIC, "a name such as queue_depth").group(),
        threshold=threshold,
        unit=unit,
        scale_up=_step(f"{where}.scaleUp", values["scaleUp"]),
        cooldown_seconds=_cooldown(f"{where}.cooldown", values["cooldown"]),
    )


def _matched(where: str, value: object, pattern: re.Pattern[str], allowed: str) -> re.Match[str]:
    match = None if isinstance(value, bool) else pattern.fullmatch(str(value))
    if match is None:
        raise TriggerFormatError(f"{where}: found {value!r}; allowed is {allowed}")
    return match


def _threshold(where: str, value: object) -> tuple[float, Unit]:
    allowed = "a number over 0, alone or with ms, s or %, e.g. 1000, 500ms, 5%"
    match = _matched(where, value, _THRESHOLD, allowed)
    number, suffix = float(match["number"]), match["unit"]
    if number <= 0 or (suffix == "%" and number > 100):
        raise TriggerFormatError(f"{where}: found {value!r}; allowed is {allowed}, percentages up to 100")
    match suffix:
        case "s":
            return number * 1000, Unit.MILLISECONDS
        case "ms":
            return number, Unit.MILLISECONDS
        case "%":
            return number, Unit.PERCENT
        case _:
            return number, Unit.COUNT


def _step(where: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise TriggerFormatError(f"{where}: found {value!r}; allowed is a whole number of pods, at least 1")
    return value


def _cooldown(where: str, value: object) -> int:
    match = _matched(where, value, _COOLDOWN, "a whole number of seconds or minutes, e.g. 60s, 2m")
    seconds = int(match["number"]) * (60 if match["unit"] == "m" else 1)
    if not 1 <= seconds <= _LONGEST_PERIOD_SECONDS:
        raise TriggerFormatError(
            f"{where}: found {value!r}; Kubernetes takes periods of 1 to {_LONGEST_PERIOD_SECONDS} s"
        )
    return seconds


def step_policies(triggers: Sequence[Trigger]) -> ScalingDirection:
    """The scale-up direction that the triggers' steps and cooldowns say: one `Pods` policy each.

    An HPA's policies bound the workload, not a metric, and the widest applies: a trigger can therefore be
    followed at another's faster pace. No look-back window: the cooldowns already space the steps.
    """
    return ScalingDirection(
        stabilization_window_seconds=0,
        policies=tuple(
            ScalingPolicy(type="Pods", value=trigger.scale_up, period_seconds=trigger.cooldown_seconds)
            for trigger in triggers
        ),
    )


def behavior(*, scale_up: ScalingDirection, scale_down: ScalingDirection) -> Mapping[str, Any]:
    """`spec.behavior` of an HPA (autoscaling/v2), both directions and the selection stated.

    `Max` is Kubernetes' default for a silent `selectPolicy`; saying it keeps another default from slipping in.
    """
    return {
        key: {
            "stabilizationWindowSeconds": direction.stabilization_window_seconds,
            "selectPolicy": "Max",
            "policies": [
                {"type": policy.type, "value": policy.value, "periodSeconds": policy.period_seconds}
                for policy in direction.policies
            ],
        }
        for key, direction in (("scaleUp", scale_up), ("scaleDown", scale_down))
    }


def response_query(*, service: str, objectives: Sequence[Objective], triggers: GeneralTriggers) -> str:
    """PromQL of the slowest operation's response time over its objective, shaped for an HPA target of scale-up.

    Over the scale-up ratio it is the ratio, so that twice the objective asks for twice the pods. Between the
    scale-down and the scale-up ratio it is held at the latter: no opinion up, a veto down. Under the scale-down
    ratio, or without traffic, it is empty: no veto, and the other metrics decide.

    Args:
        service: Value of the label `service`, e.g. `auth-service`.
        objectives: At least one.
        triggers: Where up and down are.

    Raises:
        ValueError: Without objectives.
    """
    if not objectives:
        raise ValueError(f"{service} has no latency objective to compare its response time with")
    ratios = " or ".join(_ratio(service, objective) for objective in objectives)
    down, up = triggers.scale_down.response_to_objective, triggers.scale_up.response_to_objective
    return f"clamp_min(max({ratios}) >= {down:g}, {up:g})"


def _ratio(service: str, objective: Objective) -> str:
    selector = f'service="{service}",operation="{objective.operation}"'
    buckets = f"sum by (le) (rate(http_server_request_duration_seconds_bucket{{{selector}}}[5m]))"
    quantile = f"histogram_quantile({objective.percentile / 100:g}, {buckets})"
    target = f"{objective.target_ms / 1000:g}"
    # A label of its own: `or` drops series whose labels are already on its left.
    return f'label_replace({quantile} / {target}, "operation", "{objective.operation}", "", "")'
