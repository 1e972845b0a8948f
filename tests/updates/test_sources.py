"""Another template than stackyard's own: contacted when told so, and what it may read."""

from __future__ import annotations

import os
import pty
import shutil
import time
from contextlib import suppress
from pathlib import Path

import pytest

from conftest import UPSTREAM, Command, replace, run, tree

from .conftest import ANSWERS, FIRST, move, release, save


@pytest.mark.parametrize("flags", [[], ["--check"], ["--dry-run"], ["--json"]], ids=" ".join)
def test_another_source_is_not_contacted_untold(
    user: Command, shop: Path, other: Path, flags: list[str]
) -> None:
    """Where nobody can be asked; what `show` has without it, it shows."""
    shutil.rmtree(other)  # or it would be "cannot reach"
    says = f"the template at '{other}' is not stackyard's own, so it was not contacted"
    done = user("update", "shop", *flags)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"stackyard: {says}: pass --trust-source if")
    assert done.stderr.count("\n") == 1
    done = user("show", "shop")
    assert done.returncode == 0
    assert f"source        {other}\n" in done.stdout
    assert "(unknown)" in done.stdout
    assert done.stderr.startswith(f"stackyard: warning: {says}")
    done = user("show", "shop", "--trust-source")
    assert "cannot reach the template" in done.stderr


@pytest.mark.parametrize("own", ["gh:stackyard/stackyard", f"git+{UPSTREAM}.git", f"{UPSTREAM}/"])
def test_its_own_source_has_several_names(user: Command, shop: Path, own: str) -> None:
    move(shop, f"_src_path: {own}\n")
    assert "not stackyard's own" not in user("show", "shop").stderr


OTHER = "git.example.org/team/stackyard.git"


@pytest.fixture
def checkout(upstream: Path, user: Command, tmp_path: Path) -> Path:
    """A clone of the first release, whose origin answers to all the addresses of `OTHER`."""
    bare, place = tmp_path / "bare", tmp_path / "checkout"
    run("git", "clone", "--quiet", "--bare", upstream, bare)
    run("git", "--git-dir", bare, "branch", "--force", "main", FIRST)
    run("git", "clone", "--quiet", "--branch", "main", bare, place)
    with Path(user.environment["GIT_CONFIG_GLOBAL"]).open("a") as settings:
        for start in ("https://", "ssh://git@"):
            settings.write(f'[url "{bare}"]\n\tinsteadOf = {start}{OTHER}\n')
    return place


def make(user: Command, checkout: Path, *flags: str) -> str:
    """Return what the command of a clone prints of a project `shop`."""
    python = Command(
        user.directory, user.temporary, user.environment, user.executable.with_name("python")
    )
    told = ("new", "fastapi", "shop", "--defaults", "--no-lock", *flags)
    done = python("-m", "stackyard", *told, PYTHONPATH=str(checkout / "generator"))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize(
    ("origin", "written"),
    [
        (f"https://{OTHER}", f"https://{OTHER}"),
        (f"https://token:x@{OTHER}", f"https://{OTHER}"),
        (f"https://token@{OTHER}", f"https://{OTHER}"),
        (f"ssh://git:secret@{OTHER}", f"ssh://git@{OTHER}"),
        (f"{UPSTREAM}.git", UPSTREAM),
        (UPSTREAM.replace("https://github.com/", "git@github.com:") + ".git", UPSTREAM),
    ],
)
def test_a_project_made_in_a_clone_names_the_clone_s_origin(
    user: Command, checkout: Path, origin: str, written: str
) -> None:
    """Others can update it, by what is written there; no password or token is written."""
    run("git", "remote", "set-url", "origin", origin, cwd=checkout)
    assert "Nobody else can update it" not in make(user, checkout)
    answers = (user.directory / "shop" / ANSWERS).read_text()
    assert f"_src_path: {written}\n" in answers
    assert f"_commit: {FIRST}\n" in answers
    shutil.rmtree(checkout)
    flags = [] if written == UPSTREAM else ["--trust-source"]
    done = user("update", "shop", *flags)
    assert done.returncode == 0, done.stderr
    assert "_commit: v999.0.0\n" in (user.directory / "shop" / ANSWERS).read_text()


