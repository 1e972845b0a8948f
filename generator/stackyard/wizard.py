"""The wizard: asks on the terminal for what was not told, and makes nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import questionary
from prompt_toolkit.application import get_app
from prompt_toolkit.filters import Always, Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import FormattedTextControl, HSplit, Window

from stackyard import interrupts, output, repository
from stackyard.errors import InvalidAnswerError, TargetError
from stackyard.generate import generate
from stackyard.target import Target
from stackyard.template import Choice, Question, Template

_MAKE = Choice("make", "write these files")
_CHANGE = Choice("change", "go back to the last question")
_LEAVE = Choice("leave", "write nothing")

_STYLE = questionary.Style([("qmark", "bold"), ("pointer", "bold"), ("answer", "noinherit")])

_ESCAPE_SECONDS = 0.1
"""What comes this soon after an Esc belongs to it: the rest of an arrow key, say."""
_NOTICED_SECONDS = 0.05
"""How long a signal may go unnoticed at a prompt."""


def plan(
    template: Template, told: Mapping[str, str], path: Path | None, *, force: bool, confirm: bool
) -> dict[str, str]:
    """Ask for the answers to a new project; with `confirm`, show it and ask whether to make it.

    Raises:
        StackyardError: before anything is asked, if nothing can be made of what was told.
        KeyboardInterrupt: if the user leaves.
    """
    template.check(told)
    for name, value in told.items():
        if reason := template.refusal(name, told):
            raise InvalidAnswerError(name, value, reason)
    suggested = repository.identity()
    if path:
        suggested["project_name"] = Target.at(path, force=force).place.name
    elif "project_name" in told:
        Target.at(Path(template.slug(told)), force=force)

    def refusal(name: str, answers: Mapping[str, str]) -> str:
        if reason := template.refusal(name, answers):
            return f"it {reason}"
        if name == "project_name" and path is None:
            try:
                Target.at(Path(template.slug(answers)), force=force)
            except TargetError as error:
                return str(error)
        return ""

    def show(answers: Mapping[str, str]) -> None:
        output.print_plan(generate(template, answers, path, dry_run=True, force=force))

    return ask(template, told, suggested, refusal, show if confirm else None)


def ask(
    template: Template,
    told: Mapping[str, str],
    suggested: Mapping[str, str],
    refusal: Callable[[str, Mapping[str, str]], str],
    show: Callable[[Mapping[str, str]], None] | None = None,
) -> dict[str, str]:
    """Ask for what `told` does not tell, back and forth; return the answer to every option.

    `refusal` says what is wrong with one answer among others, or nothing. `show` shows all of
    them at the end, and they are taken once the user has said so.

    Raises:
        KeyboardInterrupt: if the user leaves.
    """
    names = [name for name in template.options if name not in told]
    values = {name: template.questions[name].default for name in names} | {**suggested, **told}
    position = 0
    while position < len(names) or show:
        ahead = names[position:]
        known = {name: values[name] for name in template.options if name not in ahead}
        if ahead:
            prompt = _prompt(template.questions[ahead[0]], values[ahead[0]], known, refusal)
            reply = _run(prompt, known, may_go_back=position > 0)
        elif show:
            show(known)
            reply = _confirm(may_go_back=bool(names))
            if reply:
                break
        if reply is None:
            position -= 1
        else:
            values[ahead[0]] = reply
            position += 1
    return {name: values[name] for name in template.options}


def _prompt(
    question: Question,
    default: str,
    known: Mapping[str, str],
    refusal: Callable[[str, Mapping[str, str]], str],
) -> questionary.Question:
    if question.choices:
        return _select(question.text, question.choices, default)
    return questionary.text(
        question.text,
        default,
        validate=lambda text: refusal(question.name, {**known, question.name: text}) or True,
        validate_while_typing=False,
        style=_STYLE,
    )


def _select(text: str, choices: Sequence[Choice], default: str) -> questionary.Question:
    lines = zip(output.choice_lines(choices), choices, strict=True)
    return questionary.select(
        text,
        [questionary.Choice(line, choice.value) for line, choice in lines],
        default,
        instruction=" ",  # ours is above
        style=_STYLE,
    )


def _confirm(*, may_go_back: bool) -> str | None:
    """Ask whether to make it; return None for going back."""
    choices = [_MAKE, _CHANGE, _LEAVE] if may_go_back else [_MAKE, _LEAVE]
    reply = _run(_select("Make it?", choices, _MAKE.value), {}, may_go_back=may_go_back)
    if reply == _LEAVE.value:
        raise KeyboardInterrupt
    return None if reply == _CHANGE.value else reply


@Condition
def _at_the_end() -> bool:
    return get_app().current_buffer.document.is_cursor_at_the_end


def _run(
    prompt: questionary.Question, known: Mapping[str, str], *, may_go_back: bool
) -> str | None:
    """Prompt below what is known already; return what was answered, or None for going back."""
    application = prompt.application
    keys = KeyBindings()

    @keys.add("escape", filter=Condition(lambda: may_go_back))
    def _go_back(event: KeyPressEvent) -> None:
        event.app.exit(result=None)

    @keys.add("c-d", filter=_at_the_end)  # elsewhere it deletes a character, as in a shell
    def _leave(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt)

    back = "Esc goes back, " if may_go_back else ""
    hint = f"Arrow keys move, Enter takes, {back}Ctrl-C leaves and writes nothing."
    above = "\n".join([hint, *output.answer_lines(known)])
    heading = Window(FormattedTextControl([("dim", above)]), dont_extend_height=True)
    layout = application.layout
    layout.current_window.dont_extend_height = Always()  # what is wrong appears right below
    layout.container = HSplit([heading, layout.container], key_bindings=keys)
    # Each screen is whole: what was answered is part of the next one.
    application.erase_when_done = True
    application.timeoutlen = application.ttimeoutlen = _ESCAPE_SECONDS

    async def leave_on_a_signal() -> None:
        while not interrupts.pending():  # noqa: ASYNC110 - all that a signal does is set it
            await asyncio.sleep(_NOTICED_SECONDS)
        application.exit(exception=KeyboardInterrupt)

    def watch() -> None:
        application.create_background_task(leave_on_a_signal())

    try:
        # Raised in the midst of the event loop, an interrupt could leave a traceback behind.
        with interrupts.shielded():
            answer: str | None = application.run(handle_sigint=False, pre_run=watch)
    except EOFError:  # the terminal is gone
        raise KeyboardInterrupt from None
    return answer
