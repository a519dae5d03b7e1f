"""The ground of a region: keys, network, registries, the bucket for access logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.encryption import Keys, Purpose
from components.log_bucket import LogBucket
from components.network import Network
from components.registry import Registries
from infra.catalogue import repository
from infra.model.service import Service
from infra.model.sibling import Sibling
from infra.model.stack import StackSettings
from infra.naming import StackContext


@dataclass(frozen=True, kw_only=True)
class Foundation:
    """What everything else in a region stands on."""

    keys: Keys
    network: Network
    registries: Registries | None
    """None where images come from a registry that the settings name."""
    access_logs: LogBucket


def build(
    *,
    context: StackContext,
    settings: StackSettings,
    services: tuple[Service, ...],
    siblings: Sequence[Sibling],
) -> Foundation:
    """Create keys, network, registries and the log bucket of a region.

    The registries of the edge's owner copy what is pushed to them to every other region of the environment.
    """
    keys = Keys("keys", context=context)
    network = Network(
        "network",
        context=context,
        settings=settings.network,
        cluster_name=context.name(),
        log_key_arn=keys.arn(Purpose.LOGS),
    )
    registries = None
    if settings.registry is None:
        registries = Registries(
            "registries",
            context=context,
            repositories=[repository(service, settings.services[service.name]) for service in services],
            key_arn=keys.arn(Purpose.REGISTRY),
            copy_to=sorted({sibling.region for sibling in siblings}) if settings.edge.enabled else (),
        )
    return Foundation(
        keys=keys,
        network=network,
        registries=registries,
        access_logs=LogBucket("access-logs", context=context),
    )
