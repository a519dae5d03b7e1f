"""Renders the templates of the fact rows: ids, ARNs, endpoints, always the same for the same resource."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Final

from infra.local.providers.aws import regions
from infra.local.providers.aws.kinds import Kind, Template
from infra.local.providers.plugin import OutputsOf, Resource
from infra.local.providers.values import Map, Value, entries, fields, number, plain, reveal, text

_PLACE: Final = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")
_DIGITS: Final = re.compile(r"(?:(\w+)\.)?(uuid|b64|x|X|a|B|d|b)(\d*)\Z")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"


class Facts:
    """What a template may name, for one resource in one generation."""

    def __init__(
        self, kind: Kind, resource: Resource, generation: int, region: str, outputs_of: OutputsOf
    ) -> None:
        self.kind = kind
        self.resource = resource
        self.generation = generation
        self.region = region
        self.id = ""
        self.shown: Map = {}
        self._outputs_of = outputs_of
        self._busy: set[str] = set()

    def render(self, template: Template) -> Value:
        """Fill a template in; what is no text is taken as it is, with the texts inside it filled in."""
        if isinstance(template, str):
            return _PLACE.sub(self._replace, template)
        if isinstance(template, list):
            return [self.render(item) for item in template]
        if isinstance(template, dict):
            return {key: self.render(item) for key, item in template.items()}
        return template

    def other(self, identity: Value) -> Map:
        """Return the outputs of another resource of the stack, none where it is not known here."""
        return self._outputs_of(self.resource.stack, text(identity)) or {}

    def text(self, template: str) -> str:
        """Fill a text template in."""
        return str(self.render(template))

    def _replace(self, match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return match[0][0]
        return self.lookup(name)

    def lookup(self, name: str) -> str:
        """Find what a placeholder stands for: an input, digits, something computed, or another output."""
        if name in {"id", *self.shown} and self.id:
            return self.id if name == "id" else text(self.shown[name])
        given = self.resource.inputs.get(name)
        if given is not None:
            found = reveal(given)
            return "true" if found is True else "false" if found is False else text(found)
        digits = _DIGITS.match(name)
        if digits:
            return self.digits(digits[1] or "", digits[2], digits[3])
        head, _, tail = name.partition(":")
        if head in _SPECIAL:
            return _SPECIAL[head](self, tail)
        if name in self.kind.outputs and name not in self._busy:
            self._busy.add(name)
            try:
                return text(self.render(self.kind.outputs[name]))
            finally:
                self._busy.discard(name)
        return self.resource.name if name == "name" else ""

    def digits(self, salt: str, alphabet: str, length: str) -> str:
        """Make stable digits of one of the alphabets AWS uses in its ids."""
        pool = self.resource.digest(self.generation, salt) + self.resource.digest(
            self.generation, salt, "more"
        )
        if alphabet == "uuid":
            return str(uuid.UUID(pool[:32]))
        if alphabet == "b64":
            return base64.b64encode(bytes.fromhex(pool[:60])).decode()
        if alphabet == "b":
            return str(int(pool[int(length) * 2 : int(length) * 2 + 2], 16))
        count = int(length or 8)
        if alphabet == "d":
            return str(int(pool, 16))[1 : count + 1]
        if alphabet in "xX":
            return pool[:count] if alphabet == "x" else pool[:count].upper()
        letters = "".join(_LETTERS[int(pool[index : index + 2], 16) % 32] for index in range(0, 128, 2))[
            :count
        ]
        return letters.upper() if alphabet == "B" else letters


def _after(name: str, marker: str) -> Callable[[Facts, str], str]:
    """Take what follows a marker in an ARN the program gave."""
    return lambda facts, _: text(facts.resource.inputs.get(name)).partition(marker)[2]


def _public_ip(facts: Facts, _: str) -> str:
    return f"54.{facts.lookup('b1')}.{facts.lookup('b2')}.{facts.lookup('b3')}"


def _load_balancer_path(facts: Facts, _: str) -> str:
    kind = text(facts.resource.inputs.get("loadBalancerType"), "application")
    return {"network": "net", "gateway": "gwy"}.get(kind, "app")


def _scope(facts: Facts) -> str:
    return text(facts.resource.inputs.get("scope"), "REGIONAL")


def _name_server(facts: Facts, index: str) -> str:
    domain = ("com", "org", "net", "co.uk")[int(index)]
    return (
        f"ns-{int(facts.lookup('b1')) + 512 * int(index)}.awsdns-{int(facts.lookup('b2')) % 64:02}.{domain}"
    )


def _set_suffix(facts: Facts, _: str) -> str:
    identifier = text(facts.resource.inputs.get("setIdentifier"))
    return f"_{identifier}" if identifier else ""


def _brokers(facts: Facts, port: str) -> str:
    count = int(number(facts.resource.inputs.get("numberOfBrokerNodes")) or 3)
    host = f"{facts.lookup('clusterName').lower()}.{facts.lookup('a6')}.c4.kafka.{facts.region}.amazonaws.com"
    return ",".join(f"b-{index}.{host}:{port}" for index in range(1, min(count, 3) + 1))


def _key_arn(facts: Facts, _: str) -> str:
    key = text(facts.resource.inputs.get("targetKeyId"))
    return key if key.startswith("arn:") else f"arn:aws:kms:{facts.region}:{regions.ACCOUNT}:key/{key}"


def _topic_arn(facts: Facts, _: str) -> str:
    cluster = text(facts.resource.inputs.get("clusterArn")).replace(":cluster/", ":topic/")
    return f"{cluster}/{facts.lookup('name')}"


def _path(facts: Facts, _: str) -> str:
    return text(facts.resource.inputs.get("path"), "/")


def _vpc_of(facts: Facts, path: str) -> str:
    """Read the VPC off the first subnet a resource is put into."""
    found: Value = dict(facts.resource.inputs)
    for step in path.split("."):
        found = fields(found).get(step)
    owners = (text(facts.other(subnet).get("vpcId")) for subnet in entries(found))
    return next(filter(None, owners), "vpc-" + facts.digits("vpc", "x", "17"))


def _source(facts: Facts, name: str) -> str:
    """Read what a replica has from the database it follows, which may be named by identifier or by ARN."""
    identity = text(facts.resource.inputs.get("replicateSourceDb"))
    return text(facts.other(identity).get(name))


def _certificate_status(facts: Facts, _: str) -> str:
    return "PENDING_VALIDATION" if facts.resource.inputs.get("validationMethod") is not None else "ISSUED"


_SPECIAL: Final[Mapping[str, Callable[[Facts, str], str]]] = {
    "region": lambda facts, _: facts.region,
    "account": lambda _, __: regions.ACCOUNT,
    "publicIp": _public_ip,
    "elbZone": lambda facts, _: regions.elb_zone(facts.region),
    "s3Zone": lambda facts, _: regions.s3_zone(facts.region),
    "rdsZone": lambda facts, _: "Z" + regions.s3_zone(facts.region)[::-1][:-1],
    "cacheRegion": lambda facts, _: regions.cache_region(facts.region),
    "zoneId": lambda facts, _: regions.zone_id(
        text(facts.resource.inputs.get("availabilityZone")) or facts.region + "a"
    ),
    "scheme": lambda facts, _: "internal-" if plain(facts.resource.inputs.get("internal")) is True else "",
    "loadBalancerPath": _load_balancer_path,
    "loadBalancerSuffix": _after("loadBalancerArn", "loadbalancer/"),
    "listenerSuffix": _after("listenerArn", "listener/"),
    "primaryKeyId": _after("primaryKeyArn", "key/"),
    "urlHost": lambda facts, _: text(facts.resource.inputs.get("url")).removeprefix("https://"),
    "setSuffix": _set_suffix,
    "wafScope": lambda facts, _: "global" if _scope(facts) == "CLOUDFRONT" else "regional",
    "wafRegion": lambda facts, _: "us-east-1" if _scope(facts) == "CLOUDFRONT" else facts.region,
    "acceptStatus": lambda facts, _: (
        "active" if facts.resource.inputs.get("autoAccept") is True else "pending-acceptance"
    ),
    "certificateStatus": _certificate_status,
    "source": _source,
    "vpcOf": _vpc_of,
    "topicArn": _topic_arn,
    "brokers": _brokers,
    "ns": _name_server,
    "path": _path,
    "VERSION": lambda facts, _: facts.digits("version", "uuid", ""),
    "targetKeyArn": _key_arn,
}


def _certificate(facts: Facts) -> Map:
    if facts.resource.inputs.get("validationMethod") is None:
        return {"domainValidationOptions": []}
    inputs = facts.resource.inputs
    domains = [text(inputs.get("domainName")), *map(text, entries(inputs.get("subjectAlternativeNames")))]
    options: list[Value] = []
    for domain in dict.fromkeys(domains):
        bare = domain.removeprefix("*.")
        options.append({
            "domainName": domain,
            "resourceRecordName": f"_{facts.digits(bare, 'x', '32')}.{bare}.",
            "resourceRecordType": "CNAME",
            "resourceRecordValue": f"_{facts.digits('v' + bare, 'x', '32')}.acm-validations.aws.",
        })  # fmt: skip
    return {
        "domainValidationOptions": options,
        "subjectAlternativeNames": list[Value](dict.fromkeys(domains)),
    }


def _replication_group(facts: Facts) -> Map:
    """A group in cluster mode has one endpoint, any other a primary and a reader one."""
    inputs = facts.resource.inputs
    shards = int(number(inputs.get("numNodeGroups")) or 1)
    clustered = (
        shards > 1
        or text(inputs.get("clusterMode")) == "enabled"
        or ".cluster.on" in text(inputs.get("parameterGroupName"))
    )
    replicas = int(number(inputs.get("replicasPerNodeGroup")) or 0)
    nodes = int(number(inputs.get("numCacheClusters")) or shards * (replicas + 1))
    name = facts.lookup("replicationGroupId")
    members: list[Value] = [
        f"{name}-{node // (replicas + 1) + 1:04}-{node % (replicas + 1) + 1:03}"
        if clustered
        else f"{name}-{node + 1:03}"
        for node in range(nodes)
    ]
    endpoints = (
        ("primaryEndpointAddress", "readerEndpointAddress")
        if clustered
        else ("configurationEndpointAddress",)
    )
    return {
        "clusterEnabled": clustered,
        "memberClusters": members,
        "numCacheClusters": nodes,
        **dict.fromkeys(endpoints, ""),
    }


def _msk(facts: Facts) -> Map:
    """Only the endpoints of the ways to log in that are switched on exist."""
    authentication = fields(facts.resource.inputs.get("clientAuthentication"))
    sasl, tls = fields(authentication.get("sasl")), fields(authentication.get("tls"))
    encryption = fields(fields(facts.resource.inputs.get("encryptionInfo")).get("encryptionInTransit"))
    client = text(encryption.get("clientBroker"), "TLS")
    known: Map = {
        "bootstrapBrokersSaslIam": _brokers(facts, "9098") if plain(sasl.get("iam")) is True else "",
        "bootstrapBrokersSaslScram": _brokers(facts, "9096") if plain(sasl.get("scram")) is True else "",
        "bootstrapBrokersTls": _brokers(facts, "9094") if (tls or not sasl) and client != "PLAINTEXT" else "",
        "bootstrapBrokers": _brokers(facts, "9092") if client in {"PLAINTEXT", "TLS_PLAINTEXT"} else "",
    }
    return known


def _node_group(facts: Facts) -> Map:
    template = fields(facts.resource.inputs.get("launchTemplate"))
    if not template:
        return {}
    identity = text(template.get("id")) or "lt-" + facts.digits("lt", "x", "17")
    return {
        "launchTemplate": {**template, "id": identity, "name": text(template.get("name")) or identity},
        "diskSize": 0,
    }


def _vpc_endpoint(facts: Facts) -> Map:
    if text(facts.resource.inputs.get("vpcEndpointType"), "Gateway") != "Interface":
        return {"networkInterfaceIds": [], "dnsEntries": []}
    service = text(facts.resource.inputs.get("serviceName")).rpartition(".")[2]
    host = f"{facts.lookup('id')}-{facts.lookup('a8')}.{service}.{facts.region}.vpce.amazonaws.com"
    subnets = entries(facts.resource.inputs.get("subnetIds"))
    interfaces: list[Value] = [f"eni-{facts.digits(text(subnet), 'x', '17')}" for subnet in subnets]
    return {
        "dnsEntries": [{"dnsName": host, "hostedZoneId": "Z7HUB22UULQXV"}],
        "networkInterfaceIds": interfaces,
        "prefixListId": "",
    }


_PORTS: Final = {"mysql": 3306, "mariadb": 3306, "aurora-mysql": 3306, "oracle": 1521, "sqlserver": 1433}


def _database(facts: Facts) -> Map:
    engine = text(facts.resource.inputs.get("engine"))
    port = number(facts.resource.inputs.get("port")) or _PORTS.get(engine.partition("-")[0], 5432)
    return {"port": port, "endpoint": f"{facts.lookup('address')}:{text(port)}"}


HOOKS: Final[Mapping[str, Callable[[Facts], Map]]] = {
    "acm:Certificate": _certificate,
    "elasticache:ReplicationGroup": _replication_group,
    "msk:Cluster": _msk,
    "eks:NodeGroup": _node_group,
    "ec2:VpcEndpoint": _vpc_endpoint,
    "rds:Instance": _database,
}
