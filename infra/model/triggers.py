"""The specification's general auto-scaling triggers, as data that autoscalers and alerts share.

Source: monitoring and alerting section, "Auto-scaling Triggers". Response times are compared with the latency
objective of each operation, so a ratio of 1 is exactly the objective.
"""

from __future__ import annotations

from pydantic import Field, model_validator

from infra.model.base import Model


class LoadThresholds(Model):
    """Load at which capacity should change: any one crossed asks for more, all undercut allow fewer."""

    cpu_percent: int = Field(ge=1, le=100)
    """Mean use of the requested cpu."""
    memory_percent: int = Field(ge=1, le=100)
    """Mean use of the requested memory."""
    response_to_objective: float = Field(gt=0)
    """Response time over the operation's objective; 1 is the objective itself."""


class EmergencyThresholds(Model):
    """State in which scaling cannot wait for its usual windows and a person is called."""

    error_percent: float = Field(gt=0, le=100)
    """Failed requests, in percent of all."""
    response_to_objective: float = Field(gt=0)


class GeneralTriggers(Model):
    """When every service scales up, when down, and what is an emergency."""

    scale_up: LoadThresholds
    scale_down: LoadThresholds
    emergency: EmergencyThresholds

    @model_validator(mode="after")
    def _ordered(self) -> GeneralTriggers:
        pairs = (
            ("cpu", self.scale_down.cpu_percent, self.scale_up.cpu_percent),
            ("memory", self.scale_down.memory_percent, self.scale_up.memory_percent),
            ("response", self.scale_down.response_to_objective, self.scale_up.response_to_objective),
        )
        for name, down, up in pairs:
            if down >= up:
                raise ValueError(f"{name}: scaling down at {down} and up at {up} would oscillate")
        if self.emergency.response_to_objective <= self.scale_up.response_to_objective:
            raise ValueError("an emergency must be slower than what already scales up")
        return self


GENERAL_TRIGGERS = GeneralTriggers(
    scale_up=LoadThresholds(cpu_percent=70, memory_percent=80, response_to_objective=1.0),
    scale_down=LoadThresholds(cpu_percent=30, memory_percent=40, response_to_objective=0.5),
    emergency=EmergencyThresholds(error_percent=5.0, response_to_objective=2.0),
)
