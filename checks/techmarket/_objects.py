"""Whether the API server would take an object at all: what is refused runs nowhere."""

from __future__ import annotations

from collections.abc import Callable

from workshop.checking import Document, Exam, Text
from workshop.custom_resources import custom_refusals
from workshop.manifests import Path


def taken_by_the_api(
    exam: Exam, document: Document, *, told: Callable[[Path], bool] = lambda _: False
) -> None:
    """Record what the API server refuses of an object, or that it takes it; `told`: has a fact of its own."""
    claim = Text("The API server takes the {kind}", kind=str(document.get("kind")))
    found = [refusal for refusal in custom_refusals(document) if not told(refusal.path)]
    for refusal in found:
        exam.fact(
            refusal.id,
            claim,
            met=False,
            expected=Text("fields of the types that the kind has"),
            observed=refusal.message,
            next=Text(
                "`kubectl apply --dry-run=server -f {file}` shows the server's own words.", file=document.file
            ),
            where=document.at(*refusal.path),
        )
    if not found:
        exam.fact("accepted", claim, met=True, where=document)
