"""What a row of the mapping from Pulumi's types to AWS's calls holds; the rows are in the `table_*` modules.

A row says which calls of boto3 make, show, change and delete a resource. What such a call takes is found by the names
of its members in botocore's models (`requests`), so that a row only has what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

Json = Any
Path = str | Callable[[Json], Json]
"""JMESPath, or a function for what it cannot say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """A listing that a call is made for.

    Attributes:
        operation: The method that lists.
        given: Its arguments, as in `Call`.
        path: JMESPath to the list in its answer, for the placeholder `{items}`; nothing in it: the call is left out.
    """

    operation: str
    given: Mapping[str, Json]
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of boto3.

    Attributes:
        operation: Its method name, such as `create_vpc`.
        given: Arguments. In texts `{id}`, `{region}`, `{account}`, `{token}` (unlike for each creation), `{digits}`
            (of the token), `{tagList}` and properties such as `{clusterName}` or `{scalingConfig.minSize}` are filled
            in: inputs first, then outputs. A text that is one placeholder takes the value as it is; an argument whose
            placeholder has no value is left out.
        carries: Whether the inputs are translated into the arguments that `given` leaves open. A text of properties
            separated by blanks carries only those.
        inside: The argument that the translated inputs go into, such as `DistributionConfig`.
        when: Properties separated by blanks. When a resource is made the call is left out unless one of them is given,
            when it is changed unless one of them changed. Nothing: always.
        unless: Properties separated by blanks; the call is left out when one of them is given.
        needs: Properties separated by blanks; the call is left out unless all of them are given and not empty, or,
            written `name=value`, have that value in JSON.
        tolerates: Error codes, separated by blanks, that mean the work is done already.
        finish: Mends the arguments: takes them and the plain inputs, changes the former. `old` among the inputs has
            what the resource was before.
        service: Another service than the row's.
        each: What is listed first, to be used in `given`.
    """

    operation: str
    given: Mapping[str, Json] = field(default_factory=dict[str, Json])
    carries: bool | str = False
    inside: str = ""
    when: str = ""
    unless: str = ""
    needs: str = ""
    tolerates: str = ""
    finish: Callable[[dict[str, Json], Mapping[str, Json]], None] | None = None
    service: str = ""
    each: Each | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How one type is kept in the cloud.

    Attributes:
        service: boto3's name of the service.
        create: The first call that is not left out makes the resource, all others complete it.
        id: Pulumi's id, as a JMESPath into what the first call answered; a text with `{` is filled in like arguments,
            and a function is given that answer.
        read: Shows the resource; none where AWS has no such call, which leaves changes from outside unseen.
        found: JMESPath to the resource in what `read` answers; where it finds nothing, the resource is gone. Texts in
            braces are filled in, as in ``Routes[?DestinationCidrBlock=='{destinationCidrBlock}'] | [0]``.
        outputs: JMESPath, into what `found` found (without `read`: into what the first call answered), of outputs that
            AWS makes up: ids, ARNs, addresses.
        also: Outputs that stand elsewhere and never change: each with a call and the JMESPath into its answer.
        sees: JMESPath, into what `found` found, of properties whose change from outside shall be seen, in Pulumi's
            units. Those of the same name on both sides need none.
        shows: Properties, where they are given, seen by a call of their own: each with the call and the JMESPath into
            its answer. A call that stands there several times is made once.
        blind: Properties, separated by blanks, whose counterpart of the same name means something else.
        update: Calls that change what is there; each says by `when` for which properties.
        delete: Calls that delete it.
        names: The argument for a property (by its path without indexes) where the names differ; empty: not carried.
        tags: What the tag calls of the service want the resource named by: a template, usually `{id}` or `{arn}`.
        tag_type: EC2's name of the type in tag specifications.
        region: Where it is kept whatever the provider's region, for services that are global.
    """

    service: str
    create: tuple[Call, ...]
    id: str | Callable[[Mapping[str, Json]], str]
    read: Call | None = None
    found: str = "@"
    outputs: Mapping[str, Path] = field(default_factory=dict[str, Path])
    also: Mapping[str, tuple[Call, str]] = field(default_factory=dict[str, tuple[Call, str]])
    sees: Mapping[str, str] = field(default_factory=dict[str, str])
    shows: Mapping[str, tuple[Call, str]] = field(default_factory=dict[str, tuple[Call, str]])
    blind: str = ""
    update: tuple[Call, ...] = ()
    delete: tuple[Call, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    tags: str = ""
    tag_type: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What a resource that stays a record refers to, and must be in the cloud.

    Attributes:
        call: Shows it, of the service it names; what it answers when there is nothing is what AWS says, unless:
        says: What AWS says instead.
        each: A property with a list, for each item of which the call is made, as `{item}`.
    """

    call: Call
    says: str = ""
    each: str = ""


def objects(values: Mapping[str, Json], name: str) -> list[dict[str, Json]]:
    """The objects of a list of the program's, none where it is not given."""
    found = values.get(name)
    listed = cast("list[Json]", found if isinstance(found, list) else [] if found is None else [found])
    return [cast("dict[str, Json]", one) for one in listed if isinstance(one, dict)]


def listed(values: Mapping[str, Json], name: str) -> list[Json]:
    """A list of the program's; one value is a list of one, none an empty one."""
    found = values.get(name)
    return cast("list[Json]", found) if isinstance(found, list) else [] if found is None else [found]


def role_by_arn(name: str) -> Call:
    """The call that shows a role, for a property that has its ARN."""

    def finish(arguments: dict[str, Json], values: Mapping[str, Json]) -> None:
        arguments["RoleName"] = str(values[name]).rpartition("/")[2]

    return Call(service="iam", operation="get_role", finish=finish, needs=name)
