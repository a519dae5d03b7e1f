"""The pack as the engine starts it: `pulumi preview --policy-pack infra/policy`.

The engine shows every resource three times: for mending, for checking, and with the whole stack. The SDK decodes it
anew each time and for each of its policies, which would cost a preview a third of its time. So one policy of the SDK
stands for all of ours, and what a resource is made of is decoded here, only where a rule looks.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

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

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from infra.policy import rules
from infra.policy.model import Site, Subject
from infra.policy.wire import properties


class _Stack:
    """What the stack's configuration says, once the engine has told it."""

    site = Site(protected=True, today=dt.datetime.now(dt.UTC).date())

    @classmethod
    def configure(cls, config: Mapping[str, str]) -> None:
        protected = config.get("parking:deletionProtection", "true").lower() != "false"
        cls.site = Site(protected=protected, today=cls.site.today)


def _as_it_is(properties: Any, *_options: Any) -> Any:
    return properties


def _decode_late() -> None:
    """Keep the SDK from decoding what it hands on: policies get the engine's own message.

    Raises:
        RuntimeError: This SDK decodes in another way; the pack must be brought in line with it.
    """
    replaced = {
        "deserialize_properties": _as_it_is,
        "unknown_checking_proxy": _as_it_is,
        "json_format": SimpleNamespace(MessageToDict=_as_it_is),
    }
    missing = sorted(name for name in replaced if not hasattr(policy, name))
    if missing:
        raise RuntimeError(f"pulumi-policy has changed: pulumi_policy.policy has no {', '.join(missing)}")
    for name, instead in replaced.items():
        setattr(policy, name, instead)


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
        type=args.resource_type,
        name=args.name,
        props=properties(args.props),
        protect=bool(args.opts.protect),
        ignored=tuple(args.opts.ignore_changes or ()),
    )
    for problem in rules.violations(subject, _Stack.site):
        report(problem, None)


def _check_stack(args: StackValidationArgs, report: ReportViolation) -> None:
    subjects = [
        Subject(
            type=resource.resource_type,
            name=resource.name,
            props=properties(resource.props),
            parent=resource.parent.urn if resource.parent else "",
        )
        for resource in args.resources
        if resource.resource_type in rules.STACK_TYPES
    ]
    for problem in rules.stack_violations(subjects):
        report(problem, None)


if __name__ == "__main__":
    _decode_late()
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
