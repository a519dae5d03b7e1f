"""For every policy: what passes, and single changes that must not."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import Any

from infra.naming import REQUIRED_TAGS
from infra.policy.model import UNKNOWN

_KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
_TAGS = {"tags": dict.fromkeys(REQUIRED_TAGS, "x")}
_RESTRICTED: dict[str, Any] = {
    "name": "app",
    "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.2.3",
    "securityContext": {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
}
_POD: dict[str, Any] = {
    "spec": {
        "template": {
            "spec": {
                "automountServiceAccountToken": False,
                "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [_RESTRICTED],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
            }
        }
    }
}
_CONTAINER = "spec.template.spec.containers.0"


def _document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


@dataclass(frozen=True)
class Good:
    """Properties with which a resource passes every policy of a name, and dotted changes that each break it."""

    policy: str
    type: str
    props: dict[str, Any]
    breaking: dict[str, tuple[Any, str]]
    """Dotted path to the value that breaks it, and a part of what is said then."""
    protect: bool = False

    def broken(self, path: str) -> dict[str, Any]:
        """The properties with one changed; None leaves it out."""
        props: Any = copy.deepcopy(self.props)
        *way, last = path.split(".")
        target: Any = props
        for step in way:
            target = target[int(step) if step.isdecimal() else step]
        value = self.breaking[path][0]
        if value is None:
            del target[last]
        else:
            target[last] = value
        return props


CASES = (
    Good(
        "encryption-at-rest",
        "aws:rds/instance:Instance",
        {"storageEncrypted": True, "kmsKeyId": _KEY},
        {"storageEncrypted": (False, "storageEncrypted"), "kmsKeyId": (None, "customer key")},
    ),
    Good(
        "encryption-at-rest",
        "aws:rds/cluster:Cluster",
        {"storageEncrypted": True, "kmsKeyId": _KEY},
        {"storageEncrypted": (None, "storageEncrypted")},
    ),
    Good(
        "encryption-at-rest",
        "aws:efs/fileSystem:FileSystem",
        {"encrypted": True, "kmsKeyId": _KEY},
        {"encrypted": (False, "encrypted")},
    ),
    Good(
        "encryption-at-rest",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {"atRestEncryptionEnabled": "true", "kmsKeyId": UNKNOWN},
        {"atRestEncryptionEnabled": ("false", "atRestEncryptionEnabled"), "kmsKeyId": ("", "customer key")},
    ),
    Good(
        "encryption-at-rest",
        "aws:msk/cluster:Cluster",
        {"encryptionInfo": {"encryptionAtRestKmsKeyArn": _KEY}},
        {"encryptionInfo.encryptionAtRestKmsKeyArn": (None, "customer key")},
    ),
    Good(
        "encryption-at-rest",
        "aws:eks/cluster:Cluster",
        {"encryptionConfig": {"provider": {"keyArn": _KEY}, "resources": ["secrets"]}},
        {
            "encryptionConfig.provider.keyArn": (None, "customer key"),
            "encryptionConfig.resources": ([], "secrets are not encrypted"),
        },
    ),
    Good(
        "encryption-at-rest",
        "aws:ecr/repository:Repository",
        {"encryptionConfigurations": [{"encryptionType": "KMS"}]},
        {"encryptionConfigurations.0.encryptionType": ("AES256", "customer key")},
    ),
    Good(
        "encryption-at-rest",
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"encrypted": "true"}}]},
        {"blockDeviceMappings.0.ebs.encrypted": ("false", "/dev/xvda is not encrypted")},
    ),
    Good(
        "encryption-at-rest",
        "aws:secretsmanager/secret:Secret",
        {"kmsKeyId": _KEY},
        {"kmsKeyId": (None, "customer key")},
    ),
    Good(
        "encryption-at-rest",
        "aws:sns/topic:Topic",
        {"kmsMasterKeyId": _KEY},
        {"kmsMasterKeyId": (None, "key")},
    ),
    Good(
        "encryption-at-rest",
        "aws:sqs/queue:Queue",
        {"kmsMasterKeyId": _KEY},
        {"kmsMasterKeyId": (None, "key")},
    ),
    Good(
        "encryption-in-transit",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {"transitEncryptionEnabled": True, "transitEncryptionMode": "required"},
        {
            "transitEncryptionEnabled": (False, "transitEncryptionEnabled"),
            "transitEncryptionMode": ("preferred", "in clear"),
        },
    ),
    Good(
        "encryption-in-transit",
        "aws:msk/cluster:Cluster",
        {
            "encryptionInfo": {"encryptionInTransit": {"clientBroker": "TLS", "inCluster": True}},
            "clientAuthentication": {"unauthenticated": False},
        },
        {
            "encryptionInfo.encryptionInTransit.clientBroker": ("TLS_PLAINTEXT", "in clear"),
            "encryptionInfo.encryptionInTransit.inCluster": (False, "brokers speak in clear"),
            "clientAuthentication.unauthenticated": (True, "who they are"),
        },
    ),
    Good(
        "encryption-in-transit",
        "aws:rds/parameterGroup:ParameterGroup",
        {"family": "postgres17", "parameters": [{"name": "rds.force_ssl", "value": "1"}]},
        {"parameters.0.value": ("0", "rds.force_ssl"), "parameters": ([], "rds.force_ssl")},
    ),
    Good(
        "encryption-in-transit",
        "aws:lb/targetGroup:TargetGroup",
        {"protocol": "HTTPS"},
        {"protocol": ("HTTP", "HTTPS")},
    ),
    Good(
        "encryption-in-transit",
        "aws:cloudfront/distribution:Distribution",
        {
            "defaultCacheBehavior": {"viewerProtocolPolicy": "https-only"},
            "orderedCacheBehaviors": [{"pathPattern": "/x", "viewerProtocolPolicy": "redirect-to-https"}],
            "origins": [{"originId": "o", "customOriginConfig": {"originProtocolPolicy": "https-only"}}],
        },
        {
            "defaultCacheBehavior.viewerProtocolPolicy": ("allow-all", "path *"),
            "orderedCacheBehaviors.0.viewerProtocolPolicy": ("allow-all", "path /x"),
            "origins.0.customOriginConfig.originProtocolPolicy": ("match-viewer", "origin o"),
        },
    ),
    Good(
        "tls-floor",
        "aws:lb/listener:Listener",
        {"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"},
        {"sslPolicy": ("ELBSecurityPolicy-2016-08", "sslPolicy is"), "protocol": ("HTTP", "only redirect")},
    ),
    Good(
        "tls-floor",
        "aws:cloudfront/distribution:Distribution",
        {
            "viewerCertificate": {"minimumProtocolVersion": "TLSv1.2_2021"},
            "origins": [{"originId": "o", "customOriginConfig": {"originSslProtocols": ["TLSv1.2"]}}],
        },
        {
            "viewerCertificate.minimumProtocolVersion": ("TLSv1", "minimumProtocolVersion is TLSv1"),
            "origins.0.customOriginConfig.originSslProtocols": (["TLSv1", "TLSv1.2"], "over TLSv1"),
        },
    ),
    Good(
        "no-open-ingress",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        {"cidrIpv4": "10.0.0.0/16", "prefixListId": "pl-1"},
        {"cidrIpv4": ("0.0.0.0/0", "traffic from 0.0.0.0/0")},
    ),
    Good(
        "no-open-ingress",
        "aws:ec2/securityGroup:SecurityGroup",
        {"ingress": [{"cidrBlocks": ["198.51.100.0/24"]}], "egress": [{"cidrBlocks": ["0.0.0.0/0"]}]},
        {"ingress.0.cidrBlocks": (["::/0"], "::/0")},
    ),
    Good(
        "no-open-ingress",
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        {"type": "egress", "cidrBlocks": ["0.0.0.0/0"]},
        {"type": ("ingress", "0.0.0.0/0")},
    ),
    Good(
        "no-open-ingress",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        {"ingress": []},
        {"ingress": ([{"cidrBlocks": ["3.0.0.0/8"]}], "3.0.0.0/8")},
    ),
    Good(
        "no-public-exposure",
        "aws:rds/instance:Instance",
        {"publiclyAccessible": False},
        {"publiclyAccessible": (True, "publiclyAccessible")},
    ),
    Good(
        "no-public-exposure",
        "aws:ec2/subnet:Subnet",
        {"mapPublicIpOnLaunch": False},
        {"mapPublicIpOnLaunch": (True, "public address")},
    ),
    Good(
        "no-public-exposure",
        "aws:msk/cluster:Cluster",
        {"brokerNodeGroupInfo": {"connectivityInfo": {"publicAccess": {"type": "DISABLED"}}}},
        {"brokerNodeGroupInfo.connectivityInfo.publicAccess.type": ("SERVICE_PROVIDED_EIPS", "publicAccess")},
    ),
    Good(
        "no-public-exposure",
        "aws:eks/cluster:Cluster",
        {"vpcConfig": {"endpointPublicAccess": False}},
        {"vpcConfig.endpointPublicAccess": (True, "open to all"), "vpcConfig": ({}, "open to all")},
    ),
    Good(
        "no-public-exposure",
        "aws:eks/cluster:Cluster",
        {"vpcConfig": {"endpointPublicAccess": True, "publicAccessCidrs": ["198.51.100.0/24"]}},
        {"vpcConfig.publicAccessCidrs": (["0.0.0.0/0"], "open to all")},
    ),
    Good(
        "no-public-exposure",
        "aws:lambda/functionUrl:FunctionUrl",
        {"authorizationType": "AWS_IAM"},
        {"authorizationType": ("NONE", "anyone")},
    ),
    Good(
        "no-public-exposure",
        "aws:lb/loadBalancer:LoadBalancer",
        {"internal": False, "dropInvalidHeaderFields": True},
        {"dropInvalidHeaderFields": (False, "header fields")},
    ),
    Good(
        "no-public-exposure",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        {
            "blockPublicAcls": True,
            "blockPublicPolicy": True,
            "ignorePublicAcls": True,
            "restrictPublicBuckets": True,
        },
        {"blockPublicPolicy": (False, "blockPublicPolicy"), "restrictPublicBuckets": (None, "restrict")},
    ),
    Good(
        "no-second-entrance",
        "kubernetes:core/v1:Service",
        {"spec": {"type": "ClusterIP"}},
        {"spec.type": ("NodePort", "ClusterIP")},
    ),
    Good(
        "no-iam-wildcard",
        "aws:iam/rolePolicy:RolePolicy",
        {"policy": _document(Action=["s3:GetObject"], Resource="arn:aws:s3:::b/*")},
        {"policy": (_document(Action="s3:*", Resource="arn:aws:s3:::b"), "action s3:* has a wildcard")},
    ),
    Good(
        "no-iam-wildcard",
        "aws:iam/policy:Policy",
        {"policy": _document(Action=["ec2:DescribeSubnets"], Resource="*")},
        {"policy": (_document(Action=["ec2:TerminateInstances"], Resource="*"), "on every resource")},
    ),
    Good(
        "no-iam-wildcard",
        "aws:iam/role:Role",
        {"assumeRolePolicy": _document(Action="sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"})},
        {"assumeRolePolicy": (_document(Action="sts:AssumeRole", Principal={"AWS": "*"}), "anyone")},
    ),
    Good(
        "no-iam-wildcard",
        "aws:kms/key:Key",
        {"policy": _document(Action="kms:*", Resource="*", Principal={"AWS": "arn:aws:iam::1:root"})},
        {"policy": (_document(NotAction="kms:Delete", Resource="*", Principal={"AWS": "1"}), "NotAction")},
    ),
    Good(
        "no-full-access",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"policyArn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"},
        {"policyArn": ("arn:aws:iam::aws:policy/AdministratorAccess", "AdministratorAccess")},
    ),
    Good(
        "stores-are-protected",
        "aws:rds/instance:Instance",
        {"deletionProtection": True, "skipFinalSnapshot": False},
        {"deletionProtection": (False, "deletionProtection"), "skipFinalSnapshot": (True, "last snapshot")},
        protect=True,
    ),
    Good(
        "stores-are-protected",
        "aws:s3/bucket:Bucket",
        {"forceDestroy": False},
        {"forceDestroy": (True, "forceDestroy")},
        protect=True,
    ),
    Good(
        "stores-are-protected",
        "aws:secretsmanager/secret:Secret",
        {"recoveryWindowInDays": 30},
        {"recoveryWindowInDays": (0, "protect=True")},
    ),
    Good(
        "stores-are-protected",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {"durability": "disabled"},
        {"durability": ("sync", "protect=True")},
    ),
    Good("stores-are-protected", "aws:route53/zone:Zone", {"vpcs": [{}]}, {"vpcs": (None, "protect=True")}),
    Good(
        "stores-are-protected",
        "aws:lb/loadBalancer:LoadBalancer",
        {"enableDeletionProtection": True},
        {"enableDeletionProtection": (False, "enableDeletionProtection")},
    ),
    Good(
        "backups-are-on",
        "aws:rds/instance:Instance",
        {"backupRetentionPeriod": 14},
        {"backupRetentionPeriod": (1, "at least 7 days")},
    ),
    Good(
        "backups-are-on",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {"durability": "async", "snapshotRetentionLimit": 7},
        {"snapshotRetentionLimit": (0, "no snapshot")},
    ),
    Good(
        "logs-end",
        "aws:cloudwatch/logGroup:LogGroup",
        {"retentionInDays": 90},
        {"retentionInDays": (0, "for ever")},
    ),
    Good(
        "keys-rotate",
        "aws:kms/key:Key",
        {"enableKeyRotation": True},
        {"enableKeyRotation": (False, "Rotation")},
    ),
    Good(
        "metadata-needs-a-token",
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1}},
        {
            "metadataOptions.httpTokens": ("optional", "without a token"),
            "metadataOptions.httpPutResponseHopLimit": (2, "pods reach"),
        },
    ),
    Good(
        "kubernetes-is-supported",
        "aws:eks/cluster:Cluster",
        {"version": "1.36", "upgradePolicy": {"supportType": "STANDARD"}},
        {
            "version": ("1.21", "no end of standard support"),
            "upgradePolicy": ({}, "extended support"),
        },
    ),
    Good(
        "images-are-pinned",
        "kubernetes:apps/v1:Deployment",
        _POD,
        {
            f"{_CONTAINER}.image": ("nginx", "another image every day"),
            "spec.template.spec.containers": (
                [{"name": "a", "image": "docker.io/nginx:1.29"}],
                "can be moved",
            ),
        },
    ),
    Good(
        "image-tags-are-immutable",
        "aws:ecr/repository:Repository",
        {"imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": True}},
        {"imageTagMutability": ("MUTABLE", "moved"), "imageScanningConfiguration": (None, "not scanned")},
    ),
    Good(
        "tags-are-complete", "aws:ec2/vpc:Vpc", _TAGS, {"tags": ({"owner": "me"}, "environment, region-role")}
    ),
    Good(
        "pods-are-restricted",
        "kubernetes:apps/v1:Deployment",
        _POD,
        {
            f"{_CONTAINER}.securityContext.runAsNonRoot": (None, "as root"),
            f"{_CONTAINER}.securityContext.runAsUser": (0, "runAsUser is 0"),
            f"{_CONTAINER}.securityContext.privileged": (True, "is privileged"),
            f"{_CONTAINER}.securityContext.allowPrivilegeEscalation": (True, "gain privileges"),
            f"{_CONTAINER}.securityContext.readOnlyRootFilesystem": (None, "own image"),
            f"{_CONTAINER}.securityContext.capabilities": ({"drop": ["ALL"], "add": ["SYS_ADMIN"]}, "adds"),
            f"{_CONTAINER}.securityContext.capabilities.drop": ([], "drop ALL"),
            "spec.template.spec.securityContext": ({}, "seccomp"),
            "spec.template.spec.hostNetwork": (True, "hostNetwork"),
            "spec.template.spec.volumes": ([{"name": "x", "hostPath": {"path": "/"}}], "hostPath"),
        },
    ),
    Good(
        "pods-have-sizes",
        "kubernetes:batch/v1:Job",
        _POD,
        {f"{_CONTAINER}.resources.limits.memory": (None, "no memory in limits")},
    ),
    Good(
        "no-needless-token",
        "kubernetes:apps/v1:Deployment",
        _POD,
        {"spec.template.spec.automountServiceAccountToken": (None, "token")},
    ),
    Good(
        "namespaces-enforce-pod-security",
        "kubernetes:core/v1:Namespace",
        {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}},
        {"metadata.labels": ({}, "which pods it takes")},
    ),
)
