"""One prompt of the wizard: below what is known already, with Esc to go back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
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
from stackyard.template import Choice

_STYLE = questionary.Style(
    [("qmark", "bold"), ("pointer", "bold"), ("answer", "noinherit"), ("disabled", "dim")]
)

_ESCAPE_SECONDS = 0.1
"""What comes this soon after an Esc belongs to it: the rest of an arrow key, say."""
_NOTICED_SECONDS = 0.05
"""How long a signal may go unnoticed at a prompt."""


def select(
    text: str,
    choices: Sequence[Choice],
    default: str,
    barred: Callable[[str], str] = lambda _: "",
) -> questionary.Question:
    """Return a prompt for one of the choices; those that are barred are shown with the reason."""
    lines = zip(choice_lines(choices), choices, strict=True)
    offered = [
        questionary.Choice(line, choice.value, disabled=barred(choice.value) or None)
        for line, choice in lines
    ]
    possible = [choice.value for choice in offered if not choice.disabled]
    return questionary.select(
        text,
        offered,
        default if default in possible else possible[0],
        instruction=" ",  # ours is above
        style=_STYLE,
    )


def text(question: str, default: str, refusal: Callable[[str], str]) -> questionary.Question:
    """Return a prompt for a text, which is taken if nothing is wrong with it."""
    return questionary.text(
        question,
        default,
        validate=lambda typed: refusal(typed) or True,
        validate_while_typing=False,
        style=_STYLE,
    )


@Condition
def _at_the_end() -> bool:
    return get_app().current_buffer.document.is_cursor_at_the_end


def run(
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
