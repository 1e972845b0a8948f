"""On a terminal the command asks for what it was not told, and before it writes."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from combinations import TEMPLATE
from conftest import Command, generated
from stackyard.making.generate import generate
from stackyard.template import Template
from stackyard.template.errors import InvalidAnswerError
from stackyard.template.settle import slug
from terminal import (
    CONTROL_C,
    DOWN,
    ENTER,
    ESCAPE,
    UP,
    Terminal,
    answers_of,
    assert_nothing_was_written,
    told,
)

PRESET = "Which preset should suggest the answers?"
ASKED = [TEMPLATE.questions[name] for name in TEMPLATE.options]
# The questions after that of the license, in their order.
LATER = ASKED[[question.name for question in ASKED].index("license") + 1 :]


def test_a_walk_from_the_first_question_to_the_command_that_repeats_it(
    stackyard: Command, tmp_path: Path
) -> None:
    terminal = Terminal(stackyard, "new", "--no-lock", "-d", "description=Told.", height=50)
    terminal.expect("Arrow keys move")
    terminal.answer(
        (PRESET, ENTER),
        ("Which framework", b""),
        ("» fastapi     async, typed", DOWN + DOWN + UP + ENTER),
        ("framework    django-drf", b""),
        ("What is the service called? bookshelf", b"shop" + ENTER),
        ("Its short name? (of the package, the image and, by default, the directory) shop", ENTER),
        ("Who writes it?", ENTER),
        ("Their email address?", ENTER),
        ("Under which license?", b""),
        ("Apache-2.0   permissive, with", DOWN + ENTER),
        *[
            (question.text, DOWN + ENTER if question.name == "cache" else ENTER)
            for question in LATER
        ],
    )
    terminal.expect("shop/")
    answers = {"cache": "none"}
    for line in (
        "framework     django-drf",
        "project_name  shop",
        "project_slug  shop",
        "description   Told.",
        "author_name   Example Author",
        "author_email  author@example.org",
        "license       Apache-2.0",
        *(
            f"{question.name:12}  {answers.get(question.name, question.default) or '(empty)'}"
            for question in LATER
        ),
    ):
        terminal.expect(f"  {line}\n")
    terminal.expect(f"Make it in {stackyard.directory}/shop?")
    terminal.expect("write nothing")
    assert list(stackyard.directory.iterdir()) == []
    terminal.send(ENTER)
    terminal.expect("shop is ready in shop")
    terminal.expect("The same again, elsewhere:\n")
    assert terminal.finish() == 0

    repeat = shlex.split(terminal.seen.split("\n\n")[0])
    again = replace(stackyard, directory=tmp_path / "again", executable=Path(repeat[0]))
    again.directory.mkdir()
    assert again(*repeat[1:]).returncode == 0
    made = generated(stackyard.directory / "shop")
    assert generated(again.directory / "shop") == made
    assert "description: Told." in made[".copier-answers.yml"].decode()


def test_resources_are_read_as_they_are_typed(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "flask", "shop", "--no-lock", *told("resources"))
    terminal.answer(
        ("Resources of your own?", b"product sku:strin" + ENTER),
        ("'strin' is no type", b"g!:uniq price:decimal; category name" + ENTER),
        ("resources     product   sku    string{0..255}  required, unique\n", b""),
        ("                        price  decimal{12.2}\n", b""),
        ("                category  name   string{0..255}\n", b""),
        ("write nothing", ENTER),
        ("shop is ready in shop", b""),
    )
    assert terminal.finish() == 0
    assert answers_of(stackyard.directory / "shop")["resources"].startswith("product/products sku")


def test_escape_goes_back_and_keeps_what_was_answered(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "--dry-run")
    terminal.expect(PRESET)
    terminal.send(ESCAPE)  # nothing is before the first question
    terminal.answer(
        ("startup", ENTER),
        ("tornado-ws", DOWN + ENTER),
        ("called?", b"first" + ENTER),
        ("directory) first", ENTER),
        ("in one line?", b"Kept." + ENTER),
        ("Who writes it?", ESCAPE),
        ("in one line? Kept.", ESCAPE),
        ("directory) first", ESCAPE),
        ("called? first", ESCAPE),
        ("» django-drf", DOWN + ENTER),
        ("called? first", b"second" + ENTER),
        ("directory) second", ENTER),
        ("in one line? Kept.", ENTER),
        ("Who writes it?", ENTER),
        ("Their email address?", ENTER),
        ("Under which license?", ENTER),
        *[(question.text, ENTER) for question in LATER],
        ("To make it:\n", b""),
    )
    assert terminal.finish() == 0
    for part in ("new flask second", "--description Kept."):
        assert part in terminal.seen
    assert list(stackyard.directory.iterdir()) == []


def test_an_answer_that_was_emptied_stays_empty_on_the_way_back(stackyard: Command) -> None:
    """What git knows is suggested once."""
    terminal = Terminal(stackyard, "new", "flask", *told("author_name", "author_email"))
    terminal.answer(
        ("Who writes it? (for pyproject.toml and LICENSE; may be empty) Example", b" \x7f" + ENTER),
        ("Their email address? (may be empty) author@example.org", ESCAPE),
        ("Arrow keys move", b""),
        ("Who writes it?", ENTER),
        ("  author_name   (empty)", CONTROL_C),
    )
    assert_nothing_was_written(terminal, stackyard)


@pytest.mark.parametrize("keys", [ESCAPE, DOWN + ENTER], ids=["Esc", "choice"])
def test_the_summary_leads_back_to_the_last_question(stackyard: Command, keys: bytes) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "shop", "--no-lock", *told("tasks"))
    terminal.answer(
        ("Background jobs", ENTER),
        ("tasks         celery", b""),
        ("write nothing", keys),
        ("» celery", DOWN + ENTER),
        ("tasks         none", b""),
        ("write nothing", ENTER),
        ("shop is ready in shop", b""),
    )
    assert terminal.finish() == 0
    assert answers_of(stackyard.directory / "shop")["tasks"] == "none"


def test_where_all_is_told_the_summary_alone_is_left(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "--no-lock", *told())
    terminal.expect("shop/")
    terminal.expect("Make it in")
    terminal.send(ENTER)
    terminal.expect("shop is ready in shop")
    assert terminal.finish() == 0
    assert (stackyard.directory / "shop" / ".env").is_file()


def test_leaving_at_the_summary_writes_nothing(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "shop", *told("tasks"))
    terminal.answer(("Background jobs", ENTER), ("write nothing", UP + ENTER))
    assert_nothing_was_written(terminal, stackyard)


def test_y_makes_it_and_n_leaves(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "shop", "--no-lock", *told())
    terminal.answer(("write nothing (n)", b"n"))
    assert_nothing_was_written(terminal, stackyard)
    terminal = Terminal(stackyard, "new", "fastapi", "shop", "--no-lock", *told())
    terminal.answer(("write nothing (n)", b"y"))
    assert terminal.finish() == 0
    assert (stackyard.directory / "shop" / ".env").is_file()


@pytest.mark.parametrize("height", [24, 54, 400])
def test_the_summary_fits_on_the_screen(stackyard: Command, height: int) -> None:
    """What there is no room for is left out of the tree, never of the answers."""
    answers = told("project_slug")
    terminal = Terminal(stackyard, "new", "fastapi", "shop", *answers, height=height)
    terminal.answer(("directory) shop", ENTER))
    terminal.expect("Rendering the template ...\n")
    seen = terminal.expect("write nothing (n)")
    terminal.send(b"n")
    assert_nothing_was_written(terminal, stackyard)
    assert seen.count("\n") < height
    assert seen.startswith("shop/\n├── app/")
    assert ("tests/  " in seen) == (height == 54)
    assert ("├── conftest.py" in seen) == (height == 400)
    assert ("... and " in seen) == (height == 24)
    assert "  framework     fastapi" in seen
    for name in TEMPLATE.options:
        assert f"  {name} " in seen


def test_the_short_name_is_shown_before_the_directory_is_made(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", *told("project_name", "project_slug"))
    terminal.answer(
        ("What is the service called?", "Größe 1".encode() + ENTER),
        ("directory) grosse-1", ESCAPE),
        ("called? Größe 1", b"Breite" + ENTER),
        ("directory) breite", ENTER),
        (f"Make it in {stackyard.directory}/breite?", b"n"),
    )
    assert_nothing_was_written(terminal, stackyard)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fastapi", "full"], "'full' exists and is not empty"),
        (["-d", "project_slug=full"], "'full' exists and is not empty"),
        (["-d", "project_slug=class"], "it is a keyword of Python"),
        (["-d", "project_name=a/b"], "it must not contain a path separator"),
    ],
    ids=["PATH", "directory of the short name", "short name", "name"],
)
def test_what_was_told_is_judged_before_anything_is_asked(
    occupied: Command, arguments: list[str], says: str
) -> None:
    terminal = Terminal(occupied, "new", *arguments)
    assert terminal.finish() == 2
    assert terminal.seen.startswith("stackyard: ")
    assert says in terminal.seen


def test_the_path_suggests_the_name_and_git_the_author(stackyard: Command) -> None:
    arguments = ["new", "fastapi", "deep/my-shop", "--preset", "startup", "--description", "Told."]
    terminal = Terminal(stackyard, *arguments)
    terminal.answer(
        ("What is the service called? my-shop", ENTER),
        ("directory) my-shop", ENTER),
        ("Who writes it? (for pyproject.toml and LICENSE; may be empty) Example Author", ENTER),
        ("Their email address? (may be empty) author@example.org", CONTROL_C),
    )
    assert_nothing_was_written(terminal, stackyard)


@pytest.mark.parametrize("arguments", [["--defaults"], ["--json"]])
def test_defaults_and_json_ask_nothing(stackyard: Command, arguments: list[str]) -> None:
    terminal = Terminal(stackyard, "new", "fastapi", "shop", "--no-lock", *arguments)
    assert terminal.finish() == 0
    assert answers_of(stackyard.directory / "shop")["author_name"] == "Example Author"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("project_name", ""),
        ("project_name", "_thread"),
        ("project_name", "a/b"),
        ("project_name", "a\tb"),
        ("project_slug", ""),
        ("project_slug", "none"),
        ("project_slug", "py-compile"),
        ("project_slug", "pydantic-core"),
        ("project_slug", "pydantic.core"),
        ("project_slug", "-a"),
        ("project_slug", "a\n"),
        ("description", "a\nb"),
        ("author_name", "\udcff"),
        ("author_email", "nobody"),
    ],
    ids=ascii,
)
def test_the_wizard_refuses_in_the_words_of_the_engine(
    tmp_path: Path, name: str, value: str
) -> None:
    template = Template.installed()
    answers = {"framework": "fastapi", name: value}
    with pytest.raises(InvalidAnswerError) as refused:
        generate(template, answers, tmp_path / "shop", dry_run=True)
    said = InvalidAnswerError(name, value, template.refusal(name, answers))
    assert str(refused.value) == str(said)


@pytest.mark.parametrize("name", ["bookshelf", "My  Shop!", "-2 Läden-"])
def test_the_wizard_suggests_the_directory_that_the_engine_makes(name: str) -> None:
    template = Template.installed()
    answers = {"framework": "flask", "project_name": name}
    assert generate(template, answers, dry_run=True).path == Path(slug(name))


# Presets


def test_a_preset_suggests_what_it_stands_for(stackyard: Command) -> None:
    """Another one suggests anew, and what is answered otherwise counts."""
    terminal = Terminal(stackyard, "new", "--dry-run", *told("preset", "cache", "tasks"))
    terminal.answer(
        ("» standard", DOWN + ENTER),
        ("» fastapi", DOWN + ENTER),
        ("preset        startup", b""),
        ("Cache", DOWN + ENTER),
        ("» none", ESCAPE),
        ("Cache", ESCAPE),
        ("» flask", ESCAPE),
        ("» startup", UP + ENTER),
        ("Which framework", ENTER),
        ("» redis", ENTER),
        ("» celery", ESCAPE),
        ("» redis", ESCAPE),
        ("Which framework", ESCAPE),
        ("» standard", DOWN + ENTER),
        ("» fastapi", ENTER),
        ("» redis", ENTER),
        ("» none", ENTER),
        ("To make it:\n", b""),
    )
    assert terminal.finish() == 0
    assert "new fastapi" in terminal.seen
    assert "--tasks none" in terminal.seen
    assert "preset" not in terminal.seen


def test_a_preset_of_other_frameworks_cannot_be_picked(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "pyramid")
    terminal.expect(PRESET)
    terminal.expect("- startup     a small API")
    terminal.answer(("(the preset startup is for fastapi and flask)", DOWN + ENTER))
    terminal.answer(("preset     standard", CONTROL_C))
    assert_nothing_was_written(terminal, stackyard)


def test_a_framework_that_a_preset_is_not_for_cannot_be_picked(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "--preset", "startup")
    terminal.answer(
        ("- django-drf", b""),
        ("(the preset startup is for fastapi and flask)", DOWN + ENTER),
        ("framework  flask", CONTROL_C),
    )
    assert_nothing_was_written(terminal, stackyard)


def test_a_preset_with_nothing_left_to_say_is_not_asked_for(stackyard: Command) -> None:
    terminal = Terminal(stackyard, "new", "flask", *told("preset", "description"))
    terminal.answer(("What does it do", ENTER), ("Make it in", b"n"))
    assert_nothing_was_written(terminal, stackyard)


def test_a_choice_that_does_not_go_together_with_an_answer_cannot_be_picked(
    stackyard: Command,
) -> None:
    """It is shown with the reason, whatever comes first; nor does a preset suggest it."""
    terminal = Terminal(stackyard, "new", "flask", *told("queue_ui"))
    terminal.answer(
        ("- flower", b""),
        ("(does not go with tasks=none: there is no queue to show)", UP + ENTER),
        ("queue_ui      none\n", b"n"),
    )
    assert_nothing_was_written(terminal, stackyard)
    others = told("preset", "tasks", "queue_ui")
    given = ["--preset", "startup", "--queue-ui", "flower", *others]
    terminal = Terminal(stackyard, "new", "flask", *given)
    terminal.answer(
        ("» celery", b""),
        ("- none", b""),
        ("(does not go with queue_ui=flower: there is no queue to show)", DOWN + ENTER),
        ("tasks         celery\n", b"n"),
    )
    assert_nothing_was_written(terminal, stackyard)
