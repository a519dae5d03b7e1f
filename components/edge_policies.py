"""What CloudFront caches, forwards and adds: the policies behind the behaviours of a distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
from pulumi_aws import cloudfront

from components.base import Component
from infra.naming import StackContext
from infra.traffic.routing import BALANCER_COOKIES, CACHE_PARTITION_HEADER

STATIC_SECONDS = 31_536_000
"""Specification, caching level 2: static assets 1 year."""
HSTS_SECONDS = 31_536_000
API_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"
STATIC_CONTENT_POLICY = "default-src 'self'; frame-ancestors 'none'"
REVEALING_HEADERS = ("Server", "X-Powered-By")
VIEWER_REQUEST_CODE = Path(__file__).with_name("viewer_request.js")

_Key = cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginArgs
_KeyCookies = cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginCookiesConfigArgs
_KeyCookieNames = cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginCookiesConfigCookiesArgs
_KeyHeaders = cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginHeadersConfigArgs
_KeyHeaderNames = cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginHeadersConfigHeadersArgs
_KeyQuery = cloudfront.CachePolicyParametersInCacheKeyAndForwardedToOriginQueryStringsConfigArgs
_Security = cloudfront.ResponseHeadersPolicySecurityHeadersConfigArgs
_ContentPolicy = cloudfront.ResponseHeadersPolicySecurityHeadersConfigContentSecurityPolicyArgs
_ContentType = cloudfront.ResponseHeadersPolicySecurityHeadersConfigContentTypeOptionsArgs
_Frame = cloudfront.ResponseHeadersPolicySecurityHeadersConfigFrameOptionsArgs
_Referrer = cloudfront.ResponseHeadersPolicySecurityHeadersConfigReferrerPolicyArgs
_Transport = cloudfront.ResponseHeadersPolicySecurityHeadersConfigStrictTransportSecurityArgs
_Removed = cloudfront.ResponseHeadersPolicyRemoveHeadersConfigArgs
_RemovedHeader = cloudfront.ResponseHeadersPolicyRemoveHeadersConfigItemArgs


class EdgePolicies(Component):
    """Cache, origin request and response headers policies of a distribution, and its viewer request function.

    Nothing personal is answered from a cache: the function gives a request with an Authorization header or a
    cookie a cache partition of its own, both are part of the key besides, and a cached answer loses
    `Set-Cookie`. The load balancer's cookies count as none: they name a target. What the origin says in
    `Cache-Control` wins over the TTL when it is shorter.

    Args:
        name: Logical name, e.g. `edge-policies`; children begin with it.
        context: Names, tags and protection of the stack.
        api_ttls: The different times that API answers are kept, in seconds, each over 0.
        provider: AWS provider of us-east-1.
        opts: Options of the component.

    Outputs:
        uncached_id: Cache policy of what is never cached.
        static_id: Cache policy of static assets: 1 year.
        api_ids: Cache policy of API answers, by TTL in seconds.
        origin_request_id: Forwards all but the Host header.
        api_headers_id: Security headers of API answers.
        cached_headers_id: The same without `Set-Cookie`.
        static_headers_id: Security headers of static assets.
        function_arn: The viewer request function.

    Source of the numbers: the specification's caching level 2, by way of `services/` for the API's.
    """

    uncached_id: pulumi.Output[str]
    static_id: pulumi.Output[str]
    api_ids: Mapping[int, pulumi.Output[str]]
    origin_request_id: pulumi.Output[str]
    api_headers_id: pulumi.Output[str]
    cached_headers_id: pulumi.Output[str]
    static_headers_id: pulumi.Output[str]
    function_arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        api_ttls: Sequence[int],
        provider: pulumi.ProviderResource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("EdgePolicies", name, context=context, opts=opts)
        self._aws_provider = provider
        self.uncached_id = self._create_uncached()
        self.static_id = self._create_static()
        self.api_ids = {seconds: self._create_api(seconds) for seconds in sorted(set(api_ttls))}
        self.origin_request_id = self._create_origin_request()
        self.api_headers_id = self._create_headers("api", API_CONTENT_POLICY, REVEALING_HEADERS)
        self.cached_headers_id = self._create_headers(
            "api-cached", API_CONTENT_POLICY, (*REVEALING_HEADERS, "Set-Cookie")
        )
        self.static_headers_id = self._create_headers("static", STATIC_CONTENT_POLICY, REVEALING_HEADERS)
        self.function_arn = self._create_function()
        self.register_outputs(
            {
                "uncachedId": self.uncached_id,
                "staticId": self.static_id,
                "apiIds": {str(seconds): policy for seconds, policy in self.api_ids.items()},
                "originRequestId": self.origin_request_id,
                "apiHeadersId": self.api_headers_id,
                "cachedHeadersId": self.cached_headers_id,
                "staticHeadersId": self.static_headers_id,
                "functionArn": self.function_arn,
            }
        )

    def _create_uncached(self) -> pulumi.Output[str]:
        # CloudFront takes nothing in the key of a policy that never caches.
        return self._create_cache_policy(
            "uncached",
            seconds=0,
            key=_Key(
                cookies_config=_KeyCookies(cookie_behavior="none"),
                headers_config=_KeyHeaders(header_behavior="none"),
                query_strings_config=_KeyQuery(query_string_behavior="none"),
                enable_accept_encoding_brotli=False,
                enable_accept_encoding_gzip=False,
            ),
        )

    def _create_static(self) -> pulumi.Output[str]:
        return self._create_cache_policy(
            "static",
            seconds=STATIC_SECONDS,
            key=_Key(
                cookies_config=_KeyCookies(cookie_behavior="none"),
                headers_config=_KeyHeaders(header_behavior="none"),
                query_strings_config=_KeyQuery(query_string_behavior="none"),
                enable_accept_encoding_brotli=True,
                enable_accept_encoding_gzip=True,
            ),
        )

    def _create_api(self, seconds: int) -> pulumi.Output[str]:
        identity = _KeyHeaderNames(items=["Authorization", CACHE_PARTITION_HEADER])
        return self._create_cache_policy(
            f"api-{seconds}",
            seconds=seconds,
            key=_Key(
                # All but the load balancer's: they would give every client of a sticky service a cache of its own.
                cookies_config=_KeyCookies(
                    cookie_behavior="allExcept", cookies=_KeyCookieNames(items=list(BALANCER_COOKIES))
                ),
                headers_config=_KeyHeaders(header_behavior="whitelist", headers=identity),
                query_strings_config=_KeyQuery(query_string_behavior="all"),
                enable_accept_encoding_brotli=True,
                enable_accept_encoding_gzip=True,
            ),
        )

    def _create_cache_policy(self, key_name: str, *, seconds: int, key: _Key) -> pulumi.Output[str]:
        policy = cloudfront.CachePolicy(
            f"{self._name}-{key_name}",
            name=self.context.name(key_name, limit=128),
            comment=f"Kept for {seconds} s" if seconds else "Never kept",
            min_ttl=0,
            default_ttl=seconds,
            max_ttl=seconds,
            parameters_in_cache_key_and_forwarded_to_origin=key,
            opts=self.child(provider=self._aws_provider),
        )
        return policy.id

    def _create_origin_request(self) -> pulumi.Output[str]:
        policy = cloudfront.OriginRequestPolicy(
            f"{self._name}-origin-request",
            name=self.context.name("origin-request", limit=128),
            # The origin's certificate carries the origin's name, so it is asked by that one.
            comment="Everything of the viewer but the Host header",
            headers_config=cloudfront.OriginRequestPolicyHeadersConfigArgs(
                header_behavior="allExcept",
                headers=cloudfront.OriginRequestPolicyHeadersConfigHeadersArgs(items=["Host"]),
            ),
            cookies_config=cloudfront.OriginRequestPolicyCookiesConfigArgs(cookie_behavior="all"),
            query_strings_config=cloudfront.OriginRequestPolicyQueryStringsConfigArgs(
                query_string_behavior="all"
            ),
            opts=self.child(provider=self._aws_provider),
        )
        return policy.id

    def _create_headers(self, key: str, content_policy: str, removed: Sequence[str]) -> pulumi.Output[str]:
        policy = cloudfront.ResponseHeadersPolicy(
            f"{self._name}-headers-{key}",
            name=self.context.name("headers", key, limit=128),
            security_headers_config=_Security(
                strict_transport_security=_Transport(
                    access_control_max_age_sec=HSTS_SECONDS, include_subdomains=True, override=True
                ),
                content_type_options=_ContentType(override=True),
                frame_options=_Frame(frame_option="DENY", override=True),
                referrer_policy=_Referrer(referrer_policy="strict-origin-when-cross-origin", override=True),
                content_security_policy=_ContentPolicy(content_security_policy=content_policy, override=True),
            ),
            remove_headers_config=_Removed(items=[_RemovedHeader(header=header) for header in removed]),
            opts=self.child(provider=self._aws_provider),
        )
        return policy.id

    def _create_function(self) -> pulumi.Output[str]:
        function = cloudfront.Function(
            f"{self._name}-viewer-request",
            name=self.context.name("viewer-request", limit=64),
            runtime="cloudfront-js-2.0",
            comment="Sets the viewer's address and the cache partition",
            code=VIEWER_REQUEST_CODE.read_text(encoding="utf-8"),
            publish=True,
            tags=self.tags(),
            opts=self.child(provider=self._aws_provider),
        )
        return function.arn
