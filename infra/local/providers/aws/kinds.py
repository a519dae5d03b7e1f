"""What a row of facts about an AWS resource type holds; the rows are in the `table_*` modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from infra.local.providers.naming import AutoName
from infra.local.providers.values import Map, Value

# Text is a template: `{name}`, `{region}`, `{account}`, digits such as `{x17}`, or any other property.
Template = Value


@dataclass(frozen=True, slots=True)
class Kind:
    """Facts about one type, beyond what the SDK says.

    `replaces` names, separated by blanks, the properties whose change the real provider answers with a new resource
    (what Terraform's provider marks ForceNew); `all` stands for every input but tags. `outputs` fills what AWS
    computes; a property the program gave keeps its value. `updates` lists outputs that an update changes. `grows` names
    numbers that the service lets grow but not shrink. `keeps` lists what stays as it is where the program stops giving
    it (what Terraform's provider marks both Optional and Computed).
    """

    id: str = "{name}"
    outputs: Mapping[str, Template] = field(default_factory=dict[str, Template])
    replaces: str = ""
    updates: str = ""
    grows: str = ""
    keeps: str = ""
    name: AutoName | None = None
    unordered: str = ""
    secrets: str = ""
    before: bool = False
    replaces_if: Callable[[str, Map, Map], bool] | None = None
    protected: str = ""


def arn(service: str, resource: str, *, region: str = "{region}", account: str = "{account}") -> str:
    """Write an ARN template."""
    return f"arn:aws:{service}:{region}:{account}:{resource}"


def short(token: str) -> str:
    """Shorten a token: `aws:ec2/vpc:Vpc` is `ec2:Vpc`."""
    _, module, name = token.split(":")
    return f"{module.split('/')[0]}:{name}"
