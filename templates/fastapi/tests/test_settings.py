"""The environment: what is refused, and how."""

import subprocess
import sys

import pytest

from app.settings import DEVELOPMENT_KEY, load


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


def test_the_process_ends_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "none")

    process = subprocess.run(
        [sys.executable, "-m", "app"], capture_output=True, text=True, check=False
    )

    assert process.returncode > 0
    assert "PORT: " in process.stderr
    assert "Traceback" not in process.stderr
