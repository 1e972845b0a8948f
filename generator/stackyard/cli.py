"""The command: hands what was asked to its own commands, and tells of what goes wrong."""

from __future__ import annotations

import os
import sys

import click
from click.shell_completion import shell_complete

from stackyard.commands import completion
from stackyard.commands.change import add, remove
from stackyard.commands.compare import compare
from stackyard.commands.list import list_
from stackyard.commands.new import new
from stackyard.commands.show import show
from stackyard.commands.update import update
from stackyard.commands.workshop import workshop
from stackyard.errors import StackyardError, nearest, shown
from stackyard.git import FOREIGN_VARIABLES


def run(arguments: list[str]) -> int:
    """Run the command; return its exit status. A mistake is one line on stderr."""
    if wanted := os.environ.get(completion.VARIABLE):
        return shell_complete(main, {}, "stackyard", completion.VARIABLE, wanted)
    for variable in FOREIGN_VARIABLES:
        os.environ.pop(variable, None)  # Copier takes its environment for git from here
    color = False if os.environ.get("NO_COLOR") else None  # None: on a terminal only
    try:
        with main.make_context("stackyard", arguments or ["--help"], color=color) as context:
            main.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "stackyard"
        reason = error.format_message()
        if isinstance(error, click.NoSuchOption):
            reason = _unknown_flag(error)
        return _fail(f"{reason} Try '{command} --help'.", error.exit_code)
    except StackyardError as error:
        return _fail(str(error), error.exit_status)
    except OSError as error:
        # The flush at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # whose reader has read enough
            return _fail(f"cannot print the result: {error.strerror or error}", 1)
    return 0


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="stackyard", message="%(prog)s %(version)s")
def main() -> None:
    """Make a runnable, tested backend in the Python framework of your choice.

    \b
    Example:
      stackyard new fastapi bookshelf
    """


main.add_command(new)
main.add_command(add)
main.add_command(remove)
main.add_command(update)
main.add_command(show)
main.add_command(list_)
main.add_command(compare)
main.add_command(workshop)


def _unknown_flag(error: click.NoSuchOption) -> str:
    """Return what is wrong with a flag, and what was meant."""
    parameters = error.ctx.command.get_params(error.ctx) if error.ctx else main.params
    flags = [flag for parameter in parameters for flag in parameter.opts]
    known = [flag.removeprefix("--") for flag in flags if flag.startswith("--")]
    guess = nearest(error.option_name.lstrip("-"), known)
    meant = f" Did you mean '--{guess}'?" if guess else ""
    return f"No such option {error.option_name!r}.{meant}"


def _fail(message: str, status: int) -> int:
    click.echo(f"stackyard: {shown(message)}", err=True)
    return status
