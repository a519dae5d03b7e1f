"""What the platform's traffic means for one service: assumptions, each to be replaced by a measurement.

The specification gives users, transactions and growth of the whole platform (`infra.model.stack.DemandSettings`),
not what a service sees of them. These are the project's own estimates; where the specification implies a number
(auth: 100 requests a second on a pod of 200m), they agree with it.
"""

from __future__ import annotations

from pydantic import Field

from infra.model.base import Model


class Load(Model):
    """What one service sees of a user and of a transaction, and what it spends on each request."""

    requests_per_user_minute: float = Field(ge=0)
    """Requests that a concurrent user causes in a minute, what the edge cache answers not counted."""
    requests_per_transaction: float = Field(default=0.0, ge=0)
    """Requests that one parking operation (entry to paid exit) causes."""
    cpu_ms_per_request: float = Field(gt=0)
    """CPU time of a mean request, in milliseconds, without the sidecar's."""
    cpu_ms_per_message: float = Field(default=0.0, ge=0)
    """CPU time of a message that it consumes, in milliseconds."""
    database_ms_per_request: float = Field(default=0.0, ge=0)
    """How long a mean request holds a database connection, in milliseconds; a cached answer holds none."""
    database_connections_per_pod: int = Field(default=0, ge=0)
    """Connections that a pod keeps to the pooler."""
