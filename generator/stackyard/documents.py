"""YAML that anybody may have written: bounded in length, and without what makes it grow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import yaml

LARGEST = 1_000_000
"""How many characters of YAML are read."""


class Loader(yaml.SafeLoader):
    """Takes no aliases, of which a short text can make a mapping that no memory holds."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose what comes next, if that is no alias."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias stands in it")
        return super().compose_node(parent, index)


@contextmanager
def yaml_errors() -> Iterator[None]:
    """Turn whatever a text makes the parser raise into a `ValueError` that tells what it is."""
    try:
        yield
    except yaml.YAMLError as error:
        raise ValueError(f"it is not YAML: {' '.join(str(error).split())}") from error
    except Exception as error:  # of a value that is not what its tag says; or of too many brackets
        raise ValueError(f"it is not YAML: {type(error).__name__}") from error
