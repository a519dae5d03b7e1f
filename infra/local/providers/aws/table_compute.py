"""Facts about compute types: EC2 instances and templates, EKS, autoscaling, Lambda, ECR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from infra.local.providers.aws.kinds import Kind, arn
from infra.local.providers.naming import AutoName
from infra.local.providers.values import Map

# A certificate's shape is all a stand-in can give: base64 of a PEM frame, as EKS returns it.
_AUTHORITY: Final = (
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tClRoaXMgaXMgYSBzdGFuZC1pbiwgbm90IGEgY2VydGlmaWNhdGUuCi0tLS0tRU5EIENFUlRJRklDQVRF"
    "LS0tLS0K"
)


def _encryption_removed(path: str, old: Map, new: Map) -> bool:
    """Envelope encryption can be switched on, never off."""
    return (
        path.startswith("encryptionConfig")
        and bool(old.get("encryptionConfig"))
        and not new.get("encryptionConfig")
    )


KINDS: Final[Mapping[str, Kind]] = {
    "eks:Cluster": Kind(
        id="{name}",
        outputs={
            "arn": arn("eks", "cluster/{name}"),
            "endpoint": "https://{X32}.gr7.{region}.eks.amazonaws.com",
            "certificateAuthority": {"data": _AUTHORITY},
            "clusterId": "",
            "createdAt": "2026-01-01T00:00:00Z",
            "identities": [{"oidcs": [{"issuer": "https://oidc.eks.{region}.amazonaws.com/id/{X32}"}]}],
            "platformVersion": "eks.1",
            "status": "ACTIVE",
            "version": "1.36",
            "accessConfig": {
                "authenticationMode": "CONFIG_MAP",
                "bootstrapClusterCreatorAdminPermissions": True,
            },
            "kubernetesNetworkConfig": {
                "serviceIpv4Cidr": "172.20.0.0/16",
                "ipFamily": "ipv4",
                "serviceIpv6Cidr": "",
                "elasticLoadBalancing": {"enabled": False},
            },
            "upgradePolicy": {"supportType": "EXTENDED"},
            "controlPlaneScalingConfig": {"tier": "standard"},
            "deletionProtection": False,
            "vpcConfig": {
                "clusterSecurityGroupId": "sg-{x17}",
                "vpcId": "{vpcOf:vpcConfig.subnetIds}",
                "endpointPrivateAccess": False,
                "endpointPublicAccess": True,
                "publicAccessCidrs": ["0.0.0.0/0"],
            },
        },
        replaces=(
            "name roleArn bootstrapSelfManagedAddons accessConfig.bootstrapClusterCreatorAdminPermissions "
            "kubernetesNetworkConfig.ipFamily kubernetesNetworkConfig.serviceIpv4Cidr outpostConfig"
        ),
        name=AutoName(limit=100),
        unordered="enabledClusterLogTypes subnetIds securityGroupIds publicAccessCidrs",
        replaces_if=_encryption_removed,
        protected="deletionProtection",
    ),
    "eks:NodeGroup": Kind(
        id="{clusterName}:{nodeGroupName}",
        outputs={
            "arn": arn("eks", "nodegroup/{clusterName}/{nodeGroupName}/{uuid}"),
            "status": "ACTIVE",
            "amiType": "AL2023_x86_64_STANDARD",
            "capacityType": "ON_DEMAND",
            "diskSize": 20,
            "instanceTypes": ["t3.medium"],
            "releaseVersion": "1.36.0-20260801",
            "version": "1.36",
            "resources": [
                {
                    "autoscalingGroups": [{"name": "eks-{nodeGroupName}-{uuid}"}],
                    "remoteAccessSecurityGroupId": "",
                }
            ],
            "nodeGroupNamePrefix": "",
        },
        replaces=(
            "clusterName nodeGroupName nodeGroupNamePrefix nodeRoleArn subnetIds instanceTypes amiType capacityType "
            "diskSize remoteAccess launchTemplate.id launchTemplate.name"
        ),
        name=AutoName("nodeGroupName", limit=63),
        unordered="subnetIds taints",
    ),
    "eks:Addon": Kind(
        id="{clusterName}:{addonName}",
        outputs={
            "arn": arn("eks", "addon/{clusterName}/{addonName}/{uuid}"),
            "createdAt": "2026-01-01T00:00:00Z",
            "modifiedAt": "2026-01-01T00:00:00Z",
            "addonVersion": "v1.0.0-eksbuild.1",
            "configurationValues": "",
        },
        replaces="clusterName addonName namespaceConfig",
    ),
    "eks:AccessEntry": Kind(
        id="{clusterName}:{principalArn}",
        outputs={
            "accessEntryArn": arn("eks", "access-entry/{clusterName}/role/{account}/{x8}/{uuid}"),
            "createdAt": "2026-01-01T00:00:00Z",
            "modifiedAt": "2026-01-01T00:00:00Z",
            "type": "STANDARD",
            "userName": "{principalArn}",
            "kubernetesGroups": [],
        },
        replaces="clusterName principalArn type",
        unordered="kubernetesGroups",
    ),
    "eks:AccessPolicyAssociation": Kind(
        id="{clusterName}#{principalArn}#{policyArn}",
        outputs={"associatedAt": "2026-01-01T00:00:00Z", "modifiedAt": "2026-01-01T00:00:00Z"},
        replaces="all",
    ),
    "eks:PodIdentityAssociation": Kind(
        id="a-{a17}",
        outputs={
            "associationArn": arn("eks", "podidentityassociation/{clusterName}/{id}"),
            "associationId": "{id}",
            "disableSessionTags": False,
            "externalId": "",
        },
        replaces="clusterName namespace serviceAccount",
    ),
    "eks:FargateProfile": Kind(
        id="{clusterName}:{fargateProfileName}",
        outputs={
            "arn": arn("eks", "fargateprofile/{clusterName}/{fargateProfileName}/{uuid}"),
            "status": "ACTIVE",
        },
        replaces="all",
        name=AutoName("fargateProfileName"),
    ),
    "eks:IdentityProviderConfig": Kind(id="{clusterName}:{name}", replaces="all"),
    "ec2:LaunchTemplate": Kind(
        id="lt-{x17}",
        outputs={"arn": arn("ec2", "launch-template/{id}"), "latestVersion": 1, "defaultVersion": 1},
        replaces="name namePrefix",
        updates="latestVersion defaultVersion",
        name=AutoName(limit=128),
        unordered="vpcSecurityGroupIds",
    ),
    "ec2:Instance": Kind(
        id="i-{x17}",
        outputs={
            "arn": arn("ec2", "instance/{id}"),
            "instanceState": "running",
            "privateIp": "10.{b1}.{b2}.{b3}",
            "privateDns": "ip-10-{b1}-{b2}-{b3}.{region}.compute.internal",
            "availabilityZone": "{region}a",
            "primaryNetworkInterfaceId": "eni-{eni.x17}",
            "publicIp": "",
            "publicDns": "",
        },
        replaces="ami subnetId availabilityZone keyName privateIp placementGroup tenancy networkInterfaces hibernation",
        unordered="vpcSecurityGroupIds securityGroups",
    ),
    "ec2:KeyPair": Kind(
        id="{keyName}",
        outputs={"keyPairId": "key-{x17}"},
        replaces="keyName publicKey",
        name=AutoName("keyName"),
    ),
    "ec2:PlacementGroup": Kind(id="{name}", replaces="all", name=AutoName()),
    "ebs:Volume": Kind(
        id="vol-{x17}",
        outputs={"arn": arn("ec2", "volume/{id}")},
        replaces="availabilityZone encrypted kmsKeyId snapshotId",
    ),
    "autoscaling:Group": Kind(
        id="{name}",
        outputs={
            "arn": arn("autoscaling", "autoScalingGroup:{uuid}:autoScalingGroupName/{name}"),
            "defaultCooldown": 300,
            "healthCheckType": "EC2",
            "healthCheckGracePeriod": 300,
        },
        replaces="name namePrefix placementGroup",
        name=AutoName(),
        unordered="vpcZoneIdentifiers targetGroupArns enabledMetrics suspendedProcesses terminationPolicies",
    ),
    "autoscaling:Policy": Kind(
        id="{name}",
        outputs={
            "arn": arn(
                "autoscaling",
                "scalingPolicy:{uuid}:autoScalingGroupName/{autoscalingGroupName}:policyName/{name}",
            )
        },
        replaces="name autoscalingGroupName",
        name=AutoName(),
    ),
    "autoscaling:Tag": Kind(id="{autoscalingGroupName},{x8}", replaces="autoscalingGroupName tag.key"),
    "autoscaling:LifecycleHook": Kind(id="{name}", replaces="name autoscalingGroupName", name=AutoName()),
    "appautoscaling:Target": Kind(
        id="{resourceId}",
        outputs={
            "arn": arn("application-autoscaling", "scalable-target/{x16}"),
            "roleArn": "arn:aws:iam::{account}:role/aws-service-role/x",
        },
        replaces="resourceId scalableDimension serviceNamespace",
    ),
    "appautoscaling:Policy": Kind(
        id="{name}",
        outputs={
            "arn": arn(
                "autoscaling",
                "scalingPolicy:{uuid}:resource/{serviceNamespace}/{resourceId}:policyName/{name}",
            ),
            "alarmArns": [],
        },
        replaces="name resourceId scalableDimension serviceNamespace",
        name=AutoName(),
    ),
    "appautoscaling:ScheduledAction": Kind(
        id="{name}-{serviceNamespace}-{resourceId}",
        replaces="name resourceId scalableDimension serviceNamespace",
        name=AutoName(),
    ),
    "lambda:Function": Kind(
        id="{name}",
        outputs={
            "arn": arn("lambda", "function:{name}"),
            "invokeArn": "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations",
            "qualifiedArn": "{arn}:$LATEST",
            "qualifiedInvokeArn": (
                "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{qualifiedArn}/invocations"
            ),
            "version": "$LATEST",
            "lastModified": "2026-01-01T00:00:00.000+0000",
            "sourceCodeSize": 1024,
            "codeSha256": "{b64}",
            "sourceCodeHash": "{b64}",
            "memorySize": 128,
            "timeout": 3,
            "packageType": "Zip",
            "architectures": ["x86_64"],
            "reservedConcurrentExecutions": -1,
            "ephemeralStorage": {"size": 512},
            "tracingConfig": {"mode": "PassThrough"},
            "loggingConfig": {"logFormat": "Text", "logGroup": "/aws/lambda/{name}"},
        },
        replaces="name packageType",
        updates="lastModified qualifiedArn version",
        name=AutoName(limit=64),
        unordered="subnetIds securityGroupIds",
    ),
    "lambda:Permission": Kind(
        id="{statementId}", outputs={"statementId": "terraform-{d20}"}, replaces="all", before=True
    ),
    "lambda:Alias": Kind(
        id="{functionName}/{name}",
        outputs={"arn": arn("lambda", "function:{functionName}:{name}")},
        replaces="name functionName",
        name=AutoName(),
    ),
    "lambda:EventSourceMapping": Kind(
        id="{uuid}",
        outputs={
            "arn": arn("lambda", "event-source-mapping:{uuid}"),
            "uuid": "{uuid}",
            "state": "Enabled",
            "functionArn": "{functionName}",
        },
        replaces="eventSourceArn selfManagedEventSource startingPosition startingPositionTimestamp",
    ),
    "lambda:LayerVersion": Kind(
        id=arn("lambda", "layer:{layerName}:1"),
        outputs={"arn": "{id}", "layerArn": arn("lambda", "layer:{layerName}"), "version": "1"},
        replaces="all",
    ),
    "ecr:Repository": Kind(
        id="{name}",
        outputs={
            "arn": arn("ecr", "repository/{name}"),
            "registryId": "{account}",
            "repositoryUrl": "{account}.dkr.ecr.{region}.amazonaws.com/{name}",
        },
        replaces="name encryptionConfigurations",
        name=AutoName(lower=True),
    ),
    "ecr:LifecyclePolicy": Kind(
        id="{repository}", outputs={"registryId": "{account}"}, replaces="repository"
    ),
    "ecr:RepositoryPolicy": Kind(
        id="{repository}", outputs={"registryId": "{account}"}, replaces="repository"
    ),
    "ecr:ReplicationConfiguration": Kind(id="{account}", outputs={"registryId": "{account}"}),
    "ecr:RegistryScanningConfiguration": Kind(id="{account}", outputs={"registryId": "{account}"}),
    "ecr:RegistryPolicy": Kind(id="{account}", outputs={"registryId": "{account}"}),
    "ecr:PullThroughCacheRule": Kind(
        id="{ecrRepositoryPrefix}",
        outputs={"registryId": "{account}"},
        replaces="ecrRepositoryPrefix upstreamRegistryUrl",
    ),
}
