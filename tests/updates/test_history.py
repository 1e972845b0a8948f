"""Migrations in an update: none that may have run goes away, and new ones come last.

What a database makes of it is in `test_databases.py`.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Command, replace
from stackyard.updating.errors import ForkedHistoryError, UnreadableMigrationError
from stackyard.updating.history import History

from .conftest import FIRST, Files, Kept, save

VERSIONS = "migrations/versions"
NOTHING = "pass"
CREATE, DROP = 'op.create_table("reports")', 'op.drop_table("reports")'


def revision(
    name: str, *parents: str, upgrade: str = 'op.execute("1")', downgrade: str = 'op.execute("0")'
) -> str:
    """Return a migration of Alembic's."""
    down = {0: None, 1: parents[0] if parents else None}.get(len(parents), parents)
    return f'''\
"""Change {name}."""

from alembic import op

revision = {name!r}
down_revision = {down!r}


def upgrade() -> None:
    """Do it."""
    {upgrade}


def downgrade() -> None:
    """Take it back."""
    {downgrade}
'''


def alembic(*revisions: str) -> Files:
    """Name each of some migrations of Alembic's after its revision."""
    return {f"{VERSIONS}/{_name(text)}_change.py": text for text in revisions}


def _name(text: str) -> str:
    found = re.search(r"(?m)^revision = (.+)$", text)
    assert found
    return str(ast.literal_eval(found[1]))


def follows(text: str) -> object:
    """Return the revision that a migration of Alembic's follows."""
    found = re.search(r"(?m)^down_revision = (.+)$", text)
    assert found
    return ast.literal_eval(found[1])


FIRST_TABLES = revision("0001")
REPORTS = revision("0002", "0001", upgrade=CREATE, downgrade=DROP)
BESIDE = revision("0003", "0001")
JOIN = revision("0004", "0002", "0003", upgrade=NOTHING, downgrade=NOTHING)
WITHOUT = alembic(FIRST_TABLES, BESIDE)
WITH = alembic(FIRST_TABLES, REPORTS, BESIDE, JOIN)
OWN = alembic(revision("abc", "0004"))
OWN_WITHOUT = alembic(revision("abc", "0003"))


def test_what_an_answer_takes_away_is_undone_after_the_last(update: Callable[..., Kept]) -> None:
    told, new = update(WITH | OWN, WITH, WITHOUT)
    [(path, text)] = new.items()
    assert re.fullmatch(rf"{VERSIONS}/[0-9a-f]{{12}}_undo_change\.py", path)
    assert follows(text) == "abc"
    assert _name(text) == Path(path).name[:12]
    assert text.startswith('"""Undo 0002_change."""\n')
    upgrade, downgrade = text.split("def upgrade")[1].split("def downgrade")
    assert (DROP in upgrade, CREATE in downgrade) == (True, True)
    assert (told.added, told.dropping, told.remaining) == ([], {path: ["reports"]}, [])


def test_several_are_undone_from_the_last_on(update: Callable[..., Kept]) -> None:
    later = alembic(
        revision("0005", "0004", upgrade='op.add_column("reports", "title")', downgrade="op.last()")
    )
    _, new = update(WITH | later, WITH | later, WITHOUT)
    [last] = (text for text in new.values() if follows(text) == "0005")
    [first] = (text for text in new.values() if follows(text) == _name(last))
    assert ("op.last()" in last, DROP in first) == (True, True)


def test_what_an_answer_adds_is_as_it_is_where_it_follows_the_last(
    update: Callable[..., Kept],
) -> None:
    """A merge that comes with it joins them: there is one head."""
    told, new = update(WITHOUT, WITHOUT, WITH)
    assert new == {path: text for path, text in WITH.items() if path not in WITHOUT}
    assert told.added == sorted(new)


def test_what_an_answer_adds_follows_the_owners_last(update: Callable[..., Kept]) -> None:
    """So that no merge is needed, which is left out."""
    told, new = update(WITHOUT | OWN_WITHOUT, WITHOUT, WITH)
    [(path, text)] = new.items()
    assert (path, follows(text)) == (f"{VERSIONS}/0002_change.py", "abc")
    assert text == REPORTS.replace("down_revision = '0001'", 'down_revision = "abc"')
    assert told.added == [path]


def test_there_and_back_again_makes_each_time_another(update: Callable[..., Kept]) -> None:
    _, gone = update(WITH, WITH, WITHOUT)
    _, back = update(WITH | gone, WITHOUT, WITH)
    [text], [again] = gone.values(), back.values()
    assert follows(again) == _name(text)
    assert _name(again) not in {"0002", _name(text)}
    _, twice = update(WITH | gone | back, WITH, WITHOUT)
    [last] = twice.values()
    assert follows(last) == _name(again)
    assert len({_name(one) for one in (WITH | gone | back | twice).values()}) == len(WITH) + 3


