"""Resources of the owner's own: what is said of them, and the form in which an answer has it."""

from stackyard.resources.errors import ResourceError
from stackyard.resources.fields import TYPES
from stackyard.resources.grammar import canonical, continues, parse
from stackyard.resources.steps import Field, Resource

QUESTION = "resources"
"""The question whose answer they are."""

__all__ = [
    "QUESTION",
    "TYPES",
    "Field",
    "Resource",
    "ResourceError",
    "canonical",
    "continues",
    "parse",
]
