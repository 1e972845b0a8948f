"""Writes `templates/index.txt`: the files of all layers, which Jinja cannot list by itself."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
NO_LAYERS = {"concerns", "fragments", "pins", "project", "workshop"}


def index(checkout: Path) -> str:
    """Return a line for each file of a layer, in their order."""
    templates = checkout / "templates"
    layers = [path for path in templates.iterdir() if path.is_dir() and path.name not in NO_LAYERS]
    paths = (path for layer in layers for path in layer.rglob("*") if path.is_file())
    names = sorted(path.relative_to(checkout).as_posix() for path in paths)
    return "".join(f"{name}\n" for name in names if not name.endswith("/option.yml"))


def write_index(checkout: Path) -> None:
    """Bring the index of a checkout up to date."""
    (checkout / "templates" / "index.txt").write_text(index(checkout), "utf-8")


if __name__ == "__main__":
    write_index(ROOT)
