"""A real Redis cluster on loopback: masters with replicas, the parameters of a store, users by an ACL file."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import ConnectionError as NoConnectionError

from infra.local import processes
from tests.dataplane.servers import free_port, program, until

BUS_OFFSET = 10_000
"""The cluster's bus listens on the client port and this, so client ports are low."""
LOWEST, HIGHEST = 20_000, 30_000
ADMINISTRATOR = "administrator"
NODE_TIMEOUT_MS = 2000


class RedisCluster:
    """Nodes of one cluster.

    Args:
        folder: An empty folder.
        masters: Shards.
        replicas_per_shard: Replicas of each.
        parameters: Parameters of every node, which the server must know.
        users: Lines of the ACL file, without the word `user`.
        word: Password of the administrator, who exists beside `users`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        masters: int,
        replicas_per_shard: int,
        parameters: Mapping[str, str],
        users: Sequence[str],
        word: str,
    ) -> None:
        self._folder, self._word = folder, word
        self.ports = _free_ports(masters * (1 + replicas_per_shard))
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        lines = [f"{ADMINISTRATOR} on >{word} ~* &* +@all", *users]
        acl = folder / "users.acl"
        acl.write_text("".join(f"user {line}\n" for line in lines))
        try:
            for port in self.ports:
                self._start(port, {**parameters, "aclfile": str(acl)})
            self._form(replicas_per_shard)
        except BaseException:
            self.stop()
            raise

    def _start(self, port: int, parameters: Mapping[str, str]) -> None:
        folder = self._folder / str(port)
        folder.mkdir()
        given = {
            "port": port,
            "bind": "127.0.0.1",
            "dir": folder,
            "save": '""',
            "cluster-node-timeout": NODE_TIMEOUT_MS,
            "masteruser": ADMINISTRATOR,
            "masterauth": self._word,
            **parameters,
        }
        path = folder / "redis.conf"
        path.write_text("".join(f"{key} {value}\n" for key, value in given.items()))
        with (folder / "log").open("wb") as log:
            self._processes[port] = subprocess.Popen(
                [program("redis-server", package="redis-server"), str(path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=processes.die_with_parent,  # noqa: PLW1509 - it makes one system call
            )
        until(lambda: self._answers(port), what=f"the start of the node on port {port}")

    def _answers(self, port: int) -> bool:
        if self._processes[port].poll() is not None:
            raise RuntimeError(f"a node ended:\n{(self._folder / str(port) / 'log').read_text()}")
        try:
            with self.node(port) as node:
                return bool(node.ping())
        except NoConnectionError:
            return False

    def _form(self, replicas_per_shard: int) -> None:
        addresses = [f"127.0.0.1:{port}" for port in self.ports]
        login = ["--user", ADMINISTRATOR, "--pass", self._word, "--no-auth-warning"]
        made = [
            "--cluster",
            "create",
            *addresses,
            "--cluster-replicas",
            str(replicas_per_shard),
            "--cluster-yes",
        ]
        tool = program("redis-cli", package="redis-tools")
        if len(addresses) // (1 + replicas_per_shard) < 3:
            self._form_small()
        else:
            done = subprocess.run(
                [tool, *login, *made], capture_output=True, text=True, timeout=120, check=False
            )
            if done.returncode:
                raise RuntimeError(f"the cluster was not formed:\n{done.stdout}{done.stderr}")
        until(self._is_formed, what="the cluster's agreement")

    def _form_small(self) -> None:
        """One shard, which ElastiCache makes and Redis' own tool does not."""
        first, *others = self.ports
        with self.node(first) as master:
            master.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            identity = master.execute_command("CLUSTER", "MYID")
        for port in others:
            with self.node(port) as replica:
                replica.execute_command("CLUSTER", "MEET", "127.0.0.1", first)
                until(lambda: self._knows(replica, identity), what="the nodes' meeting")
                replica.execute_command("CLUSTER", "REPLICATE", identity)

    @staticmethod
    def _knows(node: Any, identity: str) -> bool:
        return identity in str(node.execute_command("CLUSTER", "NODES"))

    def _is_formed(self) -> bool:
        for port in self.ports:
            with self.node(port) as node:
                state: Any = node.execute_command("CLUSTER INFO")
                links: Any = node.info("replication")
            replica_is_behind = links["role"] == "slave" and links.get("master_link_status") != "up"
            if state["cluster_state"] != "ok" or replica_is_behind:
                return False
        return True

    def node(self, port: int, *, user: str | None = ADMINISTRATOR, word: str | None = "") -> Any:
        """A connection to one node: the administrator's, or as whom a test likes."""
        client: Any = vars(redis)["Redis"]
        return client(
            port=port,
            username=user,
            password=self._word if word == "" else word,
            decode_responses=True,
            socket_timeout=10,
        )

    def client(self, user: str, word: str) -> Any:
        """A cluster client of a user."""
        client: Any = vars(redis)["RedisCluster"]
        return client(
            host="127.0.0.1", port=self.ports[0], username=user, password=word, decode_responses=True
        )

    def masters(self) -> list[int]:
        """Ports of the masters that live."""
        found: list[int] = []
        for port, process in self._processes.items():
            if process.poll() is None:
                with self.node(port) as node:
                    if node.info("replication")["role"] == "master":
                        found.append(port)
        return found

    def kill(self, port: int) -> None:
        """SIGKILL, as when the machine is lost."""
        self._processes[port].kill()
        self._processes[port].wait(timeout=30)

    def stop(self) -> None:
        """End all nodes."""
        for process in self._processes.values():
            if process.poll() is None:
                process.kill()
            process.wait(timeout=30)


def _free_ports(count: int) -> list[int]:
    """Client ports whose bus ports exist and are free, too."""
    found: list[int] = []
    start = LOWEST + free_port() % (HIGHEST - LOWEST - 1000)
    for port in range(start, HIGHEST):
        if _is_free(port) and _is_free(port + BUS_OFFSET):
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError(f"fewer than {count} free ports between {start} and {HIGHEST}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
