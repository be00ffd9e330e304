"""Where the content trees are: beside the package in a checkout, inside it in an installed wheel."""

from __future__ import annotations

import functools
from pathlib import Path


@functools.cache
def content_root() -> Path:
    """Return the folder that holds `exercises/`, `checks/` and `solutions/`."""
    package = Path(__file__).resolve().parent
    bundled = package / "_content"
    return bundled if bundled.is_dir() else package.parent
