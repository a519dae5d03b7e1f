"""The contract between stacks: what is missing, older or malformed is said in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from stacks import contract
from stacks.contract import ContractError, RegionContract, offer, validate

FIELDS: dict[str, Any] = {
    "region": "us-east-1",
    "vpcId": "vpc-0",
    "vpcCidr": "10.0.0.0/16",
    "privateCidrs": ["10.0.0.0/19", "10.0.64.0/19"],
    "routeTableIds": {"private-a": "rtb-1", "database": "rtb-2"},
    "databaseSecurityGroupId": "sg-0",
    "zoneId": "Z0",
    "originDomain": "origin.parking.example.com",
    "privateZoneId": "Z1",
    "writerName": "writer.database.prod.internal",
    "databaseArn": "arn:aws:rds:us-east-1:123456789012:db:parking-prod-database",
    "databaseEndpoint": "parking-prod-database.example",
}


def offered(**changes: Any) -> dict[str, Any]:
    # The engine's numbers are floating point.
    return {"version": float(contract.VERSION), **FIELDS, **changes}


def test_a_whole_contract_is_read() -> None:
    read = validate(offered(), stack="prod")

    assert read.route_table_ids["database"] == "rtb-2"
    assert read.private_cidrs == ("10.0.0.0/19", "10.0.64.0/19")


def test_a_stack_of_an_older_contract_is_named_with_both_versions_and_what_to_do() -> None:
    older = {"version": 2.0, "region": "us-east-1", "databaseSecretArn": "arn:aws:secretsmanager:x"}

    with pytest.raises(ContractError) as raised:
        validate(older, stack="prod")

    said = str(raised.value)
    assert "Stack prod offers contract version 2.0, this program needs version 3" in said
    assert "pulumi up --stack prod" in said


def test_a_stack_that_was_never_applied_is_said_to_be_so() -> None:
    with pytest.raises(ContractError, match="has not been applied yet"):
        validate(None, stack="prod")


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_missing_field_is_named(name: str) -> None:
    with pytest.raises(ContractError, match=f"{name}: Field required"):
        validate({key: value for key, value in offered().items() if key != name}, stack="prod")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"databaseArn": "parking-prod-database"}, "databaseArn"),
        ({"privateCidrs": ["10.0.0.0/19"]}, "privateCidrs"),
        ({"somethingNew": "x"}, "somethingNew"),
    ],
)
def test_a_malformed_field_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ContractError, match=field):
        validate(offered(**change), stack="prod")


def test_an_offer_leaves_no_field_out_and_adds_none() -> None:
    whole = {name: "x" for name in RegionContract.model_fields if name != "version"}

    assert offer(**whole)["version"] == contract.VERSION
    with pytest.raises(ValueError, match="writer_name"):
        offer(**{name: value for name, value in whole.items() if name != "writer_name"})
    with pytest.raises(ValueError, match="more"):
        offer(**whole, more="x")
