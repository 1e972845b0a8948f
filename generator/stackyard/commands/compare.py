"""`stackyard compare`."""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import asdict
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING

import click

from stackyard import interrupts
from stackyard.commands import completion, installed, measured
from stackyard.commands.answers import Answering
from stackyard.commands.printing import dump, progress, say
from stackyard.commands.tree import size_of
from stackyard.errors import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from stackyard.comparing.code import Excerpt
    from stackyard.comparing.comparison import Answer, Comparison, Side, Way
    from stackyard.comparing.concerns import Concern
    from stackyard.comparing.requests import Request
    from stackyard.measuring.figures import Report

_NARROWEST = 60
"""How many columns of a terminal a side has at least: with less, they stand below each other."""

_GAP = "  "


@click.command(cls=Answering, heading="Answers that all have, and their defaults", defaults=True)
@click.argument("named", metavar="[FRAMEWORK|PATH]...", nargs=-1, shell_complete=completion.sides)
@click.option(
    "--concern",
    metavar="NAME",
    shell_complete=completion.concerns,
    help="Show the code of one concern, side by side, and what is to be said of it.",
)
@click.option(
    "--request",
    type=click.Choice(["POST", "GET"], case_sensitive=False),
    help="Show what a request passes, function by function: one that adds a book, or reads one.",
)
@click.option(
    "--html",
    metavar="FILE",
    shell_complete=completion.files,
    help="Write it to one page, which needs no other file.",
)
@click.option(
    "--measure",
    is_flag=True,
    help="Run them, have the contract judge them, and measure them on this machine, as it is now:"
    " some minutes for each.",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=5),
    help="How often each figure is measured. [default: 5]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with all the code.")
@click.pass_context
def compare(
    context: click.Context,
    *,
    named: tuple[str, ...],
    told: list[tuple[str, str]],
    concern: str | None,
    request: str | None,
    html: str | None,
    measure: bool,
    rounds: int | None,
    as_json: bool,
) -> None:
    """Compare frameworks, or projects of your own: where each does what, and with how much code.

    Of frameworks it is what would be generated; without a name, all of them.

    \b
    Examples:
      stackyard compare
      stackyard compare fastapi flask --concern authentication
      stackyard compare flask pyramid --request POST
      stackyard compare --html report.html
      stackyard compare --cache none --json
      stackyard compare fastapi flask --measure
      stackyard compare shelf1 shelf2
    """
    from pathlib import Path

    from stackyard.comparing import comparison
    from stackyard.comparing.concerns import load_frameworks
    from stackyard.measuring.figures import shipped
    from stackyard.template.source import version
    from stackyard.template.template import collect

    if measure and (concern or request):
        raise click.UsageError(
            "--concern and --request are about code, --measure about what a service does"
        )
    if rounds is not None and not measure:
        raise click.UsageError("--rounds says how often to measure: add --measure")
    template = installed(context)
    progress("Making what is compared ...")
    with interrupts.shielded():
        found = comparison.compare(template, named, collect(told), concern, request)
        figures = None if told else shipped(template.root, [one.name for one in found.sides])
        if measure:
            figures = _measured(found, collect(told), rounds or 5)
        interrupts.conclude()
    if html is not None:
        from stackyard.comparing import page

        text = page.page(found, load_frameworks(template.root), version(), figures)
        page.write(text, Path(html))
    if as_json:
        dump(encoded(found) | {"figures": figures and asdict(figures)})
    elif html is not None:
        say(f"The page is in {html}: {size_of(len(text.encode()))}")
    elif measure and figures:
        click.echo("\n".join(measured.table(figures)))
    elif concern is None and request is None:
        click.echo("\n".join(_table(found)))
    else:
        click.echo_via_pager("\n".join(_pages(found, shutil.get_terminal_size().columns)) + "\n")
    if measure and figures and figures.partial:
        context.exit(130)


def _measured(found: Comparison, told: Mapping[str, str], rounds: int) -> Report:
    """Measure what is compared, and show how far it has come."""
    from stackyard.measuring import suite
    from stackyard.template.source import version

    suite.load()
    from stackyard.measuring.measure import measure  # which needs the suite

    names = [side.name for side in found.sides]
    with measured.progress() as tell:
        return measure(names, told, version(), rounds=rounds, progress=tell)


def _table(found: Comparison) -> list[str]:
    """Return how much of everything each side has, a line for each thing."""
    rows = [
        ("files", [side.figures.files for side in found.sides]),
        ("lines of Python", [side.figures.lines for side in found.sides]),
        ("lines of its tests", [side.figures.test_lines for side in found.sides]),
        ("dependencies", [side.figures.dependencies for side in found.sides]),
    ]
    by_concern = [
        (concern.name, [answer.lines for answer in answers])
        for concern, answers in found.answers.items()
    ]
    first = max(len(name) for name, _ in [*rows, *by_concern]) + 2
    names = [shown(side.name) for side in found.sides]

    def line(name: str, numbers: Sequence[object]) -> str:
        cells = zip(names, numbers, strict=True)
        return f"{name:<{first}}" + _GAP.join(f"{number!s:>{len(side)}}" for side, number in cells)

    return [
        line("", names),
        *(line(*row) for row in rows),
        "",
        "Lines by concern:",
        *(line(*row) for row in by_concern),
        "",
        "No line counts that is empty, and none says how good it is. For the code of a concern,"
        " and what",
        "differs: stackyard compare --concern NAME",
    ]


def _pages(found: Comparison, width: int) -> Iterator[str]:
    """Yield the lines that show what was asked for: a concern, a request, or both."""
    for concern, answers in found.answers.items():
        yield from _concern(concern, found.sides, answers, width)
    for request, ways in found.ways.items():
        yield click.style(f"One request: {request.line}", bold=True)
        yield from ("", *textwrap.wrap(request.summary, min(width, 100)))
        columns = partial(_way, request, found.sides, ways)
        yield from _beside(len(ways), columns, width)


