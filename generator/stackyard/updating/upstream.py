"""Where templates come from: a git repository whose tags `vX.Y.Z` are the releases."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from stackyard.git import GitError, git
from stackyard.template.source import own_sources
from stackyard.updating.errors import (
    ForeignSourceError,
    NoSuchReleaseError,
    UnreachableUpstreamError,
)

_RELEASE = re.compile(r"v([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})")
# As `git describe` names a commit: so many after a tag.
_DESCRIBED = re.compile(rf"({_RELEASE.pattern})(-\d+-g[0-9a-f]+)?")
# The short forms that Copier takes.
_SHORT = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/", "git+": ""}
_SECONDS = 60


@dataclass(frozen=True)
class Upstream:
    """A template's repository: its releases, the oldest first, and the newest commit."""

    source: str
    releases: tuple[str, ...]
    head: str

    @classmethod
    def at(cls, source: str, *, trusted: bool = False) -> Upstream:
        """Ask the repository at `source`, a URL or a path, which releases there are.

        Raises:
            ForeignSourceError: before anybody is asked, if it is not our own and not `trusted`.
            UnreachableUpstreamError: if it does not tell.
        """
        if not (trusted or is_own(source)):
            raise ForeignSourceError(source)
        try:
            question = ("ls-remote", "--quiet", "--", _address(source), "HEAD", "refs/tags/v*")
            refs = git(None, *question, online=True, seconds=_SECONDS)
        except (GitError, TimeoutError) as error:
            raise UnreachableUpstreamError(source, error) from error
        commits = {
            name: commit for commit, name in (line.split("\t") for line in refs.splitlines())
        }
        tags = (name.removeprefix("refs/tags/") for name in commits)
        releases = sorted(filter(_RELEASE.fullmatch, tags), key=_version)
        return cls(source, tuple(releases), commits.get("HEAD", ""))

    def since(self, release: str) -> list[str]:
        """Return the releases that are newer than `release`, the oldest first.

        Where nothing was released yet, the newest commit stands for a release.
        """
        if not self.releases:
            current = self.head.startswith(release.rpartition("-g")[2] or "-")
            return [] if current else ["HEAD"]
        return [newer for newer in self.releases if _version(newer) > _version(release)]

    def download(self, place: Path) -> Download:
        """Copy the repository to `place`, with its whole history.

        Raises:
            UnreachableUpstreamError: if it cannot be had.
        """
        try:
            clone = ("clone", "--quiet", "--bare", "--template=")
            git(None, *clone, "--", _address(self.source), str(place), online=True)
        except GitError as error:
            raise UnreachableUpstreamError(self.source, error) from error
        return Download(self, place)


@dataclass(frozen=True)
class Download:
    """A copy of a template's repository on this machine."""

    upstream: Upstream
    place: Path

    def name(self, version: str) -> str:
        """Return a version, given as release, branch or commit, as `git describe` names it.

        Raises:
            NoSuchReleaseError: if there is no such version.
        """
        release = f"v{version.removeprefix('v')}"
        ref = f"refs/tags/{release}" if _RELEASE.fullmatch(release) else version
        try:
            question = ("rev-parse", "--verify", "--quiet", "--end-of-options")
            commit = self._git(*question, f"{ref}^{{commit}}")
            return self._git("describe", "--tags", "--always", commit.strip()).strip()
        except GitError as error:
            raise NoSuchReleaseError(
                self.upstream.source, version, self.upstream.releases
            ) from error

    def unpack(self, version: str, place: Path) -> Path:
        """Write the template of a version to the new directory `place`, and return that."""
        place.mkdir()
        write = (f"--work-tree={place}", "checkout", "--quiet", "--force")
        self._git(*write, version, "--", "copier.yml", "templates")
        return place

    def _git(self, *arguments: str) -> str:
        return git(None, f"--git-dir={self.place}", *arguments)


def is_own(source: str) -> bool:
    """Tell whether a source is where this package itself comes from."""
    return _address(source).removesuffix("/").removesuffix(".git") in own_sources()


def is_older(one: str, other: str) -> bool:
    """Tell whether the release `one` came before the release `other`."""
    return _version(one) < _version(other)


def _version(release: str) -> tuple[int, ...]:
    """Return the numbers of a release; commits after it count as one, as does none known before."""
    described = _DESCRIBED.fullmatch(release)
    if described is None:
        return ()
    *numbers, since = described.groups()[1:]
    return (*map(int, numbers), int(since is not None))


def _address(source: str) -> str:
    """Return what git calls a source; a path of this machine does not depend on where it is run."""
    for short, long in _SHORT.items():
        if source.startswith(short):
            return long + source.removeprefix(short)
    if re.match(r"[^/]*:", source):
        return source
    return os.path.abspath(os.path.expanduser(source))  # noqa: PTH100, PTH111 - of any text
