"""The feed's own losses: Redis, a web process, or a client's patience."""

import json
import secrets
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

import httpx
import psutil
import pytest
from websockets.exceptions import ConnectionClosedError

from ..client import at_once, eight, prompt, token_of
from ..feed import (
    TEXT,
    Listener,
    Raw,
    Writer,
    both,
    create,
    frame,
    in_each,
    listening,
    settled,
    until_it_crosses,
    writing,
)
from ..processes import until
from ..service import Service
from ..subjects import Subject
from .outages import HOW, WHY, killed, lost

pytestmark = [pytest.mark.resources("books"), pytest.mark.usefixtures("with_feed")]

# More than 256, and than what the buffers of a narrow connection hold.
FLOOD = 450


def row_of(message: dict[str, Any]) -> dict[str, Any]:
    """Return the row that a change is told of."""
    return message[message["type"].partition(".")[0]]


def counted(listener: Listener) -> Counter[str]:
    """Count what a listener has heard, by the row: each is created but once."""
    return Counter(row_of(message)["id"] for message in listener.heard)


@WHY
def test_a_redis_that_refuses_writes_parts_no_processes(
    service: Service, listeners: list[Listener], writers: list[Writer], why: str
) -> None:
    """Publishing is no write: a Redis that takes none passes changes on all the same."""
    with service.cache.refusing(why):
        until_it_crosses(listeners, writers)


@HOW
def test_without_redis_each_process_serves_its_own_clients(
    service: Service, listeners: list[Listener], writers: list[Writer], how: str
) -> None:
    """A lost Redis costs no write more than a second; its process's clients hear of it once.

    Nothing comes a second time when Redis is back. Then changes cross again, without a restart.
    """
    made: dict[int, list[dict[str, Any]]] = {writer.pid: [] for writer in writers}
    with lost(service.cache, how):
        seconds = []
        for _ in range(3):
            for writer in writers:
                started = time.monotonic()
                made[writer.pid].append(create(writer, writer.subject))
                seconds.append(time.monotonic() - started)
        assert prompt(seconds, limit=1.5), seconds
        for listener in listeners:
            assert listener.hears(*made[listener.pid], within=2)
    until_it_crosses(listeners, writers)
    for listener in listeners:
        for message in made[listener.pid]:
            assert listener.heard.count(message) == 1
        assert {*counted(listener).values()} == {1}


@HOW
def test_after_redis_is_back_nothing_is_lost_or_sent_twice(
    service: Service,
    listeners: list[Listener],
    writers: list[Writer],
    subject: Subject,
    how: str,
) -> None:
    """Once changes cross again each is sent once to every client, in order."""
    with lost(service.cache, how):
        create(writers[0], subject)
    until_it_crosses(listeners, writers)
    for listener in listeners:
        listener.heard.clear()
    expected = [create(writer, writer.subject) for _ in range(10) for writer in writers]
    expected += settled(listeners, writers)
    for listener in listeners:
        assert listener.heard == expected


def test_a_lost_redis_is_a_warning_in_the_log(
    service: Service, listeners: list[Listener], writers: list[Writer]
) -> None:
    """Each process says in the log that its feed is alone, also if no request comes."""
    logged = len(service.web.lines())

    def warned() -> bool:
        events = service.web.events()[logged:]
        warnings = [event for event in events if event["level"] == "warning"]
        return len(warnings) >= len(service.web_processes())

    with killed(service.cache):
        until(warned, within=10, failing="there is no warning of each process")
    until_it_crosses(listeners, writers)


@HOW
def test_without_redis_new_clients_are_let_in(
    service: Service,
    listeners: list[Listener],
    writers: list[Writer],
    subject: Subject,
    how: str,
) -> None:
    """With Redis lost clients connect as ever, hear of their process's changes, and go."""
    with (
        lost(service.cache, how),
        in_each(
            service.web_processes(), partial(listening, service.base_url, subject.feed)
        ) as found,
    ):
        messages = {writer.pid: create(writer, writer.subject) for writer in writers}
        for listener in found:
            assert listener.hears(messages[listener.pid], within=2)
            assert listener.is_answered()
    until_it_crosses(listeners, writers)


