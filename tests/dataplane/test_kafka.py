"""The rendered broker properties and topics on three real brokers: what is acknowledged survives, consumers share."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Self

import confluent_kafka
import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from components.kafka_properties import topic_configs
from infra.model.stack import StreamingSettings
from services import CATALOGUE, topics
from tests.dataplane.kafka import Kafka
from tests.dataplane.servers import folder_for_servers, until

SETTINGS = StreamingSettings()
TOPICS = {topic.name: topic for topic in topics()}
CONSUMING = [service for service in CATALOGUE if service.consumption]
EVENTS = "vehicle-events"
DAY_MS = 86_400_000
# Confluent's client ships without complete types.
Producer: Any = confluent_kafka.Producer
Consumer: Any = confluent_kafka.Consumer


@pytest.fixture(scope="module")
def kafka() -> Iterator[Kafka]:
    with folder_for_servers() as folder:
        cluster = Kafka(folder, settings=SETTINGS)
        try:
            wanted = [
                {
                    "topic": topic.name,
                    "num_partitions": topic.partitions,
                    "replication_factor": SETTINGS.replication_factor,
                    "config": dict(topic_configs(topic, SETTINGS)),
                }
                for topic in TOPICS.values()
            ]
            cluster.make(*wanted)
            until(
                lambda: all(set(cluster.in_sync(name)) == {3} for name in TOPICS),
                what="three copies of everything",
            )
            yield cluster
        finally:
            cluster.stop()


@pytest.fixture
def whole(kafka: Kafka) -> Iterator[Kafka]:
    """The cluster, whose killed brokers are brought back afterwards."""
    yield kafka
    for broker in kafka.brokers.values():
        if broker.process is None or broker.process.poll() is not None:
            kafka.start(broker)
    until(lambda: kafka.alive() == set(kafka.brokers), what="the brokers' return", seconds=120)
    until(
        lambda: all(set(kafka.in_sync(name)) == {3} for name in TOPICS),
        what="the copies' catching up",
        seconds=120,
    )


def test_every_rendered_broker_property_is_known_and_in_force(kafka: Kafka) -> None:
    for number in kafka.brokers:
        in_force = kafka.configuration("broker", str(number))

        assert {key: in_force.get(key) for key in kafka.rendered} == kafka.rendered


@pytest.mark.parametrize(
    ("name", "partitions", "days", "compression"),
    [(EVENTS, 50, 7, "snappy"), ("payment-events", 20, 30, "gzip"), ("notification-events", 30, 3, "lz4")],
)
def test_a_topic_is_as_specified(
    kafka: Kafka, name: str, partitions: int, days: int, compression: str
) -> None:
    described = kafka.admin.list_topics(name, timeout=10).topics[name].partitions
    settings = kafka.configuration("topic", name)

    assert len(described) == partitions
    assert {len(set(partition.replicas)) for partition in described.values()} == {3}
    assert settings["retention.ms"] == str(days * DAY_MS)
    assert settings["compression.type"] == compression
    assert settings["min.insync.replicas"] == "2"
    assert settings["unclean.leader.election.enable"] == "false"


def test_a_topic_that_nobody_declared_is_not_made_by_writing_to_it(kafka: Kafka) -> None:
    refused: list[Any] = []
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "message.timeout.ms": 3000, "log_level": 0})

    def told(error: Any, _message: Any) -> None:
        refused.append(error)

    producer.produce("stray-events", b"x", on_delivery=told)
    producer.flush(10)

    assert len(refused) == 1
    assert refused[0] is not None
    assert "stray-events" not in kafka.admin.list_topics(timeout=10).topics


def test_kafka_adds_partitions_but_takes_none_away(kafka: Kafka) -> None:
    kafka.make({"topic": "grown", "num_partitions": 4, "replication_factor": 1})
    kafka.set_partitions("grown", 6)
    with pytest.raises(KafkaException) as refused:
        kafka.set_partitions("grown", 5)

    assert refused.value.args[0].code() == KafkaError.INVALID_PARTITIONS
    # Whichever broker answers has to have heard of it first.
    until(lambda: len(kafka.in_sync("grown")) == 6, what="the news' spread")


class Writing:
    """A producer with acks=all that writes numbers, and keeps those that were acknowledged.

    Args:
        kafka: The cluster.
        topic: Where it writes, over all partitions.
        patience_ms: After which it gives a number up.
    """

    def __init__(self, kafka: Kafka, topic: str, *, patience_ms: int = 60_000) -> None:
        self._topic, self._stop = topic, threading.Event()
        self.acknowledged: set[bytes] = set()
        self.refused: list[Any] = []
        self.longest_wait = 0.0
        self._producer = Producer(
            {
                "bootstrap.servers": kafka.bootstrap,
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 5,
                "message.timeout.ms": patience_ms,
                "log_level": 0,
            }
        )
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._producer.flush(120)

    def _work(self) -> None:
        number = 0
        while not self._stop.is_set():
            value = f"{time.monotonic()}-{number}".encode()
            try:
                self._producer.produce(self._topic, value, key=str(number), on_delivery=self._told)
                number += 1
            except BufferError:
                self._producer.poll(0.1)
            self._producer.poll(0)
            time.sleep(0.0005)

    def _told(self, error: Any, message: Any) -> None:
        if error is not None:
            self.refused.append(error)
            return
        self.longest_wait = max(self.longest_wait, float(message.latency()))
        self.acknowledged.add(message.value())


def everything(kafka: Kafka, topic: str) -> Counter[bytes]:
    """All that a topic holds."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "reader", "log_level": 0})
    held: Counter[bytes] = Counter()
    try:
        ends = {
            number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=30)[1]
            for number in range(TOPICS[topic].partitions)
        }
        consumer.assign([TopicPartition(topic, number, 0) for number in ends])

        def read_on() -> bool:
            messages = consumer.consume(1000, timeout=0.5)
            assert not [message.error() for message in messages if message.error()]
            held.update(message.value() for message in messages)
            return sum(held.values()) >= sum(ends.values())

        until(read_on, what=f"reading of {sum(ends.values())} messages")
    finally:
        consumer.close()
    return held


