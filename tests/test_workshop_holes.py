"""Holes in the files of a course: what is taken out, and what is put there."""

from __future__ import annotations

import pytest

from stackyard.comparing.code import find_in
from stackyard.workshop.exercises import Hole, place_of
from stackyard.workshop.holes import cut

MODULE = '''"""A module."""

LIMIT = 3


class Shelf:
    """Books."""

    size = LIMIT

    @property
    def full(self) -> bool:
        """Tell whether it is."""
        return self.size > LIMIT


def empty(shelf: Shelf) -> None:
    """Take all away."""
    shelf.size = 0


empty(Shelf())
'''
DOCUMENT = """\
info: {title: Books}
schemas:
  # What is read.
  Shelf:
    type: object
    properties: # of it
      size: {type: integer}

  Book: {type: object}
"""


@pytest.mark.parametrize(
    ("at", "part", "put", "before", "after"),
    [
        ("m.py empty", "body", "pass\n", "    shelf.size = 0\n", "    pass\n"),
        ("m.py empty", "whole", "# empty\n", "def empty", "# empty\n"),
        ("m.py Shelf.full", "decorators", "# how?\n", "    @property\n", "    # how?\n"),
        ("m.py Shelf.full", "body", "return False\n", "self.size > LIMIT", "return False"),
        ("m.py Shelf", "body", "\nsize = 1\n", "size = LIMIT", "\n\n    size = 1\n"),
        ("m.py LIMIT", "whole", "LIMIT = 4\n", "LIMIT = 3", "LIMIT = 4"),
        ("m.py empty(Shelf())", "whole", "", "\nempty(Shelf())\n", "shelf.size = 0\n"),
        ("m.py Shelf", "others", "# more\n", "def empty", "\n\n\n# more\n"),
    ],
)
def test_a_hole_takes_out_what_it_names_and_no_more(
    at: str, part: str, put: str, before: str, after: str
) -> None:
    text = cut(MODULE, Hole(place_of(at), part, put))

    assert before in MODULE
    assert before not in text
    assert after in text
    compile(text, "m.py", "exec")


@pytest.mark.parametrize(
    ("keys", "part", "put", "wanted", "lines"),
    [
        (
            "schemas.Shelf",
            "body",
            "# size\ntype: object\n",
            "  Shelf:\n    # size\n    type: object\n\n  Book:",
            8,
        ),
        ("schemas.Shelf", "whole", "Shelf: {}\n", "read.\n  Shelf: {}\n\n  Book:", 6),
        ("schemas.Shelf.properties", "whole", "", "    type: object\n\n  Book:", 7),
        ("schemas", "body", "Book: {}\n", "Books}\nschemas:\n  Book: {}\n", 3),
        ("info", "whole", "info: {}\n", "info: {}\nschemas:\n", 9),
    ],
)
def test_a_hole_in_a_document_is_what_its_keys_lead_to(
    keys: str, part: str, put: str, wanted: str, lines: int
) -> None:
    text = cut(DOCUMENT, Hole(place_of(f"d.yaml {keys}"), part, put))

    assert wanted in text
    assert text.startswith("info: {")
    assert len(text.splitlines()) == lines


def test_a_place_in_a_document_has_its_line_and_its_comment() -> None:
    found = find_in(DOCUMENT, place_of("d.yaml schemas.Shelf"))

    assert found
    assert (found.line, found.text.splitlines()[:2]) == (3, ["# What is read.", "Shelf:"])


@pytest.mark.parametrize(
    ("at", "part"),
    [
        ("m.py nothing", "whole"),
        ("m.py LIMIT", "body"),
        ("m.py empty", "head"),
        ("d.yaml schemas.nothing", "whole"),
        ("d.yaml size", "whole"),
        ("d.yaml info", "body"),
        ("d.yaml schemas", "others"),
    ],
)
def test_a_hole_that_cannot_be_is_refused(at: str, part: str) -> None:
    with pytest.raises(LookupError):
        cut(MODULE if at.startswith("m.py") else DOCUMENT, Hole(place_of(at), part, ""))


@pytest.mark.parametrize(
    ("at", "part", "put", "after"),
    [
        ("Dockerfile RUN make", "whole", "# made\n", "FROM a\n# made\nUSER 1\n"),
        ("compose.yaml web", "body", "# how\n", "  web:\n    # how\n\n  # next\n  worker:\n"),
        ("compose.yaml worker", "whole", "", "    ports: [1]\n\n  # next\n"),
    ],
)
def test_a_hole_in_another_file_is_what_is_indented_below_a_line(
    at: str, part: str, put: str, after: str
) -> None:
    texts = {
        "Dockerfile": "FROM a\nRUN make \\\n    --all\nUSER 1\n",
        "compose.yaml": (
            "  web:\n    image: a\n    ports: [1]\n\n  # next\n  worker:\n    image: b\n"
        ),
    }
    place = place_of(at)

    text = cut(texts[place.path], Hole(place, part, put))

    assert after in text
    excerpt = find_in(texts[place.path], place)
    assert excerpt
    assert excerpt.text.splitlines()[-1].strip() not in text


def test_a_block_that_is_not_there_is_refused() -> None:
    for at, part in [("Dockerfile ADD", "whole"), ("Dockerfile USER", "body")]:
        with pytest.raises(LookupError):
            cut("USER 1\n", Hole(place_of(at), part, ""))
