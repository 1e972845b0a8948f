"""What the command prints: for people, and with `--json` for programs."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from stackyard.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from stackyard.generate import Project
    from stackyard.project import Record
    from stackyard.template import Choice, Template
    from stackyard.update import Update

_KILOBYTE = 1000
_NEXT = ["make test", "make dev"]
_PROMPT_LINES = 9
"""How many lines of a screen are neither tree nor answers: what is around them, and a prompt."""
_UNDO = "drop what is of no use any more"
_DIFF: dict[str, dict[str, Any]] = {
    **{start: {"bold": True} for start in ("diff ", "index ", "--- ", "+++ ")},
    "@@": {"fg": "cyan"},
    "-": {"fg": "red"},
    "+": {"fg": "green"},
}
"""How the lines of a difference look, by how they begin."""


def dump(value: object) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, indent=2))


def _say(*lines: str) -> None:
    """Print lines; whatever is in one, on the terminal it is that line and no more."""
    for line in lines:
        click.echo(shown(line))


def print_json(project: Project, template: Template, repeat: str) -> None:
    """Print what was made, or would be, as one JSON object."""
    dump(
        {
            "answers": dict(project.answers),
            "path": str(project.path.absolute()),
            "files": [{"path": file.path, "size": file.size} for file in project.files],
            "next": _in(project.path, _NEXT),
            "repeat": repeat,
            "source": template.source,
            "warnings": list(project.warnings),
        }
    )


def print_tree(project: Project, repeat: str) -> None:
    """Print what would be made, and how to make it."""
    _say(*_tree(project), "", f"{_total(project)}; nothing was written. To make it:", f"  {repeat}")


def print_plan(project: Project) -> None:
    """Print what would be made, and of which answers; of the tree what a screen has room for."""
    room = shutil.get_terminal_size().lines - len(project.answers) - _PROMPT_LINES
    lines = _tree(project)
    if len(lines) > room:
        lines = _tree(project, deep=False)
    if len(lines) > room:
        kept = max(room - 1, 1)
        lines = [*lines[:kept], f"... and {len(lines) - kept} more"]
    _say(*lines, "", f"{_total(project)}, of these answers:", *answer_lines(project.answers), "")


def place(path: Path) -> str:
    """Return where a project will be, in full."""
    return shown(path.absolute())


def answer_lines(answers: Mapping[str, str]) -> list[str]:
    """Return a line for each answer."""
    width = max(map(len, answers), default=0)
    return [shown(f"  {name:<{width}}  {value or '(empty)'}") for name, value in answers.items()]


def _tree(project: Project, *, deep: bool = True) -> list[str]:
    """Return a line for every file with its size, directories before files.

    Unless it is `deep`, a line for each directory stands for what is in it.
    """
    lines = [(f"{project.path}/", "")]
    fork, end, line = _branches()

    def walk(prefix: str, indent: str) -> None:
        inside = [file for file in project.files if file.path.startswith(prefix)]
        names = {file.path[len(prefix) :].partition("/")[::2] for file in inside}
        heads = sorted({(not rest, head) for head, rest in names})
        for number, (is_file, head) in enumerate(heads, 1):
            last = number == len(heads)
            branch = f"{indent}{end if last else fork} {head}"
            if is_file:
                size = next(file.size for file in inside if file.path == prefix + head)
                lines.append((branch, _size(size)))
            elif deep:
                lines.append((f"{branch}/", ""))
                walk(f"{prefix}{head}/", indent + ("    " if last else f"{line}   "))
            else:
                sizes = [file.size for file in inside if file.path.startswith(f"{prefix}{head}/")]
                lines.append((f"{branch}/  {_count(len(sizes))}", _size(sum(sizes))))

    walk("", "")
    width = max(len(name) for name, _ in lines)
    return [f"{name:<{width}}  {size:>9}".rstrip() for name, size in lines]


def _branches() -> tuple[str, str, str]:
    """Return what a tree is drawn with: on a terminal that has no lines, of ASCII."""
    drawn = "├──", "└──", "│"
    try:
        "".join(drawn).encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return "|--", "`--", "|"
    return drawn


def print_summary(project: Project, template: Template, repeat: str) -> None:
    """Print what is in each top-level directory, then what to do with it."""
    name = click.style(shown(project.answers["project_name"]), bold=True)
    click.echo(f"{name} is ready in {shown(project.path)}: {_total(project)}\n")
    inside: dict[str, list[int]] = {}
    for file in project.files:
        head, slash, _ = file.path.partition("/")
        inside.setdefault(head + slash, []).append(file.size)
    directories = {head: sizes for head, sizes in inside.items() if head.endswith("/")}
    width = max(map(len, directories), default=0)
    for head, sizes in directories.items():
        _say(f"  {head:<{width}}  {_count(len(sizes)):>8}  {_size(sum(sizes)):>8}")
    single = [head for head in inside if head not in directories]
    click.echo(click.wrap_text(shown(", ".join(single)), 78, "  ", "  "))
    steps = [f"  {step}" for step in _in(project.path, _NEXT)]
    _say("", "Next:", *steps, "", "The same again, elsewhere:", f"  {repeat}")
    if template.is_local:
        reason = f"its template is the copy at {template.source}, which no address of others has"
        _say("", f"Nobody else can update it: {reason}.")


def print_record(record: Record, repeat: str, behind: list[str] | None, *, as_json: bool) -> None:
    """Print what a project was made from, and the releases since then, unless nobody knows."""
    if as_json:
        dump(
            {
                "path": str(record.path.absolute()),
                "framework": record.answers["framework"],
                "release": record.release,
                "source": record.source,
                "behind": behind,
                "answers": dict(record.answers),
                "repeat": repeat,
            }
        )
        return
    width = max(map(len, record.answers))
    status = "unknown" if behind is None else _behind(behind)
    told = {"release": f"{record.release or 'unknown'} ({status})", "source": record.source}
    for name, value in {**told, **record.answers}.items():
        _say(f"{name:<{width}}  {value}".rstrip())
    _say("", "The same again:", f"  {repeat}")


def print_check(record: Record, behind: list[str], *, as_json: bool) -> None:
    """Print whether a project is behind, and by which releases."""
    if as_json:
        dump({"path": str(record.path.absolute()), "release": record.release, "behind": behind})
    else:
        release = record.release or "an unknown release"
        _say(f"{record.path} is made from {release}: {_behind(behind)}")


def print_update(done: Update) -> None:
    """Print what an update changed, and what to do with it."""
    path = typed(done.before.path)
    if not done.changes:
        _say(f"{done.before.path} is current: {done.release}. Nothing was written.")
        return
    _say(f"{done.before.path}: {_step(done)}", "")
    packages = "1 package" if done.relocked == 1 else f"{done.relocked} packages"
    told = {"uv.lock": f" ({packages} changed)"} if done.relocked else {}
    changes = [(change, told.get(change.path, "")) for change in done.changes]
    _say(*(f"  {change.status} {change.path}{note}" for change, note in changes))
    _print_notes(done)
    if done.conflicts:
        migrate = "; then say 'make migrate'" if done.history.new else ""
        edit = f"Edit them, say 'git add' or 'git rm' of each, and commit{migrate}"
        _say("", f"{edit}; or undo the update:", f"  git -C {path} reset --hard")
        return
    steps = [
        "git diff --staged" + (" -- . ':!uv.lock'" if told else ""),
        "make test",
        *(["make migrate"] if done.history.new else []),
        f"git commit -m 'Update to stackyard {done.release}'",
    ]
    lines = [f"  {step}" for step in _in(done.before.path, steps)]
    _say("", "Next:", *lines, "", "To undo it:", f"  git -C {path} reset --hard")


def print_diff(done: Update) -> None:
    """Print the difference that an update would make."""
    for line in done.diff.split("\n")[:-1]:
        style = next((style for start, style in _DIFF.items() if line.startswith(start)), {})
        click.secho("\t".join(map(shown, line.removesuffix("\r").split("\t"))), **style)
    _print_notes(done)
    if done.history.new:
        steps = _in(done.before.path, ["make migrate"])
        _say("", "After the update, what applies them is", *(f"  {step}" for step in steps))
    summary = f"{_step(done)}: {_count(len(done.changes))} would change; nothing was written."
    _say(*(["", summary] if done.changes else ["Nothing would change."]))


def print_update_json(done: Update, *, dry_run: bool) -> None:
    """Print what an update changed, or would change, as one JSON object."""
    dump(
        {
            "path": str(done.before.path.absolute()),
            "from": done.before.release,
            "to": done.release,
            "answers": dict(done.answers),
            "new_options": list(done.added),
            "changes": [{"path": one.path, "status": one.status} for one in done.changes],
            "conflicts": [{"path": one.path, "reason": one.reason} for one in done.conflicts],
            "left_out": list(done.left_out),
            "migrations": {
                "added": done.history.added,
                "dropping": done.history.dropping,
                "remaining": done.history.remaining,
            },
            "written": bool(done.changes) and not dry_run,
            "diff": done.diff,
            "warnings": list(done.warnings),
        }
    )


def _step(done: Update) -> str:
    if done.before.release == done.release:
        return f"other answers, still {done.release}"
    return f"from {done.before.release} to {done.release}"


def _print_notes(done: Update) -> None:
    if done.added:
        told = ", ".join(f"{name}={done.answers[name]}" for name in done.added)
        _say("", f"Asked for the first time, and answered by default: {told}")
    if done.left_out:
        _say("", f"Changed in {done.release}, but you have deleted them: they stay so")
        _say(*(f"  {path}" for path in done.left_out))
    if done.conflicts:
        click.echo(f"\n{click.style('Conflicts', fg='red')}")
        _say(*(f"  {conflict.path}: {conflict.reason}" for conflict in done.conflicts))
    _print_migrations(done)


def _print_migrations(done: Update) -> None:
    history = done.history
    if history.added:
        _say("", "New migrations; read them, all the more if you have renamed a table or a model")
        _say(*(f"  {path}" for path in history.added))
    if history.dropping:
        click.echo(f"\n{click.style('Data are lost', fg='red')} where this is applied")
        for path, names in history.dropping.items():
            _say(f"  {path}: drops {', '.join(names)}")
        _say(
            "Save what you need of them; an older version that still runs there fails without them."
        )
    if history.remaining:
        _say("", "Not undone, as migrations of yours build on them, or nothing in them says how")
        _say(*(f"  {path}" for path in history.remaining))
        _say(
            "Take what they made out of your models, commit, and write one that undoes them.",
            "Read it: what references a table has to go before that.",
        )
        steps = [f'make migration m="{_UNDO}"', "make migrate"]
        _say(*(f"  {step}" for step in _in(done.before.path, steps)))


def _behind(releases: list[str]) -> str:
    if not releases:
        return "current"
    if releases == ["HEAD"]:
        return "behind HEAD, nothing is released yet"
    many = "1 release" if len(releases) == 1 else f"{len(releases)} releases"
    return f"{many} behind: {', '.join(releases)}"


def _in(path: Path, steps: list[str]) -> list[str]:
    """Return the commands to run in a directory."""
    return [*([f"cd {typed(path)}"] if str(path) != "." else []), *steps]


def typed(path: Path) -> str:
    """Return a path as a shell and any command take it for one."""
    return shlex.quote(f"./{path}" if str(path).startswith("-") else str(path))


def another(path: Path) -> Path:
    """Return a path beside a project's, for another one."""
    place = path.resolve()
    beside = path.parent if path.name == place.name else path / ".."
    return beside / f"{place.name}-again"


