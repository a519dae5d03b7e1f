"""How each service is told tags of what is there already, and what it answers about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

Json = Any


@dataclass(frozen=True, slots=True)
class Tagger:
    """The calls that change tags and show them.

    Attributes:
        put: Call that sets tags.
        remove: Call that takes tags away.
        shows: Call that shows them, for what is described without them; empty: every answer has them.
        found: JMESPath to them in what that call answers.
        subject: Argument that names the resource.
        listed: Whether that argument is a list.
        tags: Argument with the tags.
        keys: Argument with the keys to take away; empty: `tags`, without values.
        pair: Names of key and value; none where tags are an object.
        items: Whether lists are wrapped, as CloudFront does.
        typed: Argument with the resource's type, which then stands before the name, as in `hostedzone/Z1`.
        more: What else all calls want.
    """

    put: str
    remove: str
    shows: str
    subject: str
    found: str = "Tags"
    listed: bool = False
    tags: str = "Tags"
    keys: str = "TagKeys"
    pair: tuple[str, str] | None = ("Key", "Value")
    items: bool = False
    typed: str = ""
    more: Mapping[str, str] = field(default_factory=dict[str, str])

    def named(self, subject: str) -> dict[str, Json]:
        """Arguments that name a resource; all of them for the call that shows tags."""
        if self.typed:
            kind, _, subject = subject.partition("/")
            return {**self.more, self.typed: kind, self.subject: subject}
        return {**self.more, self.subject: [subject] if self.listed else subject}

    def put_arguments(self, subject: str, tags: Mapping[str, str]) -> dict[str, Json]:
        """Arguments of `put`."""
        return {**self.named(subject), self.tags: self._written(tags)}

    def remove_arguments(self, subject: str, keys: list[str]) -> dict[str, Json]:
        """Arguments of `remove`."""
        if not self.keys:
            return {**self.named(subject), self.tags: [{"Key": key} for key in keys]}
        return {**self.named(subject), self.keys: {"Items": keys} if self.items else keys}

    def _written(self, tags: Mapping[str, str]) -> Json:
        if self.pair is None:
            return dict(tags)
        key, value = self.pair
        listed = [{key: name, value: content} for name, content in tags.items()]
        return {"Items": listed} if self.items else listed


_CALLS: Final = ("tag_resource", "untag_resource", "list_tags_for_resource")
_OLDER: Final = ("add_tags_to_resource", "remove_tags_from_resource", "list_tags_for_resource")
_LOWER: Final = Tagger(*_CALLS, "resourceArn", found="tags", tags="tags", keys="tagKeys", pair=None)
_UPPER: Final = Tagger(*_CALLS, "ResourceARN")
TAGGERS: Final[Mapping[str, Tagger]] = {
    "acm": Tagger(
        "add_tags_to_certificate",
        "remove_tags_from_certificate",
        "list_tags_for_certificate",
        "CertificateArn",
        keys="",
    ),
    "backup": Tagger(
        "tag_resource", "untag_resource", "list_tags", "ResourceArn", keys="TagKeyList", pair=None
    ),
    "cloudfront": Tagger(*_CALLS, "Resource", found="Tags.Items", items=True),
    "cloudwatch": _UPPER,
    "ec2": Tagger("create_tags", "delete_tags", "", "Resources", listed=True, keys=""),
    "ecr": Tagger(*_CALLS, "resourceArn", found="tags", tags="tags", keys="tagKeys"),
    "eks": _LOWER,
    "elasticache": Tagger(*_OLDER, "ResourceName", found="TagList"),
    "elbv2": Tagger(
        "add_tags",
        "remove_tags",
        "describe_tags",
        "ResourceArns",
        found="TagDescriptions[0].Tags",
        listed=True,
    ),
    "events": _UPPER,
    "iam": Tagger("tag_role", "untag_role", "list_role_tags", "RoleName"),
    "kafka": Tagger(*_CALLS, "ResourceArn", pair=None),
    "kms": Tagger(
        "tag_resource", "untag_resource", "list_resource_tags", "KeyId", pair=("TagKey", "TagValue")
    ),
    "lambda": Tagger("tag_resource", "untag_resource", "list_tags", "Resource", pair=None),
    "logs": _LOWER,
    "rds": Tagger(*_OLDER, "ResourceName", found="TagList"),
    "route53": Tagger(
        "change_tags_for_resource",
        "change_tags_for_resource",
        "list_tags_for_resource",
        "ResourceId",
        found="ResourceTagSet.Tags",
        tags="AddTags",
        keys="RemoveTagKeys",
        typed="ResourceType",
    ),
    "secretsmanager": Tagger("tag_resource", "untag_resource", "", "SecretId"),
    "sns": Tagger(*_CALLS, "ResourceArn"),
    "ssm": Tagger(*_OLDER, "ResourceId", found="TagList", more={"ResourceType": "Parameter"}),
    "wafv2": Tagger(*_CALLS, "ResourceARN", found="TagInfoForResource.TagList"),
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
