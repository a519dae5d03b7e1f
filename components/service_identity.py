"""The AWS identity of one service's pods: its topics and its own secrets, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from components.base import Component
from infra.data.kafka_access import client_statements
from infra.model.service import Service
from infra.naming import StackContext

ROLE_NAME_LIMIT = 64


@dataclass(frozen=True, kw_only=True)
class PodSite:
    """Where the pods are that get the role.

    Attributes:
        cluster_name: Name of the EKS cluster.
        namespace: Namespace of the pods.
    """

    cluster_name: pulumi.Input[str]
    namespace: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class Access:
    """What a service's role may reach.

    Attributes:
        kafka_cluster_arn: ARN of the MSK cluster; needed when the service uses topics.
        secret_arns: ARNs of its own secrets, by a stable short name.
        secrets_key_arn: KMS key of these secrets; needed when there are any.
    """

    kafka_cluster_arn: pulumi.Input[str] | None = None
    secret_arns: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    secrets_key_arn: pulumi.Input[str] | None = None


class ServiceIdentity(Component):
    """An IAM role for a service's pods, handed out by EKS Pod Identity.

    Args:
        name: Logical name, stable and short, e.g. `auth-identity`.
        context: Names, tags and protection of the stack.
        service: Whose topics are allowed: it writes `produces`, reads `consumption.topics` in the consumer group
            named after its workload.
        pods: Where its pods are; the role is for the ServiceAccount named as the workload, and no other.
        access: What it may reach.
        opts: Options of the component itself.

    Outputs:
        role_arn: ARN of the role.
        role_name: Name of the role.
        association: The link to the service account. Pods made before it have no identity: let the workload wait
            for it (`ClusterSite.waiting_for`).

    Raises:
        ValueError: When the service uses topics without a cluster, or has secrets without their key.
    """

    role_arn: pulumi.Output[str]
    role_name: pulumi.Output[str]
    association: aws.eks.PodIdentityAssociation

    def __init__(
        self,
        name: str,
        *,
        context: StackContext,
        service: Service,
        pods: PodSite,
        access: Access,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ServiceIdentity", name, context=context, opts=opts)
        self._service, self._pods, self._access = service, pods, access
        self._check()
        self._role = self._create_role()
        self._create_policy()
        self.association = self._create_association()
        self.role_arn = self._role.arn
        self.role_name = self._role.name
        self.register_outputs({"role_arn": self.role_arn, "role_name": self.role_name})

    @property
    def _uses_topics(self) -> bool:
        return bool(self._service.produces or self._service.consumption)

    def _check(self) -> None:
        workload = self._service.workload_name
        if self._uses_topics and self._access.kafka_cluster_arn is None:
            raise ValueError(f"{workload} uses Kafka topics; access.kafka_cluster_arn is missing")
        if self._access.secret_arns and self._access.secrets_key_arn is None:
            raise ValueError(
                f"{workload} has secrets; access.secrets_key_arn, the key to read them, is missing"
            )

    def _create_role(self) -> aws.iam.Role:
        return aws.iam.Role(
            f"{self._name}-role",
            name=self.context.global_name(self._service.workload_name, limit=ROLE_NAME_LIMIT),
            description=f"Pods of {self._service.workload_name}",
            assume_role_policy=pulumi.Output.all(
                self._pods.cluster_name, self._pods.namespace, self._service.workload_name
            ).apply(lambda names: json.dumps(_trust(*names))),
            tags=self.tags(service=self._service.name),
            opts=self.child(),
        )

    def _create_policy(self) -> aws.iam.RolePolicy | None:
        """Make the role's policy; a service without topics and secrets gets none, and so may do nothing."""
        if not self._uses_topics and not self._access.secret_arns:
            return None
        secrets = self._access.secret_arns
        inputs: list[pulumi.Input[str]] = [
            self._access.kafka_cluster_arn or "",
            self._access.secrets_key_arn or "",
            *(secrets[key] for key in sorted(secrets)),
        ]
        return aws.iam.RolePolicy(
            f"{self._name}-policy",
            role=self._role.name,
            name="own-data",
            policy=pulumi.Output.all(*inputs).apply(self._document),
            opts=self.child(),
        )

    def _document(self, arns: Sequence[str]) -> str:
        cluster, key, *secrets = arns
        consumption = self._service.consumption
        statements: list[Mapping[str, Any]] = []
        if self._uses_topics:
            statements += client_statements(
                cluster_arn=cluster,
                produces=self._service.produces,
                consumes=consumption.topics if consumption else (),
                group=self._service.workload_name,
            )
        if secrets:
            statements += _secret_statements(secrets, key, self.context.region)
        return json.dumps({"Version": "2012-10-17", "Statement": statements})

    def _create_association(self) -> aws.eks.PodIdentityAssociation:
        return aws.eks.PodIdentityAssociation(
            f"{self._name}-association",
            cluster_name=self._pods.cluster_name,
            namespace=self._pods.namespace,
            service_account=self._service.workload_name,
            role_arn=self._role.arn,
            tags=self.tags(service=self._service.name),
            opts=self.child(),
        )


def _trust(cluster_name: str, namespace: str, service_account: str) -> Mapping[str, Any]:
    """Only Pod Identity, and only for these pods: its session tags say who asks."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "PodIdentity",
                "Effect": "Allow",
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
                "Condition": {
                    "StringEquals": {
                        "aws:RequestTag/eks-cluster-name": cluster_name,
                        "aws:RequestTag/kubernetes-namespace": namespace,
                        "aws:RequestTag/kubernetes-service-account": service_account,
                    }
                },
            }
        ],
    }


def _secret_statements(secret_arns: Sequence[str], key_arn: str, region: str) -> list[Mapping[str, Any]]:
    return [
        {
            "Sid": "OwnSecrets",
            "Effect": "Allow",
            "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            "Resource": sorted(secret_arns),
        },
        {
            "Sid": "DecryptThem",
            "Effect": "Allow",
            "Action": ["kms:Decrypt"],
            "Resource": [key_arn],
            "Condition": {"StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}},
        },
    ]
