"""How each service is told tags of what is there already, and what it answers about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

Json = Any


@dataclass(frozen=True, slots=True)
class Tagger:
    """The two calls that change tags.

    Attributes:
        put: Call that sets tags.
        remove: Call that takes tags away.
        subject: Argument that names the resource.
        listed: Whether that argument is a list.
        tags: Argument with the tags.
        keys: Argument with the keys to take away; empty: `tags`, without values.
        pair: Names of key and value; none where tags are an object.
        items: Whether lists are wrapped, as CloudFront does.
        more: What else both calls want.
    """

    put: str
    remove: str
    subject: str
    listed: bool = False
    tags: str = "Tags"
    keys: str = "TagKeys"
    pair: tuple[str, str] | None = ("Key", "Value")
    items: bool = False
    more: Mapping[str, str] = field(default_factory=dict[str, str])

    def put_arguments(self, subject: str, tags: Mapping[str, str]) -> dict[str, Json]:
        """Arguments of `put`."""
        named = [subject] if self.listed else subject
        return {**self.more, self.subject: named, self.tags: self._written(tags)}

    def remove_arguments(self, subject: str, keys: list[str]) -> dict[str, Json]:
        """Arguments of `remove`."""
        named = [subject] if self.listed else subject
        if not self.keys:
            return {self.subject: named, self.tags: [{"Key": key} for key in keys]}
        return {**self.more, self.subject: named, self.keys: {"Items": keys} if self.items else keys}

    def _written(self, tags: Mapping[str, str]) -> Json:
        if self.pair is None:
            return dict(tags)
        key, value = self.pair
        listed = [{key: name, value: content} for name, content in tags.items()]
        return {"Items": listed} if self.items else listed


_LOWER = Tagger("tag_resource", "untag_resource", "resourceArn", tags="tags", keys="tagKeys", pair=None)
_UPPER = Tagger("tag_resource", "untag_resource", "ResourceARN")
TAGGERS: Final[Mapping[str, Tagger]] = {
    "acm": Tagger("add_tags_to_certificate", "remove_tags_from_certificate", "CertificateArn", keys=""),
    "backup": Tagger("tag_resource", "untag_resource", "ResourceArn", keys="TagKeyList", pair=None),
    "cloudfront": Tagger("tag_resource", "untag_resource", "Resource", items=True),
    "cloudwatch": _UPPER,
    "ec2": Tagger("create_tags", "delete_tags", "Resources", listed=True, keys=""),
    "ecr": Tagger("tag_resource", "untag_resource", "resourceArn", tags="tags", keys="tagKeys"),
    "eks": _LOWER,
    "elasticache": Tagger("add_tags_to_resource", "remove_tags_from_resource", "ResourceName"),
    "elbv2": Tagger("add_tags", "remove_tags", "ResourceArns", listed=True),
    "events": _UPPER,
    "iam": Tagger("tag_role", "untag_role", "RoleName"),
    "kafka": Tagger("tag_resource", "untag_resource", "ResourceArn", pair=None),
    "kms": Tagger("tag_resource", "untag_resource", "KeyId", pair=("TagKey", "TagValue")),
    "lambda": Tagger("tag_resource", "untag_resource", "Resource", pair=None),
    "logs": _LOWER,
    "rds": Tagger("add_tags_to_resource", "remove_tags_from_resource", "ResourceName"),
    "secretsmanager": Tagger("tag_resource", "untag_resource", "SecretId"),
    "sns": Tagger("tag_resource", "untag_resource", "ResourceArn"),
    "ssm": Tagger(
        "add_tags_to_resource", "remove_tags_from_resource", "ResourceId", more={"ResourceType": "Parameter"}
    ),
    "wafv2": _UPPER,
}
"""By boto3's name of the service."""


def tags_of(found: Json) -> dict[str, str] | None:
    """The tags in what a service says of a resource; none where it does not say."""
    if not isinstance(found, dict):
        return None
    holder = cast("dict[str, Json]", found)
    for name in ("Tags", "TagList", "TagSet", "tags"):
        held = holder.get(name)
        if isinstance(held, dict):
            return {str(key): str(value) for key, value in cast("dict[str, Json]", held).items()}
        if isinstance(held, list):
            pairs = [
                cast("dict[str, Json]", item) for item in cast("list[Json]", held) if isinstance(item, dict)
            ]
            return {str(_either(pair, "key")): str(_either(pair, "value")) for pair in pairs}
    return None


def _either(pair: Mapping[str, Json], what: str) -> Json:
    return next((value for name, value in pair.items() if name.lower().endswith(what)), "")
