"""Resources of the owner's own: what is said of them, and the form in which an answer has it."""

from stackyard.resources.errors import ResourceError
from stackyard.resources.fields import TYPES
from stackyard.resources.grammar import Field, Resource, canonical, parse

QUESTION = "resources"
"""The question whose answer they are."""

__all__ = ["QUESTION", "TYPES", "Field", "Resource", "ResourceError", "canonical", "parse"]
