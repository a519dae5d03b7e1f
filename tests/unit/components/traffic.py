"""What the traffic components' tests share: answers of AWS to names, certificates and prefix lists."""

from typing import Any, cast

import pulumi
import pulumi_aws as aws
from pulumi.runtime import MockResourceArgs

from tests.unit.components.building import AccountRecorder

PREFIX_LIST_CALL = "aws:ec2/getManagedPrefixList:getManagedPrefixList"
ENGINE_MARK = "4dabf18193072939515e22adb298388d"
"""Key by which the engine's protocol marks a value as secret."""
SECRETS = ("previous-value", "current-value", "next-value")


class TrafficRecorder(AccountRecorder):
    """A recorder that also answers prefix lists, validation options and the names of what it makes."""

    def __init__(self) -> None:
        super().__init__()
        self._calls[PREFIX_LIST_CALL] = lambda asked: {"id": f"list-of-{asked['name']}", **asked}

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        identifier, state = super().new_resource(args)
        state["fqdn"] = state["name"]
        state["arnSuffix"] = f"suffix/{args.name}"
        state["domainName"] = state.get("domainName", f"{args.name}.cdn.example.net")
        state["hostedZoneId"] = "ZCDN"
        if args.typ == "aws:s3/bucket:Bucket":
            state["arn"] = f"arn:aws:s3:::{state['bucket']}"
            state["bucketRegionalDomainName"] = f"{state['bucket']}.s3.example.net"
        if args.typ == "aws:acm/certificate:Certificate":
            names = [state["domainName"], *state.get("subjectAlternativeNames", [])]
            # AWS promises no order.
            state["domainValidationOptions"] = [
                {
                    "domainName": name,
                    "resourceRecordName": f"_check.{name}",
                    "resourceRecordType": "CNAME",
                    "resourceRecordValue": f"_answer-of-{name}",
                }
                for name in reversed(names)
            ]
        return identifier, state


def virginia(opts: pulumi.ResourceOptions) -> aws.Provider:
    """An explicit provider of us-east-1."""
    return aws.Provider("virginia", region="us-east-1", opts=opts)


def is_secret(value: Any) -> bool:
    """Whether an input reached the engine marked as a secret."""
    return isinstance(value, dict) and ENGINE_MARK in value


def revealed(value: Any) -> Any:
    """An input without the marks of its secrets."""
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        if ENGINE_MARK in mapping:
            return revealed(mapping["value"])
        return {key: revealed(each) for key, each in mapping.items()}
    if isinstance(value, list):
        return [revealed(each) for each in cast("list[Any]", value)]
    return value
