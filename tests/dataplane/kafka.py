"""Real Kafka: brokers in KRaft mode on loopback, with the rendered broker properties."""

from __future__ import annotations

import base64
import socket
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException, admin

from components.kafka_properties import broker_properties, render
from infra.local import processes
from infra.local.cluster.children import free_ports
from infra.local.tools import jars
from infra.model.stack import StreamingSettings
from tests.dataplane.servers import until

# Confluent's client ships without complete types.
_ADMIN: Any = admin
_LOG4J = """log4j.rootLogger=WARN, file
log4j.appender.file=org.apache.log4j.FileAppender
log4j.appender.file.File={log}
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=%d %p %m (%c)%n
"""
_LOCAL = {
    # Failures are noticed in seconds, so that tests need not wait for production's patience.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "controller.quorum.election.timeout.ms": "1000",
    "controller.quorum.fetch.timeout.ms": "2000",
    "group.initial.rebalance.delay.ms": "500",
    "offsets.topic.num.partitions": "6",
    "log.cleaner.dedupe.buffer.size": "16777216",
}
"""What a laptop and a short test need; none of it is rendered for MSK."""


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _identity() -> str:
    """A new identity in Kafka's form: 128 bits in base64."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


@dataclass(kw_only=True)
class Broker:
    """One broker, which is also a controller."""

    number: int
    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None


class Kafka:
    """Brokers of one cluster.

    Args:
        folder: An empty folder.
        settings: Its settings, from which the broker properties are rendered.
    """

    def __init__(self, folder: Path, *, settings: StreamingSettings) -> None:
        self.rendered: Mapping[str, str] = broker_properties(settings)
        self._java, self._jars, self._identity = jars.java(), jars.obtain(), _identity()
        ports = free_ports(2 * settings.brokers)
        self._controllers = dict(enumerate(ports[settings.brokers :], start=1))
        self.brokers = {
            number: Broker(number=number, port=port, folder=folder / str(number))
            for number, port in enumerate(ports[: settings.brokers], start=1)
        }
        for broker in self.brokers.values():
            self._prepare(broker)
        try:
            for broker in self.brokers.values():
                self.start(broker)
            until(lambda: self.alive() == set(self.brokers), what="the brokers' start", seconds=120)
        except BaseException:
            self.stop()
            raise

    @property
    def admin(self) -> Any:
        """A new administrator's client: one that saw brokers come and go may hold on to a lost one."""
        return _ADMIN.AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    @property
    def bootstrap(self) -> str:
        """Where clients start from."""
        return ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers.values())

    def _prepare(self, broker: Broker) -> None:
        data = broker.folder / "data"
        data.mkdir(parents=True)
        # What `kafka-storage format` writes, without starting a JVM for it.
        meta = {
            "version": "1",
            "cluster.id": self._identity,
            "node.id": str(broker.number),
            "directory.id": _identity(),
        }
        (data / "meta.properties").write_text(render(meta))
        controllers = ",".join(f"{number}@127.0.0.1:{port}" for number, port in self._controllers.items())
        own = {
            "process.roles": "broker,controller",
            "node.id": str(broker.number),
            "controller.quorum.voters": controllers,
            "listeners": f"CLIENTS://127.0.0.1:{broker.port},"
            f"CONTROLLER://127.0.0.1:{self._controllers[broker.number]}",
            "advertised.listeners": f"CLIENTS://127.0.0.1:{broker.port}",
            "inter.broker.listener.name": "CLIENTS",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(data),
            **_LOCAL,
        }
        (broker.folder / "server.properties").write_text(render({**own, **self.rendered}))
        (broker.folder / "log4j.properties").write_text(_LOG4J.format(log=broker.folder / "log"))

    def start(self, broker: Broker) -> None:
        """Start a broker; it is up once `alive` says so."""
        with (broker.folder / "output").open("ab") as output:
            broker.process = subprocess.Popen(
                [
                    self._java,
                    # Short lives: compiling well costs more than it brings.
                    *(
                        "-Xms128m",
                        "-Xmx384m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:-UsePerfData",
                    ),
                    f"-Dlog4j.configuration=file:{broker.folder / 'log4j.properties'}",
                    *("-cp", f"{self._jars}/*", "kafka.Kafka", str(broker.folder / "server.properties")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=processes.die_with_parent,  # noqa: PLW1509 - it makes one system call
            )

    def kill(self, number: int) -> None:
        """SIGKILL, as when the machine is lost."""
        process = self.brokers[number].process
        assert process is not None
        process.kill()
        process.wait(timeout=30)

    def stop(self) -> None:
        """End all brokers."""
        for number, broker in self.brokers.items():
            if broker.process is not None and broker.process.poll() is None:
                self.kill(number)

    def alive(self) -> set[int]:
        """Brokers that the cluster counts as its members, and that answer.

        Raises:
            RuntimeError: When a broker that should run has ended, with the end of its log.
        """
        for broker in self.brokers.values():
            if broker.process is not None and broker.process.poll() not in {None, -9}:
                written = [broker.folder / name for name in ("output", "log")]
                said = "".join(path.read_text() for path in written if path.exists())
                raise RuntimeError(f"broker {broker.number} ended:\n{said[-3000:]}")
        try:
            members = set(self.admin.list_topics(timeout=5).brokers)
        except KafkaException:
            return set()
        # Without a quorum nobody is struck off, so each has to answer, too.
        return {number for number in members if _answers(self.brokers[number].port)}

    def make(self, *topics: Mapping[str, Any]) -> None:
        """Make topics: `topic`, `num_partitions`, `replication_factor`, `config`."""
        # Held by name: its answers end with it.
        client = self.admin
        for made in client.create_topics([_ADMIN.NewTopic(**topic) for topic in topics]).values():
            made.result(timeout=60)

    def set_partitions(self, topic: str, count: int) -> None:
        """Ask for another number of partitions.

        Raises:
            KafkaException: When Kafka refuses.
        """
        client = self.admin
        client.create_partitions([_ADMIN.NewPartitions(topic, count)])[topic].result(timeout=60)

    def in_sync(self, topic: str) -> list[int]:
        """Replicas in sync of each partition of a topic."""
        described = self.admin.list_topics(topic, timeout=10).topics[topic]
        return [len(partition.isrs) for partition in described.partitions.values()]

    def leader(self, topic: str, partition: int = 0) -> int:
        """Broker that leads a partition, -1 where none does."""
        return int(self.admin.list_topics(topic, timeout=10).topics[topic].partitions[partition].leader)

    def configuration(self, kind: str, name: str) -> Mapping[str, str]:
        """Settings in force of a `broker` or a `topic`."""
        resource, client = _ADMIN.ConfigResource(kind.upper(), name), self.admin
        answer = client.describe_configs([resource])[resource].result(timeout=30)
        return {key: entry.value for key, entry in answer.items()}
