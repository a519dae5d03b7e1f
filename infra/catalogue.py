"""A service as one stack runs it: the catalogue's numbers, with what the stack file overrides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from infra.model.base import Model
from infra.model.service import Service
from infra.model.stack import ServiceSettings
from infra.naming import PROJECT

M = TypeVar("M", bound=Model)


def resolve(service: Service, settings: ServiceSettings) -> Service:
    """The service with a stack's overrides, checked again as a whole.

    Args:
        service: The catalogue's description.
        settings: What the stack file says; numbers left out stay the catalogue's.

    Raises:
        ValueError: When an override contradicts the rest, e.g. a minimum over the maximum, or consumers for a
            service that reads no topic. (pydantic's `ValidationError` is one.)
    """
    replicas = {"min_replicas": settings.min_replicas, "max_replicas": settings.max_replicas}
    # Shallow, so that nested models stay models: strict validation refuses their dumped form.
    changed: dict[str, Any] = dict(service)
    changed["canary_percent"] = settings.canary_percent
    if settings.internet_hosts:
        changed["internet_hosts"] = settings.internet_hosts
    update: dict[str, Any] = {key: value for key, value in replicas.items() if value is not None}
    ceilings = {"max_cpu": settings.vertical_max_cpu, "max_memory": settings.vertical_max_memory}
    if any(ceilings.values()):
        if service.scaling.vertical is None:
            raise ValueError(
                f"services.{service.name}.verticalMax...: {service.name} has no vertical autoscaler; remove the key"
            )
        given = {key: value for key, value in ceilings.items() if value is not None}
        update["vertical"] = _revalidated(service.scaling.vertical, given)
    changed["scaling"] = _revalidated(service.scaling, update)
    if settings.consumers is not None:
        if service.consumption is None:
            raise ValueError(
                f"services.{service.name}.consumers: {settings.consumers} consumers, but {service.name} reads no "
                "topic; remove the key or declare a consumption in the service's file"
            )
        changed["consumption"] = _revalidated(service.consumption, {"consumers": settings.consumers})
    return Service.model_validate(changed)


def callees(service: Service, services: Sequence[Service]) -> tuple[Service, ...]:
    """The services that `service` calls: those that name it among their callers."""
    return tuple(other for other in services if service.name in other.called_by)


def _revalidated(model: M, update: dict[str, Any]) -> M:
    """A copy with some fields changed, through the model's own checks (`model_copy` skips them)."""
    return type(model).model_validate({**dict(model), **update})


def repository(service: Service, settings: ServiceSettings) -> str:
    """Path of the service's image below its registry, e.g. `parking/auth-service`."""
    return settings.image.repository or f"{PROJECT}/{service.workload_name}"


def image_suffix(settings: ServiceSettings) -> str:
    """What pins the image: `@sha256:...` or `:tag`."""
    image = settings.image
    return f"@{image.digest}" if image.digest else f":{image.tag}"
