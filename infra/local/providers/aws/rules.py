"""Rules beyond the SDK's types: limits and values AWS refuses that pulumi-aws declares as plain strings and numbers.

Each type has a list of checkers (`TABLE`); `checkers` adds the general ones. A later layer (values from cfn-lint or
botocore) only has to add to these lists. The rules of single types are in `rules_network`, `rules_compute`,
`rules_edge` and `rules_data`.
"""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any, Final

from infra.local.providers.aws import regions, rules_compute, rules_data, rules_edge, rules_network
from infra.local.providers.check import Failure, unknown_property
from infra.local.providers.plugin import Checker, Resource
from infra.local.providers.values import Value, fields, generalise, has_unknown, plain, quote, text, walk

_CIDR_NAMES: Final = frozenset({
    "cidrBlock", "cidrBlocks", "cidrIpv4", "cidrIpv6", "destinationCidrBlock", "destinationIpv6CidrBlock",
    "ipv6CidrBlock", "ipv6CidrBlocks", "publicAccessCidrs", "serviceIpv4Cidr", "inboundCidrs", "sourceIps",
})  # fmt: skip
_JSON_NAMES: Final = frozenset({
    "policy", "assumeRolePolicy", "policyDocument", "redrivePolicy", "dashboardBody", "eventPattern", "accessPolicies",
})  # fmt: skip
TABLE: Final[dict[str, list[Checker]]] = {
    **rules_network.TABLE,
    **rules_compute.TABLE,
    **rules_edge.TABLE,
    **rules_data.TABLE,
}


def is_unknown(value: Value) -> bool:
    """Whether anything in a value is not known yet."""
    return has_unknown(value)


def checkers(short: str) -> list[Checker]:
    """List the rules for a type."""
    return [_general, *TABLE.get(short, [])]


@functools.cache
def region_names() -> frozenset[str]:
    """List the regions pulumi-aws knows."""
    enums: Any = importlib.import_module("pulumi_aws._enums")
    return frozenset(str(member.value) for member in enums.Region)


def _general(resource: Resource) -> list[Failure]:
    """Apply what holds for every type: regions, zones, CIDRs, policies, tags."""
    return [*_region(resource), *_tags(resource), *_everywhere(resource)]


def _region(resource: Resource) -> Iterator[Failure]:
    region = plain(resource.inputs.get("region"))
    if isinstance(region, str) and region not in region_names():
        yield Failure("region", f"is {region!r}; {unknown_property(region, region_names())}")


def _tags(resource: Resource) -> Iterator[Failure]:
    tags = fields(resource.inputs.get("tags"))
    if len(tags) > 50:
        yield Failure("tags", f"has {len(tags)} tags; AWS takes 50")
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            yield Failure(f'tags["{key}"]', "the prefix aws: is reserved")
        if len(key) > 128 or len(text(value)) > 256:
            yield Failure(f'tags["{key}"]', "is too long; AWS takes keys of 128 and values of 256 characters")


def _everywhere(resource: Resource) -> Iterator[Failure]:
    for path, found in walk(resource.inputs):
        value = plain(found)
        if not isinstance(value, str) or not value:
            continue
        name = generalise(path).rpartition(".")[2]
        if name in _CIDR_NAMES:
            yield from _cidr(path, found)
        elif name in _JSON_NAMES:
            yield from _document(path, found)
        elif name in {"availabilityZone", "availabilityZones"}:
            yield from _zone(resource, path, found)


def _cidr(path: str, found: Value) -> Iterator[Failure]:
    try:
        ip_network(text(found))
    except ValueError:
        yield Failure(
            path, f"is {quote(found)}; expected a CIDR block such as 10.0.0.0/16, without host bits"
        )


def _document(path: str, found: Value) -> Iterator[Failure]:
    try:
        document = json.loads(text(found))
    except ValueError:
        yield Failure(path, f"is {quote(found)}; expected JSON")
        return
    if path in {"assumeRolePolicy", "policy"} and not isinstance(document, dict):
        yield Failure(path, "is JSON, but no object; expected a policy")


def _zone(resource: Resource, path: str, found: Value) -> Iterator[Failure]:
    region = text(resource.inputs.get("region")) or text(resource.instance.config.get("region"))
    if not region or has_unknown(resource.inputs.get("region")):
        return
    zones, value = regions.zones(region), text(found)
    if regions.zone_names_known(region) and value not in zones and not value.startswith(region + "-"):
        yield Failure(path, f"is {quote(found)}; region {region} has {', '.join(zones)}")