def repeat_command(
    template: Template, path: Path, answers: Mapping[str, str], flags: Iterable[str] = ()
) -> str:
    """Return the command that makes a project again, whoever runs it, and wherever."""
    words = [_program(), "new", answers["framework"]]
    words += shlex.split(typed(path))
    for name, value in answers.items():
        if name not in template.questions:
            continue  # asked by another release
        default = template.questions[name].default
        if name == "project_name":
            default = path.resolve().name
        if name == "project_slug":
            default = template.slug({"project_name": answers.get("project_name", "")})
        # An author who is not told is the one that git knows there.
        if name != "framework" and (value != default or name.startswith("author_")):
            words += ["-d", f"{name}={value}"]
    return shlex.join([*words, *flags, "--defaults"])


def _program() -> str:
    """Return how this command is called: by its name where PATH finds it, else by its path."""
    called = sys.argv[0]
    by_path = called.endswith("/stackyard") and called != shutil.which("stackyard")
    return called if by_path else "stackyard"


def _total(project: Project) -> str:
    return f"{_count(len(project.files))}, {_size(sum(file.size for file in project.files))}"


def _count(files: int) -> str:
    return f"{files} file" if files == 1 else f"{files} files"


def _size(size: int) -> str:
    return f"{size} B" if size < _KILOBYTE else f"{size / _KILOBYTE:.1f} kB"


