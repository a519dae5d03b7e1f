from __future__ import annotations

import pytest

from infra.local.providers.values import UNKNOWN, Map

from .conftest import Client, Connect

DATABASE: Map = {
    "engine": "postgres",
    "instanceClass": "db.r6g.2xlarge",
    "allocatedStorage": 1000,
    "username": "app",
    "password": "x",
    "skipFinalSnapshot": True,
}
CACHE: Map = {"description": "cache", "engine": "valkey", "nodeType": "cache.r6g.xlarge"}
GROUP: Map = {"port": 80, "protocol": "HTTP", "vpcId": "vpc-1", "targetType": "ip"}
ACL: Map = {
    "scope": "REGIONAL",
    "defaultAction": {"allow": {}},
    "visibilityConfig": {"cloudwatchMetricsEnabled": True, "metricName": "m", "sampledRequestsEnabled": True},
}
NODES: Map = {
    "clusterName": "c",
    "nodeRoleArn": "arn",
    "subnetIds": ["s"],
    "scalingConfig": {"minSize": 1, "maxSize": 3, "desiredSize": 2},
}
BROKERS: Map = {
    "kafkaVersion": "3.9.x",
    "numberOfBrokerNodes": 3,
    "brokerNodeGroupInfo": {
        "clientSubnets": ["a", "b", "c"],
        "instanceType": "kafka.m5.2xlarge",
        "securityGroups": ["sg"],
    },
}
RECORD: Map = {"zoneId": "Z1", "name": "a.example.com", "type": "A", "records": ["192.0.2.1"], "ttl": 60}
RULE: Map = {"type": "ingress", "fromPort": 443, "toPort": 443, "protocol": "tcp", "securityGroupId": "sg-1"}
RULE_OK: Map = {**RULE, "cidrBlocks": ["10.0.0.0/16"]}
ALARM: Map = {
    "comparisonOperator": "GreaterThanThreshold",
    "evaluationPeriods": 1,
    "metricName": "CPUUtilization",
}

GOOD: dict[str, Map] = {
    "aws:rds/instance:Instance": {**DATABASE, "storageType": "gp3", "iops": 16000, "storageThroughput": 1000},
    "aws:elasticache/replicationGroup:ReplicationGroup": CACHE,
    "aws:lb/targetGroup:TargetGroup": {**GROUP, "loadBalancingAlgorithmType": "least_outstanding_requests"},
    "aws:wafv2/webAcl:WebAcl": ACL,
    "aws:eks/nodeGroup:NodeGroup": {**NODES, "capacityType": "SPOT", "amiType": "AL2023_x86_64_NVIDIA"},
    "aws:msk/cluster:Cluster": BROKERS,
    "aws:route53/record:Record": RECORD,
    "aws:ec2/securityGroupRule:SecurityGroupRule": RULE_OK,
    "aws:cloudwatch/metricAlarm:MetricAlarm": ALARM,
    "aws:s3/bucket:Bucket": {"bucket": "parking-logs.prod"},
}


@pytest.mark.parametrize("token", GOOD)
def test_what_aws_takes_passes(aws: Client, token: str) -> None:
    assert aws.refusals(token, GOOD[token]) == {}


