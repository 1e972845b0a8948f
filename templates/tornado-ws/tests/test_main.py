"""The command that starts the web processes."""

from ipaddress import IPv4Address

import pytest
from tornado.testing import bind_unused_port

from app.__main__ import run
from app.settings import settings


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # Tornado's, when it cannot bind
def test_a_port_that_is_taken_is_told_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    socket, port = bind_unused_port()
    # Loggers that were in use hold on to what is configured.
    monkeypatch.setattr("app.__main__.configure_logging", lambda *_, **__: None)
    monkeypatch.setattr(settings, "host", IPv4Address("127.0.0.1"))
    monkeypatch.setattr(settings, "port", port)

    with socket, pytest.raises(SystemExit, match=f"^HOST, PORT: 127.0.0.1, {port}: "):
        run()
