"""EC2's network in the cloud's calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from infra.local.cloud.rows import Call, Row

_SHOW_VPCS: Final = Call(operation="describe_vpcs", given={"VpcIds": ["{id}"]})


def _attribute(name: str, member: str) -> Call:
    """Each attribute of a VPC has a call of its own."""
    given: dict[str, Any] = {"VpcId": "{id}", member: {"Value": f"{{{name}}}"}}
    return Call(operation="modify_vpc_attribute", given=given, when=name)


_DNS: Final = (
    _attribute("enableDnsSupport", "EnableDnsSupport"),
    _attribute("enableDnsHostnames", "EnableDnsHostnames"),
)

ROWS: Final[Mapping[str, Row]] = {
    "ec2:Vpc": Row(
        service="ec2",
        create=(Call(operation="create_vpc", carries=True), *_DNS),
        id="Vpc.VpcId",
        read=_SHOW_VPCS,
        found="Vpcs[0]",
        update=_DNS,
        delete=(Call(operation="delete_vpc", given={"VpcId": "{id}"}),),
        tags="{id}",
        tag_type="vpc",
    ),
}
