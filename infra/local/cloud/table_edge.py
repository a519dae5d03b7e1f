"""What stands before the load balancers in the cloud's calls: web ACLs and CloudFront."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from infra.local.cloud.rows import Call, Each, Row, listed, objects

Json = Any
_ACL: Final = {"Name": "{name}", "Scope": "{scope}", "Id": "{id}"}
_ACL_CHANGES: Final = (
    "defaultAction rules visibilityConfig description captchaConfig challengeConfig customResponseBodies "
    "tokenDomains associationConfig"
)
_DISTRIBUTION_ARN: Final = "arn:aws:cloudfront::{account}:distribution/{id}"
_FUNCTION_ARN: Final = "arn:aws:cloudfront::{account}:function/{id}"
_METHODS: Final = ("GET", "HEAD")
_CONFIG: Final = "DistributionConfig"
_DISTRIBUTION_CHANGES: Final = (
    "aliases anycastIpListId cacheTagConfig comment connectionFunctionAssociation continuousDeploymentPolicyId "
    "customErrorResponses defaultCacheBehavior defaultRootObject enabled httpVersion isIpv6Enabled loggingConfig "
    "orderedCacheBehaviors originGroups origins priceClass restrictions viewerCertificate viewerMtlsConfig webAclId"
)
_FUNCTION_CHANGES: Final = "code comment runtime keyValueStoreAssociations"


def _bodies(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """AWS keeps bodies of answers by their keys."""
    found = {
        body["key"]: {"ContentType": body["contentType"], "Content": body["content"]}
        for body in objects(values, "customResponseBodies")
    }
    if found:
        arguments["CustomResponseBodies"] = found


def _distribution(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """What AWS wants in full, and in an order of its own."""
    config = arguments[_CONFIG]
    config.setdefault("Comment", "")
    given = [values.get("defaultCacheBehavior"), *objects(values, "orderedCacheBehaviors")]
    written = [config["DefaultCacheBehavior"], *config.get("CacheBehaviors", {}).get("Items", [])]
    for source, behavior in zip(given, written, strict=True):
        _behavior(behavior, source or {})
    for origin in config["Origins"].get("Items", []):
        if not {"CustomOriginConfig", "VpcOriginConfig"} & set(origin):
            origin.setdefault("S3OriginConfig", {"OriginAccessIdentity": ""})
    places = config.get("Restrictions", {}).get("GeoRestriction", {})
    places["Quantity"] = len(places.get("Items") or [])
    certificate = config.get("ViewerCertificate", {})
    if certificate.get("ACMCertificateArn") or certificate.get("IAMCertificateId"):
        certificate["CloudFrontDefaultCertificate"] = False
    for logging in objects(values, "loggingConfig"):
        config["Logging"] = {
            "Enabled": True,
            "IncludeCookies": bool(logging.get("includeCookies")),
            "Bucket": logging.get("bucket") or "",
            "Prefix": logging.get("prefix") or "",
        }


def _behavior(behavior: dict[str, Json], given: Mapping[str, Json]) -> None:
    cached: list[Json] = given.get("cachedMethods") or list(_METHODS)
    methods = behavior.setdefault("AllowedMethods", {"Quantity": len(_METHODS), "Items": list(_METHODS)})
    methods["CachedMethods"] = {"Quantity": len(cached), "Items": cached}
    behavior.setdefault("Compress", False)
    for name in ("TrustedSigners", "TrustedKeyGroups"):
        if name in behavior:
            behavior[name]["Enabled"] = behavior[name]["Quantity"] > 0


def _disabled(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    _distribution(arguments, values)
    arguments[_CONFIG]["Enabled"] = False


def _function(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    config = arguments["FunctionConfig"]
    config.setdefault("Comment", "")
    stores = [{"KeyValueStoreARN": arn} for arn in listed(values, "keyValueStoreAssociations")]
    if stores:
        config["KeyValueStoreAssociations"] = {"Quantity": len(stores), "Items": stores}


def _described(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    del values
    arguments["OriginAccessControlConfig"].setdefault("Description", "Managed by Pulumi")


def _published(when: str = "") -> tuple[Call, ...]:
    """Functions are published unless the program says otherwise."""
    token = Each(operation="describe_function", given={"Name": "{name}"}, path="ETag")
    given = {"Name": "{name}", "IfMatch": "{items}"}
    return (
        Call(operation="publish_function", given=given, each=token, when=when, needs="publish=true"),
        Call(operation="publish_function", given=given, each=token, when=when, unless="publish"),
    )


def _behavior_names(path: str) -> dict[str, str]:
    return {f"{path}.cachedMethods": "", f"{path}.lambdaFunctionAssociations.lambdaArn": "LambdaFunctionARN"}


_WEB: Final[Mapping[str, Row]] = {
    "wafv2:WebAcl": Row(
        service="wafv2",
        # What is written as JSON of AWS's own is not taken apart, so it is refused rather than dropped.
        create=(
            Call(
                operation="create_web_acl",
                carries=True,
                given={"Name": "{name}"},
                unless="ruleJson",
                finish=_bodies,
            ),
        ),
        id="Summary.Id",
        read=Call(operation="get_web_acl", given=_ACL),
        found="merge(WebACL, {LockToken: LockToken})",
        outputs={"arn": "ARN", "lockToken": "LockToken"},
        names={"customResponseBodies": "", "namePrefix": ""},
        sees={"customResponseBodies": "CustomResponseBodies"},
        update=(
            Call(
                operation="update_web_acl",
                carries=True,
                given={**_ACL, "LockToken": "{lockToken}"},
                when=_ACL_CHANGES,
                finish=_bodies,
            ),
        ),
        delete=(
            # Who changed it since has made the token known here worthless.
            Call(
                operation="delete_web_acl",
                given={**_ACL, "LockToken": "{items}"},
                each=Each(operation="get_web_acl", given=_ACL, path="LockToken"),
            ),
        ),
        tags="{arn}",
    ),
    "wafv2:WebAclAssociation": Row(
        service="wafv2",
        create=(Call(operation="associate_web_acl", carries=True),),
        id="{webAclArn},{resourceArn}",
        read=Call(operation="get_web_acl_for_resource", given={"ResourceArn": "{resourceArn}"}),
        found="[WebACL][?ARN=='{webAclArn}'] | [0]",
        delete=(Call(operation="disassociate_web_acl", given={"ResourceArn": "{resourceArn}"}),),
    ),
    "wafv2:WebAclLoggingConfiguration": Row(
        service="wafv2",
        create=(Call(operation="put_logging_configuration", carries=True, inside="LoggingConfiguration"),),
        id="{resourceArn}",
        read=Call(operation="get_logging_configuration", given={"ResourceArn": "{id}"}),
        found="LoggingConfiguration",
        update=(
            Call(
                operation="put_logging_configuration",
                carries=True,
                inside="LoggingConfiguration",
                when="loggingFilter redactedFields logDestinationConfigs",
            ),
        ),
        delete=(Call(operation="delete_logging_configuration", given={"ResourceArn": "{id}"}),),
    ),
}

_GONE: Final = Call(
    operation="delete_distribution",
    given={"Id": "{id}", "IfMatch": "{items}"},
    each=Each(operation="get_distribution_config", given={"Id": "{id}"}, path="ETag"),
    unless="retainOnDelete",
)
_FRONT: Final[Mapping[str, Row]] = {
    "cloudfront:Distribution": Row(
        service="cloudfront",
        region="us-east-1",
        create=(
            Call(
                operation="create_distribution",
                carries=True,
                inside=_CONFIG,
                given={_CONFIG: {"CallerReference": "terraform-{digits}"}},
                finish=_distribution,
            ),
            Call(
                operation="tag_resource",
                given={"Resource": _DISTRIBUTION_ARN, "Tags": {"Items": "{tagList}"}},
                needs="tagList",
            ),
        ),
        id="Distribution.Id",
        read=Call(operation="get_distribution", given={"Id": "{id}"}),
        found=(
            "merge(Distribution.DistributionConfig, {ETag: ETag, DomainName: Distribution.DomainName, "
            "ARN: Distribution.ARN})"
        ),
        outputs={
            "arn": "ARN",
            "domainName": "DomainName",
            "etag": "ETag",
            "callerReference": "CallerReference || Distribution.DistributionConfig.CallerReference",
        },
        names={
            "orderedCacheBehaviors": "CacheBehaviors",
            "loggingConfig": "Logging",
            "restrictions.geoRestriction.locations": "Items",
            "origins.originId": "Id",
            "origins.customHeaders.name": "HeaderName",
            "origins.customHeaders.value": "HeaderValue",
            "originGroups.originId": "Id",
            **_behavior_names("defaultCacheBehavior"),
            **_behavior_names("orderedCacheBehaviors"),
        },
        sees={
            "aliases": "sort(Aliases.Items || `[]`)",
            "origins": "Origins.Items",
            "originGroups": "OriginGroups.Items || `[]`",
            "customErrorResponses": "CustomErrorResponses.Items || `[]`",
            "orderedCacheBehaviors": "CacheBehaviors.Items || `[]`",
        },
        update=(
            Call(
                operation="update_distribution",
                carries=True,
                inside=_CONFIG,
                given={"Id": "{id}", "IfMatch": "{etag}", _CONFIG: {"CallerReference": "{callerReference}"}},
                when=_DISTRIBUTION_CHANGES,
                finish=_distribution,
            ),
        ),
        delete=(
            Call(
                operation="update_distribution",
                carries=True,
                inside=_CONFIG,
                given={"Id": "{id}", "IfMatch": "{items}", _CONFIG: {"CallerReference": "{callerReference}"}},
                finish=_disabled,
                each=Each(
                    operation="get_distribution_config",
                    given={"Id": "{id}"},
                    path="DistributionConfig.Enabled && ETag",
                ),
            ),
            _GONE,
            replace(_GONE, unless="", needs="retainOnDelete=false"),
        ),
        tags=_DISTRIBUTION_ARN,
    ),
    "cloudfront:Function": Row(
        service="cloudfront",
        region="us-east-1",
        create=(
            Call(
                operation="create_function",
                carries="comment runtime",
                inside="FunctionConfig",
                given={"Name": "{name}", "FunctionCode": "{code}"},
                finish=_function,
            ),
            *_published(),
            Call(
                operation="tag_resource",
                given={"Resource": _FUNCTION_ARN, "Tags": {"Items": "{tagList}"}},
                needs="tagList",
            ),
        ),
        id="FunctionSummary.Name",
        read=Call(operation="describe_function", given={"Name": "{id}"}),
        found="merge(FunctionSummary, FunctionSummary.FunctionConfig, {ETag: ETag})",
        outputs={"arn": "FunctionMetadata.FunctionARN", "etag": "ETag"},
        names={"keyValueStoreAssociations": ""},
        sees={
            "keyValueStoreAssociations": "KeyValueStoreAssociations.Items[].KeyValueStoreARN",
        },
        shows={"code": (Call(operation="get_function", given={"Name": "{id}"}), "FunctionCode")},
        update=(
            Call(
                operation="update_function",
                carries="comment runtime",
                inside="FunctionConfig",
                given={"Name": "{id}", "IfMatch": "{etag}", "FunctionCode": "{code}"},
                when=_FUNCTION_CHANGES,
                finish=_function,
            ),
            *_published(f"{_FUNCTION_CHANGES} publish"),
        ),
        delete=(
            Call(
                operation="delete_function",
                given={"Name": "{id}", "IfMatch": "{items}"},
                each=Each(operation="describe_function", given={"Name": "{id}"}, path="ETag"),
            ),
        ),
        tags=_FUNCTION_ARN,
    ),
    "cloudfront:OriginAccessControl": Row(
        service="cloudfront",
        region="us-east-1",
        create=(
            Call(
                operation="create_origin_access_control",
                carries=True,
                inside="OriginAccessControlConfig",
                given={"OriginAccessControlConfig": {"Name": "{name}"}},
                finish=_described,
            ),
        ),
        id="OriginAccessControl.Id",
        read=Call(operation="get_origin_access_control", given={"Id": "{id}"}),
        found="merge(OriginAccessControl.OriginAccessControlConfig, {ETag: ETag})",
        outputs={"etag": "ETag"},
        update=(
            Call(
                operation="update_origin_access_control",
                carries=True,
                inside="OriginAccessControlConfig",
                given={
                    "Id": "{id}",
                    "IfMatch": "{etag}",
                    "OriginAccessControlConfig": {"Name": "{name}"},
                },
                when="name description signingBehavior signingProtocol originAccessControlOriginType",
                finish=_described,
            ),
        ),
        delete=(
            Call(
                operation="delete_origin_access_control",
                given={"Id": "{id}", "IfMatch": "{items}"},
                each=Each(operation="get_origin_access_control", given={"Id": "{id}"}, path="ETag"),
            ),
        ),
    ),
}

ROWS: Final[Mapping[str, Row]] = {**_WEB, **_FRONT}
LEFT_OUT: Final[Mapping[str, str]] = dict.fromkeys(
    ("cloudfront:CachePolicy", "cloudfront:OriginRequestPolicy", "cloudfront:ResponseHeadersPolicy"),
    "moto has no such calls",
)
