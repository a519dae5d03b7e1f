"""The pack as the engine starts it: `pulumi preview --policy-pack infra/policy`.

One policy of the SDK stands for all of ours, since the SDK decodes a resource anew for each of its policies.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
    policy,
)
from pulumi_policy import proxy as sdk

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from infra.policy import rules
from infra.policy.model import UNKNOWN, Site, Subject

_UNKNOWNS = frozenset(value for name, value in vars(sdk).items() if name.startswith("UNKNOWN_"))


def _plain(value: Any) -> Any:
    """A property without the SDK's wrapping, which raises at everything that is unknown."""
    if isinstance(value, str):
        return UNKNOWN if value in _UNKNOWNS else value
    if isinstance(value, Mapping | Sequence):
        # What is wrapped is given by this key, which only the wrappers know.
        return _plain_of(cast("Mapping[str, Any]", value)["__target"])
    return value


def _plain_of(wrapped: dict[str, Any] | list[Any]) -> Any:
    if isinstance(wrapped, dict):
        return {key: _plain(each) for key, each in wrapped.items()}
    return [_plain(each) for each in wrapped]


class _Stack:
    """What the stack's configuration says, once the engine has told it."""

    site = Site(protected=True, today=dt.datetime.now(dt.UTC).date())

    @classmethod
    def configure(cls, config: Mapping[str, str]) -> None:
        protected = config.get("parking:deletionProtection", "true").lower() != "false"
        cls.site = Site(protected=protected, today=cls.site.today)


def _listen_to_configuration() -> None:
    """Learn the stack's configuration, which the engine sends and the SDK passes over.

    Where the SDK has another shape, stores count as protected: the stricter reading.
    """
    servicer = vars(policy).get("_PolicyAnalyzerServicer")
    if servicer is None:
        return
    configure_stack = servicer.ConfigureStack

    def configured(self: Any, request: Any, context: Any) -> Any:
        _Stack.configure(dict(request.config))
        return configure_stack(self, request, context)

    servicer.ConfigureStack = configured


def _check(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if not rules.is_looked_at(args.resource_type):
        return
    subject = Subject(
        type=args.resource_type, name=args.name, props=_plain(args.props), protect=bool(args.opts.protect)
    )
    for problem in rules.violations(subject, _Stack.site):
        report(problem, None)


def _check_stack(args: StackValidationArgs, report: ReportViolation) -> None:
    subjects = [
        Subject(
            type=resource.resource_type,
            name=resource.name,
            props=_plain(resource.props),
            parent=resource.parent.urn if resource.parent else "",
        )
        for resource in args.resources
        if resource.resource_type in rules.STACK_TYPES
    ]
    for problem in rules.stack_violations(subjects):
        report(problem, None)


if __name__ == "__main__":
    _listen_to_configuration()
    PolicyPack(
        name="parking-guardrails",
        enforcement_level=EnforcementLevel.MANDATORY,
        policies=[
            ResourceValidationPolicy(
                name="resource",
                description="No resource breaks a rule of infra/policy.",
                validate=_check,
            ),
            StackValidationPolicy(
                name="stack",
                description="The stack as a whole breaks no rule of infra/policy.",
                validate=_check_stack,
            ),
        ],
    )
