"""Which kinds the program can ask a cluster for, read off the program itself."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

# Whatever puts a question to a cluster.
_PACKAGES: Final = ("checks.techmarket", "workshop.cluster", "workshop.diagnosis")
_KIND: Final = re.compile(r"[A-Z][A-Za-z]+\.[a-z0-9.-]+")
Right = tuple[str, str]


def named() -> frozenset[Right]:
    """Return group and plural of every kind of a named group whose name stands in the program, or its end."""
    return frozenset(
        (group, _plural(kind))
        for package in _PACKAGES
        for module in _modules(package)
        for word in _words(module)
        if _KIND.fullmatch(word)
        for kind, _, group in [word.partition(".")]
    )


def is_named(right: Right, names: frozenset[Right]) -> bool:
    """Whether a resource is one of these, or a name is built that ends like it (`…Binding.group`)."""
    group, resource = right
    return any(group == its_group and resource.endswith(plural) for its_group, plural in names)


def _modules(package: str) -> Iterator[ModuleType]:
    found = importlib.import_module(package)
    yield found
    for each in pkgutil.walk_packages(found.__path__, f"{package}."):
        yield importlib.import_module(each.name)


def _words(module: ModuleType) -> Iterator[str]:
    """Yield the texts in a module's source; parts that are constants of the module are filled in."""
    for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            parts = [_part(each, module) for each in node.values]
            if None not in parts:
                yield "".join(filter(None, parts))


def _part(node: ast.expr, module: ModuleType) -> str | None:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Name):
        value = vars(module).get(node.value.id)
        return value if isinstance(value, str) else None
    return None


def _plural(kind: str) -> str:
    word = kind.lower()
    if word.endswith("y") and word[-2] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch")) else f"{word}s"
