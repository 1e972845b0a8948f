"""What the shell offers on Tab: click's own completion, fed from the template."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

from stackyard.commands import installed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stackyard.template import Choice, Question

VARIABLE = "_STACKYARD_COMPLETE"
"""Set by the shell's script, to the shell and what it wants: the script itself, or words."""


def frameworks(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Complete the name of a framework."""
    return _offered(installed(context).questions["framework"].choices, incomplete)


files = click.Path(dir_okay=False).shell_complete
"""Complete a FILE."""


def sides(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Complete the name of a framework, or the PATH of a project."""
    found = frameworks(context, _parameter, incomplete)
    return [*found, *directories(context, _parameter, incomplete)]


def concerns(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Complete the name of a concern."""
    from stackyard.comparing.concerns import load

    return [
        CompletionItem(concern.name, help=concern.question)
        for concern in load(installed(context).root)
        if concern.name.startswith(incomplete)
    ]


def courses(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Complete the name of a framework that there is a course for."""
    from stackyard.workshop.exercises import frameworks as known

    template = installed(context)
    names = known(template.root)
    choices = template.questions["framework"].choices
    return _offered([choice for choice in choices if choice.value in names], incomplete)


def presets(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Complete the name of a preset."""
    found = installed(context).catalogue.presets.values()
    return [
        CompletionItem(preset.name, help=preset.explanation)
        for preset in found
        if preset.name.startswith(incomplete)
    ]


def values(
    question: Question, _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Complete an answer to a question."""
    return _offered(question.choices, incomplete)


def assignments(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Complete `KEY=VALUE`: the key with its `=` first, then the value."""
    template = installed(context)
    key, equals, value = incomplete.partition("=")
    if equals:
        question = template.questions.get(key)
        return _offered(question.choices if question else (), value, f"{key}=")
    return [
        CompletionItem(f"{name}=", help=template.questions[name].text)
        for name in template.options
        if name.startswith(key) and name != "framework"
    ]


directories = click.Path(file_okay=False).shell_complete
"""Complete a PATH."""


def _offered(
    choices: Iterable[Choice], incomplete: str, prefix: str = ""
) -> list[CompletionItem[str]]:
    return [
        CompletionItem(prefix + choice.value, help=choice.explanation)
        for choice in choices
        if choice.value.startswith(incomplete)
    ]


class _WholeWords(ShellComplete):
    """Completes `--data=cache=` to whole words, where click leaves the option out of them."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        items = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if equals and option.startswith("--"):
            for item in items:
                item.value = f"{option}={item.value}"
        return items


@add_completion_class
class _Bash(_WholeWords, BashComplete):
    """Completes `cache=re`, of which bash has `re` replaced: for it, a word ends at `=` too.

    So the script hands over the line as it was typed, and in `COMP_CWORD` what is replaced.
    """

    source_template = """\
%(complete_func)s() {
    local type value
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("$value") ;;
        esac
        [[ $value != *= ]] || compopt -o nospace
    done < <(COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_CWORD="$2" \\
        %(complete_var)s=bash_complete "$1")
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        # One more character makes a word of what is empty or an open quote.
        *words, last = split_arg_string(os.environ["COMP_WORDS"] + "_")
        return words[1:], last[:-1]

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        items = super().get_completions(args, incomplete)
        kept = incomplete.removesuffix(os.environ["COMP_CWORD"])
        for item in items:
            item.value = item.value.removeprefix(kept)
        return items


@add_completion_class
class _Zsh(_WholeWords, ZshComplete):
    """Adds no space after a key."""

    source_template = ZshComplete.source_template.replace(
        "_describe -V unsorted completions_with_descriptions -U",
        """local -a unspaced
        [[ -z ${(M)response:#*=} ]] || unspaced=(-S '')
        _describe -V unsorted completions_with_descriptions -U "${unspaced[@]}\"""",
    )


@add_completion_class
class _Fish(_WholeWords, FishComplete):
    """Keeps what follows a comma in an explanation; fish itself adds no space after `=`."""

    source_template = FishComplete.source_template.replace('split ","', 'split --max 1 ","')