def _concern(
    concern: Concern, sides: Sequence[Side], answers: Sequence[Answer], width: int
) -> Iterator[str]:
    """Yield the lines that show a concern: what all share, then each side's own."""
    from stackyard.comparing.comparison import own, shared

    yield click.style(f"{concern.title}: {concern.question}", bold=True)
    yield from ("", *textwrap.wrap(concern.summary, min(width, 100)))
    for excerpt, numbers in shared(answers).items():
        names = ", ".join(sides[number].name for number in numbers)
        yield from ("", click.style(shown(f"The same in {names}"), bold=True))
        yield from ("", *_code(excerpt, width))
    excerpts = own(answers)

    def column(number: int, each: int) -> Iterator[str]:
        return _column(concern, sides[number], answers[number], excerpts[number], each)

    yield from _beside(len(sides), column, width)


def _beside(count: int, column: Callable[[int, int], Iterator[str]], width: int) -> Iterator[str]:
    """Yield columns beside each other where there is room, otherwise below; told is their width."""
    each = (width - len(_GAP) * (count - 1)) // count
    if each >= _NARROWEST:
        yield ""
        columns = [list(column(number, each)) for number in range(count)]
        for cells in zip_longest(*columns, fillvalue=""):
            padded = (cell + " " * (each - len(click.unstyle(cell))) for cell in cells)
            yield _GAP.join(padded).rstrip()
    else:
        for number in range(count):
            yield from ("", *column(number, width))


def _column(
    concern: Concern, side: Side, answer: Answer, own: Sequence[Excerpt], width: int
) -> Iterator[str]:
    """Yield the lines of one side, none longer than the width."""
    yield click.style(shown(side.name)[:width], bold=True)
    yield from ("", *textwrap.wrap(concern.commentary[side.framework], min(width, 100)))
    for excerpt in own:
        yield from ("", *_code(excerpt, width))
    for place in answer.missing:
        yield from ("", *textwrap.wrap(f"{place.path} has no {place.symbol} any more.", width))


def _way(
    request: Request, sides: Sequence[Side], ways: Sequence[Way], number: int, width: int
) -> Iterator[str]:
    """Yield what a request passes in one side, none longer than the width."""
    from stackyard.comparing.requests import in_words

    side, way = sides[number], ways[number]
    passage = request.passages[side.framework]
    yield click.style(shown(side.name)[:width], bold=True)
    if way.otherwise:
        yield from ("", *textwrap.wrap(shown(f"Not recorded with {way.otherwise}."), width))
        return
    yield from ("", *textwrap.wrap(request.commentary[side.framework], min(width, 100)))
    yield from ("", f"Functions: {len(way.steps)}, and of libraries:"[:width])
    yield from (*textwrap.wrap(in_words(passage.calls), width), "")
    for step, code in way.steps:
        place, indent = step.place, " " * step.depth
        if step.before:
            yield click.style(f"{indent}  {in_words(step.before)}"[:width], dim=True)
        where = f"{place.path}:{code.line}" if code else "not there any more"
        yield shown(f"{indent}{place.symbol}  {where}")[:width]
    yield click.style(f"  {in_words(passage.after)}"[:width], dim=True)


def _code(excerpt: Excerpt, width: int) -> Iterator[str]:
    """Yield a piece of code below the place where it stands; what is too long goes on below."""
    yield click.style(f"{excerpt.path}:{excerpt.line}"[:width], dim=True)
    for line in map(shown, excerpt.text.splitlines()):
        yield line[:width]
        for begin in range(width, len(line), width - 4):
            yield f"  > {line[begin : begin + width - 4]}"


def encoded(found: Comparison) -> dict[str, object]:
    """Return a comparison as JSON has it, by docs/compare.schema.json, without its figures."""
    return {
        "sides": [
            {
                "name": side.name,
                "framework": side.framework,
                "answers": dict(side.answers),
                "files": side.figures.files,
                "lines": side.figures.lines,
                "test_lines": side.figures.test_lines,
                "dependencies": side.figures.dependencies,
            }
            for side in found.sides
        ],
        "concerns": [
            {
                "name": concern.name,
                "title": concern.title,
                "question": concern.question,
                "summary": concern.summary,
                "answers": [
                    {
                        "name": side.name,
                        "lines": answer.lines,
                        "commentary": concern.commentary[side.framework],
                        "code": [
                            {
                                "path": excerpt.path,
                                "symbol": excerpt.symbol,
                                "line": excerpt.line,
                                "text": excerpt.text,
                            }
                            for excerpt in answer.excerpts
                        ],
                        "missing": [
                            f"{place.path} {place.symbol}".rstrip() for place in answer.missing
                        ],
                    }
                    for side, answer in zip(found.sides, answers, strict=True)
                ],
            }
            for concern, answers in found.answers.items()
        ],
        "requests": [
            {
                "request": request.line,
                "summary": request.summary,
                "ways": [
                    {
                        "name": side.name,
                        "commentary": request.commentary[side.framework],
                        "otherwise": way.otherwise or None,
                        "steps": [
                            {
                                "before": dict(step.before),
                                "path": step.place.path,
                                "symbol": step.place.symbol,
                                "line": code and code.line,
                                "depth": step.depth,
                            }
                            for step, code in way.steps
                        ],
                        "after": (
                            None if way.otherwise else dict(request.passages[side.framework].after)
                        ),
                    }
                    for side, way in zip(found.sides, ways, strict=True)
                ],
            }
            for request, ways in found.ways.items()
        ],
    }