def test_the_same_update_makes_the_same_names(update: Callable[..., Kept]) -> None:
    """So that two who make it have no conflict."""
    assert update(WITH, WITH, WITHOUT)[1] == update(WITH, WITH, WITHOUT)[1]


@pytest.mark.parametrize("taken", ["0002_change.py", "0002_mine.py"])
def test_a_name_that_the_owner_took_is_not_taken_again(
    update: Callable[..., Kept], taken: str
) -> None:
    """Be it the file's or the revision's."""
    mine = {f"{VERSIONS}/{taken}": revision("0002" if "mine" in taken else "abc", "0003")}
    _, new = update(WITHOUT | mine, WITHOUT, WITH)
    [(path, text)] = new.items()
    assert re.fullmatch(rf"{VERSIONS}/[0-9a-f]{{12}}_change\.py", path)
    assert follows(text) == _name(*mine.values())


def test_an_owner_who_dropped_the_table_is_not_asked_to_again(
    update: Callable[..., Kept],
) -> None:
    dropped = alembic(revision("abc", "0004", upgrade=DROP, downgrade=CREATE))
    assert update(WITH | dropped, WITH, WITHOUT) == (History(), {})


def test_a_history_that_was_begun_anew_is_left_to_the_owner(update: Callable[..., Kept]) -> None:
    anew = alembic(revision("abc", upgrade=f"{CREATE}; op.create_table('books')"))
    told, new = update(anew, WITH, WITHOUT)
    assert (told.remaining, new) == ([f"{VERSIONS}/0002_change.py"], {})


def test_a_migration_that_cannot_be_undone_is_left_to_the_owner(
    update: Callable[..., Kept],
) -> None:
    one_way = alembic(revision("0002", "0001", upgrade=CREATE, downgrade=NOTHING))
    told, new = update(WITH | one_way, WITH | one_way, WITHOUT)
    assert (told.remaining, new) == ([f"{VERSIONS}/0002_change.py"], {})


@pytest.mark.parametrize(
    "upgrade",
    [
        'op.add_column("reports", "title")',
        'op.create_table("films", sa.ForeignKey("reports.id"))',
        'op.execute("ALTER TABLE reports ADD title text")',
    ],
)
def test_what_the_owner_built_upon_is_left_to_the_owner(
    update: Callable[..., Kept], upgrade: str
) -> None:
    """Else a foreign key refuses the drop, or the table comes back without the column."""
    built = alembic(revision("abc", "0004", upgrade=upgrade))
    told, new = update(WITH | built, WITH, WITHOUT)
    assert (told.remaining, new) == ([f"{VERSIONS}/0002_change.py"], {})
    anew = alembic(
        revision("def", "abc", upgrade=DROP, downgrade=CREATE),
        revision("ghi", "def", upgrade=CREATE, downgrade=DROP),
    )
    told, new = update(WITH | built | anew, WITH, WITHOUT)
    assert (told.remaining, list(map(follows, new.values()))) == ([], ["ghi"])


def test_edits_of_a_migration_stay_and_are_undone_too(update: Callable[..., Kept]) -> None:
    edited = alembic(
        revision("0002", "0001", upgrade='op.create_table("reports", "more")', downgrade=DROP)
    )
    _, new = update(WITH | edited, WITH, WITHOUT)
    [text] = new.values()
    assert '"more"' in text.split("def downgrade")[1]


def test_lines_may_end_otherwise(update: Callable[..., Kept]) -> None:
    theirs = {path: text.replace("\n", "\r\n") for path, text in (WITH | OWN).items()}
    assert update(theirs, WITH, WITHOUT) == update(WITH | OWN, WITH, WITHOUT)


def test_a_byte_order_mark_is_none_of_the_text(update: Callable[..., Kept]) -> None:
    """Some editors of Windows write it, and Python reads over it."""
    theirs = {path: f"\ufeff{text}" for path, text in (WITH | OWN).items()}
    assert update(theirs, WITH, WITHOUT) == update(WITH | OWN, WITH, WITHOUT)


def test_annotations_are_as_good(update: Callable[..., Kept]) -> None:
    """As Alembic's own template has them."""
    typed = revision("abc", "0003").replace("revision =", "revision: str | None =")
    _, new = update(WITHOUT | {f"{VERSIONS}/abc.py": typed}, WITHOUT, WITH)
    assert list(map(follows, new.values())) == ["abc"]