BAD: list[tuple[str, Map, str, str]] = [
    (
        "aws:rds/instance:Instance",
        {**DATABASE, "storageType": "gp3", "iops": 100},
        "iops",
        "12,000 to 64,000",
    ),
    (
        "aws:rds/instance:Instance",
        {**DATABASE, "storageType": "gp3", "iops": 64_001},
        "iops",
        "12,000 to 64,000",
    ),
    (
        "aws:rds/instance:Instance",
        {**DATABASE, "allocatedStorage": 399, "storageType": "gp3", "iops": 12_000},
        "iops",
        "fixed at 3,000",
    ),
    ("aws:rds/instance:Instance", {**DATABASE, "storageType": "io2"}, "iops", "missing"),
    ("aws:rds/instance:Instance", {**DATABASE, "storageType": "gp2", "iops": 3000}, "iops", "takes none"),
    ("aws:rds/instance:Instance", {**DATABASE, "identifier": "Prod_DB"}, "identifier", "lower-case"),
    ("aws:rds/instance:Instance", {**DATABASE, "identifier": "a" * 64}, "identifier", "1 to 63"),
    (
        "aws:rds/instance:Instance",
        {**DATABASE, "backupRetentionPeriod": 36},
        "backupRetentionPeriod",
        "0 to 35",
    ),
    ("aws:rds/instance:Instance", {**DATABASE, "engine": None}, "engine", "missing"),
    (
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {**CACHE, "nodeType": "cache.r6g.medium"},
        "nodeType",
        "cache.r6g.large",
    ),
    (
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {**CACHE, "replicationGroupId": "x" * 41},
        "replicationGroupId",
        "1 to 40",
    ),
    (
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {**CACHE, "multiAzEnabled": True},
        "multiAzEnabled",
        "automaticFailoverEnabled",
    ),
    (
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {**CACHE, "numNodeGroups": 501},
        "numNodeGroups",
        "500",
    ),
    (
        "aws:lb/targetGroup:TargetGroup",
        {**GROUP, "loadBalancingAlgorithmType": "ip_hash"},
        "loadBalancingAlgorithmType",
        "round_robin, least_outstanding_requests, weighted_random",
    ),
    ("aws:lb/targetGroup:TargetGroup", {**GROUP, "name": "a" * 33}, "name", "1 to 32"),
    ("aws:lb/targetGroup:TargetGroup", {**GROUP, "protocol": "HTP"}, "protocol", "one of HTTP"),
    (
        "aws:lb/targetGroup:TargetGroup",
        {**GROUP, "loadBalancingAnomalyMitigation": "on"},
        "loadBalancingAnomalyMitigation",
        "weighted_random",
    ),
    (
        "aws:lb/targetGroup:TargetGroup",
        {**GROUP, "slowStart": 60, "loadBalancingAlgorithmType": "least_outstanding_requests"},
        "slowStart",
        "round_robin",
    ),
    (
        "aws:lb/loadBalancer:LoadBalancer",
        {"name": "a" * 33, "subnets": ["a", "b"]},
        "name",
        "1 to 32",
    ),
    ("aws:lb/loadBalancer:LoadBalancer", {"loadBalancerType": "app"}, "loadBalancerType", "application"),
    ("aws:lb/loadBalancer:LoadBalancer", {"subnets": ["a"]}, "subnets", "two zones"),
    (
        "aws:lb/listener:Listener",
        {"loadBalancerArn": "arn", "port": 443, "protocol": "HTTPS", "defaultActions": [{"type": "forward"}]},
        "certificateArn",
        "missing",
    ),
    (
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        {**RULE_OK, "protocol": "tpc"},
        "protocol",
        "one of all, tcp, udp, icmp",
    ),
    ("aws:ec2/securityGroupRule:SecurityGroupRule", {**RULE_OK, "type": "in"}, "type", "ingress, egress"),
    (
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        {**RULE_OK, "fromPort": 444},
        "fromPort",
        "at most toPort",
    ),
    ("aws:ec2/securityGroupRule:SecurityGroupRule", RULE, "", "names nobody"),
    (
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        {**RULE, "cidrBlocks": ["10.0.0.1/16"]},
        "cidrBlocks[0]",
        "CIDR",
    ),
    ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/8"}, "cidrBlock", "/16 to /28"),
    ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0"}, "cidrBlock", "/16 to /28"),
    ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/33"}, "cidrBlock", "CIDR"),
    (
        "aws:ec2/subnet:Subnet",
        {"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24", "availabilityZone": "us-east-1a"},
        "availabilityZone",
        "region us-west-2 has us-west-2a",
    ),
    ("aws:ec2/vpc:Vpc", {"region": "us-east-11"}, "region", "did you mean us-east-1?"),
    ("aws:ec2/vpc:Vpc", {"tags": {"aws:name": "x"}}, 'tags["aws:name"]', "reserved"),
    (
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"metadataOptions": {"httpTokens": "mandatory"}},
        "metadataOptions.httpTokens",
        "optional, required",
    ),
    ("aws:eks/nodeGroup:NodeGroup", {**NODES, "capacityType": "spot"}, "capacityType", "ON_DEMAND, SPOT"),
    (
        "aws:eks/nodeGroup:NodeGroup",
        {**NODES, "scalingConfig": {"minSize": 4, "maxSize": 3, "desiredSize": 4}},
        "scalingConfig",
        "minSize <= desiredSize <= maxSize",
    ),
    (
        "aws:eks/nodeGroup:NodeGroup",
        {**NODES, "taints": [{"key": "a", "effect": "NoSchedule"}]},
        "taints[0].effect",
        "NO_SCHEDULE",
    ),
    (
        "aws:msk/cluster:Cluster",
        {**BROKERS, "numberOfBrokerNodes": 4},
        "numberOfBrokerNodes",
        "multiple of the 3",
    ),
    ("aws:wafv2/webAcl:WebAcl", {**ACL, "scope": "GLOBAL"}, "scope", "REGIONAL, CLOUDFRONT"),
    ("aws:wafv2/webAcl:WebAcl", {**ACL, "scope": "CLOUDFRONT"}, "scope", "us-east-1"),
    ("aws:route53/record:Record", {**RECORD, "type": "AAAAA"}, "type", "AAAA"),
    ("aws:route53/record:Record", {**RECORD, "ttl": None}, "ttl", "records require it"),
    (
        "aws:route53/record:Record",
        {**RECORD, "latencyRoutingPolicies": [{"region": "us-east-1"}]},
        "setIdentifier",
        "latencyRoutingPolicies requires it",
    ),
    (
        "aws:route53/healthCheck:HealthCheck",
        {"type": "HTTPS", "requestInterval": 20},
        "requestInterval",
        "10, 30",
    ),
    ("aws:s3/bucket:Bucket", {"bucket": "Parking"}, "bucket", "lower-case"),
    ("aws:iam/role:Role", {"assumeRolePolicy": "{"}, "assumeRolePolicy", "JSON"),
    ("aws:iam/policy:Policy", {"policy": "[]"}, "policy", "expected a policy"),
    ("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 31}, "retentionInDays", "30"),
    (
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        {**ALARM, "comparisonOperator": ">"},
        "comparisonOperator",
        "Greater",
    ),
    ("aws:kms/key:Key", {"deletionWindowInDays": 3}, "deletionWindowInDays", "7 to 30"),
]


