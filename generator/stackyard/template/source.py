"""Where this package's own template is, and what projects are told that they were made from."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from stackyard.git import GitError, git

_PACKAGE = Path(__file__).parents[1]
BUNDLED = _PACKAGE / "_template"
CHECKOUT = _PACKAGE.parents[1]


def version() -> str:
    """Return the version of this package."""
    from importlib import metadata

    return metadata.version("stackyard")


def own_sources() -> set[str]:
    """Return the addresses of this package's own template: its repository, or a checkout of it."""
    if BUNDLED.is_dir():
        return {_repository()}
    checkout = {str(CHECKOUT), _origin() or _repository()}
    return {_repository()} | {source.removesuffix("/").removesuffix(".git") for source in checkout}


def commit() -> dict[str, str]:
    """Return the commit that is checked out, and the address where others find it, if they do.

    For edits on the commit Copier names one that it drops.
    """
    described = _describe()
    if not described:
        return {}
    address = _origin() if _is_pushed() else None
    return {"_commit": described} | ({"_src_path": address} if address else {})


def release() -> dict[str, str]:
    """Return the address and version of a release, so that plain `copier update` works from it."""
    return {"_src_path": _repository(), "_commit": f"v{version()}"}


def _describe() -> str | None:
    """Return the latest tag and the commit of the checkout, if that is what it is."""
    if not (CHECKOUT / ".git").exists():
        return None
    try:
        return git(CHECKOUT, "describe", "--tags", "--always").strip()
    except (OSError, GitError):
        return None


def _origin() -> str | None:
    """Return where others find what the checkout is of; our own is at its public address."""
    try:
        # As it was given: `insteadOf` may be this machine's alone.
        address = _public(git(CHECKOUT, "config", "--get", "remote.origin.url").strip())
    except (OSError, GitError, ValueError):
        return None
    own = address and _place(address) == _place(_repository())
    return _repository() if own else address


def _is_pushed() -> bool:
    """Tell whether the checkout's commit is at its origin, as far as git knows without asking."""
    question = ("for-each-ref", "--contains", "HEAD", "refs/remotes/origin")
    try:
        return bool(git(CHECKOUT, *question))
    except (OSError, GitError):
        return False


def _place(address: str) -> str:
    """Return host and path of an address, however it is reached."""
    place = re.sub(r"^(\w+://)?([^@/]*@)?([^/:]+)[:/]", r"\3/", address)
    return place.removesuffix("/").removesuffix(".git")


def _public(address: str) -> str | None:
    """Return an address without passwords and tokens, or nothing for what is of this machine."""
    if re.fullmatch(r"[\w.-]+@[\w.-]+:[^:?#]+", address):  # as ssh has it
        return address
    parts = urlsplit(address)
    if parts.scheme not in {"git", "http", "https", "ssh"} or parts.query or parts.fragment:
        return None
    user = f"{parts.username}@" if parts.scheme == "ssh" and parts.username else ""
    return f"{parts.scheme}://{user}{parts.netloc.rpartition('@')[2]}{parts.path}"


def _repository() -> str:
    from importlib import metadata

    urls = dict(
        entry.split(", ", 1) for entry in metadata.metadata("stackyard").get_all("Project-URL", [])
    )
    return str(urls["Repository"])
