"""Links to GitHub repositories, in the forms in which an entity carries them."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_ACCOUNT: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?")
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
# First parts of GitHub's own pages: no account can have these names.
_NOT_ACCOUNTS: Final = frozenset(
    {"about", "apps", "collections", "enterprise", "explore", "features", "login", "marketplace", "orgs",
     "pricing", "search", "settings", "sponsors", "topics", "trending", "users"}
)  # fmt: skip


def github_repository(url: object) -> tuple[str, str] | None:
    """Return (account, repository) of a link to a repository on github.com or into one, else None."""
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https", "ssh", "git") or host not in (
        "github.com",
        "www.github.com",
    ):
        return None
    return github_slug("/".join(part for part in parts.path.split("/") if part))


def is_github(url: object) -> bool:
    """Whether the link leads to github.com at all, be it to a repository or not."""
    return (
        isinstance(url, str)
        and re.match(r"(?i)\s*(?:\w+://)?(?:[^/@\s]*@)?(?:www\.)?github\.com\b", url) is not None
    )


def github_slug(slug: object) -> tuple[str, str] | None:
    """Return (account, repository) of `account/repository`, with or without a path behind it, else None."""
    if not isinstance(slug, str):
        return None
    account, _, rest = slug.strip().partition("/")
    repository = rest.partition("/")[0].removesuffix(".git")
    if (
        not _ACCOUNT.fullmatch(account)
        or not _REPOSITORY.fullmatch(repository)
        or account.lower() in _NOT_ACCOUNTS
    ):
        return None
    return account, repository
