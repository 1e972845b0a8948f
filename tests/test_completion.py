"""Tab, in the shells themselves."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from combinations import TEMPLATE
from conftest import Command, run

EXPLAINED = {
    name: {choice.value: choice.explanation for choice in TEMPLATE.questions[name].choices}
    for name in ("framework", "cache")
}
STARTING = {
    name: preset.explanation
    for name, preset in TEMPLATE.catalogue.presets.items()
    if name.startswith("sta")
}
SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config"],
}
SET_UP = {
    "bash": 'eval "$(_STACKYARD_COMPLETE=bash_source stackyard)"',
    "zsh": 'autoload -Uz compinit; compinit -D; eval "$(_STACKYARD_COMPLETE=zsh_source stackyard)"',
    "fish": "_STACKYARD_COMPLETE=fish_source stackyard | source",
}
TAB, HOME, END, ENTER = "\t", "\x01", "\x05", "\r"
TYPED = {  # each > is a Tab
    "li>": "list",
    "new fl>": "new flask",
    "new --dr>": "new --dry-run",
    "new -d ca>": "new -d cache=",
    "new -d ca>re>": "new -d cache=redis",
    "new -d cache=>n>": "new -d cache=none",
    "new -d 'cache=n>": "new -d cache=none",
    "new --ca>r>": "new --cache redis",
    "new --cache=n>": "new --cache=none",
    "new --cache none --ta>n>": "new --cache none --tasks none",
    "update --author-e>": "update --author-email",
    "new --data ta>c>": "new --data tasks=celery",
    "new --data=lic>A>": "new --data=license=Apache-2.0",
    "new -d cache=none -d license=M> fast>": "new -d cache=none -d license=MIT fastapi",
    "new flask my>.": "new flask myshop/.",
    "new flask my> --no-g>": "new flask myshop --no-git",
}


@pytest.fixture(autouse=True)
def surroundings(stackyard: Command) -> None:
    (stackyard.directory / "myshop").mkdir()
    (stackyard.directory / "my.txt").touch()
    stackyard.environment |= {
        "PATH": f"{stackyard.executable.parent}:{os.environ['PATH']}",
        "HOME": str(stackyard.temporary),
        "TERM": "dumb",
        "INPUTRC": os.devnull,
        "COLUMNS": "200",
    }


def needs(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}: apt-get install {shell}")


class Typist:
    """Someone at the terminal of a shell."""

    def __init__(self, here: int) -> None:
        self.here = here

    def type(self, keys: str) -> None:
        os.write(self.here, keys.replace(">", TAB).encode())

    def read(self, pattern: str) -> str:
        seen, deadline = "", time.monotonic() + 20
        while not (found := re.search(pattern, seen)):
            assert select.select([self.here], [], [], deadline - time.monotonic())[0], seen
            seen += os.read(self.here, 65536).decode()
        return found[1]

    def complete(self, keys: str) -> str:
        """Return what the keys make of the line."""
        self.type(f"stackyard {keys}{HOME}echo became: {END}{ENTER}")
        return self.read(r"\nbecame: stackyard (.*?)\s*\n")


@contextmanager
def typing(shell: str, command: Command) -> Iterator[Typist]:
    needs(shell)
    here, there = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", *SHELLS[shell]],
        cwd=command.directory,
        env=command.environment,
        stdin=there,
        stdout=there,
        stderr=there,
    )
    os.close(there)
    try:
        typist = Typist(here)
        typist.type(SET_UP[shell] + ENTER)
        yield typist
    finally:
        process.kill()
        process.wait()
        os.close(here)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_tab_completes(stackyard: Command, shell: str) -> None:
    with typing(shell, stackyard) as typist:
        made = {keys: typist.complete(keys) for keys in TYPED}
    # zsh takes the slash of a directory back when a space follows.
    assert {keys: line.replace("/ ", " ") for keys, line in made.items()} == TYPED


def test_bash_completes_where_a_word_goes_on_at_equals(stackyard: Command) -> None:
    with typing("bash", stackyard) as typist:
        typist.type("COMP_WORDBREAKS=${COMP_WORDBREAKS//=}" + ENTER)
        assert typist.complete("new -d ca>re>") == "new -d cache=redis"


def test_bash_shows_what_there_is(stackyard: Command) -> None:
    with typing("bash", stackyard) as typist:
        typist.type("stackyard new >>")
        assert typist.read(r"\n(fastapi .*)\n").split() == [*EXPLAINED["framework"]]


def test_zsh_explains_what_there_is(stackyard: Command) -> None:
    with typing("zsh", stackyard) as typist:
        typist.type("stackyard new -d cache=>")
        offers = [rf"cache={value} +-- {text}" for value, text in EXPLAINED["cache"].items()]
        assert typist.read(r"(?s)(" + ".*".join(offers) + ")")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("new ", EXPLAINED["framework"]),
        ("new -d cache=none fast", {"fastapi": EXPLAINED["framework"]["fastapi"]}),
        ("new -d ca", {"cache=": TEMPLATE.questions["cache"].text}),
        ("new -d cache=", {f"cache={value}": text for value, text in EXPLAINED["cache"].items()}),
        ("new --preset sta", STARTING),
        ("new --cache ", EXPLAINED["cache"]),
        ("update --cac", {"--cache": TEMPLATE.questions["cache"].text}),
        ("update --cache=n", {"--cache=none": EXPLAINED["cache"]["none"]}),
        ("new --data=cache=n", {"--data=cache=none": EXPLAINED["cache"]["none"]}),
        ("new flask my", {"myshop/": "Directory"}),
    ],
)
def test_fish_explains_what_there_is(
    stackyard: Command, line: str, expected: dict[str, str]
) -> None:
    needs("fish")
    script = f"{SET_UP['fish']}; complete -C 'stackyard {line}'"
    printed = run(*SHELLS["fish"], "-c", script, cwd=stackyard.directory, env=stackyard.environment)
    assert dict(offer.split("\t") for offer in printed.splitlines()) == expected


def test_completion_does_not_wait_for_copier(stackyard: Command) -> None:
    done = stackyard(
        _STACKYARD_COMPLETE="zsh_complete",
        COMP_WORDS="stackyard new -d cache=",
        COMP_CWORD="3",
        PYTHONPROFILEIMPORTTIME="1",
    )
    assert "cache=redis" in done.stdout
    assert " yaml" in done.stderr
    assert " copier" not in done.stderr
