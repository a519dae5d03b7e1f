"""The secret by which the load balancers know their own CloudFront distribution, and how it rotates."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_random as random

from components.base import Component
from infra.naming import StackContext

LENGTH = 64
"""Characters; a condition value of a listener rule takes 128."""


class OriginSecret(Component):
    """The value of the secret header: the one sent, and those accepted while it rotates.

    To rotate, raise `generation` by one: the edge sends the next value, which every region already accepts,
    and the regions go on accepting the previous one until the edge has changed everywhere. Bring the other
    regions' stacks up before the next rotation, so that they learn the value after it.

    Args:
        name: Logical name, e.g. `origin-secret`; children are `<name>-<generation>`.
        context: Names, tags and protection of the stack.
        generation: Which value is sent, from 1.
        opts: Options of the component.

    Outputs:
        current: The value that the edge sends; secret.
        accepted: Previous, current and next value; all secret.

    Raises:
        ValueError: When the generation is under 1.
    """

    current: pulumi.Output[str]
    accepted: Sequence[pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        generation: int = 1,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if generation < 1:
            raise ValueError(f"generations of the origin secret count from 1; found {generation}")
        super().__init__("OriginSecret", name, context=context, opts=opts)
        self.accepted = [
            self._create_value(number) for number in (generation - 1, generation, generation + 1)
        ]
        self.current = self.accepted[1]
        self.register_outputs({"current": self.current, "accepted": self.accepted})

    def _create_value(self, number: int) -> pulumi.Output[str]:
        value = random.RandomPassword(
            # Letters and digits only: the load balancer reads `*` and `?` as wildcards.
            f"{self._name}-{number}",
            length=LENGTH,
            special=False,
            opts=self.child(),
        )
        return pulumi.Output.secret(value.result)
