"""Whose work this is: the student's account, declared or read off the images td/ names.

Registry paths are lower case, GitHub accounts are not case-sensitive: both are compared in lower case.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from workshop.workspace import Document, Position, Unreadable, Workspace

_REGISTRY_ACCOUNT: Final = re.compile(r"ghcr\.io/([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))(?=/)")
# Accounts whose images anybody uses: the tools of the lab, not the student's work.
_PUBLISHERS: Final = frozenset(
    {
        "aquasecurity", "anchore", "backstage", "chainguard-dev", "kyverno", "osscontainertools",
        "sigstore", "tektoncd", "tektoncd-catalog", "janus-idp", "redhat-developer", "project-zot",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """The student's GitHub user name and e-mail, None where not known."""

    github: str | None = None
    email: str | None = None


def accounts_used(workspace: Workspace) -> dict[str, list[Position]]:
    """Return the registry accounts that the values of td/ name, in lower case, with their places."""
    found: dict[str, list[Position]] = {}
    for path in workspace.files("td", suffixes=(".yaml", ".yml")):
        try:
            documents = workspace.documents(path)
        except Unreadable:
            continue
        for document in documents:
            for value, position in _texts(document):
                for match in _REGISTRY_ACCOUNT.finditer(value):
                    account = match[1].lower()
                    if account not in _PUBLISHERS and account not in ("votre_user", "your_user"):
                        found.setdefault(account, []).append(position)
    return found


def expected_account(workspace: Workspace, declared: Account) -> str | None:
    """Return the account td/ should name (lower case): the declared one, else the one most files use.

    None when nothing names an account or when two are used equally often: then nobody can tell.
    """
    if declared.github:
        return declared.github.lower()
    files = Counter(
        {
            account: len({place.file for place in places})
            for account, places in accounts_used(workspace).items()
        }
    )
    ranked = files.most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


def _texts(document: Document) -> Iterator[tuple[str, Position]]:
    stack: list[tuple[tuple[str | int, ...], object]] = [((), document.data)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, str):
            if "ghcr.io/" in value:
                yield value, document.at(*path)
        elif isinstance(value, dict):
            stack.extend(((*path, key), child) for key, child in reversed(value.items()))
        elif isinstance(value, list):
            stack.extend(((*path, index), value[index]) for index in reversed(range(len(value))))
