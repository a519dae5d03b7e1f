"""EC2's network in the cloud's calls: VPCs, their ways in and out, and the ways between regions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from infra.local.cloud.rows import Call, Row

Json = Any
TAGGED: Final = Call(
    operation="create_tags", given={"Resources": ["{id}"], "Tags": "{tagList}"}, needs="tagList"
)
"""Tags what is not made but taken over."""


def _attribute(name: str, member: str) -> Call:
    """Each attribute of a VPC has a call of its own."""
    given: dict[str, Json] = {"VpcId": "{id}", member: {"Value": f"{{{name}}}"}}
    return Call(operation="modify_vpc_attribute", given=given, when=name)


def _of_vpc(operation: str, *more: Json) -> Call:
    return Call(operation=operation, given={"Filters": [{"Name": "vpc-id", "Values": ["{id}"]}, *more]})


_DNS: Final = (
    _attribute("enableDnsSupport", "EnableDnsSupport"),
    _attribute("enableDnsHostnames", "EnableDnsHostnames"),
)
_MAPPED: Final = Call(
    operation="modify_subnet_attribute",
    given={"SubnetId": "{id}", "MapPublicIpOnLaunch": {"Value": "{mapPublicIpOnLaunch}"}},
    when="mapPublicIpOnLaunch",
)
_MAIN: Final = {"Name": "association.main", "Values": ["true"]}
_DEFAULT: Final = {"Name": "default", "Values": ["true"]}

_NETWORKS: Final[Mapping[str, Row]] = {
    "ec2:Vpc": Row(
        service="ec2",
        create=(Call(operation="create_vpc", carries=True), *_DNS),
        id="Vpc.VpcId",
        read=Call(operation="describe_vpcs", given={"VpcIds": ["{id}"]}),
        found="Vpcs[0]",
        outputs={"dhcpOptionsId": "DhcpOptionsId", "instanceTenancy": "InstanceTenancy"},
        also={
            "defaultSecurityGroupId": (
                _of_vpc("describe_security_groups", {"Name": "group-name", "Values": ["default"]}),
                "SecurityGroups[0].GroupId",
            ),
            "mainRouteTableId": (_of_vpc("describe_route_tables", _MAIN), "RouteTables[0].RouteTableId"),
            "defaultRouteTableId": (_of_vpc("describe_route_tables", _MAIN), "RouteTables[0].RouteTableId"),
            "defaultNetworkAclId": (
                _of_vpc("describe_network_acls", _DEFAULT),
                "NetworkAcls[0].NetworkAclId",
            ),
        },
        shows={
            name: (
                Call(operation="describe_vpc_attribute", given={"VpcId": "{id}", "Attribute": name}),
                f"{name[:1].upper()}{name[1:]}.Value",
            )
            for name in ("enableDnsSupport", "enableDnsHostnames")
        },
        update=_DNS,
        delete=(Call(operation="delete_vpc", given={"VpcId": "{id}"}),),
        tags="{id}",
        tag_type="vpc",
    ),
    "ec2:Subnet": Row(
        service="ec2",
        create=(Call(operation="create_subnet", carries=True), _MAPPED),
        id="Subnet.SubnetId",
        read=Call(operation="describe_subnets", given={"SubnetIds": ["{id}"]}),
        found="Subnets[0]",
        outputs={"availabilityZone": "AvailabilityZone", "availabilityZoneId": "AvailabilityZoneId"},
        update=(_MAPPED,),
        delete=(Call(operation="delete_subnet", given={"SubnetId": "{id}"}),),
        tags="{id}",
        tag_type="subnet",
    ),
    "ec2:FlowLog": Row(
        service="ec2",
        create=(
            Call(
                operation="create_flow_logs",
                carries=True,
                given={"ResourceIds": ["{vpcId}"], "ResourceType": "VPC"},
                when="vpcId",
            ),
            Call(
                operation="create_flow_logs",
                carries=True,
                given={"ResourceIds": ["{subnetId}"], "ResourceType": "Subnet"},
                when="subnetId",
            ),
        ),
        id="FlowLogIds[0]",
        read=Call(operation="describe_flow_logs", given={"FlowLogIds": ["{id}"]}),
        found="FlowLogs[0]",
        names={"iamRoleArn": "DeliverLogsPermissionArn", "vpcId": "", "subnetId": ""},
        delete=(Call(operation="delete_flow_logs", given={"FlowLogIds": ["{id}"]}),),
        tags="{id}",
        tag_type="vpc-flow-log",
    ),
}


def _route(operation: str) -> Call:
    return Call(operation=operation, carries=True, given={"RouteTableId": "{routeTableId}"})


def _endpoint_changes(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """Lists of an endpoint are changed by what comes and what goes."""
    for name, member in (
        ("routeTableIds", "RouteTableIds"),
        ("subnetIds", "SubnetIds"),
        ("securityGroupIds", "SecurityGroupIds"),
    ):
        wanted, had = list(values.get(name) or []), list(values["old"].get(name) or [])
        if come := [one for one in wanted if one not in had]:
            arguments[f"Add{member}"] = come
        if gone := [one for one in had if one not in wanted]:
            arguments[f"Remove{member}"] = gone


_GATEWAY: Final[Mapping[str, Json]] = {"InternetGatewayId": "{id}", "VpcId": "{vpcId}"}
_ENDPOINT_LISTS: Final = "routeTableIds subnetIds securityGroupIds"

_WAYS: Final[Mapping[str, Row]] = {
    "ec2:InternetGateway": Row(
        service="ec2",
        create=(
            Call(operation="create_internet_gateway", carries=True),
            Call(operation="attach_internet_gateway", given=_GATEWAY, when="vpcId"),
        ),
        id="InternetGateway.InternetGatewayId",
        read=Call(operation="describe_internet_gateways", given={"InternetGatewayIds": ["{id}"]}),
        found="InternetGateways[0]",
        sees={"vpcId": "Attachments[0].VpcId"},
        delete=(
            Call(
                operation="detach_internet_gateway",
                given=_GATEWAY,
                when="vpcId",
                tolerates="Gateway.NotAttached InvalidInternetGatewayID.NotFound",
            ),
            Call(operation="delete_internet_gateway", given={"InternetGatewayId": "{id}"}),
        ),
        tags="{id}",
        tag_type="internet-gateway",
    ),
    "ec2:Eip": Row(
        service="ec2",
        create=(Call(operation="allocate_address", carries=True),),
        id="AllocationId",
        read=Call(operation="describe_addresses", given={"AllocationIds": ["{id}"]}),
        found="Addresses[0]",
        outputs={"publicIp": "PublicIp"},
        delete=(Call(operation="release_address", given={"AllocationId": "{id}"}),),
        tags="{id}",
        tag_type="elastic-ip",
    ),
    "ec2:NatGateway": Row(
        service="ec2",
        create=(Call(operation="create_nat_gateway", carries=True),),
        id="NatGateway.NatGatewayId",
        read=Call(operation="describe_nat_gateways", given={"NatGatewayIds": ["{id}"]}),
        found="NatGateways[?State!='deleted'] | [0]",
        outputs={
            "publicIp": "NatGatewayAddresses[0].PublicIp",
            "privateIp": "NatGatewayAddresses[0].PrivateIp",
            "networkInterfaceId": "NatGatewayAddresses[0].NetworkInterfaceId",
        },
        delete=(Call(operation="delete_nat_gateway", given={"NatGatewayId": "{id}"}),),
        tags="{id}",
        tag_type="natgateway",
    ),
    "ec2:RouteTable": Row(
        service="ec2",
        create=(Call(operation="create_route_table", carries=True),),
        id="RouteTable.RouteTableId",
        read=Call(operation="describe_route_tables", given={"RouteTableIds": ["{id}"]}),
        found="RouteTables[0]",
        blind="routes",
        delete=(Call(operation="delete_route_table", given={"RouteTableId": "{id}"}),),
        tags="{id}",
        tag_type="route-table",
    ),
    "ec2:Route": Row(
        service="ec2",
        create=(_route("create_route"),),
        id="r-{routeTableId}{digits}",
        read=Call(operation="describe_route_tables", given={"RouteTableIds": ["{routeTableId}"]}),
        found="RouteTables[0].Routes[?DestinationCidrBlock=='{destinationCidrBlock}'] | [0]",
        update=(_route("replace_route"),),
        delete=(
            Call(
                operation="delete_route",
                given={"RouteTableId": "{routeTableId}", "DestinationCidrBlock": "{destinationCidrBlock}"},
            ),
        ),
    ),
    "ec2:RouteTableAssociation": Row(
        service="ec2",
        create=(Call(operation="associate_route_table", carries=True),),
        id="AssociationId",
        read=Call(
            operation="describe_route_tables",
            given={"Filters": [{"Name": "association.route-table-association-id", "Values": ["{id}"]}]},
        ),
        found="RouteTables[].Associations[?RouteTableAssociationId=='{id}'] | [0]",
        delete=(Call(operation="disassociate_route_table", given={"AssociationId": "{id}"}),),
    ),
    "ec2:VpcEndpoint": Row(
        service="ec2",
        create=(Call(operation="create_vpc_endpoint", carries=True),),
        id="VpcEndpoint.VpcEndpointId",
        read=Call(operation="describe_vpc_endpoints", given={"VpcEndpointIds": ["{id}"]}),
        found="VpcEndpoints[?State!='deleted'] | [0]",
        sees={
            "routeTableIds": "sort(RouteTableIds || `[]`)",
            "subnetIds": "sort(SubnetIds || `[]`)",
            "securityGroupIds": "sort((Groups || `[]`)[].GroupId)",
        },
        names={"policy": "PolicyDocument"},
        blind="policy",
        update=(
            Call(
                operation="modify_vpc_endpoint",
                given={
                    "VpcEndpointId": "{id}",
                    "PrivateDnsEnabled": "{privateDnsEnabled}",
                    "PolicyDocument": "{policy}",
                },
                when=f"{_ENDPOINT_LISTS} privateDnsEnabled policy",
                finish=_endpoint_changes,
            ),
        ),
        delete=(Call(operation="delete_vpc_endpoints", given={"VpcEndpointIds": ["{id}"]}),),
        tags="{id}",
        tag_type="vpc-endpoint",
    ),
}

_SHOW_PEERING: Final = Call(
    operation="describe_vpc_peering_connections", given={"VpcPeeringConnectionIds": ["{id}"]}
)
_PEERING: Final = "VpcPeeringConnections[?Status.Code!='deleted' && Status.Code!='rejected'] | [0]"

_PEERINGS: Final[Mapping[str, Row]] = {
    "ec2:VpcPeeringConnection": Row(
        service="ec2",
        create=(
            Call(operation="create_vpc_peering_connection", carries=True),
            Call(
                operation="accept_vpc_peering_connection",
                given={"VpcPeeringConnectionId": "{id}"},
                needs="autoAccept=true",
            ),
        ),
        id="VpcPeeringConnection.VpcPeeringConnectionId",
        read=_SHOW_PEERING,
        found=_PEERING,
        outputs={"acceptStatus": "Status.Code", "peerOwnerId": "AccepterVpcInfo.OwnerId"},
        delete=(Call(operation="delete_vpc_peering_connection", given={"VpcPeeringConnectionId": "{id}"}),),
        tags="{id}",
        tag_type="vpc-peering-connection",
    ),
    "ec2:VpcPeeringConnectionAccepter": Row(
        service="ec2",
        create=(
            Call(
                operation="accept_vpc_peering_connection",
                given={"VpcPeeringConnectionId": "{vpcPeeringConnectionId}"},
            ),
            TAGGED,
        ),
        id="{vpcPeeringConnectionId}",
        read=_SHOW_PEERING,
        found=_PEERING,
        outputs={
            "acceptStatus": "Status.Code",
            "vpcId": "AccepterVpcInfo.VpcId",
            "peerVpcId": "RequesterVpcInfo.VpcId",
        },
        # What was accepted stays so: the connection is the other side's to delete.
        delete=(),
        tags="{id}",
    ),
}

ROWS: Final[Mapping[str, Row]] = {**_NETWORKS, **_WAYS, **_PEERINGS}
