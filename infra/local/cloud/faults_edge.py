"""Where moto's web ACLs answer otherwise than AWS's."""

from __future__ import annotations

import functools
from typing import Any

from infra.local.cloud.wrapping import around, part

_HOME = "us-east-1"


@functools.cache
def mend() -> None:
    """Mend moto in this process, once."""
    web = part("wafv2.models").WAFV2Backend
    around(part("wafv2.responses").WAFV2Response, "create_web_acl", _create_web_acl)
    around(web, "create_web_acl", _name_taken)
    around(web, "update_web_acl", _update_web_acl)
    around(web, "delete_web_acl", _delete_web_acl)
    around(web, "associate_web_acl", _associate_web_acl)
    around(web, "get_web_acl_for_resource", _get_web_acl_for_resource)
    around(web, "put_logging_configuration", _put_logging_configuration)


def _refused(code: str, said: str) -> Exception:
    return part("wafv2.exceptions").WAFv2ClientError(code, said)


def _web_acl(account: str, arn: str) -> Any:
    """A web ACL by its ARN, wherever it is; None where it is nowhere."""
    pieces = arn.split(":")
    if len(pieces) < 6:
        return None
    where = "global" if pieces[5].startswith("global/") else pieces[3]
    return part("wafv2.models").wafv2_backends[account][where].wacls.get(arn)


def _is_there(account: str, arn: str) -> bool:
    """Whether what a web ACL protects is there; what is no load balancer is taken to be."""
    if ":loadbalancer/" not in arn:
        return True
    return arn in part("elbv2.models").elbv2_backends[account][arn.split(":")[3]].load_balancers


def _create_web_acl(original: Any, self: Any) -> Any:
    """Web ACLs of CloudFront are made in one region only."""
    if self._get_param("Scope") == "CLOUDFRONT" and self.region != _HOME:
        raise _refused(
            "WAFInvalidParameterException",
            "Error reason: The scope is not valid., field: SCOPE_VALUE, parameter: CLOUDFRONT",
        )
    return original(self)


def _name_taken(original: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
    """A name that is taken is refused under another code than moto's."""
    try:
        return original(self, *args, **kwargs)
    except part("wafv2.exceptions").WAFV2DuplicateItemException as error:
        raise _refused("WAFDuplicateItemException", str(error.message)) from error


def _update_web_acl(original: Any, self: Any, name: str, _id: str, *args: Any, **kwargs: Any) -> Any:
    """What an update does not name is taken away: the whole is replaced."""
    token = original(self, name, _id, *args, **kwargs)
    acl = self.get_web_acl(None, name, _id)
    fields = (
        "default_action", "rules", "description", "visibility_config", "lock_token", "custom_response_bodies",
        "captcha_config", "challenge_config", "token_domains", "association_config",
    )  # fmt: skip
    given = {**dict(zip(fields, args, strict=False)), **kwargs}
    for field in fields:
        if not given.get(field):
            setattr(acl, field, [] if field == "rules" else "" if field == "description" else None)
    return token


def _delete_web_acl(original: Any, self: Any, name: str, scope: str, _id: str, lock_token: str) -> Any:
    """What protects something stays, and its logging goes with it."""
    acl = self.get_web_acl(None, name, _id)
    distributions = part("cloudfront.models").cloudfront_backends[self.account_id]["aws"].distributions
    used = any(each.distribution_config.WebACLId == acl.arn for each in distributions.values())
    if used or any(_is_there(self.account_id, arn) for arn in acl.associated_resources):
        raise _refused(
            "WAFAssociatedItemException",
            "AWS WAF couldn't perform the operation because your resource is being used by another resource or "
            "it's associated with another resource.",
        )
    original(self, name, scope, _id, lock_token)
    region = _HOME if scope == "CLOUDFRONT" else self.region_name
    logs = part("wafv2.models").wafv2_backends[self.account_id][region].logging_configurations
    logs.pop(acl.arn, None)


def _associate_web_acl(original: Any, self: Any, web_acl_arn: str, resource_arn: str) -> Any:
    """What is protected exists, and has one web ACL: the last."""
    if web_acl_arn not in self.wacls or not _is_there(self.account_id, resource_arn):
        raise part("wafv2.exceptions").WAFNonexistentItemException
    self.disassociate_web_acl(resource_arn)
    return original(self, web_acl_arn, resource_arn)


def _get_web_acl_for_resource(original: Any, self: Any, resource_arn: str) -> Any:
    """What is gone has no web ACL any more."""
    return original(self, resource_arn) if _is_there(self.account_id, resource_arn) else None


def _put_logging_configuration(original: Any, self: Any, arn: str, destinations: Any, *args: Any) -> Any:
    """The web ACL exists, and where logs go to is named for it and exists."""
    if _web_acl(self.account_id, arn) is None:
        raise part("wafv2.exceptions").WAFNonexistentItemException
    for destination in destinations:
        service, region = destination.split(":")[2:4]
        name = destination.removesuffix(":*").rpartition(":")[2].rpartition("/")[2]
        if service == "logs":
            name = destination.split(":")[6]
        if not name.startswith("aws-waf-logs-"):
            raise _refused(
                "WAFInvalidParameterException",
                "Error reason: The ARN isn't valid. A valid ARN begins with arn: and includes other information "
                f"separated by colons or slashes., field: LOG_DESTINATION, parameter: {destination}",
            )
        if (
            service == "logs"
            and name not in part("logs.models").logs_backends[self.account_id][region].groups
        ):
            raise _refused(
                "WAFLogDestinationPermissionIssueException",
                f"Unable to deliver logs to the configured destination {destination}.",
            )
    return original(self, arn, destinations, *args)
