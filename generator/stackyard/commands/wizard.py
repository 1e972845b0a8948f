"""The wizard: asks on the terminal for what was not told, and makes nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

import questionary
from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Always, Condition, has_selection
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import FormattedTextControl, HSplit, Window
from prompt_toolkit.selection import SelectionState

from stackyard import interrupts
from stackyard.commands.printing import answer_lines, choice_lines
from stackyard.commands.tree import print_plan
from stackyard.errors import shown
from stackyard.making.errors import TargetError
from stackyard.making.generate import generate
from stackyard.making.target import Target
from stackyard.template import Choice, Question, Template
from stackyard.template.settle import Suggestions, author, refuse

_MAKE = Choice("make", "write these files (y)")
_CHANGE = Choice("change", "go back to the last question")
_LEAVE = Choice("leave", "write nothing (n)")

_STYLE = questionary.Style([("qmark", "bold"), ("pointer", "bold"), ("answer", "noinherit")])

_ESCAPE_SECONDS = 0.1
"""What comes this soon after an Esc belongs to it: the rest of an arrow key, say."""
_NOTICED_SECONDS = 0.05
"""How long a signal may go unnoticed at a prompt."""


def plan(
    template: Template,
    told: Mapping[str, str],
    path: Path | None,
    *,
    force: bool,
    confirm: bool,
    progress: Callable[[str], None],
) -> dict[str, str]:
    """Ask for the answers to a new project; with `confirm`, show it and ask whether to make it.

    `progress` gets a line before what is slow.

    Raises:
        StackyardError: before anything is asked, if nothing can be made of what was told.
        KeyboardInterrupt: if the user leaves.
    """
    refuse(template, told)
    target = Target.at(path, force=force) if path else None
    if target is None and "project_slug" in told:
        Target.at(Path(told["project_slug"]), force=force)

    directory = target.place.name if target else ""

    def suggest(name: str, answers: Mapping[str, str]) -> str:
        known = author(template) if name.startswith("author_") else {}
        return Suggestions(directory=directory, author=known).answer(template, name, answers).value

    def refusal(name: str, answers: Mapping[str, str]) -> str:
        if reason := template.refusal(name, answers):
            return f"it {reason}"
        if name == "project_slug" and target is None:
            try:
                Target.at(Path(answers[name]), force=force)
            except TargetError as error:
                return str(error)
        return ""

    def show(answers: Mapping[str, str]) -> Path:
        progress("Rendering the template ...")
        project = generate(template, answers, path, dry_run=True, force=force)
        print_plan(project)
        return project.path

    return ask(template, told, suggest, refusal, show if confirm else None)


def ask(
    template: Template,
    told: Mapping[str, str],
    suggest: Callable[[str, Mapping[str, str]], str],
    refusal: Callable[[str, Mapping[str, str]], str],
    show: Callable[[Mapping[str, str]], Path] | None = None,
) -> dict[str, str]:
    """Ask for what `told` does not tell, back and forth; return the answer to every option.

    `suggest` answers a question from the answers before it. `refusal` says what is wrong with one
    answer among others, or nothing. `show` shows all of them at the end and returns where the
    project will be, and they are taken once the user has said so.

    Raises:
        KeyboardInterrupt: if the user leaves.
    """
    names = [name for name in template.options if name not in told]
    values = dict(told)
    position = 0
    while position < len(names) or show:
        ahead = names[position:]
        known = {name: values[name] for name in template.options if name not in ahead}
        if ahead:
            name = ahead[0]
            default = values[name] if name in values else suggest(name, known)
            prompt = _prompt(template.questions[name], default, known, refusal)
            reply = _run(prompt, known, may_go_back=position > 0)
        elif show:
            reply = _confirm(show(known), may_go_back=bool(names))
            if reply:
                break
        if reply is None:
            position -= 1
            continue
        if name == "project_name" and "project_slug" in names and reply != values.get(name):
            values.pop("project_slug", None)  # of another name, it is suggested anew
        values[name] = reply
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
    lines = zip(choice_lines(choices), choices, strict=True)
    return questionary.select(
        text,
        [questionary.Choice(line, choice.value) for line, choice in lines],
        default,
        instruction=" ",  # ours is above
        style=_STYLE,
    )


def _confirm(place: Path, *, may_go_back: bool) -> str | None:
    """Ask whether to make it; return None for going back."""
    choices = [_MAKE, _CHANGE, _LEAVE] if may_go_back else [_MAKE, _LEAVE]
    prompt = _select(f"Make it in {shown(place.absolute())}?", choices, _MAKE.value)
    keys = {"y": _MAKE.value, "n": _LEAVE.value}
    reply = _run(prompt, {}, may_go_back=may_go_back, keys=keys)
    if reply == _LEAVE.value:
        raise KeyboardInterrupt
    return None if reply == _CHANGE.value else reply


@Condition
def _at_the_end() -> bool:
    return get_app().current_buffer.document.is_cursor_at_the_end


def _run(
    prompt: questionary.Question,
    known: Mapping[str, str],
    *,
    may_go_back: bool,
    keys: Mapping[str, str] = MappingProxyType({}),
) -> str | None:
    """Prompt below what is known already; return what was answered, or None for going back.

    `keys` answer at once, each with what it stands for.
    """
    application = prompt.application
    bindings = KeyBindings()

    @bindings.add("escape", filter=Condition(lambda: may_go_back))
    def _go_back(event: KeyPressEvent) -> None:
        event.app.exit(result=None)

    @bindings.add("c-d", filter=_at_the_end)  # elsewhere it deletes a character, as in a shell
    def _leave(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt)

    @bindings.add("tab", filter=has_selection)
    def _edit(event: KeyPressEvent) -> None:
        event.current_buffer.exit_selection()

    @bindings.add(Keys.BracketedPaste, filter=has_selection)
    def _paste(event: KeyPressEvent) -> None:
        event.current_buffer.cut_selection()
        event.current_buffer.insert_text(event.data)

    for key, value in keys.items():
        bindings.add(key)(partial(_answer, value))

    back = "Esc goes back, " if may_go_back else ""
    text = application.current_buffer.text
    moves = "Typing replaces, arrow keys edit" if text else "Arrow keys move"
    hint = f"{moves}, Enter takes, {back}Ctrl-C leaves: nothing is written."
    above = "\n".join([hint, *answer_lines(known)])
    heading = Window(FormattedTextControl([("dim", above)]), dont_extend_height=True)
    layout = application.layout
    layout.current_window.dont_extend_height = Always()  # what is wrong appears right below
    layout.container = HSplit([heading, layout.container], key_bindings=bindings)
    # Each screen is whole: what was answered is part of the next one.
    application.erase_when_done = True
    application.timeoutlen = application.ttimeoutlen = _ESCAPE_SECONDS

    async def leave_on_a_signal() -> None:
        while not interrupts.pending():  # noqa: ASYNC110 - all that a signal does is set it
            await asyncio.sleep(_NOTICED_SECONDS)
        application.exit(exception=KeyboardInterrupt)

    def begin() -> None:
        _mark(application.current_buffer)
        application.create_background_task(leave_on_a_signal())

    try:
        # Raised in the midst of the event loop, an interrupt could leave a traceback behind.
        with interrupts.shielded():
            answer: str | None = application.run(handle_sigint=False, pre_run=begin)
    except EOFError:  # the terminal is gone
        raise KeyboardInterrupt from None
    return answer


def _answer(value: str, event: KeyPressEvent) -> None:
    event.app.exit(result=value)


def _mark(buffer: Buffer) -> None:
    """Select a suggested text as Shift and the arrow keys do: what is typed takes its place."""
    if buffer.text:
        buffer.cursor_position = len(buffer.text)
        buffer.selection_state = SelectionState(original_cursor_position=0)
        buffer.selection_state.enter_shift_mode()
