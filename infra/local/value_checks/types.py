"""Which CloudFormation type a Pulumi type is, and where its properties are called otherwise.

Most follow from the names: `aws:eks/addon:Addon` is `AWS::EKS::Addon`, `instanceTypes` is `InstanceTypes`. The tables
hold what does not. What has no counterpart is not checked here; `test_value_types.py` lists such types by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class CfnType:
    """A CloudFormation type as a target.

    Attributes:
        name: Without `AWS::`.
        inside: The property that holds the rest, as `DistributionConfig` does.
        also: Another type whose rules judge some of the same properties.
        closed: Whether only what `names` lists is carried over.
        names: Pulumi property path (without indexes) to CloudFormation property; one that begins with `/` lies at the
            top whatever the path was; an empty one is not carried over.
    """

    name: str
    inside: str = ""
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    also: CfnType | None = None
    closed: bool = False


SERVICES: Final[Mapping[str, str]] = {
    "acm": "CertificateManager",
    "appautoscaling": "ApplicationAutoScaling",
    "backup": "Backup",
    "budgets": "Budgets",
    "cloudfront": "CloudFront",
    "cloudwatch": "CloudWatch",
    "costexplorer": "CE",
    "dynamodb": "DynamoDB",
    "ec2": "EC2",
    "ecr": "ECR",
    "eks": "EKS",
    "elasticache": "ElastiCache",
    "iam": "IAM",
    "kms": "KMS",
    "lambda": "Lambda",
    "lb": "ElasticLoadBalancingV2",
    "msk": "MSK",
    "rds": "RDS",
    "route53": "Route53",
    "s3": "S3",
    "scheduler": "Scheduler",
    "secretsmanager": "SecretsManager",
    "shield": "Shield",
    "sns": "SNS",
    "sqs": "SQS",
    "ssm": "SSM",
    "synthetics": "Synthetics",
    "vpc": "EC2",
    "wafv2": "WAFv2",
}
"""Service of a Pulumi module."""

_TARGET_GROUP: Final[Mapping[str, str]] = {
    "healthCheck.enabled": "/HealthCheckEnabled",
    "healthCheck.interval": "/HealthCheckIntervalSeconds",
    "healthCheck.timeout": "/HealthCheckTimeoutSeconds",
    "healthCheck.path": "/HealthCheckPath",
    "healthCheck.port": "/HealthCheckPort",
    "healthCheck.protocol": "/HealthCheckProtocol",
    "healthCheck.healthyThreshold": "/HealthyThresholdCount",
    "healthCheck.unhealthyThreshold": "/UnhealthyThresholdCount",
    "healthCheck.matcher": "",
}
_RULE_SIDES: Final[Mapping[str, str]] = {
    "cidrIpv4": "CidrIp",
    "referencedSecurityGroupId": "",
    "securityGroupId": "GroupId",
    "prefixListId": "",
}

TYPES: Final[Mapping[str, CfnType]] = {
    "appautoscaling/policy": CfnType("ApplicationAutoScaling::ScalingPolicy", names={"name": "PolicyName"}),
    "appautoscaling/target": CfnType("ApplicationAutoScaling::ScalableTarget"),
    "backup/plan": CfnType(
        "Backup::BackupPlan",
        inside="BackupPlan",
        names={
            "name": "BackupPlanName",
            "rules": "BackupPlanRule",
            "rules.schedule": "ScheduleExpression",
            "rules.startWindow": "StartWindowMinutes",
            "rules.completionWindow": "CompletionWindowMinutes",
            "rules.targetVaultName": "TargetBackupVault",
            "rules.lifecycle.deleteAfter": "DeleteAfterDays",
            "rules.lifecycle.coldStorageAfter": "MoveToColdStorageAfterDays",
            "rules.copyActions.lifecycle.deleteAfter": "DeleteAfterDays",
            "rules.copyActions.lifecycle.coldStorageAfter": "MoveToColdStorageAfterDays",
        },
    ),
    "backup/selection": CfnType(
        "Backup::BackupSelection", inside="BackupSelection", names={"name": "SelectionName"}
    ),
    "backup/vault": CfnType("Backup::BackupVault", names={"name": "BackupVaultName"}),
    "budgets/budget": CfnType("Budgets::Budget", inside="Budget", names={"name": "BudgetName"}),
    "cloudfront/cachePolicy": CfnType("CloudFront::CachePolicy", inside="CachePolicyConfig"),
    "cloudfront/distribution": CfnType(
        "CloudFront::Distribution",
        inside="DistributionConfig",
        names={
            "orderedCacheBehaviors": "CacheBehaviors",
            "isIpv6Enabled": "IPV6Enabled",
            "origins.originId": "Id",
        },
    ),
    "cloudfront/function": CfnType("CloudFront::Function", inside="FunctionConfig", names={"name": "/Name"}),
    "cloudfront/originAccessControl": CfnType(
        "CloudFront::OriginAccessControl", inside="OriginAccessControlConfig"
    ),
    "cloudfront/originRequestPolicy": CfnType(
        "CloudFront::OriginRequestPolicy", inside="OriginRequestPolicyConfig"
    ),
    "cloudfront/responseHeadersPolicy": CfnType(
        "CloudFront::ResponseHeadersPolicy", inside="ResponseHeadersPolicyConfig"
    ),
    "cloudwatch/eventRule": CfnType("Events::Rule"),
    "cloudwatch/logDelivery": CfnType("Logs::Delivery"),
    "cloudwatch/logDeliveryDestination": CfnType("Logs::DeliveryDestination"),
    "cloudwatch/logDeliverySource": CfnType("Logs::DeliverySource"),
    "cloudwatch/logGroup": CfnType("Logs::LogGroup", names={"name": "LogGroupName"}),
    "cloudwatch/metricAlarm": CfnType(
        "CloudWatch::Alarm",
        names={
            "name": "AlarmName",
            "metricQueries": "Metrics",
            "metricQueries.metric.stat": "Stat",
            "metricQueries.metric": "",
            "dimensions": "",
        },
    ),
    "ec2/eip": CfnType("EC2::EIP"),
    "ec2/flowLog": CfnType("EC2::FlowLog", names={"iamRoleArn": "DeliverLogsPermissionArn"}),
    "ec2/launchTemplate": CfnType(
        "EC2::LaunchTemplate",
        inside="LaunchTemplateData",
        names={
            "name": "/LaunchTemplateName",
            "vpcSecurityGroupIds": "SecurityGroupIds",
            "tagSpecifications": "",
        },
    ),
    "ec2/routeTableAssociation": CfnType("EC2::SubnetRouteTableAssociation"),
    "ec2/securityGroup": CfnType(
        "EC2::SecurityGroup",
        names={
            "name": "GroupName",
            "description": "GroupDescription",
            "ingress": "SecurityGroupIngress",
            "egress": "SecurityGroupEgress",
            # One of ours may name several sources; CloudFormation has an entry for each.
            "ingress.protocol": "IpProtocol",
            "egress.protocol": "IpProtocol",
        },
    ),
    "ec2/vpc": CfnType("EC2::VPC"),
    "ec2/vpcEndpoint": CfnType("EC2::VPCEndpoint"),
    "ec2/vpcPeeringConnection": CfnType("EC2::VPCPeeringConnection"),
    "ecr/repository": CfnType("ECR::Repository", names={"name": "RepositoryName"}),
    "eks/nodeGroup": CfnType(
        "EKS::Nodegroup",
        names={"nodeGroupName": "NodegroupName", "nodeRoleArn": "NodeRole", "subnetIds": "Subnets"},
    ),
    "elasticache/parameterGroup": CfnType(
        "ElastiCache::ParameterGroup",
        names={"name": "CacheParameterGroupName", "family": "CacheParameterGroupFamily", "parameters": ""},
    ),
    "elasticache/subnetGroup": CfnType("ElastiCache::SubnetGroup", names={"name": "CacheSubnetGroupName"}),
    "elasticache/replicationGroup": CfnType(
        "ElastiCache::ReplicationGroup",
        names={
            "nodeType": "CacheNodeType",
            "parameterGroupName": "CacheParameterGroupName",
            "subnetGroupName": "CacheSubnetGroupName",
        },
        # cfn-lint knows node types and engine versions for this type only.
        also=CfnType(
            "ElastiCache::CacheCluster",
            names={"nodeType": "CacheNodeType", "engine": "Engine", "engineVersion": "EngineVersion"},
            closed=True,
        ),
    ),
    "iam/policy": CfnType("IAM::ManagedPolicy", names={"name": "ManagedPolicyName"}),
    "iam/role": CfnType(
        "IAM::Role", names={"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"}
    ),
    "iam/rolePolicy": CfnType(
        "IAM::RolePolicy", names={"name": "PolicyName", "role": "RoleName", "policy": "PolicyDocument"}
    ),
    "kms/alias": CfnType("KMS::Alias", names={"name": "AliasName"}),
    "kms/key": CfnType(
        "KMS::Key", names={"deletionWindowInDays": "PendingWindowInDays", "policy": "KeyPolicy"}
    ),
    "lambda/function": CfnType(
        "Lambda::Function", names={"name": "FunctionName", "publish": "", "code": "", "sourceCodeHash": ""}
    ),
    "lambda/permission": CfnType("Lambda::Permission", names={"function": "FunctionName"}),
    "lb/targetGroup": CfnType("ElasticLoadBalancingV2::TargetGroup", names=_TARGET_GROUP),
    "lb/loadBalancer": CfnType(
        "ElasticLoadBalancingV2::LoadBalancer", names={"loadBalancerType": "Type", "internal": ""}
    ),
    "lb/listener": CfnType("ElasticLoadBalancingV2::Listener", names={"certificateArn": ""}),
    "msk/cluster": CfnType(
        "MSK::Cluster",
        names={
            "brokerNodeGroupInfo.azDistribution": "BrokerAZDistribution",
            "clientAuthentication.sasl": "",
            "clientAuthentication.unauthenticated": "",
        },
    ),
    "msk/topic": CfnType("MSK::Topic", names={"name": "TopicName", "configs": ""}),
    "rds/instance": CfnType(
        "RDS::DBInstance",
        names={
            "backupWindow": "PreferredBackupWindow",
            "caCertIdentifier": "CACertificateIdentifier",
            "dbName": "DBName",
            "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
            "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
            "identifier": "DBInstanceIdentifier",
            "maintenanceWindow": "PreferredMaintenanceWindow",
            "performanceInsightsEnabled": "EnablePerformanceInsights",
            "replicateSourceDb": "SourceDBInstanceIdentifier",
            "username": "MasterUsername",
            "vpcSecurityGroupIds": "VPCSecurityGroups",
            "password": "",
            # CloudFormation takes it from the source; RDS and Pulumi take both.
            "storageEncrypted": "",
        },
    ),
    "rds/parameterGroup": CfnType(
        "RDS::DBParameterGroup", names={"name": "DBParameterGroupName", "parameters": ""}
    ),
    "rds/subnetGroup": CfnType(
        "RDS::DBSubnetGroup", names={"name": "DBSubnetGroupName", "description": "DBSubnetGroupDescription"}
    ),
    "route53/healthCheck": CfnType(
        "Route53::HealthCheck",
        inside="HealthCheckConfig",
        names={
            "enableSni": "EnableSNI",
            "fqdn": "FullyQualifiedDomainName",
            "childHealthThreshold": "HealthThreshold",
            "childHealthchecks": "",
        },
    ),
    "route53/record": CfnType(
        "Route53::RecordSet",
        names={"zoneId": "HostedZoneId", "records": "ResourceRecords", "aliases": "AliasTarget"},
    ),
    "route53/zone": CfnType("Route53::HostedZone"),
    "s3/bucket": CfnType("S3::Bucket", names={"bucket": "BucketName"}),
    "secretsmanager/secret": CfnType("SecretsManager::Secret", names={"replicas": "ReplicaRegions"}),
    "sns/topic": CfnType("SNS::Topic", names={"name": "TopicName"}),
    "sns/topicSubscription": CfnType("SNS::Subscription", names={"topic": "TopicArn"}),
    "sqs/queue": CfnType(
        "SQS::Queue",
        names={
            "name": "QueueName",
            "visibilityTimeoutSeconds": "VisibilityTimeout",
            "messageRetentionSeconds": "MessageRetentionPeriod",
        },
    ),
    "synthetics/canary": CfnType("Synthetics::Canary", names={"s3Bucket": "", "s3Key": "", "handler": ""}),
    "vpc/securityGroupEgressRule": CfnType("EC2::SecurityGroupEgress", names=_RULE_SIDES),
    "vpc/securityGroupIngressRule": CfnType("EC2::SecurityGroupIngress", names=_RULE_SIDES),
    "wafv2/webAcl": CfnType("WAFv2::WebACL"),
    "wafv2/webAclAssociation": CfnType("WAFv2::WebACLAssociation"),
    "wafv2/webAclLoggingConfiguration": CfnType("WAFv2::LoggingConfiguration"),
}
"""By module and type, as in `rds/instance`."""

NOT_CARRIED: Final = frozenset({"tags", "tagsAll", "timeouts", "region"})
"""Properties every type has and other rules check."""


def cfn_type(token: str) -> CfnType | None:
    """The CloudFormation type of a Pulumi type such as `aws:rds/instance:Instance`, by table or by name.

    By name it may not exist; only the schemas know.
    """
    place = token.split(":")[1].replace("alb/", "lb/")
    if place in TYPES:
        return TYPES[place]
    module, _, kind = place.partition("/")
    service = SERVICES.get(module)
    return CfnType(f"{service}::{kind[:1].upper()}{kind[1:]}") if service and kind else None