def test_a_killed_broker_loses_nothing_that_was_acknowledged(whole: Kafka) -> None:
    with Writing(whole, EVENTS) as writing:
        until(lambda: len(writing.acknowledged) > 2000, what="the first writes")
        lost = whole.leader(EVENTS)
        whole.kill(lost)
        until(lambda: whole.leader(EVENTS) not in {-1, lost}, what="another leader")
        before = len(writing.acknowledged)
        until(lambda: len(writing.acknowledged) > before + 2000, what="writes after the loss")
        assert max(whole.in_sync(EVENTS)) == 2
    held = everything(whole, EVENTS)
    print("acknowledged", len(writing.acknowledged))
    print("longest wait, seconds", round(writing.longest_wait, 1))

    assert writing.refused == []
    assert writing.acknowledged <= held.keys()
    assert set(held.values()) == {1}, "an idempotent producer writes nothing twice"


def test_with_one_copy_left_nothing_is_acknowledged(whole: Kafka) -> None:
    remaining = whole.leader("payment-events")
    for number in set(whole.brokers) - {remaining}:
        whole.kill(number)
    with Writing(whole, "payment-events", patience_ms=5000) as writing:
        until(lambda: len(writing.refused) > 10, what="refusals")

    assert writing.acknowledged == set()


@pytest.mark.parametrize(
    ("name", "members"), [("parking", 10), ("payment", 5), ("analytics", 15), ("notification", 8)]
)
def test_a_group_of_the_specified_size_shares_all_partitions_and_takes_over_a_lost_member_s(
    kafka: Kafka, name: str, members: int
) -> None:
    (service,) = [one for one in CONSUMING if one.name == name]
    assert service.consumption is not None
    assert service.consumption.consumers == members
    partitions = {
        (topic, number) for topic in service.consumption.topics for number in range(TOPICS[topic].partitions)
    }
    with ExitStack() as closing:
        consumers = [
            Consumer(
                {"bootstrap.servers": kafka.bootstrap, "group.id": service.workload_name, "log_level": 0}
            )
            for _ in range(members)
        ]
        for consumer in consumers:
            closing.callback(consumer.close)
            consumer.subscribe(list(service.consumption.topics))
        until(lambda: shared(consumers) == partitions, what="the group's first balance", seconds=90)
        assert all(held(consumer) for consumer in consumers), "a member idles"
        consumers.pop().close()
        until(
            lambda: shared(consumers) == partitions, what="the group's balance without a member", seconds=90
        )

        assert all(held(consumer) for consumer in consumers), "a member idles"


def test_the_groups_are_those_of_the_catalogue() -> None:
    assert {service.name for service in CONSUMING} == {"parking", "payment", "analytics", "notification"}


def held(consumer: Any) -> list[tuple[str, int]]:
    """Partitions that a member has now."""
    return [(one.topic, one.partition) for one in consumer.assignment()]


def shared(consumers: list[Any]) -> set[tuple[str, int]]:
    """Partitions of a group after another look of each member; none while two have one and the same."""
    for consumer in consumers:
        consumer.poll(0.01)
    found = [partition for consumer in consumers for partition in held(consumer)]
    return set(found) if len(found) == len(set(found)) else set()
