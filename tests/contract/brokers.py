"""What carries the tasks of a service: Valkey or RabbitMQ, as processes of this machine."""

import base64
import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import amqp

from .processes import Process, Valkey, free_port, until

QUEUE = "celery"
# What there is of Debian's RabbitMQ without the wrapper that wants to be root; else it is on PATH.
PROGRAMS = f"/usr/lib/rabbitmq/bin{os.pathsep}{os.environ['PATH']}"
# For which reasons each takes no messages; see `refusing`.
REFUSALS = {"redis": ["full", "replica", "alone", "unsaved"], "rabbitmq": ["disk", "memory"]}

Change = Callable[[dict[str, Any]], None]
"""Changes a message's `headers`, `content-type` and `body`."""


class ValkeyBroker(Valkey):
    """Valkey, by what Celery does with it."""

    def __init__(self, home: Path) -> None:
        super().__init__("broker", home, database=1)

    def serves(self) -> bool:
        """Tell whether a worker waits for tasks: it holds a blocking read."""
        with self.client() as client:
            return any(entry["cmd"] == "brpop" for entry in client.client_list())

    def forge(self, change: Change) -> None:
        """Put a message before that of each report, which differs from it."""
        with self.client() as client:
            until(lambda: client.llen(QUEUE), within=20, failing="the broker has no message")
            for text in client.lrange(QUEUE, 0, -1):
                message = json.loads(text)
                if is_of_report(message["headers"]):
                    message["body"] = base64.b64decode(message["body"])
                    change(message)
                    message["body"] = base64.b64encode(message["body"]).decode()
                    client.rpush(QUEUE, json.dumps(message))


class RabbitMQ(Process):
    """RabbitMQ on a port of its own, with whatever it starts in its process group."""

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        self.password = secrets.token_hex(8)
        self.url = f"amqp://app:{self.password}@127.0.0.1:{self.port}//"
        directory = home / "broker"
        directory.mkdir()
        (directory / "plugins").write_text("[].\n")
        settings = {
            "listeners.tcp.4": f"127.0.0.1:{self.port}",
            "default_user": "app",
            "default_pass": self.password,
            "log.console": "true",
        }
        if has_ipv6():
            settings["listeners.tcp.6"] = f"::1:{self.port}"
        lines = [f"{name} = {value}\n" for name, value in settings.items()]
        (directory / "rabbitmq.conf").write_text("".join(lines))
        self._env = {
            "PATH": PROGRAMS,
            "HOME": str(directory),  # where its cookie is
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(free_port()),
            "RABBITMQ_NODENAME": f"rabbit{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(directory),
            "RABBITMQ_LOG_BASE": str(directory),
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
        }
        # The port mapper is a child, to end with it: Erlang would leave it behind.
        command = ["/bin/sh", "-c", "epmd & exec rabbitmq-server"]
        super().__init__("broker", command, logs=home, cwd=directory, env=self._env)

    def start(self) -> None:
        assert shutil.which("rabbitmq-server", path=PROGRAMS), "apt-get install rabbitmq-server"
        super().start()
        until(self._answers, within=60, failing=f"RabbitMQ does not start:\n{self.output()}")

    def create_host(self, name: str) -> str:
        """Make a virtual host, which has queues of its own; return its URL."""
        self.control("add_vhost", name)
        self.control("set_permissions", "--vhost", name, "app", ".*", ".*", ".*")
        return self.url.removesuffix("/") + name

    @contextlib.contextmanager
    def refusing(self, why: str) -> Iterator[None]:
        """Have it read nothing more from whoever publishes, for a while.

        It is alarmed by how little is left of its `disk`, or of its `memory`.
        """
        match why:
            case "disk":
                refuse = ["set_disk_free_limit", "100000GB"]
                allow = ["set_disk_free_limit", "50MB"]
            case "memory":
                refuse = ["set_vm_memory_high_watermark", "0.000001"]
                allow = ["set_vm_memory_high_watermark", "0.4"]
        self.control(*refuse)
        try:
            yield
        finally:
            self.control(*allow)

    def serves(self) -> bool:
        """Tell whether a worker waits for tasks: it consumes."""
        return QUEUE in self.control("list_consumers", "--no-table-headers", "queue_name").split()

    def forge(self, change: Change) -> None:
        """Put a message before that of each report, which differs from it."""
        with self.channel() as channel:
            first = until(lambda: channel.basic_get(QUEUE), within=20, failing="it has no message")
            found = [first, *iter(lambda: channel.basic_get(QUEUE), None)]
            for message in found:
                if is_of_report(message.headers):
                    told = {
                        "headers": dict(message.headers),
                        "content-type": message.content_type,
                        "body": message.body,
                    }
                    change(told)
                    forged = {**message.properties, "application_headers": told["headers"]}
                    forged["content_type"] = told["content-type"]
                    channel.basic_publish(amqp.Message(told["body"], **forged), routing_key=QUEUE)
                channel.basic_publish(message, routing_key=QUEUE)
                channel.basic_ack(message.delivery_tag)

    def returned_until_gone(self) -> Counter[str]:
        """Take messages and give them back until none is left; count it by those of reports."""
        taken: Counter[str] = Counter()
        with self.channel() as channel:
            while message := channel.basic_get(QUEUE):
                taken.update([message.headers["id"]] * is_of_report(message.headers))
                channel.basic_reject(message.delivery_tag, requeue=True)
        return taken

    @contextlib.contextmanager
    def channel(self) -> Iterator[amqp.Channel]:
        """Connect, and give a channel that leaves bodies as they are."""
        address = f"127.0.0.1:{self.port}"
        with amqp.Connection(address, "app", self.password) as connection:
            channel = connection.channel()
            channel.auto_decode = False
            yield channel

    def control(self, *words: str) -> str:
        """Return what `rabbitmqctl` prints; it must succeed."""
        done = subprocess.run(
            ["rabbitmqctl", "--quiet", *words],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _answers(self) -> bool:
        """Tell whether it takes connections; it listens once it has started otherwise."""
        assert self.running, self.output()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


Broker = ValkeyBroker | RabbitMQ


def has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


def is_of_report(headers: dict[str, Any]) -> bool:
    return str(headers["task"]).endswith("compute_report")