def test_a_process_that_starts_without_redis_has_a_feed(
    service: Service,
    user: httpx.Client,
    listeners: list[Listener],
    writers: list[Writer],
    subject: Subject,
) -> None:
    """A process that has never seen Redis serves its own clients, and all once it is there."""
    service.cache.kill()
    with service.another_web() as (web, base_url), ExitStack() as stack:
        processes = both(web, base_url)
        found = stack.enter_context(in_each(processes, partial(listening, base_url, subject.feed)))
        makers = stack.enter_context(writing(processes, base_url, token_of(user), subject))
        messages = {maker.pid: create(maker, maker.subject) for maker in makers}
        for listener in found:
            assert listener.hears(messages[listener.pid], within=2)
        service.cache.start()
        until_it_crosses([*listeners, *found], [*writers, *makers])


def test_a_lost_subscription_is_made_anew(
    service: Service, listeners: list[Listener], writers: list[Writer]
) -> None:
    """Each process has one subscription; if Redis ends it, it is made again."""
    with service.cache.client() as cache:
        ended = cache.client_kill_filter(_type="pubsub")
    assert ended == len(service.web_processes())
    until_it_crosses(listeners, writers)


@pytest.mark.parametrize(
    "data", [b"", b"x" * 99, b"\xff" * 99, b'{"type": "book.created"}'], ids=repr
)
def test_what_others_publish_in_redis_is_passed_over(
    service: Service, listeners: list[Listener], writers: list[Writer], data: bytes
) -> None:
    """What another program, or a later version, publishes on the channels in use ends no feed."""
    with service.cache.client() as cache:
        channels = cache.pubsub_channels()
        assert [cache.publish(channel, data) for channel in channels]
    expected = settled(listeners, writers)
    for listener in listeners:
        assert listener.heard == expected


def test_a_forged_change_is_told_to_nobody(
    service: Service, listeners: list[Listener], writers: list[Writer], subject: Subject
) -> None:
    """Whoever may publish in Redis is not believed, however true to life the message is."""
    with service.cache.client() as cache, cache.pubsub() as subscription:
        subscription.subscribe(*cache.pubsub_channels())
        expected = [create(writers[0], subject, **{subject.text: "Kindred"})]
        messages = (subscription.get_message(timeout=0.1) for _ in range(100))
        said = (m for m in messages if m and m["type"] == "message")
        true = next(m for m in said if b"Kindred" in m["data"])
        cache.publish(true["channel"], true["data"].replace(b"Kindred", b"Forgery"))
    expected += settled(listeners, writers)
    for listener in listeners:
        assert listener.heard == expected


def test_a_stopped_process_holds_up_no_other(
    service: Service, listeners: list[Listener], writers: list[Writer]
) -> None:
    """While a process is stopped the others' clients hear at once; its own hear it all later."""
    stopped, working = service.web_processes()
    [writer] = [writer for writer in writers if writer.pid == working.pid]
    stopped.suspend()
    expected = [create(writer, writer.subject) for _ in range(50)]
    for listener in sorted(listeners, key=lambda listener: listener.pid == stopped.pid):
        works = listener.pid == working.pid
        assert listener.hears(*expected, within=1 if works else 0.1) == works
    stopped.resume()
    expected += settled(listeners, writers)
    for listener in listeners:
        assert listener.heard == expected


def test_a_killed_process_takes_its_own_clients_alone(
    service: Service, listeners: list[Listener], writers: list[Writer], subject: Subject
) -> None:
    """A process killed with SIGKILL: the others' clients stay, and its own connect again."""
    with service.another_web() as (web, base_url), ExitStack() as stack:
        processes = both(web, base_url)
        found = stack.enter_context(in_each(processes, partial(listening, base_url, subject.feed)))
        processes[0].kill()
        psutil.wait_procs(processes[:1], timeout=5)  # Until then it takes connections with it.
        living = [*listeners]
        for listener in found:
            if listener.pid == processes[0].pid:
                with pytest.raises(ConnectionClosedError):
                    listener.hear()
                living.append(stack.enter_context(listening(base_url, subject.feed)))
            else:
                living.append(listener)
        until_it_crosses(living, writers)


