"""The dated price table `prices.json`: what AWS asks for a unit in a region, and where the number is from."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

PRICES_FILE = Path(__file__).with_name("prices.json")
Confidence = Literal["high", "medium", "low"]
Dated = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class UnknownPriceError(LookupError):
    """A price was asked for that the table does not have.

    Args:
        key: The key asked for, e.g. `ec2.c5.4xlarge`.
    """

    def __init__(self, key: str) -> None:
        super().__init__(f"no price for {key!r} in infra/cost/prices.json")
        self.key = key


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Row):
    """Where prices are from: what it is, when it was read, how far it can be trusted."""

    what: str
    as_of: Dated
    confidence: Confidence


class Price(_Row):
    """USD for one unit in the table's own region.

    `everywhere` marks prices that do not change with the region.
    """

    usd: float = Field(ge=0)
    unit: str
    source: str
    everywhere: bool = False


class Discount(_Row):
    """Share of the on-demand price that a way of buying saves."""

    share: float = Field(ge=0, lt=1)
    source: str
    confidence: Confidence


class Prices(_Row):
    """The whole table.

    `region_factors` scale every price that is not the same everywhere; `regional` holds prices of one region that
    are known exactly and win over the factor.
    """

    dated: Dated
    currency: Literal["USD"]
    region: str
    hours_per_month: int = Field(gt=0)
    sources: dict[str, Source]
    region_factors: dict[str, float]
    discounts: dict[str, Discount]
    prices: dict[str, Price]
    regional: dict[str, dict[str, Price]]

    def usd(self, key: str, *, region: str) -> float:
        """USD of one unit in a region.

        Args:
            key: Key of the price, e.g. `nat.hour`.
            region: AWS region; one without a factor counts as the dearest known, so that it is never flattered.

        Raises:
            UnknownPriceError: When the table has no such key.
        """
        exact = self.regional.get(region, {}).get(key)
        if exact is not None:
            return exact.usd
        found = self.prices.get(key)
        if found is None:
            raise UnknownPriceError(key)
        return found.usd if found.everywhere else found.usd * self.factor(region)

    def factor(self, region: str) -> float:
        """How many times this table's region another one costs."""
        return self.region_factors.get(region, max(self.region_factors.values()))

    def monthly(self, key: str, *, region: str) -> float:
        """USD a month of something billed by the hour that runs all the time."""
        return self.usd(key, region=region) * self.hours_per_month

    def source_of(self, key: str, *, region: str) -> Source:
        """Where a price is from."""
        row = self.regional.get(region, {}).get(key) or self.prices[key]
        return self.sources[row.source]


@cache
def load(path: Path = PRICES_FILE) -> Prices:
    """The price table.

    Raises:
        pydantic.ValidationError: When the file has not the form of one.
    """
    return Prices.model_validate_json(path.read_text(encoding="utf-8"))
