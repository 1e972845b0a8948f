"""Django's migrations: in each app a chain of files that are numbered."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stackyard.updating.errors import ForkedHistoryError
from stackyard.updating.history.migrations import (
    History,
    assigned,
    calls,
    in_order,
    parse,
    plain,
    replaced,
)

_PYTHON = ".venv/bin/python"
_JOIN = f"{_PYTHON} -m devservers {_PYTHON} manage.py makemigrations --merge"
_DELETION = '''\
"""Delete what the project has no use for any more."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ({app}, {parent}),
    ]

    operations = [
{operations}
    ]
'''

_ENDS = {"__first__", "__latest__"}

Key = tuple[str, str]
"""An app, and the name of one of its migrations."""


@dataclass(frozen=True)
class _Migration:
    """One migration, with the statements of its class, which begin in the line `first`."""

    path: str
    text: str
    first: int
    statements: Mapping[str, ast.Assign | ast.AnnAssign]

    @classmethod
    def of(cls, project: Path, path: str, text: str) -> _Migration | None:
        """Read a file; one without the class is none of Django's."""
        text = plain(text)
        module = parse(project, path, text)
        classes = (node for node in module.body if isinstance(node, ast.ClassDef))
        found = next((node for node in classes if node.name == "Migration"), None)
        if found is None:
            return None
        return cls(path, text, found.body[0].lineno, assigned(found.body))

    @property
    def key(self) -> Key:
        app, _, file = PurePosixPath(self.path).parts
        return app, file.removesuffix(".py")

    def named(self, statement: str) -> list[Key]:
        """Return the migrations that a list names outright."""
        node = self.statements.get(statement)
        return [key for one in ast.walk(node) if (key := _key(one))] if node else []

    def operations(self) -> list[ast.expr]:
        node = self.statements.get("operations")
        return node.value.elts if node and isinstance(node.value, ast.List) else []

    def models(self) -> list[tuple[str, list[str]]]:
        """Return the operations on whole models, each with the names of these."""
        kinds = ("CreateModel", "DeleteModel", "RenameModel")
        return calls(self.statements.get("operations"), kinds)

    def parts(self) -> list[list[str]]:
        """Return the texts of the operations that add to a model, whose name comes first."""
        kinds = ("AddConstraint", "AddField", "AddIndex")
        return [texts for _, texts in calls(self.statements.get("operations"), kinds)]

    def texts(self) -> set[str]:
        """Return the plain texts in its operations, in lower case as Django compares them."""
        nodes = ast.walk(self.statements["operations"]) if "operations" in self.statements else ()
        return {str(one.value).lower() for one in nodes if isinstance(one, ast.Constant)}

    def following(self, last: Key | None, moved: Mapping[Key, Key | None]) -> str:
        """Return its text, behind the `last` of its app, and others where some have moved.

        To Django a migration that names no dependencies has none.
        """
        node = self.statements.get("dependencies")
        parents, lines = [last] if last else [], []
        for one in node.value.elts if node and isinstance(node.value, ast.List) else []:
            key = _key(one)
            if key is None:
                lines.append(ast.get_source_segment(self.text, one) or "")
            elif key[0] != self.key[0] and (new := moved.get(key, key)):
                parents.append(new)
        lines += [f"({json.dumps(app)}, {json.dumps(name)})" for app, name in parents]
        block = ["    dependencies = [", *(f"        {line}," for line in lines), "    ]"]
        if node:
            return replaced(self.text, [(node.lineno, node.end_lineno or 0, block)])
        if not lines:
            return self.text
        return replaced(self.text, [(self.first, self.first - 1, [*block, ""])])


@dataclass
class _Chain:
    """The migrations of one app: all names, those that nothing follows, the models at the end.

    Of the models, names in lower case: to Django these are the same.
    """

    app: str
    names: set[str]
    leaves: list[str]
    models: set[str]

    @classmethod
    def of(cls, app: str, migrations: Iterable[_Migration]) -> _Chain:
        """Read those of an app; what a squashed one stands for is as good as gone."""
        own = [one for one in migrations if one.key[0] == app]
        squashed = {key: one.key for one in own for key in one.named("replaces")}
        left = [one for one in own if one.key not in squashed]
        parents = {parent for one in left for parent in one.named("dependencies")}
        followed = {squashed.get(parent, parent) for parent in parents}
        models: set[str] = set()
        for kind, texts in (told for one in left for told in one.models()):
            if kind != "CreateModel":
                models.discard(texts[0].lower())
            if kind != "DeleteModel":
                models.add((texts[-1] if kind == "RenameModel" else texts[0]).lower())
        names = {name for _, name in [*squashed, *(one.key for one in own)]}
        return cls(app, names, [one.key[1] for one in left if one.key not in followed], models)

    @property
    def last(self) -> Key | None:
        return (self.app, self.leaves[0]) if self.leaves else None

    def append(self, name: str) -> str:
        """Have one of this name come last; return its path."""
        self.names.add(name)
        self.leaves = [name]
        return f"{self.app}/migrations/{name}.py"

    def numbered(self, what: str) -> str:
        """Return a name with the next free number."""
        numbers = [int(name[:4]) for name in self.names if name[:4].isdecimal()]
        return f"{max(numbers, default=0) + 1:04d}_{what}"


def is_migration(path: str) -> bool:
    """Tell whether a path is that of a migration of Django's."""
    place = PurePosixPath(path)
    is_module = place.suffix == ".py" and not place.name.startswith(("_", "~"))
    return is_module and place.match("*/migrations/*.py") and len(place.parts) == 3  # noqa: PLR2004


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
    own, left, coming = (_migrations(project, files) for files in (mine, gone, added))
    chains = {app: _Chain.of(app, own) for app in {one.key[0] for one in [*own, *left, *coming]}}
    for app in sorted({one.key[0] for one in [*left, *coming]}):
        if len(leaves := chains[app].leaves) > 1:
            raise ForkedHistoryError(project, [f"{app}.{name}" for name in leaves], _JOIN)
    files: dict[str, str] = {}
    others = [one for one in own if one.path not in gone]
    for app in sorted({one.key[0] for one in left}):
        parts = [one for one in left if one.key[0] == app]
        files |= _undone(chains[app], parts, others, history)
    return files | _following(chains, coming, history)


def _undone(
    chain: _Chain, gone: list[_Migration], others: list[_Migration], history: History
) -> dict[str, str]:
    """Return a migration that deletes the models that some of an app made, if they are there."""
    made = [texts[0] for one in gone for kind, texts in one.models() if kind == "CreateModel"]
    models = [model for model in reversed(made) if model.lower() in chain.models]
    names = {name.lower() for name in made}
    parts = [texts[0] for one in gone for texts in one.parts() if texts[0].lower() in names]
    is_more = len(made) + len(parts) < sum(len(one.operations()) for one in gone)
    if is_more or _are_referenced(chain.app, models, others):
        history.remaining += [one.path for one in gone]
        return {}
    if not models:  # the owner has deleted them
        return {}
    operations = [f"        migrations.DeleteModel(name={json.dumps(name)})," for name in models]
    text = _DELETION.format(
        app=json.dumps(chain.app),
        parent=json.dumps(chain.leaves[0]),
        operations="\n".join(operations),
    )
    path = chain.append(chain.numbered(f"delete_{'_'.join(models).lower()}"))
    history.dropping[path] = models
    return {path: text}


def _are_referenced(app: str, models: Iterable[str], migrations: Iterable[_Migration]) -> bool:
    """Tell whether relations to models of an app were added since these were last made."""
    names = {name.lower() for name in models}
    targets, used = {f"{app}.{name}".lower() for name in names}, False
    for one in migrations:
        made = {texts[0].lower() for kind, texts in one.models() if kind == "CreateModel"}
        if one.key[0] == app and names & made:
            used = False
        elif targets & one.texts():
            used = True
    return used


def _following(
    chains: Mapping[str, _Chain], coming: Iterable[_Migration], history: History
) -> dict[str, str]:
    """Return migrations so that each follows the last of its app, with a number of its own."""
    files, moved = {}, dict[Key, Key | None]()
    for one in coming:
        app, name = one.key
        chain, parents = chains[app], one.named("dependencies")
        missing = {
            parent: moved.get(parent) or chains[parent[0]].last
            for parent in parents
            if parent[0] in chains
            and (names := chains[parent[0]].names)  # the owner may have renamed the app
            and parent[1] not in names | _ENDS
        }
        before = [parent[1] for parent in parents if parent[0] == app]
        fits = before == chain.leaves and name not in chain.names
        if not missing and (fits or not chain.names):
            path, text = chain.append(name), one.text
        elif one.operations():
            text = one.following(chain.last, missing)
            path = chain.append(chain.numbered(name.lstrip("0123456789").lstrip("_")))
            moved[one.key] = chain.last
        else:  # a merge has nothing left to join
            continue
        files[path] = text
        history.added.append(path)
    return files


def _migrations(project: Path, files: Mapping[str, str]) -> list[_Migration]:
    """Return the migrations of some files, each after those that it depends on."""
    read = (_Migration.of(project, path, text) for path, text in sorted(files.items()))
    found = {one.key: one for one in read if one}
    order = in_order({key: one.named("dependencies") for key, one in found.items()})
    return [found[key] for key in order]


def _key(node: ast.AST) -> Key | None:
    """Return the migration that an expression names as a plain pair."""
    if isinstance(node, ast.Tuple):
        texts = [one.value for one in node.elts if isinstance(one, ast.Constant)]
        if len(texts) == len(node.elts) == 2:  # noqa: PLR2004
            return str(texts[0]), str(texts[1])
    return None