@pytest.mark.parametrize(("token", "inputs", "path", "says"), BAD, ids=lambda value: str(value)[:40])
def test_what_aws_refuses_is_refused(aws: Client, token: str, inputs: Map, path: str, says: str) -> None:
    failures = aws.refusals(token, inputs)
    assert says in failures.get(path, f"nothing said about {path!r}: {failures}")


def test_waf_rule_groups_take_override_action(aws: Client) -> None:
    group: Map = {"managedRuleGroupStatement": {"vendorName": "AWS", "name": "AWSManagedRulesCommonRuleSet"}}
    rule: Map = {"name": "a", "priority": 1, "statement": group, "visibilityConfig": ACL["visibilityConfig"]}
    token = "aws:wafv2/webAcl:WebAcl"  # noqa: S105 - a resource type
    wrong = aws.refusals(token, {**ACL, "rules": [{**rule, "action": {"block": {}}}]})
    assert "overrideAction" in wrong["rules[0].action"]
    assert aws.refusals(token, {**ACL, "rules": [{**rule, "overrideAction": {"none": {}}}]}) == {}


def test_what_is_unknown_in_a_preview_is_not_judged(aws: Client) -> None:
    unknown: Map = dict.fromkeys(("iops", "allocatedStorage", "storageType", "identifier"), UNKNOWN)
    assert aws.refusals("aws:rds/instance:Instance", {**DATABASE, **unknown}) == {}
    assert aws.refusals("aws:ec2/subnet:Subnet", {"vpcId": UNKNOWN, "cidrBlock": UNKNOWN}) == {}


def test_a_web_acl_for_cloudfront_passes_in_us_east_1(connect: Connect) -> None:
    edge = connect("aws", {"region": "us-east-1"})
    assert edge.refusals("aws:wafv2/webAcl:WebAcl", {**ACL, "scope": "CLOUDFRONT"}) == {}
