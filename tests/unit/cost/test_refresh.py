"""Renewing the price table, with answers in the Price List API's own form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from infra.cost import prices, refresh
from infra.cost.queries import query_for
from infra.cost.refresh import PricingClient

BASE = "us-east-1"


def product(usd: str, *, usage: str = "BoxUsage:c5.4xlarge", begin: str = "0") -> str:
    """One product of an answer, with its reserved terms, which do not count."""
    dimension = {"unit": "Hrs", "beginRange": begin, "pricePerUnit": {"USD": usd}}
    return json.dumps(
        {
            "product": {"productFamily": "Compute Instance", "attributes": {"usagetype": usage}},
            "terms": {
                "OnDemand": {"A.B": {"priceDimensions": {"A.B.C": dimension}}},
                "Reserved": {"A.D": {"priceDimensions": {"A.D.E": {"pricePerUnit": {"USD": "0.1"}}}}},
            },
        }
    )


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def stubbed(*answers: tuple[str, dict[str, str], list[str]]) -> PricingClient:
    """boto3's own client, which answers these questions in this order and nothing else."""
    client: Any = refresh.pricing_client()
    stubber: Any = Stubber(client)
    for service, filters, products in answers:
        expected = {
            "ServiceCode": service,
            "FormatVersion": "aws_v1",
            "Filters": [{"Type": "TERM_MATCH", "Field": f, "Value": v} for f, v in filters.items()],
        }
        stubber.add_response("get_products", {"FormatVersion": "aws_v1", "PriceList": products}, expected)
    stubber.activate()
    return client


def question(key: str, *, region: str = BASE) -> tuple[str, dict[str, str]]:
    query = query_for(key)
    assert query is not None
    return query.service, {**query.filters, "regionCode": region}


def table_file(folder: Path) -> Path:
    path = folder / "prices.json"
    path.write_text(prices.PRICES_FILE.read_text())
    return path


def test_an_instance_type_is_asked_for_as_a_shared_linux_one() -> None:
    service, filters = question("ec2.c5.4xlarge")

    assert service == "AmazonEC2"
    assert filters == {
        "instanceType": "c5.4xlarge",
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "preInstalledSw": "NA",
        "capacitystatus": "Used",
        "licenseModel": "No License required",
        "regionCode": "us-east-1",
    }


def test_a_renewed_price_is_written_with_its_date_and_source(tmp_path: Path) -> None:
    path = table_file(tmp_path)
    client = stubbed((*question("ec2.c5.4xlarge"), [product("0.7200000000"), product("0.0")]))

    code = refresh.main(["--key", "ec2.c5.4xlarge", "--file", str(path)], client=client)

    table = prices.load(path)
    assert code == 0
    assert table.usd("ec2.c5.4xlarge", region=BASE) == 0.72
    assert table.source_of("ec2.c5.4xlarge", region=BASE).confidence == "high"
    assert table.dated == table.sources["price-list-api"].as_of


def test_another_region_s_price_stands_beside_the_base_and_wins_there(tmp_path: Path) -> None:
    path = table_file(tmp_path)
    client = stubbed((*question("ec2.c5.4xlarge", region="eu-west-1"), [product("0.768")]))

    refresh.main(["--region", "eu-west-1", "--key", "ec2.c5.4xlarge", "--file", str(path)], client=client)

    table = prices.load(path)
    assert table.usd("ec2.c5.4xlarge", region="eu-west-1") == 0.768
    assert table.usd("ec2.c5.4xlarge", region=BASE) == 0.68


def test_products_of_another_usage_and_further_tiers_do_not_count(tmp_path: Path) -> None:
    path = table_file(tmp_path)
    answers = [
        product("0.05", usage="USE1-NatGateway-Hours"),
        product("0.06", usage="USE1-NatGateway-Bytes"),
        product("0.01", usage="USE1-NatGateway-Hours", begin="10240"),
    ]

    refresh.main(["--key", "nat.hour", "--file", str(path)], client=stubbed((*question("nat.hour"), answers)))

    assert prices.load(path).usd("nat.hour", region=BASE) == 0.05


@pytest.mark.parametrize("answers", [[], [product("0.7"), product("0.8")]], ids=["none", "several"])
def test_a_price_without_one_clear_answer_stays_and_is_named(
    answers: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table_file(tmp_path)

    refresh.main(
        ["--key", "ec2.c5.4xlarge", "--file", str(path)],
        client=stubbed((*question("ec2.c5.4xlarge"), answers)),
    )

    assert f"ec2.c5.4xlarge: kept; the API has {len(answers)} prices for it" in capsys.readouterr().out
    assert path.read_text() == prices.PRICES_FILE.read_text()


def test_what_the_api_does_not_sell_stays_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refresh.main(["--key", "eks.tier-xl", "--file", str(table_file(tmp_path))], client=stubbed())

    assert "read from AWS's price pages by hand" in capsys.readouterr().out


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = table_file(tmp_path)
    client = stubbed((*question("ec2.c5.4xlarge"), [product("0.72")]))

    refresh.main(["--dry-run", "--key", "ec2.c5.4xlarge", "--file", str(path)], client=client)

    assert "renewed, 0.68 -> 0.72 USD" in capsys.readouterr().out
    assert path.read_text() == prices.PRICES_FILE.read_text()


def test_without_credentials_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    assert refresh.main(["--key", "nat.hour"]) == 1
    said = capsys.readouterr().err
    assert "wants credentials, and there are none" in said
    assert "pricing:GetProducts" in said
