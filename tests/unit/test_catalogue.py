"""A stack's overrides of the catalogue."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from infra.catalogue import callees, resolve
from infra.model.stack import ImageSettings, ServiceSettings
from services import CATALOGUE
from services.analytics import ANALYTICS
from services.auth import AUTH
from services.parking import PARKING

IMAGE = ImageSettings(tag="1.0.0")


def test_nothing_overridden_is_the_catalogue() -> None:
    for service in CATALOGUE:
        assert resolve(service, ServiceSettings(image=IMAGE)) == service


def test_a_stack_may_change_bounds_consumers_and_canary() -> None:
    settings = ServiceSettings(image=IMAGE, min_replicas=1, max_replicas=4, consumers=2, canary_percent=10)
    resolved = resolve(PARKING, settings)

    assert (resolved.scaling.min_replicas, resolved.scaling.max_replicas) == (1, 4)
    assert resolved.consumption
    assert resolved.consumption.consumers == 2
    assert resolved.consumption.topics == ("vehicle-events",)
    assert resolved.canary_percent == 10
    assert resolved.scaling.metrics == PARKING.scaling.metrics


def test_the_catalogue_itself_stays_as_it_is() -> None:
    resolve(AUTH, ServiceSettings(image=IMAGE, max_replicas=4))

    assert AUTH.scaling.max_replicas == 50


def test_bounds_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValidationError, match="minReplicas 60 is over maxReplicas 50"):
        resolve(AUTH, ServiceSettings(image=IMAGE, min_replicas=60))


def test_consumers_of_a_service_that_reads_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match=r"services\.auth\.consumers: 3 consumers, but auth reads no topic"):
        resolve(AUTH, ServiceSettings(image=IMAGE, consumers=3))


def test_callees_are_the_services_that_name_it_as_a_caller() -> None:
    assert [called.name for called in callees(PARKING, CATALOGUE)] == [
        "auth",
        "payment",
        "notification",
        "configuration",
    ]


def test_every_caller_is_a_service_of_the_catalogue() -> None:
    names = {service.name for service in CATALOGUE}

    for service in CATALOGUE:
        assert set(service.called_by) <= names - {service.name}


def test_the_ceiling_of_a_vertical_autoscaler_may_be_lowered() -> None:
    vertical = resolve(ANALYTICS, ServiceSettings(image=IMAGE, vertical_max_memory="8Gi")).scaling.vertical

    assert vertical
    assert (vertical.max_cpu, vertical.max_memory) == ("4", "8Gi")


def test_a_ceiling_without_a_vertical_autoscaler_is_refused() -> None:
    with pytest.raises(ValueError, match="auth has no vertical autoscaler"):
        resolve(AUTH, ServiceSettings(image=IMAGE, vertical_max_cpu="2"))
