"""A comparison as one HTML page, which needs no other host and no script."""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from pygments import highlight
from pygments.formatter import Formatter
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

from stackyard.comparing.code import Excerpt
from stackyard.comparing.comparison import Answer, Comparison, Side, Way, own, shared
from stackyard.comparing.concerns import Concern, Framework, Place
from stackyard.comparing.errors import PageError
from stackyard.comparing.requests import in_words
from stackyard.measuring.figures import IN_ROUNDS, ONCE, Report, rounded

BEGIN = "<!DOCTYPE html>\n<!-- A comparison by stackyard -->\n"
"""What every page begins with, by which it is known."""

LIGHT, DARK = "xcode", "lightbulb"
"""Pygments' styles all of whose colors are told apart as WCAG 2.2 asks for (1.4.3: 4.5 to 1)."""


def page(
    found: Comparison,
    frameworks: Sequence[Framework],
    version: str,
    figures: Report | None = None,
) -> str:
    """Return the page, in HTML 5, with a paragraph on each framework that is told of.

    It has a section of figures where there are any.
    """
    environment = Environment(
        loader=PackageLoader("stackyard.comparing", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["code"] = _highlighted
    environment.filters["prose"] = _prose
    environment.filters["number"] = rounded
    environment.filters["words"] = in_words
    sections = [_section(found.sides, *one) for one in found.answers.items()]
    return BEGIN + environment.get_template("page.html.jinja").render(
        sides=found.sides,
        frameworks={one.name: one for one in frameworks},
        sections=sections,
        figures=figures,
        **(_charted(figures) if figures else {}),
        requests=[
            (request, [_nested(*each) for each in zip(ways, _anchors(found), strict=True)])
            for request, ways in found.ways.items()
        ],
        styles={"light": _style(LIGHT), "dark": _style(DARK)},
        version=version,
    )


def write(text: str, file: Path) -> None:
    """Write a page to a file, whole or not at all, in the place of an older page alone.

    Raises:
        PageError: if something else is there, or it cannot be written.
    """
    try:
        if file.exists() and not (file.is_file() and _begin_of(file) == BEGIN):
            raise PageError(file, "something is there that is no page of stackyard's")
        beside = file.with_name(f".{file.name}-{secrets.token_hex(4)}")
        try:
            beside.write_text(text, encoding="utf-8")
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise PageError(file, error.strerror or str(error)) from error


def _begin_of(file: Path) -> str:
    with file.open(encoding="utf-8", errors="replace") as opened:
        return opened.read(len(BEGIN))


def _section(
    sides: Sequence[Side], concern: Concern, answers: Sequence[Answer]
) -> dict[str, object]:
    same = {
        excerpt: ", ".join(sides[number].name for number in numbers)
        for excerpt, numbers in shared(answers).items()
    }
    return {"concern": concern, "answers": answers, "shared": same, "own": own(answers)}


def _charted(figures: Report) -> dict[str, object]:
    """Return what is drawn of each figure, and what stands in a table alone."""
    measured = [side for side in figures.sides if not side.refused]
    charts = []
    for figure in IN_ROUNDS:
        found = [(side.name, side.interval(figure.name)) for side in measured]
        rows = [(name, one) for name, one in found if one]
        if rows:
            charts.append((figure, rows, sorted(figures.best(figure))))
    once = [figure for figure in ONCE if any(figure.name in side.once for side in measured)]
    return {"measured": measured, "charts": charts, "once": once}


def _anchors(found: Comparison) -> list[dict[tuple[str, str], str]]:
    """Return for each side, by path and symbol, where the page shows its code first."""
    anchors: list[dict[tuple[str, str], str]] = [{} for _ in found.sides]
    for concern, answers in found.answers.items():
        same = [excerpt.text for excerpt in shared(answers)]
        for number, (answer, alone) in enumerate(zip(answers, own(answers), strict=True)):
            for one in answer.excerpts:
                name, texts = f"{concern.name}-{number + 1}", [each.text for each in alone]
                if one.text in same:
                    name, texts = f"{concern.name}-shared", same
                place = f"{name}-{texts.index(one.text) + 1}"
                anchors[number].setdefault((one.path, one.symbol), place)
    return anchors


def _nested(way: Way, anchors: Mapping[tuple[str, str], str]) -> dict[str, object]:
    """Return a way, with each step inside of the one that was running when it began."""
    first: list[dict[str, object]] = []
    levels = [first]
    for step, code in way.steps:
        inner: list[dict[str, object]] = []
        del levels[step.depth + 1 :]
        levels[-1].append(
            {"step": step, "code": code, "anchor": _anchor(step.place, anchors), "inner": inner}
        )
        levels.append(inner)
    return {"way": way, "steps": first}


def _anchor(place: Place, anchors: Mapping[tuple[str, str], str]) -> str:
    """Return where the page shows a place: it alone, its class or its file; empty if nowhere."""
    names = place.symbol.split(".")
    shorter = (".".join(names[:count]) for count in range(len(names), -1, -1))
    return next((anchors[place.path, one] for one in shorter if (place.path, one) in anchors), "")


def _prose(text: str) -> str:
    """Return a paragraph as HTML, with what stands between backticks as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(text))


def _highlighted(excerpt: Excerpt) -> str:
    """Return a piece of code as HTML, escaped and with what Pygments knows of it."""
    try:
        lexer = get_lexer_for_filename(excerpt.path, stripnl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False)
    return highlight(excerpt.text, lexer, HtmlFormatter(nowrap=True)).rstrip()


def _style(name: str) -> str:
    formatter: Formatter[str] = HtmlFormatter(style=name)
    return formatter.get_style_defs(".code")
