"""Partitions of a topic never become fewer: refused by the engine in the preview, before anything is changed."""

from __future__ import annotations

import pulumi
from pulumi import ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceHookOptions
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import monitor_supports_feature

_COUNT = "partitionCount"


class FewerPartitionsError(pulumi.RunError):
    """A topic is asked to have fewer partitions than it has."""


def refuse_fewer(args: ResourceHookArgs) -> None:
    """Refuse an update that takes partitions away.

    Args:
        args: The topic before and after; what is not known yet is not judged.

    Raises:
        FewerPartitionsError: Says how many there are.
    """
    before, after = (args.old_inputs or {}).get(_COUNT), (args.new_inputs or {}).get(_COUNT)
    if not isinstance(before, int | float) or not isinstance(after, int | float) or after >= before:
        return
    topic = (args.new_inputs or {}).get("name", args.name)
    raise FewerPartitionsError(
        f"topic {topic}: {after:.0f} partitions, but it has {before:.0f}, and partitions never become fewer.\n"
        f"  allowed: {before:.0f} or more\n"
        "  why:     Kafka would have to throw away what the partitions hold, and keys would move between the others\n"
        f"  do:      give it {before:.0f} again (services/, or parking:streaming.topics.{topic}.partitions); for "
        "fewer, make a topic with another name and move its producers and consumers"
    )


def partitions_only_grow(name: str) -> ResourceHookBinding | None:
    """Options of topics: `refuse_fewer` before every update, in previews too.

    The provider alone would not do: it plans a smaller number as an update, and AWS refuses it half way through.

    Args:
        name: Logical name of the topics' owner, which makes the hook's name.

    Returns:
        None where the engine has no hooks; there AWS is the only one to refuse.
    """
    if not monitor_supports_feature(resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS):
        return None
    hook = ResourceHook(
        f"{name}-partitions-only-grow", refuse_fewer, opts=ResourceHookOptions(on_dry_run=True)
    )
    return ResourceHookBinding(before_update=[hook])
