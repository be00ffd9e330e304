"""Does a CEL expression compile? As far as that shows without types: syntax, names, an output that is plain.

Sources: pkg/cel/compiler (Kyverno), cel-go's checker.
"""

from __future__ import annotations

from collections.abc import Callable

from workshop.kyverno.cel_names import declared
from workshop.kyverno.cel_syntax import CelSyntaxError, Node, dotted, parse, walk
from workshop.kyverno.cel_values import type_of
from workshop.kyverno.outcome import Beyond

_VARIABLES = {
    "object",
    "oldObject",
    "request",
    "namespaceObject",
    "variables",
    "exceptions",
    "images",
    "authorizer",
}
_VARIABLES |= {"attestors", "attestations", "params", "ref"}
_LIBRARIES = {
    *(
        "resource",
        "globalContext",
        "http",
        "image",
        "imageData",
        "user",
        "math",
        "sets",
        "lists",
        "base64",
        "strings",
    ),
    *(
        "optional",
        "cel",
        "json",
        "yaml",
        "hash",
        "x509",
        "time",
        "random",
        "transform",
        "gzip",
        "jsonpatch",
        "generator",
    ),
    *(
        "bool",
        "int",
        "uint",
        "double",
        "string",
        "bytes",
        "list",
        "map",
        "null_type",
        "type",
        "google",
        "regex",
    ),
    *("net", "Object", "JSONPatch", "dyn"),
}


def expression_error(source: str, variables: set[str], *, output: str = "") -> str | None:
    """Why an expression does not compile: it does not parse, names what is not declared, is no `output`."""
    try:
        tree = parse(source)
    except CelSyntaxError as error:
        return f"ERROR: {error}"
    except (Beyond, RecursionError):
        return None
    problems: list[str] = []
    visit = _undeclared(variables, problems)
    walk(tree, visit)
    if output and _output(tree) not in {None, output}:
        problems.append(f"output is expected to be of type {output}")
    return problems[0] if problems else None


def _output(node: Node) -> str | None:
    """The type the compiler gives an expression where that is plain to see; fields of objects are "dyn"."""
    if node.kind == "literal":
        return type_of(node.value)
    if node.kind == "list" and not node.parts:
        return "list(dyn)"
    if node.kind in {"list", "map"}:
        return node.kind
    if node.kind == "binary":
        return None if node.value in {"+", "-", "*", "/", "%"} else "bool"
    if node.kind == "unary":
        return "bool" if node.value == "!" else None
    if node.kind == "call":
        return {"size": "int", "map": "list", "filter": "list", "split": "list", "join": "string"}.get(
            node.value
        )
    path = dotted(node)
    return "dyn" if path and path.split(".")[0] in {"object", "oldObject"} else None


def _undeclared(variables: set[str], problems: list[str]) -> Callable[[Node, frozenset[str]], None]:
    def visit(node: Node, bound: frozenset[str]) -> None:
        if node.kind == "name" and node.value not in _VARIABLES | _LIBRARIES | bound:
            problems.append(f"undeclared reference to '{node.value}'")
        if node.kind == "call" and not declared(node.value) and not _of_a_library(node, bound):
            problems.append(f"undeclared reference to '{node.value}'")
        of_variables = node.kind == "select" and dotted(node.parts[0]) == "variables"
        if of_variables and node.value not in variables:
            problems.append(f"undefined field '{node.value}'")

    return visit


def _of_a_library(call: Node, bound: frozenset[str]) -> bool:
    target = call.parts[0]
    head = (dotted(target) or "").split(".")[0] if target is not None else ""
    return head in _LIBRARIES and head not in bound
