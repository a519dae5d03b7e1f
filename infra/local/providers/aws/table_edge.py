"""Facts about edge types: Route 53, CloudFront, ACM, WAF, Shield."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from infra.local.providers.aws.kinds import Kind, arn
from infra.local.providers.naming import AutoName

_WAF: Final = AutoName(limit=128)
_WAF_ARN: Final = "arn:aws:wafv2:{wafRegion}:{account}:{wafScope}/"

KINDS: Final[Mapping[str, Kind]] = {
    "route53:Zone": Kind(
        id="Z{B20}",
        outputs={
            "arn": "arn:aws:route53:::hostedzone/{id}",
            "zoneId": "{id}",
            "nameServers": ["{ns:0}", "{ns:1}", "{ns:2}", "{ns:3}"],
            "primaryNameServer": "{ns:0}",
            "comment": "Managed by Pulumi",
            "enableAcceleratedRecovery": False,
        },
        replaces="name delegationSetId",
        name=AutoName(),
        unordered="vpcs",
    ),
    "route53:Record": Kind(
        id="{zoneId}_{name}_{type}{setSuffix}",
        outputs={"fqdn": "{name}", "allowOverwrite": False},
        replaces="name type zoneId setIdentifier",
        unordered="records",
        before=True,
    ),
    "route53:HealthCheck": Kind(
        id="{uuid}",
        outputs={"arn": "arn:aws:route53:::healthcheck/{uuid}", "failureThreshold": 3, "enableSni": True},
        replaces="type requestInterval measureLatency referenceName triggers routingControlArn",
        unordered="regions childHealthchecks",
    ),
    "route53:ZoneAssociation": Kind(
        id="{zoneId}:{vpcId}", outputs={"owningAccount": "{account}", "vpcRegion": "{region}"}, replaces="all"
    ),
    "route53:QueryLog": Kind(
        id="{uuid}", outputs={"arn": "arn:aws:route53:::queryloggingconfig/{uuid}"}, replaces="all"
    ),
    "route53:KeySigningKey": Kind(
        id="{hostedZoneId},{name}", replaces="hostedZoneId keyManagementServiceArn name"
    ),
    "cloudfront:Distribution": Kind(
        id="E{B13}",
        outputs={
            "arn": "arn:aws:cloudfront::{account}:distribution/{id}",
            "domainName": "d{a13}.cloudfront.net",
            "hostedZoneId": "Z2FDTNDATAQYW2",
            "status": "Deployed",
            "etag": "E{a13}",
            "callerReference": "terraform-{d20}",
            "inProgressValidationBatches": 0,
            "lastModifiedTime": "2026-01-01 00:00:00 +0000 UTC",
            "httpVersion": "http2",
            "continuousDeploymentPolicyId": "",
            "loggingV1Enabled": False,
            "trustedKeyGroups": [{"enabled": False, "items": []}],
            "trustedSigners": [{"enabled": False, "items": []}],
        },
        replaces="staging",
        updates="etag lastModifiedTime",
        unordered="aliases allowedMethods cachedMethods origins customErrorResponses customHeaders",
    ),
    "cloudfront:CachePolicy": Kind(
        id="{uuid}",
        outputs={"arn": "arn:aws:cloudfront::{account}:cache-policy/{id}", "etag": "E{a13}"},
        updates="etag",
        name=AutoName(limit=128),
    ),
    "cloudfront:OriginRequestPolicy": Kind(
        id="{uuid}",
        outputs={"arn": "arn:aws:cloudfront::{account}:origin-request-policy/{id}", "etag": "E{a13}"},
        updates="etag",
        name=AutoName(limit=128),
    ),
    "cloudfront:ResponseHeadersPolicy": Kind(
        id="{uuid}",
        outputs={"arn": "arn:aws:cloudfront::{account}:response-headers-policy/{id}", "etag": "E{a13}"},
        updates="etag",
        name=AutoName(limit=128),
    ),
    "cloudfront:OriginAccessControl": Kind(
        id="E{B13}",
        outputs={
            "arn": "arn:aws:cloudfront::{account}:origin-access-control/{id}",
            "etag": "E{a13}",
            "description": "Managed by Pulumi",
        },
        updates="etag",
        name=AutoName(limit=64),
    ),
    "cloudfront:OriginAccessIdentity": Kind(
        id="E{B13}",
        outputs={
            "arn": "arn:aws:cloudfront::{account}:origin-access-identity/{id}",
            "iamArn": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {id}",
            "etag": "E{a13}",
        },
    ),
    "cloudfront:Function": Kind(
        id="{name}",
        outputs={
            "arn": "arn:aws:cloudfront::{account}:function/{name}",
            "status": "UNASSOCIATED",
            "etag": "E{a13}",
            "liveStageEtag": "E{b.a13}",
        },
        replaces="name",
        updates="etag liveStageEtag",
        name=AutoName(limit=64),
    ),
    "cloudfront:KeyValueStore": Kind(
        id="{uuid}",
        outputs={"arn": "arn:aws:cloudfront::{account}:key-value-store/{uuid}", "etag": "E{a13}"},
        replaces="name",
        name=AutoName(limit=64),
    ),
    "cloudfront:PublicKey": Kind(
        id="K{B13}",
        outputs={"etag": "E{a13}", "callerReference": "terraform-{d20}"},
        replaces="name encodedKey",
        name=AutoName(limit=128),
    ),
    "cloudfront:KeyGroup": Kind(id="{uuid}", outputs={"etag": "E{a13}"}, name=AutoName(limit=128)),
    "cloudfront:MonitoringSubscription": Kind(id="{distributionId}", replaces="distributionId"),
    "cloudfront:RealtimeLogConfig": Kind(
        id="arn:aws:cloudfront::{account}:realtime-log-config/{name}",
        outputs={"arn": "{id}"},
        replaces="name",
        name=AutoName(),
    ),
    "acm:Certificate": Kind(
        id=arn("acm", "certificate/{uuid}"),
        outputs={
            "arn": "{id}",
            "status": "{certificateStatus}",
            "type": "AMAZON_ISSUED",
            "keyAlgorithm": "RSA_2048",
            "notAfter": "2027-01-01T00:00:00Z",
            "notBefore": "2026-01-01T00:00:00Z",
            "renewalEligibility": "INELIGIBLE",
            "renewalSummaries": [],
            "pendingRenewal": False,
            "validationEmails": [],
            "validationMethod": "NONE",
        },
        replaces=(
            "domainName subjectAlternativeNames validationMethod keyAlgorithm certificateAuthorityArn "
            "validationOptions"
        ),
        unordered="subjectAlternativeNames",
        secrets="privateKey",
    ),
    "acm:CertificateValidation": Kind(
        id="2026-01-01 00:00:00 +0000 UTC", replaces="all", unordered="validationRecordFqdns"
    ),
    "wafv2:WebAcl": Kind(
        id="{uuid}",
        outputs={
            "arn": _WAF_ARN + "webacl/{name}/{uuid}",
            "capacity": 25,
            "lockToken": "{lock.uuid}",
            "applicationIntegrationUrl": "",
        },
        replaces="name namePrefix scope",
        updates="lockToken",
        name=_WAF,
        unordered="rules tokenDomains customResponseBodies",
    ),
    "wafv2:RuleGroup": Kind(
        id="{uuid}",
        outputs={"arn": _WAF_ARN + "rulegroup/{name}/{uuid}", "lockToken": "{lock.uuid}"},
        replaces="name namePrefix scope capacity",
        updates="lockToken",
        name=_WAF,
        unordered="rules",
    ),
    "wafv2:IpSet": Kind(
        id="{uuid}",
        outputs={"arn": _WAF_ARN + "ipset/{name}/{uuid}", "lockToken": "{lock.uuid}"},
        replaces="name scope ipAddressVersion",
        updates="lockToken",
        name=_WAF,
        unordered="addresses",
    ),
    "wafv2:RegexPatternSet": Kind(
        id="{uuid}",
        outputs={"arn": _WAF_ARN + "regexpatternset/{name}/{uuid}", "lockToken": "{lock.uuid}"},
        replaces="name scope",
        updates="lockToken",
        name=_WAF,
    ),
    "wafv2:WebAclAssociation": Kind(id="{webAclArn},{resourceArn}", replaces="all"),
    "wafv2:WebAclLoggingConfiguration": Kind(
        id="{resourceArn}", replaces="resourceArn logDestinationConfigs", unordered="redactedFields"
    ),
    "shield:Protection": Kind(
        id="{uuid}",
        outputs={"arn": "arn:aws:shield::{account}:protection/{uuid}"},
        replaces="name resourceArn",
        name=AutoName(),
    ),
    "shield:ProtectionGroup": Kind(
        id="{protectionGroupId}",
        outputs={"protectionGroupArn": "arn:aws:shield::{account}:protection-group/{id}"},
        replaces="protectionGroupId",
    ),
    "shield:Subscription": Kind(id="{account}", replaces="all"),
    "shield:ProtectionHealthCheckAssociation": Kind(
        id="{shieldProtectionId}+{healthCheckArn}", replaces="all"
    ),
    "shield:ApplicationLayerAutomaticResponse": Kind(id="{resourceArn}", replaces="resourceArn"),
    "shield:DrtAccessRoleArnAssociation": Kind(id="{account}"),
}
