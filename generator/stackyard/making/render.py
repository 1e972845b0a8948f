"""From answers to a rendered tree: the one place that calls Copier."""

from __future__ import annotations

import errno
import os
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

from stackyard.git import DISK_FULL, regime
from stackyard.template import Template
from stackyard.template.errors import TemplateError
from stackyard.template.jinja import confine


def render(template: Template, answers: Mapping[str, str], project: Path, scratch: Path) -> None:
    """Render the template into the new directory `project`.

    `answers` has every option's, settled. Copier's temporary files go to `scratch`.

    Raises:
        TemplateError: if anything goes wrong in the template or in Copier.
        OSError: if the files cannot be written.
    """
    import copier
    from plumbum import local

    confine()

    temporary, tempfile.tempdir = tempfile.tempdir, str(scratch)
    try:
        # Copier runs git too, and Plumbum is how.
        with warnings.catch_warnings(), local.env(**regime(online=True)):
            # A checkout that is dirty or shallow is no news to whoever works in it.
            warnings.simplefilter("ignore")
            copier.run_copy(
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
        raise TemplateError(error) from error
    finally:
        tempfile.tempdir = temporary
