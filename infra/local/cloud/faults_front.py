"""Where moto's CloudFront answers otherwise than AWS's."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from typing import Any

from infra.local.cloud.wrapping import around, part

_PATH = "{0}/2020-05-31/function/(?P<function_name>[^/]+)/publish$"


@functools.cache
def mend() -> None:
    """Mend moto in this process, once."""
    models, answers = part("cloudfront.models"), part("cloudfront.responses").CloudFrontResponse
    make = models.random_id
    # Ids begin with this letter and have 14 in all; domain names have another form.
    models.random_id = lambda uppercase=True, length=13: (  # type: ignore[reportUnknownLambdaType] - as moto's own
        f"E{make(length=13)}" if uppercase else f"d{make(uppercase=False, length=length)}"
    )
    around(models.Origin, "__init__", _origin)
    around(models.DefaultCacheBehaviour, "__init__", _behavior)
    backend = models.CloudFrontBackend
    around(backend, "create_distribution_with_tags", _create_distribution)
    around(backend, "update_distribution", _update_distribution)
    around(backend, "delete_distribution", _delete_distribution)
    around(backend, "create_origin_access_control", _create_access)
    around(backend, "delete_function", _delete_function)
    for name in ("update_origin_access_control", "delete_origin_access_control"):
        around(answers, name, _change_access)
    for name in ("describe_function", "get_function"):
        around(answers, name, _stage)
    answers.update_function, answers.publish_function = _update_function, _publish_function
    paths = part("cloudfront.urls").url_paths
    paths[_PATH] = next(iter(paths.values()))


def _refused(code: str, said: str) -> Exception:
    return part("cloudfront.exceptions").CloudFrontException(code, said)


def _match(token: str | None, current: str) -> None:
    """A change names the version that it changes."""
    if not token:
        raise part("cloudfront.exceptions").InvalidIfMatchVersion
    if token != current:
        raise _refused("PreconditionFailed", "The request failed because it didn't meet the preconditions.")


def _items(config: Any, name: str) -> list[Any]:
    held: Any = config.get(name) or {}
    return list(held.get("Items") or [])


def _behaviors(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    default: dict[str, Any] = config.get("DefaultCacheBehavior") or {}
    yield default
    yield from _items(config, "CacheBehaviors")


# Distributions


def _origin(original: Any, self: Any, origin: dict[str, Any]) -> None:
    """What an origin is signed and reached by is shown."""
    original(self, origin)
    self.origin_access_control_id = origin.get("OriginAccessControlId") or ""
    if "S3OriginConfig" in origin:
        self.s3_origin_config = origin["S3OriginConfig"]


def _behavior(original: Any, self: Any, config: dict[str, Any]) -> None:
    """Functions of a behavior are shown."""
    original(self, config)
    self.function_associations = config.get("FunctionAssociations") or {"Quantity": 0}
    self.lambda_function_associations = config.get("LambdaFunctionAssociations") or {"Quantity": 0}


def _create_distribution(original: Any, self: Any, distribution_config: dict[str, Any], tags: Any) -> Any:
    """What a distribution refers to exists."""
    _see_references(self, distribution_config, "")
    return original(self, distribution_config, tags)


def _update_distribution(
    original: Any, self: Any, dist_config: dict[str, Any], _id: str, if_match: str | None
) -> Any:
    """A change makes a new version, and what it refers to exists."""
    held, current = self.get_distribution(_id)
    _match(if_match, current)
    if dist_config.get("CallerReference") != held.distribution_config.caller_reference:
        raise _refused("IllegalUpdate", "The update contains modifications that are not allowed.")
    _see_references(self, dist_config, _id)
    found, location, _ = original(self, dist_config, _id, if_match)
    found.etag = part("cloudfront.models").random_id()
    return found, location, found.etag


def _delete_distribution(original: Any, self: Any, distribution_id: str, if_match: str | None) -> None:
    """Only what is disabled can be deleted."""
    held, current = self.get_distribution(distribution_id)
    _match(if_match, current)
    if str(held.distribution_config.Enabled).lower() == "true":
        raise _refused(
            "DistributionNotDisabled", "The distribution you are trying to delete has not been disabled."
        )
    original(self, distribution_id, if_match)


def _see_references(self: Any, config: dict[str, Any], own: str) -> None:
    account = self.account_id
    acl = config.get("WebACLId") or ""
    if acl and acl not in part("wafv2.models").wafv2_backends[account]["global"].wacls:
        raise _refused("InvalidWebACLId", "The web ACL is not valid, or it does not exist.")
    viewer: dict[str, Any] = config.get("ViewerCertificate") or {}
    certificate = viewer.get("ACMCertificateArn")
    if certificate and not _certificate_is_there(account, certificate):
        raise _refused(
            "InvalidViewerCertificate",
            "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't "
            "include a valid certificate chain.",
        )
    for origin in _items(config, "Origins"):
        access = origin.get("OriginAccessControlId")
        if access and access not in self.origin_access_controls:
            raise _refused("InvalidOriginAccessControl", "The origin access control is not valid.")
    for behavior in _behaviors(config):
        for each in _items(behavior, "FunctionAssociations"):
            function = self.functions.get(str(each.get("FunctionARN")).rpartition("/")[2])
            if function is None or not hasattr(function, "live"):
                raise _refused(
                    "InvalidFunctionAssociation", "A function in a cache behavior is not published."
                )
    _see_aliases(self, config, own)


def _certificate_is_there(account: str, arn: str) -> bool:
    """CloudFront takes certificates of one region only."""
    try:
        part("acm.models").acm_backends[account]["us-east-1"].get_certificate(arn)
    except part("acm.models").CertificateNotFound:
        return False
    return True


def _see_aliases(self: Any, config: dict[str, Any], own: str) -> None:
    wanted = set(_items(config, "Aliases"))
    for found in self.distributions.values():
        taken: set[Any] = set(found.distribution_config.Aliases.get("Items") or [])
        if found.id != own and wanted & taken:
            raise _refused(
                "CNAMEAlreadyExists",
                "One or more of the CNAMEs you provided are already associated with a different resource.",
            )


def _used(self: Any, what: Callable[[Any], bool], *, in_origins: bool) -> bool:
    configs: list[Any] = [found.distribution_config for found in self.distributions.values()]
    pieces: list[Any] = []
    for config in configs:
        pieces += config.Origins["Items"] if in_origins else [config.DefaultCacheBehavior]
        pieces += [] if in_origins else config.CacheBehaviors.get("Items") or []
    return any(what(each) for each in pieces)


# Access to origins


def _create_access(original: Any, self: Any, config_dict: dict[str, str]) -> Any:
    """A name is taken once."""
    if any(each.name == config_dict.get("Name") for each in self.origin_access_controls.values()):
        raise _refused(
            "OriginAccessControlAlreadyExists",
            "An origin access control with the specified parameters exists.",
        )
    return original(self, config_dict)


def _change_access(original: Any, self: Any) -> Any:
    """A change names the version that it changes, and what is in use stays."""
    held = self.backend.get_origin_access_control(self._get_param("Id"))
    _match(self._get_param("IfMatch"), held.etag)
    if original.__name__.startswith("update"):
        held.etag = part("cloudfront.models").random_id()
    elif _used(self.backend, lambda origin: origin.origin_access_control_id == held.id, in_origins=True):
        raise _refused("OriginAccessControlInUse", "The origin access control is used by a distribution.")
    return original(self)


# Functions


def _update_function(self: Any) -> Any:
    """Changes what is in development."""
    held = self.backend.describe_function(name=self._get_param("Name"))
    _match(self._get_param("IfMatch"), held.etag)
    held.config, held.code = self._get_param("FunctionConfig", {}), self._get_param("FunctionCode")
    held.etag, held.status = part("cloudfront.models").random_id(), "UNPUBLISHED"
    held.last_modified_time = part("core.utils").utcnow()
    return _answer({"FunctionSummary": held.function_summary, "ETag": held.etag})


def _publish_function(self: Any) -> Any:
    """What is in development goes live."""
    held = self.backend.describe_function(name=self._get_param("Name"))
    _match(self._get_param("IfMatch"), held.etag)
    live = copy.copy(held)
    live.stage, live.status = "LIVE", "UNASSOCIATED"
    held.live, held.status = live, "UNASSOCIATED"
    return _answer({"FunctionSummary": live.function_summary})


def _stage(original: Any, self: Any) -> Any:
    """What is live differs from what is in development."""
    if self._get_param("Stage") != "LIVE":
        return original(self)
    name = self._get_param("Name")
    live = getattr(self.backend.describe_function(name=name), "live", None)
    if live is None:
        raise part("cloudfront.exceptions").NoSuchFunctionExists(name)
    if original.__name__ == "describe_function":
        return _answer({"FunctionSummary": live.function_summary, "ETag": live.etag})
    return _answer({"FunctionCode": live.code, "ETag": live.etag, "ContentType": "application/octet-stream"})


def _answer(content: dict[str, Any]) -> Any:
    return part("core.responses").ActionResult(content)


def _delete_function(original: Any, self: Any, name: str, if_match: str | None) -> None:
    """What is in use stays."""
    held = self.describe_function(name)
    _match(if_match, held.etag)
    if _used(self, lambda behavior: held.arn in _functions(behavior), in_origins=False):
        raise _refused("FunctionInUse", "The function is used by a distribution.")
    original(self, name, if_match)


def _functions(behavior: Any) -> list[Any]:
    return [each.get("FunctionARN") for each in _items({"All": behavior.function_associations}, "All")]
