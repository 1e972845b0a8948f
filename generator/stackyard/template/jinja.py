"""What `copier.yml` says in Jinja, rendered as Copier does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stackyard.template.errors import TemplateError

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

_REACHING = frozenset({"expanduser", "expandvars", "fileglob", "realpath", "relpath"})


def render(root: Path, text: str, context: Mapping[str, Any]) -> str:
    """Render a text of the template in `root`, which may include others of its files.

    Raises:
        TemplateError: if that goes wrong, however.
    """
    try:
        return _environment(root).from_string(text).render(context)
    except Exception as error:  # what a template calls may raise anything
        raise TemplateError(error) from error


@cache
def confine() -> None:
    """Leave templates without the filters that read the environment, or look at other files."""
    from jinja2_ansible_filters.core_filters import FilterModule  # type: ignore[import-untyped]

    offered = FilterModule.filters
    FilterModule.filters = lambda self: {
        name: apply for name, apply in offered(self).items() if name not in _REACHING
    }


@cache
def _environment(root: Path) -> SandboxedEnvironment:
    from jinja2 import Environment, FileSystemLoader, TemplateNotFound
    from jinja2.sandbox import SandboxedEnvironment

    inside = root.resolve()

    class Loader(FileSystemLoader):
        """Finds nothing outside, also where a link of the template leads there."""

        def get_source(
            self, environment: Environment, template: str
        ) -> tuple[str, str, Callable[[], bool]]:
            found = super().get_source(environment, template)
            if not Path(found[1]).resolve().is_relative_to(inside):
                raise TemplateNotFound(template)
            return found

    confine()
    return SandboxedEnvironment(
        loader=Loader(inside),
        extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
        keep_trailing_newline=True,
    )
