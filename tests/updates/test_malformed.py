"""Whatever a project or a template holds in place of what it should, one line says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from conftest import Command, replace, run, tree
from stackyard.template import Template
from stackyard.template.questions import question

from .conftest import ANSWERS, release, save

ANSWERS_FILES = {
    "no mapping": (b"- a\n", "it holds no answers"),
    "a list": (b"a: [1]\n", "a is not one value"),
    "a set": (b"a: !!set {b}\n", "a is not one value"),
    "an alias": (b"a: &x 1\nb: *x\n", "an alias stands in it"),
    "deep": (b"[" * 100_000, "it is not YAML: RecursionError"),
    "no number": (b'a: !!int ""\n', "it is not YAML: IndexError"),
    "no date": (b"a: 2026-13-45\n", "it is not YAML: ValueError"),
    "a long number": (b"a: 0x" + b"f" * 9000, "Exceeds the limit"),
    "a tag": (b"a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
    "huge": (b"# \n" * 400_000, "it is too long"),
    "no UTF-8": (b"a: \xff\n", "it is not UTF-8"),
    "a control": (b"a: \x01\n", "it is not YAML"),
}


@pytest.mark.parametrize("case", ANSWERS_FILES)
@pytest.mark.parametrize("command", [["show"], ["update"], ["new", "--no-lock", "--answers"]])
def test_answers_that_are_none(stackyard: Command, command: list[str], case: str) -> None:
    held, says = ANSWERS_FILES[case]
    (stackyard.directory / ANSWERS).write_bytes(held)
    done = stackyard(*command, ANSWERS if "new" in command else ".")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert f"cannot read answers from '{ANSWERS}': " in done.stderr
    assert says in done.stderr


@pytest.mark.parametrize("kind", ["a pipe", "a device", "a loop", "a directory"])
def test_an_answers_file_that_is_none(stackyard: Command, kind: str) -> None:
    """It is not waited for, and of what has no end nothing is read."""
    file = stackyard.directory / ANSWERS
    if kind == "a pipe":
        os.mkfifo(file)
    elif kind == "a directory":
        file.mkdir()
    else:
        file.symlink_to("/dev/zero" if kind == "a device" else file)
    for command in ("show", "update"):
        done = stackyard(command, prefix=["timeout", "20"])
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert "cannot read answers from" in done.stderr


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("_src_path", '"a\\0b"'),
        ("_src_path", '"\\ud800"'),
        ("_src_path", "~nobody/at/all"),
        ("_src_path", "--upload-pack=x"),
        ("_src_path", "http://["),
        ("_commit", '"a\\0b"'),
        ("_commit", '"\\ud800"'),
        pytest.param("_commit", f"v1.0.{'9' * 5000}", id="a long release"),
        ("_commit", "v1.0.0^{/x}"),
        ("framework", "../../x"),
        ("project_name", '"\\ud800"'),
    ],
)
def test_odd_values_are_told_in_one_line(user: Command, shop: Path, key: str, value: str) -> None:
    text = (shop / ANSWERS).read_text()
    kept = [line for line in text.splitlines() if not line.startswith(f"{key}:")]
    (shop / ANSWERS).write_text("\n".join([*kept, f"{key}: {value}\n"]))
    save(shop, "Odd")
    before = tree(shop)
    for arguments in (["show"], ["update", "--check"], ["update", "--dry-run"], ["update"]):
        done = user(*arguments, "shop", "--trust-source")
        assert "Traceback" not in done.stderr
        assert done.stderr.count("\n") <= 1, done.stderr
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert tree(shop).keys() == before.keys()


LOCK_FILES = {
    "no TOML": b"<<<<<<< yours\n",
    "no list": b"package = 3\n",
    "no tables": b"package = [3]\n",
    "no names": b"[[package]]\nversion = '1'\n",
    "deep": b"a = " + b"[" * 100_000,
    "no UTF-8": b"a = '\xff'\x00\n",
}


@pytest.mark.parametrize(
    ("case", "flags"), [*((case, []) for case in LOCK_FILES), ("no TOML", ["--dry-run"])]
)
def test_a_lock_file_that_is_none_is_left(
    user: Command, shop: Path, case: str, flags: list[str]
) -> None:
    """The update is made all the same, and says in one line what to do about it."""
    (shop / "uv.lock").write_bytes(LOCK_FILES[case])
    save(shop, "Lock")
    done = user("update", "shop", *flags)
    warnings = [line for line in done.stderr.splitlines() if line.startswith("stackyard: warning")]
    assert (done.returncode, len(warnings)) == (0, 1), done.stderr
    assert "uv.lock is as it was: it cannot be read (" in warnings[0]
    assert "Traceback" not in done.stderr
    assert (shop / "uv.lock").read_bytes() == LOCK_FILES[case]
    assert (shop / "NEWS.md").exists() is not bool(flags)


@pytest.mark.parametrize("held", [b"[project\n", b"\xff\n", b"tool = 3\n"])
def test_a_pyproject_that_is_none_is_not_locked(user: Command, shop: Path, held: bytes) -> None:
    pins = dict(pin.split("==") for pin in Template.installed().pins("fastapi"))
    lock = f"[[package]]\nname = 'idna'\nversion = '{pins['idna']}'\n"  # which moves
    (shop / "uv.lock").write_text(lock)
    (shop / "pyproject.toml").write_bytes(held)
    save(shop, "Mine")
    done = user("update", "shop")
    assert "Traceback" not in done.stderr
    assert "the dependencies are not locked: pyproject.toml cannot be read" in done.stderr
    assert (shop / "pyproject.toml").read_bytes() == held


CONFIGURATIONS = {
    "empty": "",
    "no mapping": "- framework\n",
    "no YAML": "a: [\n",
    "no question": "framework: fastapi\n",
    "a number asks": "7: {type: str}\n",
    "choices in a list": "framework: {type: str, choices: [fastapi]}\n",
    "a choice of a list": "framework: {type: str, choices: {a: [1]}}\n",
    "a choice that is true": "framework: {type: str, choices: {a: on}}\n",
    "a label that is none": "framework: {type: str, choices: {1: fastapi}}\n",
    "a default of a list": "framework: {type: str, default: [fastapi]}\n",
    "a validator that is none": "framework: {type: str, validator: 3}\n",
    "an alias": "a: &x {type: str}\nframework: *x\n",
    "deep": "[" * 100_000,
    "huge": "# \n" * 400_000,
    "no questions": "---\n- framework\n",
    "other delimiters": "_envops: {block_start_string: '[%'}\n",
    "an include outside": "---\n!include ../shop/.copier-answers.yml\n",
    "an include of an absolute path": "---\n!include /etc/hostname\n",
    "an include of a pattern": "---\n!include templates/*.yml\n",
    "an include of nothing": "---\n!include templates/nothing.yml\n",
    "an include of a directory": "---\n!include templates\n",
    "an include of itself": "---\n!include copier.yml\n",
    "an include of no name": "---\n!include {a: b}\n",
    "no catalogue": "catalogue: {when: false, default: [cache]}\n",
    "options that are none": "catalogue: {when: false, default: {options: [1]}}\n",
    "needs that are none": "catalogue: {when: false, default: {needs: {a: b}}}\n",
    "a rule without a reason": "catalogue: {when: false, default: {refused: [{answers: {}}]}}\n",
    "a preset that is none": "catalogue: {when: false, default: {presets: {a: {}}}}\n",
}


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_a_template_that_asks_oddly_is_refused(
    user: Command, shop: Path, other: Path, case: str
) -> None:
    text = f"_answers_file: {ANSWERS}\n" if case not in {"empty", "no mapping", "no YAML"} else ""
    release(other, {"copier.yml": text + CONFIGURATIONS[case]})
    before = tree(shop)
    done = user("update", "shop", "--trust-source")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert f"cannot use the template of '{other}': its copier.yml is none" in done.stderr
    assert tree(shop) == before
    assert user.leftovers() == []


@pytest.mark.parametrize("answer", ["on", "off", "yes", "No", "true"])
def test_an_answer_that_yaml_takes_for_true_or_false_is_refused(answer: str) -> None:
    """YAML 1.1 has 22 such words, by which an answer may well be called; quoted they are text."""
    text = "{type: str, choices: {'it: what it means': %s}}"
    with pytest.raises(ValueError, match=r"cache offers .* it wants quotes"):
        question("cache", yaml.safe_load(text % answer))
    assert question("cache", yaml.safe_load(text % f"'{answer}'")).values == [answer]


@pytest.mark.parametrize("included", ["a link", "too much"])
def test_what_a_template_includes_is_its_own_and_bounded(
    user: Command, shop: Path, other: Path, tmp_path: Path, included: str
) -> None:
    """All of it may be as long as one file."""
    (tmp_path / "secrets.yml").write_text("hunter2\n")
    if included == "a link":
        (other / "templates" / "more.yml").symlink_to(tmp_path / "secrets.yml")
    else:
        (other / "templates" / "more.yml").write_text("# \n" * 150_000)
    with (other / "copier.yml").open("a") as file:
        file.write("---\n!include templates/more.yml\n" * 3)
    release(other, {})
    done = user("update", "shop", "--trust-source")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    reason = "is no file of the template" if included == "a link" else "it is too long"
    assert reason in done.stderr
    assert "hunter2" not in done.stderr


def test_a_template_that_keeps_its_answers_elsewhere_is_refused(
    user: Command, shop: Path, other: Path
) -> None:
    """Copier reads them from there, and they may be another program's secrets."""
    replace(other / "copier.yml", f"_answers_file: {ANSWERS}", "_answers_file: ../secrets.yml")
    release(other, {})
    done = user("update", "shop", "--trust-source")
    assert (done.returncode, "_answers_file is not" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "_subdirectory: '{{ nothing.at.all }}'",
        "_subdirectory: ../../..",
        "_tasks: [id]",
        "_jinja_extensions: [os]",
        "_envops: 3",
        "_exclude: 3",
        "_min_copier_version: '999'",
    ],
)
def test_a_template_that_copier_refuses_is_told_in_one_line(
    user: Command, shop: Path, other: Path, text: str
) -> None:
    with (other / "copier.yml").open("a") as file:
        file.write(f"\n{text}\n")  # the last one counts
    release(other, {})
    before = tree(shop)
    done = user("update", "shop", "--trust-source")
    assert (done.returncode in {1, 2}, done.stdout, done.stderr.count("\n")) == (True, "", 1)
    assert "Traceback" not in done.stderr
    assert tree(shop) == before


def test_a_template_without_its_questions_is_refused(
    user: Command, shop: Path, other: Path
) -> None:
    run("git", "rm", "-q", "copier.yml", cwd=other)
    release(other, {})
    done = user("update", "shop", "--trust-source")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
