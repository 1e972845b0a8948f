"""Flask's own commands, where people expect them."""

import subprocess
import sys


def flask(*arguments: str, typed: str = "") -> str:
    """Return what `flask --app app` prints."""
    command = [sys.executable, "-m", "flask", "--app", "app", *arguments]
    return subprocess.run(command, input=typed, capture_output=True, text=True, check=True).stdout


def test_the_routes_are_listed() -> None:
    assert "/api/v1/books/<id:id>" in flask("routes")


def test_the_shell_has_the_models_and_a_session() -> None:
    assert "None" in flask("shell", typed="print(session.get(models.User, 1))\n")
