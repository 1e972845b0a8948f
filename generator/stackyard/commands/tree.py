"""A project as a tree of its files."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from stackyard.commands.printing import answer_lines, count, say

if TYPE_CHECKING:
    from stackyard.making.generate import Project

_KILOBYTE = 1000
_PROMPT_LINES = 9
"""How many lines of a screen are neither tree nor answers: what is around them, and a prompt."""


def print_tree(project: Project, repeat: str) -> None:
    """Print what would be made, and how to make it."""
    say(*_tree(project), "", f"{total(project)}; nothing was written. To make it:", f"  {repeat}")


def print_plan(project: Project) -> None:
    """Print what would be made, and of which answers; of the tree what a screen has room for."""
    answers = answer_lines(project.answers)
    room = shutil.get_terminal_size().lines - len(answers) - _PROMPT_LINES
    lines = _tree(project)
    if len(lines) > room:
        lines = _tree(project, deep=False)
    if len(lines) > room:
        kept = max(room - 1, 1)
        lines = [*lines[:kept], f"... and {len(lines) - kept} more"]
    say(*lines, "", f"{total(project)}, of these answers:", *answers, "")


def total(project: Project) -> str:
    """Return how many files a project has, and their size."""
    return f"{count(len(project.files))}, {size_of(sum(file.size for file in project.files))}"


def size_of(size: int) -> str:
    """Return a size in bytes for people."""
    return f"{size} B" if size < _KILOBYTE else f"{size / _KILOBYTE:.1f} kB"


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
                lines.append((branch, size_of(size)))
            elif deep:
                lines.append((f"{branch}/", ""))
                walk(f"{prefix}{head}/", indent + ("    " if last else f"{line}   "))
            else:
                sizes = [file.size for file in inside if file.path.startswith(f"{prefix}{head}/")]
                lines.append((f"{branch}/  {count(len(sizes))}", size_of(sum(sizes))))

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
