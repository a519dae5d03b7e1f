"""Where the data stores of a region live, and who may reach them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.alarms import Alerting
from components.base import Component


@dataclass(frozen=True, kw_only=True)
class DataSite:
    """Network, keys and alerting that the data stores of a region share.

    The key of a store's own data is the store's argument, since each kind of data has its own key.

    Attributes:
        vpc_id: VPC of the stores.
        subnet_ids: Database subnets, one a zone, in the zones' order.
        zones: Availability zones of the subnets, e.g. `us-east-1a`.
        clients: Security groups that may open connections, by a name known before any resource exists; the
            name becomes part of a logical name, so keep it stable.
        secrets_key_arn: KMS key that encrypts generated credentials.
        log_key_arn: KMS key that encrypts log groups; its policy must let CloudWatch Logs use it.
        monitors: Security groups that may scrape metric exporters, by name as in `clients`.
        alerting: Whom alarms tell; none: they change state and tell nobody.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    zones: Sequence[str]
    clients: Mapping[str, pulumi.Input[str]]
    secrets_key_arn: pulumi.Input[str]
    log_key_arn: pulumi.Input[str]
    monitors: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    alerting: Alerting | None = None

    def __post_init__(self) -> None:
        if len(self.subnet_ids) != len(self.zones):
            raise ValueError(
                f"{len(self.subnet_ids)} data subnets for {len(self.zones)} zones {sorted(self.zones)}; "
                "a data site needs one subnet a zone"
            )
        if len(set(self.zones)) < 2:
            raise ValueError(
                f"data stores need subnets in at least 2 zones; the site has {sorted(self.zones)}"
            )


def create_security_group(
    owner: Component, name: str, *, site: DataSite, ports: Sequence[int], monitor_ports: Sequence[int] = ()
) -> aws.ec2.SecurityGroup:
    """Create a store's security group: its ports from the known groups, nothing else in, nothing out.

    Args:
        owner: Component that the group belongs to.
        name: Logical name of the store, which prefixes the children's names.
        site: Where the store lives.
        ports: TCP ports that clients reach.
        monitor_ports: TCP ports that monitors reach.
    """
    group = aws.ec2.SecurityGroup(
        f"{name}-access",
        name=owner.context.name(name, "access", limit=255),
        description=f"Clients of {name}",
        vpc_id=site.vpc_id,
        tags=owner.tags(),
        opts=owner.child(),
    )
    entries = [(client, port, site.clients[client]) for client in sorted(site.clients) for port in ports]
    entries += [
        (monitor, port, site.monitors[monitor]) for monitor in sorted(site.monitors) for port in monitor_ports
    ]
    for source, port, source_id in entries:
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-from-{source}-{port}",
            security_group_id=group.id,
            referenced_security_group_id=source_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=f"{name} from {source}",
            tags=owner.tags(),
            opts=owner.child(),
        )
    return group
