"""Facts about identity and operations types: IAM, CloudWatch, events, queues, budgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from infra.local.providers.aws.kinds import Kind, arn
from infra.local.providers.naming import AutoName
from infra.local.providers.values import Map, plain


def _iam(kind: str) -> str:
    return "arn:aws:iam::{account}:" + kind + "{path}{name}"


def _fifo(inputs: Map) -> str:
    """FIFO queues and topics must end so."""
    return ".fifo" if plain(inputs.get("fifoQueue", inputs.get("fifoTopic"))) is True else ""


KINDS: Final[Mapping[str, Kind]] = {
    "iam:Role": Kind(
        outputs={
            "arn": _iam("role"),
            "uniqueId": "AROA{B17}",
            "createDate": "2026-01-01T00:00:00Z",
            "path": "/",
            "maxSessionDuration": 3600,
            "namePrefix": "",
            "forceDetachPolicies": False,
            "managedPolicyArns": [],
            "inlinePolicies": [],
        },
        replaces="name namePrefix path",
        name=AutoName(limit=64),
        unordered="managedPolicyArns inlinePolicies",
    ),
    "iam:Policy": Kind(
        id=_iam("policy"),
        outputs={"arn": "{id}", "policyId": "ANPA{B17}", "path": "/", "attachmentCount": 0, "namePrefix": ""},
        replaces="name namePrefix path description",
        name=AutoName(limit=128),
    ),
    "iam:RolePolicy": Kind(
        id="{role}:{name}",
        outputs={"namePrefix": ""},
        replaces="role name namePrefix",
        name=AutoName(limit=128),
    ),
    "iam:RolePolicyAttachment": Kind(id="{role}/{policyArn}", replaces="all", before=True),
    "iam:RolePolicyAttachmentsExclusive": Kind(id="{roleName}", replaces="roleName", unordered="policyArns"),
    "iam:RolePoliciesExclusive": Kind(id="{roleName}", replaces="roleName", unordered="policyNames"),
    "iam:PolicyAttachment": Kind(replaces="name policyArn", name=AutoName()),
    "iam:User": Kind(
        outputs={"arn": _iam("user"), "uniqueId": "AIDA{B17}", "path": "/"}, name=AutoName(limit=64)
    ),
    "iam:UserPolicy": Kind(id="{user}:{name}", replaces="user name namePrefix", name=AutoName(limit=128)),
    "iam:UserPolicyAttachment": Kind(id="{user}/{policyArn}", replaces="all", before=True),
    "iam:Group": Kind(
        outputs={"arn": _iam("group"), "uniqueId": "AGPA{B17}", "path": "/"}, name=AutoName(limit=128)
    ),
    "iam:AccessKey": Kind(
        id="AKIA{B16}",
        outputs={
            "secret": "{b64}",
            "sesSmtpPasswordV4": "{b64}",
            "createDate": "2026-01-01T00:00:00Z",
            "status": "Active",
            "encryptedSecret": "",
            "encryptedSesSmtpPasswordV4": "",
            "keyFingerprint": "",
        },
        replaces="user pgpKey",
        secrets="secret sesSmtpPasswordV4",
    ),
    "iam:InstanceProfile": Kind(
        outputs={
            "arn": _iam("instance-profile"),
            "uniqueId": "AIPA{B17}",
            "createDate": "2026-01-01T00:00:00Z",
            "path": "/",
            "namePrefix": "",
        },
        replaces="name namePrefix path",
        name=AutoName(limit=128),
    ),
    "iam:OpenIdConnectProvider": Kind(
        id="arn:aws:iam::{account}:oidc-provider/{urlHost}",
        outputs={"arn": "{id}", "thumbprintLists": ["{x40}"]},
        replaces="url",
        unordered="clientIdLists",
    ),
    "iam:ServiceLinkedRole": Kind(
        id="arn:aws:iam::{account}:role/aws-service-role/{awsServiceName}/AWSServiceRoleFor{x8}",
        outputs={
            "arn": "{id}",
            "name": "AWSServiceRoleFor{x8}",
            "uniqueId": "AROA{B17}",
            "path": "/aws-service-role/{awsServiceName}/",
        },
        replaces="awsServiceName customSuffix",
    ),
    "iam:ServerCertificate": Kind(
        id="ASCA{B17}",
        outputs={"arn": _iam("server-certificate"), "path": "/"},
        replaces="certificateBody certificateChain privateKey",
        secrets="privateKey",
        name=AutoName(limit=128),
    ),
    "cloudwatch:LogGroup": Kind(
        outputs={
            "arn": arn("logs", "log-group:{name}"),
            "namePrefix": "",
            "logGroupClass": "STANDARD",
            "retentionInDays": 0,
            "deletionProtectionEnabled": False,
        },
        replaces="name namePrefix logGroupClass",
        name=AutoName(limit=512),
    ),
    "cloudwatch:LogStream": Kind(
        outputs={"arn": arn("logs", "log-group:{logGroupName}:log-stream:{name}")},
        replaces="name logGroupName",
        name=AutoName(limit=512),
    ),
    "cloudwatch:LogMetricFilter": Kind(replaces="name logGroupName", name=AutoName(limit=512)),
    "cloudwatch:LogSubscriptionFilter": Kind(
        id="cwlsf-{d10}",
        outputs={"roleArn": ""},
        replaces="name logGroup destinationArn",
        name=AutoName(limit=512),
    ),
    "cloudwatch:LogDeliverySource": Kind(
        outputs={"arn": arn("logs", "delivery-source:{name}"), "service": "cloudfront"},
        replaces="name resourceArn logType",
        name=AutoName(limit=60),
    ),
    "cloudwatch:LogDeliveryDestination": Kind(
        outputs={"arn": arn("logs", "delivery-destination:{name}"), "deliveryDestinationType": "S3"},
        replaces="name outputFormat",
        name=AutoName(limit=60),
    ),
    "cloudwatch:LogDelivery": Kind(
        id="{a16}",
        outputs={"arn": arn("logs", "delivery:{id}")},
        replaces="deliverySourceName deliveryDestinationArn",
    ),
    "cloudwatch:LogResourcePolicy": Kind(id="{policyName}", replaces="policyName"),
    "cloudwatch:MetricAlarm": Kind(
        outputs={
            "arn": arn("cloudwatch", "alarm:{name}"),
            "evaluateLowSampleCountPercentiles": "",
            "treatMissingData": "missing",
        },
        replaces="name",
        name=AutoName(),
        unordered="alarmActions okActions insufficientDataActions metricQueries",
    ),
    "cloudwatch:CompositeAlarm": Kind(
        id="{alarmName}",
        outputs={"arn": arn("cloudwatch", "alarm:{alarmName}")},
        replaces="alarmName",
        unordered="alarmActions okActions insufficientDataActions",
    ),
    "cloudwatch:Dashboard": Kind(
        id="{dashboardName}",
        outputs={"dashboardArn": "arn:aws:cloudwatch::{account}:dashboard/{dashboardName}"},
        replaces="dashboardName",
    ),
    "cloudwatch:MetricStream": Kind(
        outputs={
            "arn": arn("cloudwatch", "metric-stream/{name}"),
            "state": "running",
            "creationDate": "2026-01-01T00:00:00Z",
            "lastUpdateDate": "2026-01-01T00:00:00Z",
        },
        replaces="name namePrefix",
        name=AutoName(),
    ),
    "cloudwatch:EventRule": Kind(
        id="{name}",
        outputs={
            "arn": arn("events", "rule/{name}"),
            "eventBusName": "default",
            "namePrefix": "",
            "state": "ENABLED",
        },
        replaces="name namePrefix eventBusName",
        name=AutoName(limit=64),
    ),
    "cloudwatch:EventTarget": Kind(
        id="{rule}-{targetId}",
        outputs={"targetId": "terraform-{d20}", "eventBusName": "default"},
        replaces="rule targetId eventBusName",
    ),
    "cloudwatch:EventBus": Kind(
        outputs={"arn": arn("events", "event-bus/{name}")}, replaces="name eventSourceName", name=AutoName()
    ),
    "cloudwatch:EventPermission": Kind(
        id="{eventBusName}-{statementId}",
        outputs={"eventBusName": "default"},
        replaces="statementId eventBusName",
    ),
    "scheduler:Schedule": Kind(
        id="{groupName}/{name}",
        outputs={
            "arn": arn("scheduler", "schedule/{groupName}/{name}"),
            "groupName": "default",
            "state": "ENABLED",
            "namePrefix": "",
        },
        replaces="name namePrefix groupName",
        name=AutoName(limit=64),
    ),
    "scheduler:ScheduleGroup": Kind(
        outputs={"arn": arn("scheduler", "schedule-group/{name}"), "state": "ACTIVE"},
        replaces="name namePrefix",
        name=AutoName(limit=64),
    ),
    "synthetics:Canary": Kind(
        outputs={
            "arn": arn("synthetics", "canary:{name}"),
            "status": "READY",
            "engineArn": arn("lambda", "function:cwsyn-{name}-{uuid}:1"),
            "sourceLocationArn": arn("lambda", "layer:cwsyn-{name}-{uuid}:1"),
            "timelines": [],
        },
        replaces="name",
        name=AutoName(limit=255),
    ),
    "sns:Topic": Kind(
        id=arn("sns", "{name}"),
        outputs={
            "arn": "{id}",
            "owner": "{account}",
            "namePrefix": "",
            "beginningArchiveTime": "",
            "signatureVersion": 0,
            "tracingConfig": "",
            "policy": '{{"Version":"2008-10-17","Statement":[]}}',
        },
        replaces="name namePrefix fifoTopic",
        name=AutoName(limit=256, suffix=_fifo),
    ),
    "sns:TopicSubscription": Kind(
        id="{topic}:{uuid}",
        outputs={
            "arn": "{id}",
            "ownerId": "{account}",
            "confirmationWasAuthenticated": True,
            "pendingConfirmation": False,
            "filterPolicyScope": "",
        },
        replaces="topic protocol endpoint",
    ),
    "sns:TopicPolicy": Kind(id="{arn}", outputs={"owner": "{account}"}, replaces="arn"),
    "sqs:Queue": Kind(
        id="https://sqs.{region}.amazonaws.com/{account}/{name}",
        outputs={
            "arn": arn("sqs", "{name}"),
            "url": "{id}",
            "namePrefix": "",
            "kmsDataKeyReusePeriodSeconds": 300,
            "deduplicationScope": "",
            "fifoThroughputLimit": "",
            "policy": "",
            "redriveAllowPolicy": "",
            "redrivePolicy": "",
            "sqsManagedSseEnabled": True,
        },
        replaces="name namePrefix fifoQueue",
        name=AutoName(limit=80, suffix=_fifo),
    ),
    "sqs:QueuePolicy": Kind(id="{queueUrl}", replaces="queueUrl"),
    "sqs:RedrivePolicy": Kind(id="{queueUrl}", replaces="queueUrl"),
    "budgets:Budget": Kind(
        id="{account}:{name}",
        outputs={
            "arn": "arn:aws:budgets::{account}:budget/{name}",
            "accountId": "{account}",
            "namePrefix": "",
            "timePeriodStart": "2026-01-01_00:00",
            "billingViewArn": "",
        },
        replaces="name namePrefix accountId",
        name=AutoName(limit=100),
    ),
    "costexplorer:AnomalyMonitor": Kind(
        id="arn:aws:ce::{account}:anomalymonitor/{uuid}",
        outputs={"arn": "{id}"},
        replaces="monitorType monitorDimension monitorSpecification",
        name=AutoName(),
    ),
    "costexplorer:AnomalySubscription": Kind(
        id="arn:aws:ce::{account}:anomalysubscription/{uuid}",
        outputs={"arn": "{id}", "accountId": "{account}"},
        name=AutoName(),
    ),
    "sfn:StateMachine": Kind(
        id=arn("states", "stateMachine:{name}"),
        outputs={
            "arn": "{id}",
            "status": "ACTIVE",
            "creationDate": "2026-01-01T00:00:00Z",
            "type": "STANDARD",
        },
        replaces="name namePrefix type",
        name=AutoName(limit=80),
    ),
    "resourcegroups:Group": Kind(
        outputs={"arn": arn("resource-groups", "group/{name}")}, replaces="name", name=AutoName()
    ),
    "cloudtrail:Trail": Kind(
        id=arn("cloudtrail", "trail/{name}"),
        outputs={"arn": "{id}", "homeRegion": "{region}"},
        replaces="name",
        name=AutoName(),
    ),
    "guardduty:Detector": Kind(
        id="{x32}", outputs={"arn": arn("guardduty", "detector/{x32}"), "accountId": "{account}"}
    ),
    "servicediscovery:PrivateDnsNamespace": Kind(
        id="ns-{a16}",
        outputs={"arn": arn("servicediscovery", "namespace/{id}"), "hostedZone": "Z{B20}"},
        replaces="name vpc",
        name=AutoName(),
    ),
    "kinesis:Stream": Kind(
        id=arn("kinesis", "stream/{name}"), outputs={"arn": "{id}"}, replaces="name", name=AutoName(limit=128)
    ),
    "kinesis:FirehoseDeliveryStream": Kind(
        id=arn("firehose", "deliverystream/{name}"),
        outputs={"arn": "{id}", "destinationId": "destinationId-000000000001", "versionId": "1"},
        replaces="name destination kinesisSourceConfiguration mskSourceConfiguration",
        name=AutoName(limit=64),
    ),
    "amp:Workspace": Kind(
        id="ws-{uuid}",
        outputs={
            "arn": arn("aps", "workspace/{id}"),
            "prometheusEndpoint": "https://aps-workspaces.{region}.amazonaws.com/workspaces/{id}/",
        },
        replaces="kmsKeyArn",
    ),
}
