"""Facts about networking types: EC2's network, load balancing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from infra.local.providers.aws.kinds import Kind, arn
from infra.local.providers.naming import AutoName
from infra.local.providers.values import Map, Value


def _ec2(prefix: str, resource: str, **outputs: Value) -> tuple[str, Map]:
    fields: Map = {"arn": arn("ec2", resource + "/{id}"), "ownerId": "{account}"}
    fields.update(outputs)
    return prefix + "-{x17}", fields


def _kind(
    prefix: str, resource: str, *, replaces: str = "", name: AutoName | None = None, **outputs: Value
) -> Kind:
    identity, fields = _ec2(prefix, resource, **outputs)
    return Kind(id=identity, outputs=fields, replaces=replaces, name=name)


_LB_ARN: Final = arn("elasticloadbalancing", "loadbalancer/{loadBalancerPath}/{name}/{x16}")
_RULE: Final = (
    "type fromPort toPort protocol cidrBlocks ipv6CidrBlocks prefixListIds sourceSecurityGroupId self"
)

_LOAD_BALANCER: Final = Kind(
    id=_LB_ARN,
    outputs={
        "arn": "{id}",
        "arnSuffix": "{loadBalancerPath}/{name}/{x16}",
        "dnsName": "{scheme}{name}-{d10}.{region}.elb.amazonaws.com",
        "zoneId": "{elbZone}",
        "vpcId": "{vpcOf:subnets}",
        "ipAddressType": "ipv4",
        "loadBalancerType": "application",
        "internal": False,
        "enableDeletionProtection": False,
        "idleTimeout": 60,
        "enableHttp2": True,
        "desyncMitigationMode": "defensive",
        "xffHeaderProcessingMode": "append",
        "dropInvalidHeaderFields": False,
        "preserveHostHeader": False,
    },
    replaces="name namePrefix internal loadBalancerType customerOwnedIpv4Pool",
    name=AutoName(limit=32),
    protected="enableDeletionProtection",
    unordered="subnets securityGroups subnetMappings",
)
_TARGET_GROUP: Final = Kind(
    id=arn("elasticloadbalancing", "targetgroup/{name}/{x16}"),
    outputs={
        "arn": "{id}",
        "arnSuffix": "targetgroup/{name}/{x16}",
        "targetType": "instance",
        "protocolVersion": "HTTP1",
        "ipAddressType": "ipv4",
        "deregistrationDelay": 300,
        "loadBalancingAlgorithmType": "round_robin",
        "loadBalancingAnomalyMitigation": "off",
        "loadBalancingCrossZoneEnabled": "use_load_balancer_configuration",
        "slowStart": 0,
        "lambdaMultiValueHeadersEnabled": False,
        "proxyProtocolV2": False,
        "loadBalancerArns": [],
        "healthCheck": {
            "enabled": True,
            "healthyThreshold": 3,
            "interval": 30,
            "matcher": "200",
            "path": "/",
            "port": "traffic-port",
            "protocol": "HTTP",
            "timeout": 5,
            "unhealthyThreshold": 3,
        },
    },
    replaces="name namePrefix port protocol protocolVersion vpcId targetType ipAddressType",
    name=AutoName(limit=32),
)
_LISTENER: Final = Kind(
    id=arn("elasticloadbalancing", "listener/{loadBalancerSuffix}/{x16}"),
    outputs={"arn": "{id}", "protocol": "HTTP", "port": 80},
    replaces="loadBalancerArn",
)
_LISTENER_RULE: Final = Kind(
    id=arn("elasticloadbalancing", "listener-rule/{listenerSuffix}/{x16}"),
    outputs={"arn": "{id}"},
    replaces="listenerArn",
    unordered="conditions values",
)
_ATTACHMENT: Final = Kind(
    id="{targetGroupArn}-{targetId}", replaces="targetGroupArn targetId port availabilityZone", before=True
)

_LB_ROWS: Final = {
    f"{module}:{name}": kind
    for module in ("lb", "alb")
    for name, kind in {
        "LoadBalancer": _LOAD_BALANCER,
        "TargetGroup": _TARGET_GROUP,
        "Listener": _LISTENER,
        "ListenerRule": _LISTENER_RULE,
        "TargetGroupAttachment": _ATTACHMENT,
        "ListenerCertificate": Kind(
            id="{listenerArn}_{certificateArn}", replaces="listenerArn certificateArn"
        ),
    }.items()
}

KINDS: Final[Mapping[str, Kind]] = {
    **_LB_ROWS,
    "ec2:Vpc": Kind(
        id="vpc-{x17}",
        outputs={
            "arn": arn("ec2", "vpc/{id}"),
            "ownerId": "{account}",
            "defaultNetworkAclId": "acl-{acl.x17}",
            "defaultRouteTableId": "rtb-{rtb.x17}",
            "defaultSecurityGroupId": "sg-{sg.x17}",
            "dhcpOptionsId": "dopt-{dopt.x17}",
            "mainRouteTableId": "rtb-{rtb.x17}",
            "enableDnsSupport": True,
            "enableDnsHostnames": False,
            "instanceTenancy": "default",
            "ipv6AssociationId": "",
            "ipv6CidrBlock": "",
        },
        replaces="cidrBlock instanceTenancy ipv4IpamPoolId ipv4NetmaskLength",
    ),
    "ec2:Subnet": Kind(
        id="subnet-{x17}",
        outputs={
            "arn": arn("ec2", "subnet/{id}"),
            "ownerId": "{account}",
            "availabilityZone": "{region}a",
            "availabilityZoneId": "{zoneId}",
            "ipv6CidrBlockAssociationId": "",
            "privateDnsHostnameTypeOnLaunch": "ip-name",
        },
        replaces="availabilityZone availabilityZoneId cidrBlock vpcId ipv6Native outpostArn",
    ),
    "ec2:InternetGateway": _kind("igw", "internet-gateway"),
    "ec2:EgressOnlyInternetGateway": Kind(id="eigw-{x17}", replaces="vpcId"),
    "ec2:Eip": Kind(
        id="eipalloc-{x17}",
        outputs={
            "arn": arn("ec2", "elastic-ip/{id}"),
            "allocationId": "{id}",
            "publicIp": "{publicIp}",
            "publicDns": "ec2-{publicIp}.{region}.compute.amazonaws.com",
            "domain": "vpc",
            "networkBorderGroup": "{region}",
            "publicIpv4Pool": "amazon",
        },
        replaces="domain networkBorderGroup publicIpv4Pool address customerOwnedIpv4Pool ipamPoolId",
    ),
    "ec2:EipAssociation": Kind(id="eipassoc-{x17}", replaces="all"),
    "ec2:NatGateway": Kind(
        id="nat-{x17}",
        outputs={
            "publicIp": "{publicIp}",
            "privateIp": "10.{b1}.{b2}.{b3}",
            "networkInterfaceId": "eni-{eni.x17}",
            "associationId": "eipassoc-{as.x17}",
            "connectivityType": "public",
            "secondaryPrivateIpAddressCount": 0,
        },
        replaces="allocationId connectivityType privateIp subnetId vpcId availabilityMode",
    ),
    "ec2:RouteTable": Kind(
        id="rtb-{x17}",
        outputs={"arn": arn("ec2", "route-table/{id}"), "ownerId": "{account}"},
        replaces="vpcId",
        unordered="routes propagatingVgws",
    ),
    "ec2:Route": Kind(
        id="r-{routeTableId}{d10}",
        outputs={"state": "active", "origin": "CreateRoute"},
        replaces="routeTableId destinationCidrBlock destinationIpv6CidrBlock destinationPrefixListId",
        before=True,
    ),
    "ec2:RouteTableAssociation": Kind(id="rtbassoc-{x17}", replaces="subnetId gatewayId"),
    "ec2:MainRouteTableAssociation": Kind(id="rtbassoc-{x17}", replaces="vpcId"),
    "ec2:SecurityGroup": Kind(
        id="sg-{x17}",
        outputs={
            "arn": arn("ec2", "security-group/{id}"),
            "ownerId": "{account}",
            "description": "Managed by Pulumi",
        },
        replaces="name namePrefix description vpcId",
        name=AutoName(),
        unordered="ingress egress cidrBlocks ipv6CidrBlocks prefixListIds securityGroups",
    ),
    "ec2:DefaultSecurityGroup": _kind("sg", "security-group", replaces="vpcId"),
    "ec2:DefaultRouteTable": _kind("rtb", "route-table", replaces="defaultRouteTableId"),
    "ec2:DefaultNetworkAcl": _kind("acl", "network-acl", replaces="defaultNetworkAclId"),
    "ec2:SecurityGroupRule": Kind(
        id="sgrule-{d10}",
        outputs={"securityGroupRuleId": "sgr-{x17}"},
        replaces=_RULE + " securityGroupId",
        before=True,
        unordered="cidrBlocks ipv6CidrBlocks prefixListIds",
    ),
    "vpc:SecurityGroupIngressRule": Kind(
        id="sgr-{x17}",
        outputs={"arn": arn("ec2", "security-group-rule/{id}"), "securityGroupRuleId": "{id}"},
        replaces="securityGroupId",
    ),
    "vpc:SecurityGroupEgressRule": Kind(
        id="sgr-{x17}",
        outputs={"arn": arn("ec2", "security-group-rule/{id}"), "securityGroupRuleId": "{id}"},
        replaces="securityGroupId",
    ),
    "ec2:NetworkAcl": _kind("acl", "network-acl", replaces="vpcId"),
    "ec2:NetworkAclRule": Kind(id="nacl-{d10}", replaces="all", before=True),
    "ec2:NetworkAclAssociation": Kind(id="aclassoc-{x17}", replaces="all"),
    "ec2:VpcEndpoint": Kind(
        id="vpce-{x17}",
        outputs={
            "arn": arn("ec2", "vpc-endpoint/{id}"),
            "ownerId": "{account}",
            "state": "available",
            "prefixListId": "pl-{x8}",
            "vpcEndpointType": "Gateway",
            "privateDnsEnabled": False,
            "requesterManaged": False,
            "serviceRegion": "{region}",
            "ipAddressType": "ipv4",
            "policy": '{{"Version":"2008-10-17","Statement":[{{"Action":"*","Effect":"Allow","Resource":"*"}}]}}',
        },
        replaces="vpcId serviceName vpcEndpointType serviceRegion resourceConfigurationArn serviceNetworkArn",
        unordered="subnetIds routeTableIds securityGroupIds",
    ),
    "ec2:FlowLog": Kind(
        id="fl-{x17}",
        outputs={"arn": arn("ec2", "vpc-flow-log/{id}"), "maxAggregationInterval": 600},
        replaces="all",
    ),
    "ec2:VpcPeeringConnection": Kind(
        id="pcx-{x17}",
        outputs={
            "acceptStatus": "{acceptStatus}",
            "peerOwnerId": "{account}",
            "peerRegion": "{region}",
            "accepter": {"allowRemoteVpcDnsResolution": False},
            "requester": {"allowRemoteVpcDnsResolution": False},
        },
        replaces="vpcId peerVpcId peerOwnerId peerRegion",
    ),
    "ec2:VpcPeeringConnectionAccepter": Kind(
        id="{vpcPeeringConnectionId}",
        outputs={
            "acceptStatus": "active",
            "vpcId": "vpc-{x17}",
            "peerVpcId": "vpc-{peer.x17}",
            "peerOwnerId": "{account}",
            "peerRegion": "{region}",
        },
        replaces="vpcPeeringConnectionId",
    ),
    "ec2:PeeringConnectionOptions": Kind(id="{vpcPeeringConnectionId}", replaces="vpcPeeringConnectionId"),
    "ec2:ManagedPrefixList": Kind(
        id="pl-{x17}",
        outputs={"arn": arn("ec2", "prefix-list/{id}"), "ownerId": "{account}", "version": 1},
        replaces="addressFamily",
        updates="version",
        name=AutoName(),
        unordered="entries",
    ),
    "ec2:ManagedPrefixListEntry": Kind(id="{prefixListId},{cidr}", replaces="all"),
    "ec2:VpcDhcpOptions": _kind("dopt", "dhcp-options", replaces="all"),
    "ec2:VpcIpv4CidrBlockAssociation": Kind(id="vpc-cidr-assoc-{x17}", replaces="all"),
    "ec2:NetworkInterface": _kind("eni", "network-interface", replaces="subnetId privateIp"),
    "globalaccelerator:Accelerator": Kind(
        id="arn:aws:globalaccelerator::{account}:accelerator/{uuid}",
        outputs={
            "arn": "{id}",
            "dnsName": "a{x16}.awsglobalaccelerator.com",
            "hostedZoneId": "Z2BJ6XQ5FK7U4H",
        },
        name=AutoName(),
    ),
}
