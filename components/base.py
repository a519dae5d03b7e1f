"""What every component shares: its type token, its context and options for its children."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from infra.naming import StackContext


class Component(pulumi.ComponentResource):
    """A component of the parking platform.

    Args:
        kind: Type of the component in PascalCase; the type token is `parking:components:<kind>`.
        name: Logical name, stable and short.
        context: Names, tags and protection of the stack.
        opts: Options of the component itself; children get theirs explicitly.
    """

    context: StackContext

    def __init__(
        self, kind: str, name: str, *, context: StackContext, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(f"parking:components:{kind}", name, None, opts)
        self.context = context
        self._kind = kind
        self._name = name

    def tags(self, **extra: str) -> Mapping[str, str]:
        """Tags of a child: the stack's, with this component's kind."""
        return self.context.tags(self._kind, **extra)

    def child(
        self,
        *,
        depends_on: Sequence[pulumi.Resource] | None = None,
        ignore_changes: list[str] | None = None,
        stateful: bool = False,
        delete_before_replace: bool | None = None,
        provider: pulumi.ProviderResource | None = None,
    ) -> pulumi.ResourceOptions:
        """Options of a child resource.

        Args:
            depends_on: Order that data flow does not give; say why at the call.
            ignore_changes: Properties that another owner moves; say who at the call.
            stateful: The resource holds data: it is protected where the stack protects.
            delete_before_replace: For physical names that must be free before a replacement.
            provider: Explicit provider, e.g. of another region.
        """
        return pulumi.ResourceOptions(
            parent=self,
            depends_on=depends_on,
            ignore_changes=ignore_changes,
            protect=self.context.protect if stateful else None,
            delete_before_replace=delete_before_replace,
            provider=provider,
        )
