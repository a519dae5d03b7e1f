"""Encryption at rest and in transit, and the oldest TLS that is spoken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infra.policy.model import UNKNOWN, Check, Policy, Site, Subject, at, by_type, is_on, is_set, items

TLS_OF_LISTENERS = "ELBSecurityPolicy-TLS13-1-2"
"""What the name of a listener's policy begins with: TLS 1.2 or 1.3, no older one."""
TLS_OF_VIEWERS = ("TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025")


def _key(subject: Subject, name: str = "kmsKeyId") -> Iterator[str]:
    if not is_set(at(subject.props, *name.split("."))):
        yield f"no customer key: set {name}"


def _switch(subject: Subject, name: str) -> Iterator[str]:
    if not is_on(at(subject.props, name)):
        yield f"{name} is not true"


def _store(switch: str) -> Check:
    """A store with a switch and a key."""

    def check(subject: Subject, _site: Site) -> Iterator[str]:
        yield from _switch(subject, switch)
        yield from _key(subject)

    return check


def _kafka_at_rest(subject: Subject, _site: Site) -> Iterator[str]:
    yield from _key(subject, "encryptionInfo.encryptionAtRestKmsKeyArn")


def _cluster_secrets(subject: Subject, _site: Site) -> Iterator[str]:
    yield from _key(subject, "encryptionConfig.provider.keyArn")
    resources = at(subject.props, "encryptionConfig", "resources")
    if resources is not UNKNOWN and "secrets" not in items(resources):
        yield "Kubernetes secrets are not encrypted: set encryptionConfig.resources to secrets"


def _repository(subject: Subject, _site: Site) -> Iterator[str]:
    if at(subject.props, "encryptionConfigurations", "encryptionType") not in ("KMS", UNKNOWN):
        yield "images are not encrypted with a customer key: set encryptionConfigurations"


def _volumes(subject: Subject, _site: Site) -> Iterator[str]:
    for mapping in items(at(subject.props, "blockDeviceMappings")):
        if not is_on(at(mapping, "ebs", "encrypted")):
            yield f"volume {at(mapping, 'deviceName')} is not encrypted"


def _secret(subject: Subject, _site: Site) -> Iterator[str]:
    yield from _key(subject)


def _message(subject: Subject, _site: Site) -> Iterator[str]:
    yield from _key(subject, "kmsMasterKeyId")


_AT_REST: Mapping[str, Check] = {
    "aws:rds/instance:Instance": _store("storageEncrypted"),
    "aws:rds/cluster:Cluster": _store("storageEncrypted"),
    "aws:efs/fileSystem:FileSystem": _store("encrypted"),
    "aws:elasticache/replicationGroup:ReplicationGroup": _store("atRestEncryptionEnabled"),
    "aws:msk/cluster:Cluster": _kafka_at_rest,
    "aws:eks/cluster:Cluster": _cluster_secrets,
    "aws:ecr/repository:Repository": _repository,
    "aws:ec2/launchTemplate:LaunchTemplate": _volumes,
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:sns/topic:Topic": _message,
    "aws:sqs/queue:Queue": _message,
}


def _cache_in_transit(subject: Subject, _site: Site) -> Iterator[str]:
    yield from _switch(subject, "transitEncryptionEnabled")
    if at(subject.props, "transitEncryptionMode") == "preferred":
        yield "transitEncryptionMode is preferred, which also takes clients in clear"


def _kafka_in_transit(subject: Subject, _site: Site) -> Iterator[str]:
    transit = at(subject.props, "encryptionInfo", "encryptionInTransit")
    if at(transit, "clientBroker") not in ("TLS", UNKNOWN):
        yield "clients may speak in clear: set encryptionInTransit.clientBroker to TLS"
    if at(transit, "inCluster") is False:
        yield "brokers speak in clear: set encryptionInTransit.inCluster to true"
    if at(subject.props, "clientAuthentication", "unauthenticated") is True:
        yield "clients need not say who they are: set clientAuthentication.unauthenticated to false"


def _database_in_transit(subject: Subject, _site: Site) -> Iterator[str]:
    if not str(at(subject.props, "family")).startswith("postgres"):
        return
    parameters = items(at(subject.props, "parameters"))
    forced = [at(each, "value") for each in parameters if at(each, "name") == "rds.force_ssl"]
    if forced not in (["1"], [UNKNOWN]):
        yield "clients may speak in clear: set the parameter rds.force_ssl to 1"


def _targets(subject: Subject, _site: Site) -> Iterator[str]:
    protocol = at(subject.props, "protocol")
    if protocol not in ("HTTPS", "TLS", UNKNOWN):
        yield f"the balancer speaks {protocol} to its targets; needed is HTTPS"


def _distribution(subject: Subject, _site: Site) -> Iterator[str]:
    behaviours = [
        at(subject.props, "defaultCacheBehavior"),
        *items(at(subject.props, "orderedCacheBehaviors")),
    ]
    for behaviour in behaviours:
        if at(behaviour, "viewerProtocolPolicy") not in ("https-only", "redirect-to-https", UNKNOWN):
            yield f"path {at(behaviour, 'pathPattern') or '*'} is served in clear: set viewerProtocolPolicy"
    for origin in items(at(subject.props, "origins")):
        custom = at(origin, "customOriginConfig")
        if is_set(custom) and at(custom, "originProtocolPolicy") not in ("https-only", UNKNOWN):
            yield f"origin {at(origin, 'originId')} is asked in clear: set originProtocolPolicy to https-only"


_IN_TRANSIT: Mapping[str, Check] = {
    "aws:elasticache/replicationGroup:ReplicationGroup": _cache_in_transit,
    "aws:msk/cluster:Cluster": _kafka_in_transit,
    "aws:rds/parameterGroup:ParameterGroup": _database_in_transit,
    "aws:lb/targetGroup:TargetGroup": _targets,
    "aws:cloudfront/distribution:Distribution": _distribution,
}


def _tls_floor(subject: Subject, _site: Site) -> Iterator[str]:
    props = subject.props
    if subject.type == "aws:lb/listener:Listener":
        protocol, policy = at(props, "protocol"), at(props, "sslPolicy")
        if protocol == "HTTPS":
            if policy is not UNKNOWN and not str(policy).startswith(TLS_OF_LISTENERS):
                yield f"sslPolicy is {policy}; needed is one that begins with {TLS_OF_LISTENERS}"
        elif protocol is not UNKNOWN and at(props, "defaultActions", "type") not in ("redirect", UNKNOWN):
            yield f"a {protocol} listener may only redirect to HTTPS"
        return
    floor = at(props, "viewerCertificate", "minimumProtocolVersion")
    if floor not in (*TLS_OF_VIEWERS, UNKNOWN):
        yield f"minimumProtocolVersion is {floor}; needed is one of {', '.join(TLS_OF_VIEWERS)}"
    for origin in items(at(props, "origins")):
        old = set(map(str, items(at(origin, "customOriginConfig", "originSslProtocols")))) - {
            "TLSv1.2",
            "TLSv1.3",
        }
        if old:
            yield f"origin {at(origin, 'originId')} may be asked over {', '.join(sorted(old))}"


POLICIES = (
    by_type(
        _AT_REST, name="encryption-at-rest", why="what is stored must be unreadable without a key of ours"
    ),
    by_type(_IN_TRANSIT, name="encryption-in-transit", why="what is sent must not be read on its way"),
    Policy(
        name="tls-floor",
        why="TLS before 1.2 is broken",
        types=frozenset({"aws:lb/listener:Listener", "aws:cloudfront/distribution:Distribution"}),
        check=_tls_floor,
    ),
)
