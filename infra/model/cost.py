"""What a stack may say about money: its budget, how capacity is bought, and what traffic weighs."""

from __future__ import annotations

from pydantic import Field

from infra.model.base import Model


class BudgetSettings(Model):
    """What the stack may cost; who hears of it are the endpoints of warnings (`observability`)."""

    monthly_usd: float = Field(default=17_100.0, gt=0)
    """USD a month at average capacity (specification: 17,100); a preview of a stack that costs more fails."""
    warn_percent: int = Field(default=80, ge=1, le=100)
    """Share of the budget, really spent, at which AWS Budgets warns; its forecast warns at 100%."""
    anomaly_usd: float = Field(default=200.0, gt=0)
    """USD by which a cost must leave its pattern before Cost Anomaly Detection tells."""


class PurchasingSettings(Model):
    """How instances are bought."""

    reserved_share: float = Field(default=0.5, ge=0.0, le=1.0)
    """Share of an average month's instances that is reserved for a year (specification: 50%)."""
    spot_discount: float = Field(default=0.6, ge=0.0, le=0.9)
    """What a spot node costs less than an on-demand one; the market moves, 0.6 is the cautious end of the usual."""


class UsageSettings(Model):
    """What a request and a transaction weigh, for what AWS bills by use: assumptions until they are measured."""

    quiet_percent: int = Field(default=25, ge=0, le=100)
    """Traffic of a month at minimum capacity, as a share of today's."""
    request_kib: float = Field(default=2.0, ge=0)
    """KiB that a viewer sends with a request, headers included."""
    response_kib: float = Field(default=6.0, ge=0)
    """KiB that an answer has, compressed."""
    edge_hit_percent: int = Field(default=20, ge=0, le=99)
    """Share of viewers' requests that CloudFront answers itself."""
    static_mib_per_user: float = Field(default=30.0, ge=0)
    """MiB of static assets that one user loads in a month."""
    internal_kib: float = Field(default=24.0, ge=0)
    """KiB that move between pods, stores and brokers for a request, over all hops."""
    outgoing_kib_per_transaction: float = Field(default=8.0, ge=0)
    """KiB through the NAT gateways for a transaction: payment gateway, messages to people."""
    replicated_kib_per_transaction: float = Field(default=24.0, ge=0)
    """KiB of WAL that a transaction sends to each replica in another region."""
    log_bytes_per_request: int = Field(default=150, ge=0)
    """Bytes that reach CloudWatch Logs for a request: flow records, slow queries, audit, sampled access."""
    node_pulls_gib: float = Field(default=40.0, ge=0)
    """GiB of images that a node pulls in a month, through the registry's endpoints."""
    written_percent_a_day: float = Field(default=2.0, ge=0, le=100)
    """Share of a store that changes in a day, which each kept backup holds again."""
    registry_gib: float = Field(default=5.0, ge=0)
    """GiB of images that the registry keeps for each service."""
