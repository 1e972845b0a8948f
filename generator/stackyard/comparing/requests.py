"""One request, five ways: what it passes in each framework, as it was recorded."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path("templates", "concerns", "requests")