def test_a_release_may_bring_several(update: Callable[..., Kept]) -> None:
    """They keep their order, and a project without these answers gets the same."""
    later = alembic(revision("0006", "0005"), revision("0005", "0004"))
    gone = alembic(revision("def", "0004", upgrade=DROP, downgrade=CREATE))
    told, new = update(WITH | gone, WITHOUT, WITHOUT | later)
    assert [follows(new[path]) for path in told.added] == ["def", "0005"]


def test_two_heads_are_for_the_owner_to_join(update: Callable[..., Kept]) -> None:
    forked = WITHOUT | OWN_WITHOUT | alembic(revision("def", "0003"))
    with pytest.raises(
        ForkedHistoryError, match=r"abc, def.* devservers \.venv/bin/alembic merge heads"
    ):
        update(forked, WITHOUT, WITH)
    assert update(forked, WITHOUT, WITHOUT) == (History(), {})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def", "line 1: invalid syntax"),
        ("revision = make()\n", "its revision is no plain value"),
        ("revision = 'a'\ndown_revision = last()\n", "its down_revision is no plain value"),
        ("revision = 'a\0'\n", "null bytes"),
        ("(" * 1000, ""),
    ],
)
def test_what_cannot_be_read_is_named(update: Callable[..., Kept], text: str, reason: str) -> None:
    odd = {f"{VERSIONS}/odd.py": text}
    with pytest.raises(UnreadableMigrationError, match=r"versions/odd\.py") as caught:
        update(WITHOUT | odd, WITHOUT, WITH)
    assert reason in str(caught.value)
    assert update(WITHOUT | odd, WITHOUT, WITHOUT) == (History(), {})


def test_other_files_beside_the_migrations_are_none(update: Callable[..., Kept]) -> None:
    beside = {f"{VERSIONS}/__init__.py": "", f"{VERSIONS}/names.py": "NAMES = ()\n"}
    assert update(WITH | beside, WITH, WITHOUT) == update(WITH, WITH, WITHOUT)


def test_a_project_without_migrations_gets_them_as_they_are(update: Callable[..., Kept]) -> None:
    for none in ({}, {f"{VERSIONS}/__init__.py": ""}):
        assert update(none, WITHOUT, WITH)[1].keys() == WITH.keys() - WITHOUT.keys()
        assert update(none, WITH, WITHOUT) == (History(), {})


def test_an_update_tells_what_comes_and_what_is_lost(user: Command, shop: Path) -> None:
    """By `update` and by `update --dry-run`, and for programs."""
    undoes = r"migrations/versions/[0-9a-f]{12}_undo_reports\.py"
    for flags in (["--dry-run"], []):
        done = user("update", "shop", "--to", FIRST, "-d", "tasks=none", *flags)
        assert done.returncode == 0, done.stderr
        assert "Data are lost where this is applied\n" in done.stdout
        assert re.search(rf"\n  {undoes}: drops reports\n", done.stdout)
        assert "\n  make migrate\n" in done.stdout
    assert "\n  make test\n  make migrate\n  git commit" in done.stdout
    save(shop, "Without tasks")
    dry = ("update", "shop", "--to", FIRST, "-d", "tasks=celery", "--dry-run")
    assert re.search(
        r"New migrations; read them.*\n  migrations/versions/[0-9a-f]{12}_reports\.py\n",
        user(*dry).stdout,
    )
    [path] = json.loads(user(*dry, "--json").stdout)["migrations"]["added"]
    assert path.endswith("_reports.py")


def test_beside_conflicts_too_it_is_told_what_applies_them(user: Command, shop: Path) -> None:
    (shop / "app" / "tasks.py").write_text("tasks = []\n")
    save(shop, "Have tasks of our own")
    done = user("update", "shop", "--to", FIRST, "-d", "tasks=none")
    assert "and commit; then say 'make migrate'; or undo the update:\n" in done.stdout


def test_what_remains_to_be_done_is_told(user: Command, shop: Path) -> None:
    """As commands, where the owner has begun the history anew, or has two heads."""
    (shop / VERSIONS / "0004_merge.py").unlink()
    save(shop, "Break it")
    done = user("update", "shop", "--to", FIRST, "-d", "tasks=none")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.endswith("alembic merge heads -m 'Join the heads'\n")
    (shop / VERSIONS / "0002_reports.py").unlink()
    replace(shop / VERSIONS / "0001_users_and_books.py", "    op.", f"    {CREATE}\n    op.")
    save(shop, "Begin anew")
    done = user("update", "shop", "--to", FIRST, "-d", "tasks=none")
    assert "  migrations/versions/0002_reports.py\nTake what they made out" in done.stdout
    steps = ["cd shop", 'make migration m="drop what is of no use any more"', "make migrate"]
    assert "\n".join(f"  {step}" for step in steps) in done.stdout