def catalogue(template: Template) -> dict[str, object]:
    """Return the frameworks and options as JSON has them."""
    frameworks = template.questions["framework"]
    return {
        "frameworks": [
            {
                "name": choice.value,
                "explanation": choice.explanation,
                "default": choice.value == frameworks.default,
            }
            for choice in frameworks.choices
        ],
        "options": [
            {
                "name": question.name,
                "question": question.text,
                "default": None if question.derived else question.default,
                "choices": [
                    {"value": choice.value, "explanation": choice.explanation}
                    for choice in question.choices
                ],
            }
            for name in template.options
            if (question := template.questions[name]) is not frameworks
        ],
    }


def print_catalogue(template: Template) -> None:
    """Print the frameworks and options, each value with what it means."""
    click.echo("Frameworks:")
    _print_choices(template, "framework")
    click.echo("\nOptions, each given as -d KEY=VALUE:")
    for name in template.options:
        question = template.questions[name]
        if name == "framework":
            continue
        usual = "made from project_name" if question.derived else question.default or "empty"
        default = "" if question.choices else f" [default: {usual}]"
        click.echo(f"\n  {click.style(name, bold=True)}: {question.text}{default}")
        _print_choices(template, name, indent="    ")


def _print_choices(template: Template, name: str, indent: str = "  ") -> None:
    question = template.questions[name]
    for choice, line in zip(question.choices, choice_lines(question.choices), strict=True):
        default = " (default)" if choice.value == question.default else ""
        click.echo(f"{indent}{line}{default}")


def choice_lines(choices: Sequence[Choice]) -> list[str]:
    """Return a line for each choice: its value and what it means."""
    width = max((len(choice.value) for choice in choices), default=0)
    return [f"{choice.value:<{width}}  {choice.explanation}" for choice in choices]
