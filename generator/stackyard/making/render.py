"""From answers to a rendered tree: the one place that calls Copier."""

from __future__ import annotations

import errno
import os
import re
import tempfile
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from stackyard.git import DISK_FULL, regime
from stackyard.template import Template
from stackyard.template.errors import InvalidAnswerError, TemplateError

_REACHING = frozenset({"expanduser", "expandvars", "fileglob", "realpath", "relpath"})


def render(
    template: Template,
    answers: Mapping[str, str],
    project: Path,
    scratch: Path,
    sources: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """Render the template into the new directory `project`; return the answer to every question.

    What `answers` does not tell takes its default; `sources` says where one came from that
    the user did not give as such, be it another answer. Copier's temporary files go to `scratch`.

    Raises:
        InvalidAnswerError: if a validator of the template refuses an answer.
        TemplateError: if anything else goes wrong in the template or in Copier.
        OSError: if the files cannot be written.
    """
    import copier
    from plumbum import local

    _confine()

    temporary, tempfile.tempdir = tempfile.tempdir, str(scratch)
    try:
        # Copier runs git too, and Plumbum is how.
        with warnings.catch_warnings(), local.env(**regime(online=True)):
            # A checkout that is dirty or shallow is no news to whoever works in it.
            warnings.simplefilter("ignore")
            worker = copier.run_copy(
                str(template.root),
                project,
                {**answers, **template.stamps},
                settings=copier.Settings(),
                vcs_ref="HEAD",
                defaults=True,
                quiet=True,
                unsafe=False,
            )
    except OSError as error:
        if error.errno is not None:
            raise
        # A git that Copier ran: what happened is in its words only.
        if DISK_FULL in str(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise TemplateError(error) from error
    except Exception as error:  # what a template calls may raise anything
        refused = re.fullmatch(r"Validation error for question '(\w+)': (.*)", str(error))
        if refused is None:
            raise TemplateError(error) from error
        key, reason = refused.groups()
        if sources.get(key) in answers:
            key = sources[key]
        value, source = answers.get(key, ""), sources.get(key, "")
        raise InvalidAnswerError(key, value, reason, source) from error
    finally:
        tempfile.tempdir = temporary
    told = worker.answers.combined
    return {name: str(told.get(name, "")) for name in template.questions}


@cache
def _confine() -> None:
    """Leave templates without the filters that read the environment, or look at other files."""
    from jinja2_ansible_filters.core_filters import FilterModule  # type: ignore[import-untyped]

    offered = FilterModule.filters
    FilterModule.filters = lambda self: {
        name: apply for name, apply in offered(self).items() if name not in _REACHING
    }
