"""A mistake is one clear line on stderr and exit 2; nothing is written, nothing is touched."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import UNPRIVILEGED, Command, needs_unprivileged, tree

MISTAKES = {
    "unknown command": (["nwe"], ["'nwe'", "'new'"]),
    "unknown flag": (["new", "--jsn"], ["'--jsn'", "'--json'"]),
    "too many arguments": (["new", "fastapi", "shop", "more"], ["more"]),
    "unknown framework": (["new", "fastpi", "shop"], ["'fastpi'", "did you mean 'fastapi'"]),
    "unlike any framework": (["new", "rails", "shop"], ["'rails'", "fastapi"]),
    "empty framework": (["new", "", "shop"], ["framework", "fastapi"]),
    "framework told twice": (
        ["new", "fastapi", "shop", "-d", "framework=flask"],
        ["framework", "'flask'"],
    ),
    "unknown option": (
        ["new", "fastapi", "shop", "-d", "cahce=none"],
        ["'cahce'", "did you mean 'cache'", "license"],
    ),
    "misspelt option": (
        ["new", "fastapi", "shop", "-d", "lisence=MIT"],
        ["'lisence'", "did you mean 'license'"],
    ),
    "part of an option": (
        ["new", "fastapi", "shop", "-d", "name=My shop"],
        ["'name'", "did you mean 'project_name'"],
    ),
    "option like another": (
        ["new", "fastapi", "shop", "--licence", "MIT"],
        ["'--licence'", "Did you mean '--license'?", "Try 'stackyard new --help'"],
    ),
    "misspelt option with its value": (
        ["update", "shop", "--taks=none"],
        ["'--taks'", "Did you mean '--tasks'?"],
    ),
    "an option's name as -d has it": (
        ["new", "--project_name", "shop"],
        ["'--project_name'", "Did you mean '--project-name'?"],
    ),
    "option without a value": (["new", "fastapi", "shop", "--cache"], ["'--cache'"]),
    "framework as an option": (["new", "--framework", "flask"], ["'--framework'"]),
    "misspelt flag": (
        ["new", "fastapi", "shop", "--default"],
        ["'--default'", "Did you mean '--defaults'?"],
    ),
    "misspelt flag where there are no options": (
        ["list", "--jsno"],
        ["'--jsno'", "Did you mean '--json'?"],
    ),
    "flag like nothing": (["new", "--xyzzy"], ["No such option '--xyzzy'. Try 'stackyard new"]),
    "misspelt command": (["nwe"], ["'nwe'", "Did you mean 'new'?"]),
    "misspelt framework": (["new", "fast-api"], ["'fast-api'", "did you mean 'fastapi'"]),
    "unknown value": (
        ["new", "fastapi", "shop", "-d", "cache=reddis"],
        ["cache", "'reddis'", "did you mean 'redis'", "none"],
    ),
    "unknown value of an option": (
        ["new", "fastapi", "shop", "--cache", "reddis"],
        ["cache", "'reddis'", "did you mean 'redis'", "none"],
    ),
    "unknown preset": (
        ["new", "flask", "shop", "--preset", "startap"],
        ["'startap'", "did you mean 'startup'", "standard"],
    ),
    "preset of other frameworks": (
        ["new", "pyramid", "shop", "--preset", "startup"],
        ["startup is not for pyramid", "choose fastapi or flask", "standard"],
    ),
    "refused together": (
        ["new", "fastapi", "shop", "--queue-ui", "flower", "--tasks", "none"],
        ["queue_ui=flower does not go with tasks=none: there is no", "choose --tasks celery"],
    ),
    "refused with a preset": (
        ["new", "fastapi", "shop", "--queue-ui", "flower", "--preset", "startup"],
        ["does not go with tasks=none (from the preset startup)", "choose --tasks celery"],
    ),
    "computed option": (
        ["new", "fastapi", "shop", "-d", "layers=[]"],
        ["layers", "leave it out"],
    ),
    "no equals sign": (
        ["new", "fastapi", "shop", "-d", "cache"],
        ["-d 'cache'", "'='", "-d cache=VALUE"],
    ),
    "told twice": (
        ["new", "fastapi", "shop", "-d", "cache=none", "-d", "cache=redis"],
        ["cache", "'none'", "'redis'"],
    ),
    "told twice by options": (
        ["new", "fastapi", "shop", "--cache=none", "--cache", "redis"],
        ["cache", "'none'", "'redis'", "keep one"],
    ),
    "told twice, once by -d": (
        ["new", "fastapi", "shop", "--cache", "none", "-d", "cache=redis"],
        ["cache", "'none'", "'redis'", "keep one"],
    ),
    "email": (
        ["new", "fastapi", "shop", "-d", "author_email=nobody"],
        ["author_email", "'nobody'", "name@example.org"],
    ),
    "description of two lines": (
        ["new", "fastapi", "shop", "-d", "description=a\nb"],
        ["description", r"'a\nb'", "one line"],
    ),
    "bytes that are not text": (
        ["new", "fastapi", "shop", "-d", b"author_name=\xff"],
        ["author_name", r"'\udcff'"],
    ),
    "path that is not text": (["new", "fastapi", b"sh\xffop"], [r"'sh\udcffop'", "UTF-8"]),
    "empty path": (["new", "fastapi", ""], ["''", "PATH"]),
    "target not empty": (["new", "fastapi", "full"], ["'full'", "'kept.txt'", "--force"]),
    "target is a file": (["new", "fastapi", "file"], ["'file'", "not a directory"]),
    "target is a link to nothing": (["new", "fastapi", "dangling"], ["'dangling'"]),
    "parent is a file": (["new", "fastapi", "file/shop"], ["'file/shop'", "file' is not a dir"]),
    "loop of links": (["new", "fastapi", "loop/shop"], ["'loop/shop'"]),
    "path too long": (["new", "fastapi", "a" * 300], ["too long"]),
    "slug is taken": (["new", "fastapi", "-d", "project_name=Full"], ["'full'", "--force"]),
    "slug of other characters": (
        ["new", "fastapi", "shop", "-d", "project_slug=My_Shop"],
        ["project_slug", "'My_Shop'", "a to z", "pass another with --project-slug"],
    ),
    "slug of a dependency": (
        ["new", "fastapi", "shop", "-d", "project_slug=pydantic-core"],
        ["project_slug", "'pydantic-core'", "dependencies"],
    ),
    "name from the path": (
        ["new", "fastapi", "class"],
        ["PATH", "'class'", "pass another with --project-name"],
    ),
}

NAMES = {
    "": "empty",
    "   ": "empty",
    "class": "keyword",
    "None": "keyword",
    "Async": "keyword",
    "match": "keyword",
    "json": "standard library",
    "Email": "standard library",
    "py-compile": "standard library",
    "_thread": "underscore",
    "fastapi": "dependencies",
    "SQLAlchemy": "dependencies",
    "pydantic_settings": "dependencies",
    "Pydantic.Core": "dependencies",
    "a/b": "separator",
    "a\\b": "separator",
    "..": "letter",
    "a\nb": "one line",
    "a\tb": "one line",
    "a\x7fb": "one line",
    "🙂": "letter",
}


@pytest.fixture
def occupied(stackyard: Command) -> Command:
    """A directory with something in every way."""
    here = stackyard.directory
    (here / "full").mkdir()
    (here / "full" / "kept.txt").write_text("mine\n")
    (here / "file").write_text("mine\n")
    (here / "dangling").symlink_to("nowhere")
    (here / "loop").symlink_to("loop")
    return stackyard


def assert_refused(command: Command, *arguments: str | bytes, says: list[str], **kwargs) -> None:
    before = tree(command.directory)
    done = command(*arguments, **kwargs)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("stackyard: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert [part for part in says if part not in done.stderr] == [], done.stderr
    assert tree(command.directory) == before
    assert command.leftovers() == []


@pytest.mark.parametrize(("arguments", "says"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_line(
    occupied: Command, arguments: list[str | bytes], says: list[str]
) -> None:
    assert_refused(occupied, *arguments, says=says)


@pytest.mark.parametrize(("name", "reason"), NAMES.items(), ids=map(ascii, NAMES))
def test_a_name_that_would_break_the_project_is_refused(
    occupied: Command, name: str, reason: str
) -> None:
    arguments = ["new", "fastapi", "shop", "-d", f"project_name={name}"]
    assert_refused(occupied, *arguments, says=["project_name", repr(name), reason])


@needs_unprivileged
@pytest.mark.parametrize("target", ["closed", "closed/shop", "closed/deep/shop"])
@pytest.mark.parametrize("mode", [0o500, 0o000], ids=oct)
def test_a_directory_that_cannot_be_written_is_refused(
    stackyard: Command, target: str, mode: int
) -> None:
    closed = stackyard.directory / "closed"
    closed.mkdir()
    closed.chmod(mode)
    arguments = ["new", "fastapi", target, "-d", "project_name=shop"]
    assert_refused(
        stackyard, *arguments, prefix=UNPRIVILEGED, says=[f"'{target}'", "Permission denied"]
    )
    closed.chmod(0o700)
    assert list(closed.iterdir()) == []


@needs_unprivileged
def test_a_failure_in_the_middle_of_an_overwrite_restores_every_file(stackyard: Command) -> None:
    shop = stackyard.directory / "shop"
    for name in ("app/main.py", "README.md", "migrations/env.py"):
        (shop / name).parent.mkdir(parents=True, exist_ok=True)
        (shop / name).write_text("mine\n")
    (shop / "migrations").chmod(0o500)
    arguments = ["new", "fastapi", "shop", "--force", "--no-lock"]
    says = ["'shop'", "Permission denied", f"{shop}'"]
    assert_refused(stackyard, *arguments, prefix=UNPRIVILEGED, says=says)


NAMESPACE = ["unshare", "--mount", "--map-root-user"]


def namespaces_work() -> bool:
    return bool(shutil.which("unshare")) and not os.system(
        f"{' '.join(NAMESPACE)} true 2>/dev/null"
    )


needs_namespaces = pytest.mark.skipif(
    not namespaces_work(), reason="no mount namespaces here, so no file system of our own"
)


def on_mount(command: Command, options: str, arguments: str) -> tuple[str, str, str]:
    """Run the command in a new file system; return its status, its stderr, what is left there."""
    place = command.directory / "mount"
    place.mkdir()
    script = (
        f"mount -t tmpfs -o {options} none {place} && cd {place} &&"
        f" {{ {command.executable} {arguments} >/dev/null; echo $?; find . -mindepth 1; }}"
    )
    command = Command(command.directory, command.temporary, command.environment, Path("/bin/sh"))
    done = command("-c", script, prefix=NAMESPACE)
    status, _, left = done.stdout.partition("\n")
    return status, done.stderr, left


@needs_namespaces
@pytest.mark.parametrize("pages", [1, 2, 8, 16, 24, 40])
def test_a_full_disk_leaves_nothing(stackyard: Command, pages: int) -> None:
    """Whatever the step at which room runs out: rendering, git, or the publishing."""
    options = f"size={pages * 4096}"
    status, said, left = on_mount(stackyard, options, "new fastapi a/shop --no-lock")
    assert (status, left) == ("2", ""), said
    assert "'a/shop'" in said
    assert "disk is full" in said
    assert said.count("\n") == 1
    assert stackyard.leftovers() == []


@needs_namespaces
def test_a_read_only_file_system_is_refused(stackyard: Command) -> None:
    status, said, left = on_mount(stackyard, "ro", "new fastapi shop --no-lock")
    assert (status, left) == ("2", ""), said
    assert "Read-only file system" in said
    assert said.count("\n") == 1


def test_a_stdout_that_takes_nothing_is_told_in_one_line(stackyard: Command) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [stackyard.executable, "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "stackyard: cannot print the result: No space left on device\n"
