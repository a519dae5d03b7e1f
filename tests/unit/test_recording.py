"""The recording mock itself must be able to fail."""

import pulumi_aws as aws
import pytest

from tests.unit.recording import run_program


def test_records_what_is_registered_with_engine_names() -> None:
    recorder = run_program(lambda: aws.ec2.Vpc("main", cidr_block="10.0.0.0/16").arn)

    assert recorder.one("aws:ec2/vpc:Vpc").inputs["cidrBlock"] == "10.0.0.0/16"


def test_a_missing_resource_fails_the_test_that_asks_for_it() -> None:
    recorder = run_program(lambda: None)

    with pytest.raises(AssertionError, match="expected one aws:ec2/vpc:Vpc"):
        recorder.one("aws:ec2/vpc:Vpc")


def test_an_error_of_the_program_reaches_the_test() -> None:
    def program() -> None:
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        run_program(program)
