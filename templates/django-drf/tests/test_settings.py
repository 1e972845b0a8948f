"""The environment: what is refused, and how."""

import os
import subprocess
import sys

import pytest

from config.environment import DEVELOPMENT_KEY, load


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "staging"),
        ("DATABASE_URL", "mysql://localhost/books"),
        ("DATABASE_URL", "books"),
        ("DATABASE_URL", "host=localhost dbname=books"),
        ("DATABASE_URL", "postgresql://localhost:port/books"),
        ("SECRET_KEY", "x" * 31),
        ("LOG_LEVEL", "loud"),
        ("CORS_ORIGINS", "https://example.org/path"),
        ("PORT", "65536"),
        ("WEB_CONCURRENCY", "0"),
    ],
)
def test_a_malformed_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit, match=rf"\n{name}: .+"):
        load()


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")

    with pytest.raises(SystemExit, match=r"\nDATABASE_URL: Field required"):
        load()


@pytest.mark.parametrize("key", [None, DEVELOPMENT_KEY])
def test_production_refuses_the_development_key(
    monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.delenv("SECRET_KEY", raising=False)
    if key:
        monkeypatch.setenv("SECRET_KEY", key)

    with pytest.raises(SystemExit, match=r"\nSECRET_KEY: .+"):
        load()


def test_origins_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example, http://b.example:8080,")

    assert load().cors_origins == ["https://a.example", "http://b.example:8080"]


def test_no_origin_is_known_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CORS_ORIGINS")

    assert load().cors_origins == []


def test_host_names_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "books.example, www.books.example")

    assert load().allowed_hosts == ["books.example", "www.books.example"]


def test_the_process_ends_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "none")

    process = subprocess.run(
        [sys.executable, "-m", "config"], capture_output=True, text=True, check=False
    )

    assert process.returncode > 0
    assert "PORT: " in process.stderr
    assert "Traceback" not in process.stderr


def test_production_is_as_django_advises() -> None:
    process = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env={**os.environ, "ENVIRONMENT": "production"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.returncode == 0, process.stderr
