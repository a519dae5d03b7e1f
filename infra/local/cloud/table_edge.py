"""What stands before the load balancers in the cloud's calls: web ACLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from infra.local.cloud.rows import Call, Each, Row, objects

Json = Any
_ACL: Final = {"Name": "{name}", "Scope": "{scope}", "Id": "{id}"}
_ACL_CHANGES: Final = (
    "defaultAction rules visibilityConfig description captchaConfig challengeConfig customResponseBodies "
    "tokenDomains associationConfig"
)


def _bodies(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
    """AWS keeps bodies of answers by their keys."""
    found = {
        body["key"]: {"ContentType": body["contentType"], "Content": body["content"]}
        for body in objects(values, "customResponseBodies")
    }
    if found:
        arguments["CustomResponseBodies"] = found


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

ROWS: Final[Mapping[str, Row]] = {**_WEB}
