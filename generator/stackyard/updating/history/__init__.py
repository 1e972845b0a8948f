"""Keeps a project's migrations a history: what may have run stays, what is new comes last."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stackyard.updating.history import alembic, django
from stackyard.updating.history.migrations import History

__all__ = ["History", "apps", "is_migration", "keep"]

_KINDS = (alembic, django)


def is_migration(path: str) -> bool:
    """Tell whether a path in a project is that of a migration."""
    return any(kind.is_migration(path) for kind in _KINDS)


def apps(migrations: Mapping[str, str]) -> str:
    """Return the names of the Django apps that have migrations, with spaces between them."""
    return " ".join(
        sorted({path.split("/")[0] for path in migrations if django.is_migration(path)})
    )


def keep(project: Path, migrations: Mapping[str, str], before: Path, after: Path) -> History:
    """Have an update take no migration away, and add those it brings after the project's last.

    `migrations` are the project's, by their paths in it. Of the trees that are to be merged, the
    one `before` the update and the one `after` it, the files are changed in place. What the
    newer one does not have any more stays as the project has it, and is undone by a new one.

    Raises:
        ForkedHistoryError, UnreadableMigrationError: if nobody can tell which is the last.
    """
    history = History()
    for path, text in alembic.relinked(project, _texts(before), _texts(after)).items():
        _put(after / path, text)
    for kind in _KINDS:
        mine = {path: text for path, text in migrations.items() if kind.is_migration(path)}
        old, new = (
            {path: text for path, text in _texts(side).items() if kind.is_migration(path)}
            for side in (before, after)
        )
        gone = {path: text for path, text in old.items() if path not in new}
        added = {path: text for path, text in new.items() if path not in old}
        for path in gone:
            for side in (before, after):
                _put(side / path, mine.get(path))
        if mine and (gone or added):
            for path in added:
                (after / path).unlink()
            for path, text in kind.appended(project, mine, gone, added, history).items():
                _put(after / path, text)
    return history


def _texts(directory: Path) -> dict[str, str]:
    """Return the texts of the migrations in a directory."""
    found = {path.relative_to(directory).as_posix(): path for path in directory.rglob("*.py")}
    return {
        name: path.read_bytes().decode("utf-8", "surrogateescape")
        for name, path in sorted(found.items())
        if is_migration(name) and path.is_file() and not path.is_symlink()
    }


def _put(file: Path, text: str | None) -> None:
    """Write a text to a file, or have no such file."""
    if text is None:
        file.unlink(missing_ok=True)
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
