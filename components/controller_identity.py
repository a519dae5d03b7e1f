"""An AWS identity for one Kubernetes service account, by EKS Pod Identity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.base import Component
from infra.cluster.controller_policies import Statement
from infra.naming import StackContext


@dataclass(frozen=True, kw_only=True)
class ServiceAccount:
    """A service account by namespace and name.

    Attributes:
        namespace: Its namespace.
        name: Its name.
    """

    namespace: str
    name: str


class ControllerIdentity(Component):
    """A role that exactly one service account of one cluster can take, with a policy of its own.

    Args:
        name: Logical name, e.g. `addons-cluster-autoscaler`.
        context: Names, tags and protection of the stack.
        cluster_name: Name of the cluster.
        account_id: Number of the AWS account, for the condition on who may take the role.
        service_account: Who takes the role; it need not exist yet.
        statements: Statements of the role's policy, least privilege.
        opts: Options of the component.

    Outputs:
        role_arn: ARN of the role, ordered after its policy.
        association: The link to the service account; pods made before it have no identity, so that workloads
            wait for it.

    Raises:
        infra.naming.NamingError: When a required tag is empty.
    """

    role_arn: pulumi.Output[str]
    association: aws.eks.PodIdentityAssociation

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        cluster_name: pulumi.Input[str],
        account_id: pulumi.Input[str],
        service_account: ServiceAccount,
        statements: pulumi.Input[Sequence[Statement]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ControllerIdentity", name, context=context, opts=opts)
        self._service_account = service_account
        role = self._create_role(account_id)
        self.role_arn = self._create_policy(role, statements)
        self.association = self._create_association(cluster_name)
        self.register_outputs({"roleArn": self.role_arn})

    def _create_role(self, account_id: pulumi.Input[str]) -> aws.iam.Role:
        cluster_arn = pulumi.Output.format(
            "arn:aws:eks:{0}:{1}:cluster/{2}", self.context.region, account_id, self.context.name()
        )
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["sts:AssumeRole", "sts:TagSession"],
                    "Principal": {"Service": "pods.eks.amazonaws.com"},
                    "Condition": {
                        "StringEquals": {
                            "aws:SourceAccount": account_id,
                            "aws:RequestTag/kubernetes-namespace": self._service_account.namespace,
                            "aws:RequestTag/kubernetes-service-account": self._service_account.name,
                        },
                        "ArnEquals": {"aws:SourceArn": cluster_arn},
                    },
                }
            ],
        }
        return aws.iam.Role(
            self._name,
            name=self.context.global_name(self._service_account.name, limit=64),
            assume_role_policy=pulumi.Output.json_dumps(trust),
            tags=self.tags(),
            opts=self.child(),
        )

    def _create_policy(
        self, role: aws.iam.Role, statements: pulumi.Input[Sequence[Statement]]
    ) -> pulumi.Output[str]:
        policy = aws.iam.RolePolicy(
            self._name,
            role=role.name,
            policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements}),
            opts=self.child(),
        )
        # An identity without its policy fails its first calls, hence the ARN waits for it.
        return pulumi.Output.all(role.arn, policy.id).apply(_first)

    def _create_association(self, cluster_name: pulumi.Input[str]) -> aws.eks.PodIdentityAssociation:
        return aws.eks.PodIdentityAssociation(
            self._name,
            cluster_name=cluster_name,
            namespace=self._service_account.namespace,
            service_account=self._service_account.name,
            role_arn=self.role_arn,
            tags=self.tags(),
            opts=self.child(),
        )


def _first(values: Sequence[str]) -> str:
    return values[0]
