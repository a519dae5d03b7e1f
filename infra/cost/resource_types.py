"""Every AWS resource type that a plan may hold: what prices it, or why it is free.

A type in neither table fails a test, so that nothing enters the plan unpriced. `PRICED` says which price keys a type
is billed by; those that are billed by the piece alone are in `PIECES`, and the plan's own count is the quantity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra.cost.lines import Group


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A type billed by the piece.

    Attributes:
        group: What it belongs to.
        item: What a line calls it.
        key: Its price.
        each: Units of the price that one piece takes in a month.
    """

    group: Group
    item: str
    key: str
    each: float = 1.0


PIECES: Mapping[str, Piece] = {
    "aws:kms/key:Key": Piece(group=Group.SECURITY, item="encryption keys", key="kms.key"),
    "aws:kms/replicaKey:ReplicaKey": Piece(group=Group.SECURITY, item="replica keys", key="kms.key"),
    "aws:secretsmanager/secret:Secret": Piece(group=Group.SECURITY, item="secrets", key="secret"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Piece(
        group=Group.OBSERVABILITY, item="alarms", key="cloudwatch.alarm"
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Piece(
        group=Group.OBSERVABILITY, item="composite alarms", key="cloudwatch.composite_alarm"
    ),
    "aws:cloudwatch/dashboard:Dashboard": Piece(
        group=Group.OBSERVABILITY, item="dashboards", key="cloudwatch.dashboard"
    ),
    "aws:cloudtrail/trail:Trail": Piece(
        # The first trail of management events is free; data events of the stores are what is billed.
        group=Group.SECURITY,
        item="trail of data events",
        key="cloudtrail.100k_data",
        each=100,
    ),
    "aws:guardduty/detector:Detector": Piece(
        group=Group.SECURITY, item="threat detection", key="guardduty.million_events", each=20
    ),
    "aws:cfg/recorder:Recorder": Piece(
        group=Group.SECURITY, item="configuration items", key="config.item", each=3000
    ),
}
"""Types billed by the piece; the rest of `PRICED` is billed by size, time or use in the modules named."""

PRICED: Mapping[str, tuple[str, ...]] = {
    "aws:eks/cluster:Cluster": ("eks.standard",),
    "aws:eks/nodeGroup:NodeGroup": ("ec2.", "ebs.gp3_gib"),
    "aws:ebs/volume:Volume": ("ebs.gp3_gib",),
    "aws:rds/instance:Instance": ("rds.",),
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": ("rds.backup_gib",),
    "aws:elasticache/replicationGroup:ReplicationGroup": ("cache.",),
    "aws:msk/cluster:Cluster": ("msk.",),
    "aws:lb/loadBalancer:LoadBalancer": ("alb.hour", "alb.lcu"),
    "aws:alb/loadBalancer:LoadBalancer": ("alb.hour", "alb.lcu"),
    "aws:cloudfront/distribution:Distribution": ("cloudfront.gb_1", "cloudfront.https_10k"),
    "aws:cloudfront/function:Function": ("cloudfront.function_million",),
    "aws:wafv2/webAcl:WebAcl": ("waf.acl", "waf.rule", "waf.million"),
    "aws:shield/protection:Protection": ("shield.advanced",),
    "aws:route53/zone:Zone": ("route53.zone", "route53.million"),
    "aws:route53/healthCheck:HealthCheck": ("route53.check", "route53.check_option"),
    "aws:ec2/natGateway:NatGateway": ("nat.hour", "nat.gb"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ("endpoint.hour", "endpoint.gb"),
    "aws:ec2/eip:Eip": ("ipv4.hour",),
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": ("transfer.inter_region_gb",),
    "aws:ec2/flowLog:FlowLog": ("logs.gb",),
    "aws:cloudwatch/logGroup:LogGroup": ("logs.gb", "logs.stored_gb"),
    "aws:ecr/repository:Repository": ("ecr.gb",),
    "aws:s3/bucket:Bucket": ("s3.gb",),
    "aws:s3/bucketV2:BucketV2": ("s3.gb",),
    "aws:lambda/function:Function": ("lambda.million", "lambda.gb_second"),
    "aws:sns/topic:Topic": ("sns.million",),
    "aws:synthetics/canary:Canary": ("synthetics.run",),
    "aws:sqs/queue:Queue": ("sqs.million",),
    "aws:backup/vault:Vault": ("backup.rds_gib",),
    "aws:backup/logicallyAirGappedVault:LogicallyAirGappedVault": ("backup.rds_gib",),
    **{token: (piece.key,) for token, piece in PIECES.items()},
}
"""Type to the prices that it is billed by; a key that ends in a dot stands for all below it."""

_PART = "part of what it configures, which is priced"
_PERMISSION = "a permission or identity; IAM is free"
_ROUTING = "routing and addressing inside a VPC are free"
_RULE = "a rule or association; the resource it belongs to is priced"
_CERTIFICATE = "public certificates are free"
_FREE_TIER = "free below quotas that the platform stays under"
FREE: Mapping[str, str] = {
    **dict.fromkeys(
        ("aws:acm/certificate:Certificate", "aws:acm/certificateValidation:CertificateValidation"),
        _CERTIFICATE,
    ),
    **dict.fromkeys(
        (
            "aws:appautoscaling/policy:Policy",
            "aws:appautoscaling/scheduledAction:ScheduledAction",
            "aws:appautoscaling/target:Target",
            "aws:autoscaling/group:Group",
            "aws:autoscaling/lifecycleHook:LifecycleHook",
            "aws:autoscaling/policy:Policy",
            "aws:autoscaling/tag:Tag",
            "aws:backup/plan:Plan",
            "aws:backup/selection:Selection",
            "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
            "aws:backup/vaultNotifications:VaultNotifications",
            "aws:cfg/deliveryChannel:DeliveryChannel",
            "aws:cfg/recorderStatus:RecorderStatus",
            "aws:cloudfront/cachePolicy:CachePolicy",
            "aws:cloudfront/originAccessControl:OriginAccessControl",
            "aws:cloudfront/originRequestPolicy:OriginRequestPolicy",
            "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy",
            "aws:cloudwatch/logDelivery:LogDelivery",
            "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination",
            "aws:cloudwatch/logDeliverySource:LogDeliverySource",
            "aws:cloudwatch/logMetricFilter:LogMetricFilter",
            "aws:cloudwatch/logStream:LogStream",
            "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter",
            "aws:ecr/lifecyclePolicy:LifecyclePolicy",
            "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration",
            "aws:ecr/replicationConfiguration:ReplicationConfiguration",
            "aws:eks/addon:Addon",
            "aws:elasticache/parameterGroup:ParameterGroup",
            "aws:elasticache/subnetGroup:SubnetGroup",
            "aws:elasticache/user:User",
            "aws:elasticache/userGroup:UserGroup",
            "aws:kms/alias:Alias",
            "aws:lambda/alias:Alias",
            "aws:lambda/layerVersion:LayerVersion",
            "aws:msk/configuration:Configuration",
            "aws:msk/topic:Topic",
            "aws:rds/eventSubscription:EventSubscription",
            "aws:rds/optionGroup:OptionGroup",
            "aws:rds/parameterGroup:ParameterGroup",
            "aws:rds/subnetGroup:SubnetGroup",
            "aws:secretsmanager/secretRotation:SecretRotation",
            "aws:secretsmanager/secretVersion:SecretVersion",
            "aws:wafv2/ipSet:IpSet",
            "aws:wafv2/regexPatternSet:RegexPatternSet",
            "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
        ),
        _PART,
    ),
    **dict.fromkeys(
        (
            "aws:backup/vaultPolicy:VaultPolicy",
            "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
            "aws:ecr/repositoryPolicy:RepositoryPolicy",
            "aws:eks/accessEntry:AccessEntry",
            "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
            "aws:eks/podIdentityAssociation:PodIdentityAssociation",
            "aws:iam/instanceProfile:InstanceProfile",
            "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
            "aws:iam/policy:Policy",
            "aws:iam/role:Role",
            "aws:iam/rolePolicy:RolePolicy",
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            "aws:iam/rolePoliciesExclusive:RolePoliciesExclusive",
            "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
            "aws:iam/serviceLinkedRole:ServiceLinkedRole",
            "aws:kms/grant:Grant",
            "aws:lambda/permission:Permission",
            "aws:msk/clusterPolicy:ClusterPolicy",
            "aws:s3/bucketPolicy:BucketPolicy",
            "aws:secretsmanager/secretPolicy:SecretPolicy",
            "aws:sns/topicPolicy:TopicPolicy",
            "aws:sqs/queuePolicy:QueuePolicy",
            "aws:accessanalyzer/analyzer:Analyzer",
        ),
        _PERMISSION,
    ),
    **dict.fromkeys(
        (
            "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl",
            "aws:ec2/defaultRouteTable:DefaultRouteTable",
            "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
            "aws:ec2/eipAssociation:EipAssociation",
            "aws:ec2/internetGateway:InternetGateway",
            "aws:ec2/launchTemplate:LaunchTemplate",
            "aws:ec2/managedPrefixList:ManagedPrefixList",
            "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry",
            "aws:ec2/networkAcl:NetworkAcl",
            "aws:ec2/networkAclRule:NetworkAclRule",
            "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions",
            "aws:ec2/route:Route",
            "aws:ec2/routeTable:RouteTable",
            "aws:ec2/routeTableAssociation:RouteTableAssociation",
            "aws:ec2/securityGroup:SecurityGroup",
            "aws:ec2/securityGroupRule:SecurityGroupRule",
            "aws:ec2/subnet:Subnet",
            "aws:ec2/vpc:Vpc",
            "aws:ec2/vpcDhcpOptions:VpcDhcpOptions",
            "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter",
            "aws:route53/record:Record",
            "aws:route53/zoneAssociation:ZoneAssociation",
            "aws:route53/vpcAssociationAuthorization:VpcAssociationAuthorization",
            "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        ),
        _ROUTING,
    ),
    **dict.fromkeys(
        (
            "aws:alb/listener:Listener",
            "aws:alb/listenerRule:ListenerRule",
            "aws:alb/targetGroup:TargetGroup",
            "aws:cloudwatch/eventRule:EventRule",
            "aws:cloudwatch/eventTarget:EventTarget",
            "aws:lambda/eventSourceMapping:EventSourceMapping",
            "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
            "aws:lb/listener:Listener",
            "aws:lb/listenerCertificate:ListenerCertificate",
            "aws:lb/listenerRule:ListenerRule",
            "aws:lb/targetGroup:TargetGroup",
            "aws:lb/targetGroupAttachment:TargetGroupAttachment",
            "aws:s3/bucketAcl:BucketAcl",
            "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            "aws:s3/bucketLogging:BucketLogging",
            "aws:s3/bucketNotification:BucketNotification",
            "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
            "aws:s3/bucketObjectv2:BucketObjectv2",
            "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            "aws:s3/bucketVersioning:BucketVersioning",
            "aws:sns/topicSubscription:TopicSubscription",
            "aws:sqs/redrivePolicy:RedrivePolicy",
            "aws:wafv2/webAclAssociation:WebAclAssociation",
        ),
        _RULE,
    ),
    **dict.fromkeys(
        (
            "aws:budgets/budget:Budget",
            "aws:costexplorer/anomalyMonitor:AnomalyMonitor",
            "aws:costexplorer/anomalySubscription:AnomalySubscription",
            "aws:resourcegroups/group:Group",
            "aws:scheduler/schedule:Schedule",
            "aws:scheduler/scheduleGroup:ScheduleGroup",
            "aws:ssm/parameter:Parameter",
        ),
        _FREE_TIER,
    ),
}
"""Type to the reason why it costs nothing by itself."""


def unpriced(types: Iterable[str]) -> list[str]:
    """Types of AWS resources that neither table knows, by name."""
    return sorted({token for token in types if token.startswith("aws:")} - set(PRICED) - set(FREE))
