"""What every model of settings and services shares."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

DomainName = Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$")]
"""A DNS name in lower case, e.g. `api.parking.example.com`."""

Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|Ki|Mi|Gi)?$")]
"""A Kubernetes quantity, e.g. `500m` or `2Gi`."""


class Model(BaseModel):
    """An immutable model whose keys are camelCase in a stack file and snake_case in Python.

    Unknown keys are refused: a misspelt setting must never be dropped silently.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
    )
