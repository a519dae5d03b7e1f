"""The global tier: what is cached for how long, what never is, and what only our own edge knows."""

from collections.abc import Mapping
from typing import Any

import pytest

from components.edge import LOG_FIELDS, Edge, EdgeAttachments, EdgeOrigin
from components.log_bucket import LogBucket
from infra.model.stack import EdgeSettings
from services import CATALOGUE
from tests.unit.components.building import Built, build, context
from tests.unit.components.traffic import SECRETS, TrafficRecorder, is_secret, revealed, virginia
from tests.unit.recording import ACCOUNT, parsed

DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
CACHE = "aws:cloudfront/cachePolicy:CachePolicy"
REQUEST = "aws:cloudfront/originRequestPolicy:OriginRequestPolicy"
HEADERS = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"
FUNCTION = "aws:cloudfront/function:Function"
ACCESS = "aws:cloudfront/originAccessControl:OriginAccessControl"
RECORD = "aws:route53/record:Record"
SHIELD = "aws:shield/protection:Protection"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
BUCKET = "aws:s3/bucket:Bucket"
SOURCE = "aws:cloudwatch/logDeliverySource:LogDeliverySource"
DESTINATION = "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination"
DELIVERY = "aws:cloudwatch/logDelivery:LogDelivery"

YEAR = 31_536_000


def build_edge(**settings: Any) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        edge = Edge(
            "edge",
            context=context(),
            settings=EdgeSettings(enabled=True, domain="parking.example.com", **settings),
            services=CATALOGUE,
            origin=EdgeOrigin(domain_name="origin.parking.example.com", secret=SECRETS[1]),
            attachments=EdgeAttachments(
                zone_id="Z1",
                certificate_arn="arn:certificate",
                web_acl_arn="arn:web-acl",
                log_bucket_arn="arn:aws:s3:::logs",
            ),
            provider=virginia(opts),
            opts=opts,
        )
        return {"url": edge.url, "domain": edge.domain_name, "bucket": edge.static_bucket_name}

    return build(make, recorder=TrafficRecorder())


@pytest.fixture(scope="module")
def built() -> Built:
    return build_edge()


def distribution(built: Built) -> dict[str, Any]:
    return revealed(built.recorder.one(DISTRIBUTION).inputs)


def behaviors(built: Built) -> dict[str, dict[str, Any]]:
    return {each["pathPattern"]: each for each in distribution(built)["orderedCacheBehaviors"]}


def cache_policy(built: Built, behavior: Mapping[str, Any]) -> dict[str, Any]:
    return built.recorder.one(CACHE, behavior["cachePolicyId"].removesuffix("-id")).inputs


def test_viewers_get_http_2_and_3_ipv6_and_tls_1_2_on_the_api_name(built: Built) -> None:
    inputs = distribution(built)

    assert inputs["httpVersion"] == "http2and3"
    assert inputs["isIpv6Enabled"] is True
    assert inputs["aliases"] == ["api.parking.example.com"]
    assert inputs["viewerCertificate"] == {
        "acmCertificateArn": "arn:certificate",
        "minimumProtocolVersion": "TLSv1.2_2021",
        "sslSupportMethod": "sni-only",
    }
    assert inputs["webAclId"] == "arn:web-acl"
    assert inputs["restrictions"]["geoRestriction"]["restrictionType"] == "none"
    assert built.outputs["url"] == "https://api.parking.example.com"


def test_the_price_class_is_the_settings() -> None:
    assert distribution(build_edge(price_class="PriceClass_100"))["priceClass"] == "PriceClass_100"


@pytest.mark.parametrize(("path", "seconds"), [("/static/*", YEAR), ("/parking*", 300), ("/config*", 3600)])
def test_answers_are_kept_as_long_as_the_specification_says(built: Built, path: str, seconds: int) -> None:
    policy = cache_policy(built, behaviors(built)[path])

    assert (policy["minTtl"], policy["defaultTtl"], policy["maxTtl"]) == (0, seconds, seconds)


def test_nothing_else_has_a_behavior_that_caches(built: Built) -> None:
    caching = {path for path, each in behaviors(built).items() if cache_policy(built, each)["maxTtl"] > 0}

    assert caching == {"/static/*", "/parking*", "/config*"}
    assert cache_policy(built, distribution(built)["defaultCacheBehavior"])["maxTtl"] == 0


def test_health_paths_are_never_cached_and_come_before_their_service(built: Built) -> None:
    paths = list(behaviors(built))

    for health, prefix in (("/parking/health", "/parking*"), ("/config/health", "/config*")):
        assert cache_policy(built, behaviors(built)[health])["maxTtl"] == 0
        assert paths.index(health) < paths.index(prefix)


