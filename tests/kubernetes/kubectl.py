#!/usr/bin/env python3
"""A `kubectl` for tests of `deploy.sh`, whose cluster is a directory: a test says what befalls it.

`kustomize` is the real one's. What is applied is noted by kind and name, in its order.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

HOME = Path(os.environ["CLUSTER"])


def main(arguments: list[str]) -> int:
    """Do as kubectl does, as far as `deploy.sh` asks for it."""
    if arguments[0] == "kustomize":
        return subprocess.run([os.environ["KUBECTL"], *arguments], check=False).returncode
    told = json.loads((HOME / "told.json").read_text("utf-8"))
    namespace, (verb, *rest) = arguments[1], arguments[2:]
    note = f"{verb} {' '.join(rest)}"
    if verb == "apply" and "-" not in rest:
        manifests = Path(option(rest, "--filename")).read_text("utf-8")
        (HOME / "manifests.yaml").write_text(manifests, "utf-8")
        found = [each for each in yaml.safe_load_all(manifests) if chosen(each, rest)]
        note = "apply " + " ".join(f"{each['kind']}/{each['metadata']['name']}" for each in found)
    with (HOME / "log").open("a", encoding="utf-8") as log:
        log.write(f"{namespace}: {note}\n")
    answer = answer_to(verb, rest, told)
    sys.stdout.write(answer)
    failing = verb == "rollout" and rest[0] == "status" and rest[1] in told["unready"]
    return 1 if failing or verb == "diff" else 0


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1] if name in words else ""


def chosen(manifest: dict[str, dict[str, dict[str, str]]], words: list[str]) -> bool:
    """Tell whether a selector of labels, if there is one, selects a manifest."""
    selector = option(words, "--selector")
    if not selector:
        return True
    name, equals, value = selector.removeprefix("!").partition("=")
    held = manifest["metadata"].get("labels", {}).get(name)
    return held == value if equals else held is None


def answer_to(verb: str, words: list[str], told: dict[str, str]) -> str:
    """Return what `get` prints; what is in `told` stands in its place."""
    if verb != "get":
        return ""
    kind, output = words[0], option(words, "--output")
    if kind == "job":
        return told["active"] if "active" in output else told["migration"]
    if kind == "pods":
        return told["waiting"]
    if output == "name":
        wanted = {"deployments": "Deployment", "statefulsets": "StatefulSet"}[kind]
        manifests = yaml.safe_load_all((HOME / "manifests.yaml").read_text("utf-8"))
        names = [each["metadata"]["name"] for each in manifests if each["kind"] == wanted]
        return "\n".join(f"{wanted.lower()}.apps/{name}" for name in names)
    return told["revisions"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
