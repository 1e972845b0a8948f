"""Alembic's migrations: a chain of revisions."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from stackyard.updating.errors import ForkedHistoryError, UnreadableMigrationError
from stackyard.updating.history.migrations import (
    History,
    assigned,
    calls,
    does_nothing,
    in_order,
    parse,
    plain,
    replaced,
    words,
)

_JOIN = ".venv/bin/python -m devservers .venv/bin/alembic merge heads -m 'Join the heads'"


@dataclass(frozen=True)
class _Revision:
    """One migration: its id, and those of the ones that it follows."""

    path: str
    text: str
    module: ast.Module
    id: str
    parents: tuple[str, ...]

    @classmethod
    def of(cls, project: Path, path: str, text: str) -> _Revision | None:
        """Read a file; one without a revision is none of Alembic's."""
        text = plain(text)
        module = parse(project, path, text)
        told = assigned(module.body)
        if "revision" not in told:
            return None
        found: list[object] = []
        for name in ("revision", "down_revision"):
            try:
                value = told[name].value if name in told else None
                found.append(ast.literal_eval(value) if value else None)
            except (ValueError, TypeError, RecursionError) as error:
                reason = f"its {name} is no plain value"
                raise UnreadableMigrationError(project, path, reason) from error
        parents = found[1] if isinstance(found[1], tuple | list) else [found[1]] * bool(found[1])
        return cls(path, text, module, str(found[0]), tuple(map(str, parents)))

    @property
    def slug(self) -> str:
        """Return what its file is called beside its id."""
        return PurePosixPath(self.path).stem.removeprefix(self.id).lstrip("_")

    def function(self, name: str) -> ast.FunctionDef | None:
        """Return the function that brings the schema forward, or back."""
        functions = (node for node in self.module.body if isinstance(node, ast.FunctionDef))
        return next((node for node in functions if node.name == name), None)

    def does_nothing(self, name: str = "upgrade") -> bool:
        """Tell whether the function changes nothing, as that of a merge."""
        function = self.function(name)
        return function is None or does_nothing(function.body)

    def tables(self) -> Counter[str]:
        """Return the tables that it makes, and with a negative count those that it drops."""
        found: Counter[str] = Counter()
        function = self.function("upgrade")
        for name, texts in calls(function, ("create_table", "drop_table", "rename_table")):
            found[texts[0]] += 1 if name == "create_table" else -1
            if name == "rename_table" and texts[1:]:
                found[texts[1]] += 1
        return found

    def after(self, parent: str, taken: Iterable[_Revision]) -> tuple[str, str, str]:
        """Return id, path and text of it behind another; if its name is taken, under a new one."""
        path, name, values = self.path, self.id, {"down_revision": parent}
        if any(self.id == one.id or self.path == one.path for one in taken):
            name = _digits(f"{self.id} after {parent}")
            path = str(PurePosixPath(path).with_name(f"{name}_{self.slug}.py"))
            values["revision"] = name
        return name, path, self._with(values)

    def undone(self, parent: str) -> tuple[str, str, str]:
        """Return id, path and text of what undoes it, behind another."""
        name = _digits(f"{self.id} undone after {parent}")
        path = str(PurePosixPath(self.path).with_name(f"{name}_undo_{self.slug}.py"))
        docstring = f'"""Undo {PurePosixPath(self.path).stem}."""'
        values = {"revision": name, "down_revision": parent}
        return name, path, self._with(values, docstring)

    def _with(self, values: Mapping[str, str], undoing: str = "") -> str:
        """Return its text with other values, and as what undoes it with this docstring."""
        statements = assigned(self.module.body)
        edits = []
        for name, value in values.items():
            if node := statements.get(name):
                first = node.lineno
            else:  # as the first of all may leave it out
                node = statements["revision"]
                first = (node.end_lineno or 0) + 1
            line = f"{name} = {json.dumps(value, ensure_ascii=False)}"
            edits.append((first, node.end_lineno or 0, [line]))
        if undoing:
            lines = self.text.split("\n")
            said = self.module.body[0] if ast.get_docstring(self.module) is not None else None
            edits.append((said.lineno if said else 1, (said and said.end_lineno) or 0, [undoing]))
            for name, other in (("upgrade", "downgrade"), ("downgrade", "upgrade")):
                old, new = self.function(name), self.function(other)
                if old and new:
                    block = lines[new.lineno - 1 : new.end_lineno]
                    block[0] = block[0].replace(f"def {other}", f"def {name}", 1)
                    edits.append((old.lineno, old.end_lineno or old.lineno, block))
        return replaced(self.text, edits)