@pytest.mark.parametrize("path", ["/parking*", "/config*"])
def test_credentials_are_part_of_the_key_of_every_cached_answer(built: Built, path: str) -> None:
    key = cache_policy(built, behaviors(built)[path])["parametersInCacheKeyAndForwardedToOrigin"]

    assert key["headersConfig"] == {
        "headerBehavior": "whitelist",
        "headers": {"items": ["Authorization", "X-Cache-Partition"]},
    }
    assert key["cookiesConfig"] == {
        "cookieBehavior": "allExcept",
        "cookies": {"items": ["AWSALB", "AWSALBCORS", "AWSALBTG", "AWSALBTGCORS"]},
    }
    assert key["queryStringsConfig"] == {"queryStringBehavior": "all"}


@pytest.mark.parametrize("path", ["/parking*", "/config*"])
def test_a_cached_answer_sets_no_cookie_for_others(built: Built, path: str) -> None:
    policy = built.recorder.one(
        HEADERS, behaviors(built)[path]["responseHeadersPolicyId"].removesuffix("-id")
    )

    assert {"header": "Set-Cookie"} in policy.inputs["removeHeadersConfig"]["items"]


def test_uncached_answers_may_set_cookies(built: Built) -> None:
    default = distribution(built)["defaultCacheBehavior"]
    policy = built.recorder.one(HEADERS, default["responseHeadersPolicyId"].removesuffix("-id"))

    assert {"header": "Set-Cookie"} not in policy.inputs["removeHeadersConfig"]["items"]


def test_every_api_behavior_runs_the_viewer_request_function(built: Built) -> None:
    function = built.recorder.one(FUNCTION)
    everything = [distribution(built)["defaultCacheBehavior"], *behaviors(built).values()]
    api = [each for each in everything if each["targetOriginId"] == "api"]

    assert len(api) == 5
    for each in api:
        assert each["functionAssociations"] == [
            {
                "eventType": "viewer-request",
                "functionArn": f"arn:aws:mock:us-east-1:{ACCOUNT}:function/{function.name}",
            }
        ]
        assert each["viewerProtocolPolicy"] == "https-only"
    assert (function.inputs["runtime"], function.inputs["publish"]) == ("cloudfront-js-2.0", True)


def test_the_origin_gets_everything_but_the_host_header(built: Built) -> None:
    inputs = built.recorder.one(REQUEST).inputs

    assert inputs["headersConfig"] == {"headerBehavior": "allExcept", "headers": {"items": ["Host"]}}
    assert inputs["cookiesConfig"] == {"cookieBehavior": "all"}
    assert inputs["queryStringsConfig"] == {"queryStringBehavior": "all"}


def test_every_answer_carries_security_headers(built: Built) -> None:
    everything = [distribution(built)["defaultCacheBehavior"], *behaviors(built).values()]

    for each in everything:
        policy = built.recorder.one(HEADERS, each["responseHeadersPolicyId"].removesuffix("-id")).inputs
        security = policy["securityHeadersConfig"]
        assert security["strictTransportSecurity"]["accessControlMaxAgeSec"] == YEAR
        assert security["strictTransportSecurity"]["includeSubdomains"] is True
        assert security["contentTypeOptions"] == {"override": True}
        assert security["frameOptions"]["frameOption"] == "DENY"
        assert "frame-ancestors 'none'" in security["contentSecurityPolicy"]["contentSecurityPolicy"]


def test_the_regions_are_asked_over_tls_with_the_secret_marked_as_one(built: Built) -> None:
    assert is_secret(built.recorder.one(DISTRIBUTION).inputs["origins"])
    (api,) = [origin for origin in distribution(built)["origins"] if origin["originId"] == "api"]

    assert api["domainName"] == "origin.parking.example.com"
    assert api["customHeaders"] == [{"name": "X-Origin-Verify", "value": "current-value"}]
    assert api["customOriginConfig"]["originProtocolPolicy"] == "https-only"
    assert api["customOriginConfig"]["originSslProtocols"] == ["TLSv1.2"]


def test_writes_fail_over_by_dns_so_there_is_no_origin_group(built: Built) -> None:
    assert "originGroups" not in distribution(built)
    assert "POST" in distribution(built)["defaultCacheBehavior"]["allowedMethods"]


def test_errors_are_not_kept(built: Built) -> None:
    errors = distribution(built)["customErrorResponses"]

    assert {error["errorCode"] for error in errors} == {404, 500, 502, 503, 504}
    assert {error["errorCachingMinTtl"] for error in errors} == {0}


