"""`python -m infra.cost.refresh`: renew `prices.json` from the AWS Price List API.

The table's own region renews the base prices; another region's prices are kept beside them and win over its factor.
A price that the API answers with none or several values stays as it is and is named, so that nothing is guessed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, cast

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from infra.cost.prices import PRICES_FILE
from infra.cost.queries import Query, query_for

API_REGION = "us-east-1"
"""Where the Price List API answers, whatever region is asked about."""
SOURCE = "price-list-api"


class _Pages(Protocol):
    def paginate(self, **arguments: Any) -> Iterable[Mapping[str, Any]]:
        """Answers of the API, page by page."""
        ...


class PricingClient(Protocol):
    """What is used of boto3's `pricing` client."""

    def get_paginator(self, operation_name: str) -> _Pages:
        """A paginator of an operation."""
        ...


def price_of(client: PricingClient, query: Query, *, region: str) -> list[float]:
    """The different on-demand prices above zero that the API has for a question, in USD for one unit.

    Args:
        client: boto3's `pricing` client.
        query: The question.
        region: AWS region asked about.
    """
    wanted = {**query.filters, "regionCode": region}
    pages = client.get_paginator("get_products").paginate(
        ServiceCode=query.service,
        Filters=[{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()],
        FormatVersion="aws_v1",
    )
    found = {
        usd
        for page in pages
        for text in page["PriceList"]
        for usd in _on_demand(json.loads(text), query.usage)
    }
    return sorted(found)


def _on_demand(product: Mapping[str, Any], usage: str) -> Iterator[float]:
    attributes = cast("Mapping[str, str]", product["product"]["attributes"])
    if usage and not attributes.get("usagetype", "").endswith(usage):
        return
    for term in cast("Mapping[str, Any]", product["terms"].get("OnDemand", {})).values():
        for dimension in cast("Mapping[str, Any]", term["priceDimensions"]).values():
            usd = float(dimension["pricePerUnit"].get("USD", 0))
            # Further tiers of one product begin elsewhere than at zero.
            if usd > 0 and dimension.get("beginRange", "0") == "0":
                yield usd


def renewed(
    table: Mapping[str, Any], client: PricingClient, *, region: str, keys: Sequence[str], today: str
) -> tuple[dict[str, Any], list[str]]:
    """A price table with the prices of some keys renewed.

    Args:
        table: The table as it is.
        client: boto3's `pricing` client.
        region: Region asked about.
        keys: Price keys to renew.
        today: Date of the answers, e.g. `2026-11-25`.

    Returns:
        The new table, and a sentence for each key.
    """
    new: dict[str, Any] = json.loads(json.dumps(table))
    said: list[str] = []
    for key in keys:
        query = query_for(key)
        if query is None:
            said.append(f"{key}: kept; it is read from AWS's price pages by hand")
            continue
        found = price_of(client, query, region=region)
        if len(found) != 1:
            said.append(f"{key}: kept; the API has {len(found)} prices for it{_listed(found)}")
            continue
        said.append(_put(new, key, found[0], region=region))
    if any("renewed" in sentence for sentence in said):
        new["sources"][SOURCE] = {"what": "AWS Price List API", "as_of": today, "confidence": "high"}
        new["dated"] = today
    return new, said


def _put(table: dict[str, Any], key: str, usd: float, *, region: str) -> str:
    base = region == table["region"]
    rows = table["prices"] if base else table["regional"].setdefault(region, {})
    old = rows.get(key, table["prices"].get(key))
    rows[key] = {**(old or {"unit": "hour"}), "usd": usd, "source": SOURCE}
    was = f"{old['usd']:g}" if old else "new"
    return f"{key}: renewed, {was} -> {usd:g} USD"


def pricing_client() -> PricingClient:
    """boto3's `pricing` client, with the credentials of now."""
    # boto3 makes its clients from data files, so their types are not known.
    session: Any = importlib.import_module("boto3.session").Session()
    return cast("PricingClient", session.client("pricing", region_name=API_REGION))


def _listed(found: Sequence[float]) -> str:
    return f" ({', '.join(f'{usd:g}' for usd in found[:5])})" if found else ""


def main(arguments: Sequence[str] | None = None, *, client: PricingClient | None = None) -> int:
    """Renew the table, or say why not.

    Args:
        arguments: Words of the command line; none: the process's own.
        client: Instead of boto3's, for tests.
    """
    parser = argparse.ArgumentParser(prog="python -m infra.cost.refresh", description=__doc__)
    parser.add_argument("--region", default=API_REGION, help="AWS region to ask about (default: %(default)s)")
    parser.add_argument("--key", action="append", default=[], help="only this price; repeat for more")
    parser.add_argument("--file", type=Path, default=PRICES_FILE, help="the price table")
    parser.add_argument("--dry-run", action="store_true", help="say what would change, write nothing")
    given = parser.parse_args(arguments)
    table = json.loads(given.file.read_text(encoding="utf-8"))
    today = datetime.now(tz=UTC).date().isoformat()
    try:
        new, said = renewed(
            table,
            client or pricing_client(),
            region=given.region,
            keys=given.key or sorted(table["prices"]),
            today=today,
        )
    except NoCredentialsError:
        print(
            "error: the AWS Price List API wants credentials, and there are none.\n"
            "  found:  no profile, no environment variables, no role\n"
            "  needed: any identity that may call pricing:GetProducts\n"
            "  to do:  set AWS_PROFILE, or sign in (aws sso login); prices.json stays as it is",
            file=sys.stderr,
        )
        return 1
    except (BotoCoreError, ClientError) as error:
        print(
            f"error: the AWS Price List API did not answer: {error}\n  prices.json stays as it is",
            file=sys.stderr,
        )
        return 1
    print("\n".join(said))
    if not given.dry_run and new != table:
        given.file.write_text(json.dumps(new, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