@pytest.mark.parametrize(
    "origin", ["/srv/git/stackyard", f"https://{OTHER}?token=x", "alias:x", ""]
)
def test_a_project_of_a_clone_that_nobody_reaches_says_so(
    user: Command, checkout: Path, origin: str
) -> None:
    """Its origin is of this machine, or of nobody."""
    run("git", "config", "remote.origin.url", origin, cwd=checkout)
    assert f"Nobody else can update it: its template is the copy at {checkout}," in make(
        user, checkout
    )
    assert f"_src_path: {checkout}\n" in (user.directory / "shop" / ANSWERS).read_text()


def test_a_project_of_a_commit_that_was_not_pushed_says_so(user: Command, checkout: Path) -> None:
    run("git", "remote", "set-url", "origin", f"https://{OTHER}", cwd=checkout)
    (checkout / "templates" / "shared" / "all" / "Makefile.jinja").write_text("mine\n")
    save(checkout, "Have it my way")
    assert "Nobody else can update it" in make(user, checkout)
    assert f"_src_path: {checkout}\n" in (user.directory / "shop" / ANSWERS).read_text()


def ask(user: Command, *arguments: str, answer: str) -> tuple[int, str]:
    """Run the command on a terminal, and answer the one question that it asks."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(user.directory)
        os.execve(user.executable, [str(user.executable), *arguments], user.environment)
    printed = b""
    with suppress(OSError):  # it has ended
        while chunk := os.read(terminal, 65536):
            printed += chunk
            if printed.endswith(b"[y/N]: "):
                time.sleep(
                    0.5
                )  # until it waits for the answer, which a signal would not end before
                os.write(terminal, answer.encode())
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), printed.decode()


REPLIES = {
    "yes": ("y\n", 0, "Next:"),
    "default": ("\n", 2, "so it was not contacted"),
    "Ctrl-C": ("\x03", 2, "interrupted: nothing was written"),
    "Ctrl-D": ("\x04", 2, "interrupted: nothing was written"),
}


@pytest.mark.parametrize("reply", REPLIES)
def test_another_source_is_asked_for_on_a_terminal(
    user: Command, shop: Path, other: Path, reply: str
) -> None:
    answer, status, says = REPLIES[reply]
    ended, printed = ask(user, "update", "shop", answer=answer)
    assert f"The template at '{other}' is not stackyard's own." in printed
    assert (ended, says in printed) == (status, True), printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    "reads", ["'$SECRET' | expandvars", "'/etc/host*' | fileglob", "'~' | expanduser"]
)
def test_a_template_reads_no_environment_and_no_other_file(
    user: Command, shop: Path, other: Path, reads: str
) -> None:
    release(other, {"templates/project/NEWS.md.jinja": "{{ " + reads + " }}\n"})
    before = tree(shop)
    done = user("update", "shop", "--trust-source", SECRET="hunter2")
    assert (done.returncode, done.stdout) == (1, "")
    assert "No filter named" in done.stderr
    assert done.stderr.count("\n") == 1
    assert tree(shop) == before


@pytest.mark.parametrize(
    "reads",
    ["{{ '$SECRET' | expandvars }}", "{{ '~' | expanduser }}", "{% include 'templates/link' %}"],
)
@pytest.mark.parametrize("rule", ["validator", "default"])
def test_a_question_reads_no_environment_and_no_other_file(
    user: Command, shop: Path, other: Path, tmp_path: Path, *, reads: str, rule: str
) -> None:
    """Nor by a link of the template; settling answers holds to what Copier does."""
    (tmp_path / "secret").write_text("hunter2")
    (other / "templates" / "link").symlink_to(tmp_path / "secret")
    with (other / "copier.yml").open("a") as file:
        file.write(f'---\nodd: {{type: str, {rule}: "{reads}"}}\n')
    release(other, {})
    before = tree(shop)
    done = user("update", "shop", "--trust-source", SECRET="hunter2")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert "hunter2" not in done.stderr
    assert tree(shop) == before


def test_a_link_of_a_template_is_not_written_through(
    user: Command, shop: Path, other: Path, tmp_path: Path
) -> None:
    (tmp_path / "victim").write_text("mine\n")
    replace(other / "copier.yml", "_skip_if_exists:", "_preserve_symlinks: true\n_skip_if_exists:")
    [answers] = (other / "templates" / "project").glob("*copier_conf*")
    answers.unlink()
    (answers.parent / ANSWERS).symlink_to(tmp_path / "victim")
    run("git", "tag", "--delete", "v0.1.0", cwd=other)
    release(other, {})
    run("git", "tag", "v0.1.0", cwd=other)
    user("update", "shop", "--trust-source", "-d", "cache=none")
    assert (tmp_path / "victim").read_text() == "mine\n"
