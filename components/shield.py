"""Shield Advanced protections."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from components.base import Component
from infra.naming import StackContext


class Shield(Component):
    """Shield Advanced protection of resources: distributions, load balancers, hosted zones.

    Without it, Shield Standard protects all of them at no price. The account's subscription (3,000 USD a month,
    bound for a year) is no part of a stack, which could not end it: subscribe first.

    Args:
        name: Logical name, e.g. `shield`; children are `<name>-<key>`.
        context: Names, tags and protection of the stack.
        resource_arns: What to protect, by a short key.
        opts: Options of the component.

    Outputs:
        protection_ids: Protection by key.
    """

    protection_ids: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        resource_arns: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Shield", name, context=context, opts=opts)
        self.protection_ids = {
            key: self._create_protection(key, arn) for key, arn in sorted(resource_arns.items())
        }
        self.register_outputs({"protectionIds": self.protection_ids})

    def _create_protection(self, key: str, arn: pulumi.Input[str]) -> pulumi.Output[str]:
        protection = aws.shield.Protection(
            f"{self._name}-{key}",
            name=self.context.global_name(key, limit=128),
            resource_arn=arn,
            tags=self.tags(),
            opts=self.child(),
        )
        return protection.id
