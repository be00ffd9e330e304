"""The dialects of YAML, by who reads it; `workshop.workspace.scalars` tells them apart."""

from __future__ import annotations

from typing import Literal

Dialect = Literal["kubernetes", "core", "prometheus"]
