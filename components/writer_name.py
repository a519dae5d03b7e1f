"""The one name under which every region reaches the environment's database writer."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.base import Component
from infra.naming import StackContext
from infra.traffic.failover import WRITER_TTL_SECONDS


class WriterName(Component):
    """A record that follows the writer: moving it is how a failover reaches the clients of all regions.

    The operations tool moves it at once; the settings of the next `up` then say the same.

    Args:
        name: Logical name, e.g. `writer-name`.
        context: Names, tags and protection of the stack.
        zone_id: Private zone that every region's VPC sees.
        fqdn: The name.
        host: DNS name of the writer.
        opts: Options of the component itself.

    Outputs:
        fqdn: The name, once it answers.

    Source of the numbers: `infra.traffic.failover` (time to live).
    """

    fqdn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        zone_id: pulumi.Input[str],
        fqdn: str,
        host: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("WriterName", name, context=context, opts=opts)
        record = aws.route53.Record(
            f"{name}-record",
            zone_id=zone_id,
            name=fqdn,
            type="CNAME",
            ttl=WRITER_TTL_SECONDS,
            records=[host],
            opts=self.child(),
        )
        self.fqdn = record.id.apply(lambda _: fqdn)
        self.register_outputs({"fqdn": self.fqdn})