def large(user: httpx.Client, subject: Subject) -> dict[str, Any]:
    """Create a row of which the message is large: 180 letters of four bytes in each text."""
    texts = [field.name for field in subject.fields if field.type == "string"]
    long = {name: secrets.token_hex(8) + "\N{BOOKS}" * 180 for name in texts}
    return create(user, subject, **long)


def narrow(base_url: str, subject: Subject) -> Raw:
    """Connect a client that holds little of what it does not read."""
    return Raw(base_url, path=subject.feed, narrow=True)


def test_a_client_that_does_not_read_is_cut_off(
    service: Service,
    user: httpx.Client,
    listeners: list[Listener],
    writers: list[Writer],
    subject: Subject,
) -> None:
    """A client that does not read is cut off with 1013 once 256 messages wait for it.

    All the others hear of each change within two seconds of its request.
    """
    begun: dict[int, float] = {}

    def write(client: httpx.Client) -> None:
        for _ in range(FLOOD // 8):
            now = time.monotonic()
            begun[row_of(large(client, subject))["id"]] = now

    def hear(listener: Listener) -> dict[int, float]:
        return {row_of(listener.hear())["id"]: time.monotonic() for _ in range(FLOOD // 8 * 8)}

    with (
        in_each(service.web_processes(), partial(narrow, service.base_url, subject)) as slow,
        eight(service.base_url, token_of(user)) as clients,
        ThreadPoolExecutor(len(listeners)) as pool,
    ):
        heard = [pool.submit(hear, listener) for listener in listeners]
        at_once([partial(write, client) for client in clients])
        for future in heard:
            delays = [when - begun[of] for of, when in future.result().items()]
            assert len(delays) == len(begun)
            assert max(delays) < 2
        for peer in slow:
            messages, code = peer.end()
            assert code == 1013
            assert len(messages) < 256 + 64
            beside = next(listener for listener in listeners if listener.pid == peer.pid)
            assert messages == beside.heard[: len(messages)]


def test_a_client_that_is_slow_for_a_while_loses_nothing(
    service: Service, listeners: list[Listener], writers: list[Writer], subject: Subject
) -> None:
    """Fewer than 256 messages wait for a client until it reads on."""
    with in_each(service.web_processes(), partial(narrow, service.base_url, subject)) as slow:
        expected = [large(writer, subject) for _ in range(125) for writer in writers]
        for listener in listeners:
            assert listener.hears(*expected)
        for peer in slow:
            assert [json.loads(peer.hear().payload) for _ in expected] == expected
            assert peer.ask(frame(TEXT, b"{}"))["type"] == "error"


def test_a_client_that_talks_and_does_not_read_is_held_up(
    service: Service, listeners: list[Listener], writers: list[Writer], subject: Subject
) -> None:
    """What a client says is taken no faster than it reads the answers, or it is cut off.

    It sends 40 MiB, which is more than all buffers between the two hold.
    """
    data = frame(TEXT, b"x" * 4000) * 10
    sent = 0
    with narrow(service.base_url, subject) as peer:
        peer.socket.settimeout(1)
        with suppress(TimeoutError, ConnectionError):
            while sent < 1000:
                peer.send(data)
                sent += 1
        seconds = []
        for _ in range(2):
            started = time.monotonic()
            settled(listeners, writers)
            seconds.append(time.monotonic() - started)
        assert prompt(seconds, limit=1), seconds
        if sent == 1000:
            answers, code = peer.end()
            assert code == 1013
            assert len(answers) < 256 + 512  # They are short: the buffers hold more of them.