def test_static_assets_are_private_and_read_by_this_distribution_only(built: Built) -> None:
    (static,) = [origin for origin in distribution(built)["origins"] if origin["originId"] == "static"]
    access = built.recorder.one(ACCESS)
    policy = parsed(built.recorder.one(POLICY).inputs["policy"])
    deny, allow = policy["Statement"]

    assert static["originAccessControlId"] == f"{access.name}-id"
    assert access.inputs["signingBehavior"] == "always"
    assert allow["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert allow["Action"] == "s3:GetObject"
    assert allow["Condition"] == {
        "StringEquals": {"AWS:SourceArn": f"arn:aws:mock:us-east-1:{ACCOUNT}:distribution/edge"}
    }
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert built.outputs["bucket"] == f"parking-prod-use1-static-{ACCOUNT}"
    assert built.recorder.one(BLOCK).inputs["restrictPublicBuckets"] is True


def test_the_api_name_points_to_the_distribution_in_ipv4_and_ipv6(built: Built) -> None:
    records = built.recorder.of_type(RECORD)

    assert {record.inputs["type"] for record in records} == {"A", "AAAA"}
    for record in records:
        assert record.inputs["name"] == "api.parking.example.com"
        assert record.inputs["aliases"] == [
            {"name": built.outputs["domain"], "zoneId": "ZCDN", "evaluateTargetHealth": False}
        ]


def test_access_logs_go_to_the_log_bucket_without_what_names_people(built: Built) -> None:
    delivery = built.recorder.one(DELIVERY).inputs
    destination = built.recorder.one(DESTINATION).inputs

    assert built.recorder.one(SOURCE).inputs["logType"] == "ACCESS_LOGS"
    assert destination["deliveryDestinationConfiguration"] == {"destinationResourceArn": "arn:aws:s3:::logs"}
    assert delivery["recordFields"] == list(LOG_FIELDS)
    assert not {"cs(Cookie)", "cs-uri-query", "cs(Referer)"} & set(LOG_FIELDS)
    assert {"c-ip", "sc-status", "x-edge-result-type", "time-taken"} <= set(LOG_FIELDS)


def test_what_must_be_in_us_east_1_is_in_the_given_provider(built: Built) -> None:
    for kind in (DISTRIBUTION, CACHE, REQUEST, HEADERS, FUNCTION, SOURCE, DESTINATION, DELIVERY):
        found = [options for (token, _), options in built.options.items() if token == kind]
        assert found
        assert all(options.provider is not None for options in found)


def test_shield_advanced_is_off_unless_asked_for(built: Built) -> None:
    assert built.recorder.of_type(SHIELD) == []

    protections = build_edge(shield_advanced=True).recorder.of_type(SHIELD)
    assert {protection.inputs["resourceArn"] for protection in protections} == {
        f"arn:aws:mock:us-east-1:{ACCOUNT}:distribution/edge",
        "arn:aws:route53:::hostedzone/Z1",
    }


def build_log_bucket(*, protect: bool = True, retention_days: int = 365) -> Built:
    def make(opts: Any) -> dict[str, Any]:
        bucket = LogBucket(
            "log-bucket", context=context(protect=protect), retention_days=retention_days, opts=opts
        )
        return {"name": bucket.name, "arn": bucket.arn}

    return build(make, recorder=TrafficRecorder())


def test_only_log_deliveries_of_this_account_write_to_the_log_bucket() -> None:
    built = build_log_bucket()
    deny, balancers, cloudfront = parsed(built.recorder.one(POLICY).inputs["policy"])["Statement"]
    bucket = f"arn:aws:s3:::parking-prod-use1-logs-{ACCOUNT}"

    assert built.outputs == {"name": f"parking-prod-use1-logs-{ACCOUNT}", "arn": bucket}
    assert deny["Resource"] == [bucket, f"{bucket}/*"]
    assert balancers["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert balancers["Resource"] == [
        f"{bucket}/load-balancer/AWSLogs/{ACCOUNT}/*",
        f"{bucket}/load-balancer-connections/AWSLogs/{ACCOUNT}/*",
    ]
    assert cloudfront["Principal"] == {"Service": "delivery.logs.amazonaws.com"}
    for statement in (balancers, cloudfront):
        assert statement["Action"] == "s3:PutObject"
        assert statement["Condition"]["StringEquals"]["aws:SourceAccount"] == ACCOUNT


def test_the_log_bucket_is_private_encrypted_aged_and_protected() -> None:
    built = build_log_bucket()
    (rule,) = built.recorder.one(LIFECYCLE).inputs["rules"]
    (encryption,) = built.recorder.one(ENCRYPTION).inputs["rules"]

    assert encryption["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "AES256"
    assert built.recorder.one(OWNERSHIP).inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    assert rule["transitions"] == [{"days": 90, "storageClass": "GLACIER_IR"}]
    assert rule["expiration"] == {"days": 365}
    assert {
        built.recorder.one(BLOCK).inputs[key]
        for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    } == {True}
    assert (BUCKET, "log-bucket-bucket") in built.protected()
    assert built.recorder.one(BUCKET).inputs["forceDestroy"] is False


def test_an_unprotected_log_bucket_can_be_destroyed_with_its_logs() -> None:
    built = build_log_bucket(protect=False)

    assert built.protected() == set()
    assert built.recorder.one(BUCKET).inputs["forceDestroy"] is True


def test_logs_cannot_be_deleted_before_they_are_archived() -> None:
    with pytest.raises(ValueError, match="archived after 90 days"):
        build_log_bucket(retention_days=90)