def is_migration(path: str) -> bool:
    """Tell whether a path is that of a migration of Alembic's."""
    place = PurePosixPath(path)
    return str(place.parent) == "migrations/versions" and place.suffix == ".py"


def relinked(project: Path, old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Return the migrations of a newer tree that follow others than in the older one, as they did.

    Raises:
        UnreadableMigrationError: if one cannot be read.
    """
    files = {}
    for path in filter(is_migration, old.keys() & new.keys()):
        before, after = (_Revision.of(project, path, side[path]) for side in (old, new))
        if before and after and before.parents != after.parents and len(before.parents) == 1:
            files[path] = after.after(before.parents[0], ())[2]
    return files


def appended(
    project: Path,
    mine: Mapping[str, str],
    gone: Mapping[str, str],
    added: Mapping[str, str],
    history: History,
) -> dict[str, str]:
    """Return the files to add to a project's: what undoes the `gone`, and the `added` ones.

    Raises:
        ForkedHistoryError, UnreadableMigrationError: if nobody can tell which is the last.
    """
    own, left, coming = (_revisions(project, files) for files in (mine, gone, added))
    if not own:
        history.added += added
        return dict(added)
    heads = _heads(own)
    if len(heads) != 1:
        raise ForkedHistoryError(project, heads, _JOIN)
    head, files = heads[0], {}
    tables = sum((one.tables() for one in own), Counter[str]())
    others = [one for one in own if one.path not in gone]
    for one in reversed(left):
        there = next((it for it in own if (it.id, it.path) == (one.id, one.path)), None)
        made = one.tables()
        if one.does_nothing() or (made and not any(tables[name] > 0 for name in made)):
            continue  # there is nothing, or the owner has dropped it
        if not there or there.does_nothing("downgrade") or _is_built_upon(made, others):
            history.remaining.append(one.path)
            continue
        head, path, text = there.undone(head)
        files[path] = text
        undoing = parse(project, path, text)
        lost = calls(_upgrade(undoing), ("drop_table", "drop_column"))
        history.dropping[path] = [
            ".".join(texts[:2]) if name == "drop_column" else texts[0] for name, texts in lost
        ]
    if not files and _fits(coming, own):
        files = {one.path: one.text for one in coming}
    else:
        for one in coming:
            if not one.does_nothing():  # a merge has nothing left to join
                head, path, text = one.after(head, own)
                files[path] = text
    history.added += [path for path in files if path not in history.dropping]
    return files


def _is_built_upon(tables: Iterable[str], revisions: Iterable[_Revision]) -> bool:
    """Tell whether tables were changed, or referenced by others, since they were last made."""
    names, used = set(tables), False
    for one in revisions:
        if names & one.tables().keys():
            used = False
        elif names & words(one.function("upgrade")):
            used = True
    return used


def _upgrade(module: ast.Module) -> ast.stmt | None:
    functions = (node for node in module.body if isinstance(node, ast.FunctionDef))
    return next((node for node in functions if node.name == "upgrade"), None)


def _revisions(project: Path, files: Mapping[str, str]) -> list[_Revision]:
    """Return the migrations of some files, each after those that it follows."""
    read = (_Revision.of(project, path, text) for path, text in sorted(files.items()))
    found = {one.id: one for one in read if one}
    return [found[name] for name in in_order({one.id: one.parents for one in found.values()})]


def _heads(revisions: Iterable[_Revision]) -> list[str]:
    """Return the ids of those that nothing follows."""
    followed = {parent for one in revisions for parent in one.parents}
    return [one.id for one in revisions if one.id not in followed]


def _fits(coming: Iterable[_Revision], own: Iterable[_Revision]) -> bool:
    """Tell whether some follow the others as they are: with one head, and every name free."""
    together = [*own, *coming]
    ids, paths = {one.id for one in together}, {one.path for one in together}
    is_whole = all(parent in ids for one in together for parent in one.parents)
    return is_whole and len(ids) == len(paths) == len(together) and len(_heads(together)) == 1


def _digits(text: str) -> str:
    """Return 12 digits that are the same for the same text, as an id of Alembic's looks."""
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]
