"""The AWS account that a stack is built in."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws


def account_id(parent: pulumi.Resource) -> pulumi.Output[str]:
    """Number of the account behind the provider of `parent`, known at preview already.

    Args:
        parent: The component that asks; its provider answers.
    """
    identity = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=parent))
    return identity.account_id
