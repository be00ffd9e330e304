"""What an API server with Tekton refuses, told in advance: strict fields, types, and the webhook's rules.

Follows the validation of tektoncd/pipeline v1.9 as far as students write its objects; `tests/tekton`
holds it against answers of the real webhook.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from workshop.manifests import Refusal, Type, metadata_refusals, unknown_field, walk, wrong_type
from workshop.tekton import refusing_pipelines, refusing_runs, refusing_tasks
from workshop.tekton.schema import MOVED, SPECS
from workshop.tekton.view import Path, View
from workshop.texts import Text
from workshop.workspace import Document

GROUP: Final = "tekton.dev"
#: Tekton writes the names of its objects into labels of its Pods.
_LONGEST_NAME: Final = 63


def refusals(document: Document) -> list[Refusal]:
    """Return why a Task, Pipeline or PipelineRun is refused; empty when it is taken.

    Structure comes first: where a field has the wrong type, the rules beyond it are not asked.
    """
    view = View(document)
    kind = view.text("kind")
    group, _, version = view.text("apiVersion").rpartition("/")
    if group != GROUP or (version, kind) not in SPECS:
        message = Text(
            "No Tekton of today serves {version}, kind {kind}", version=view.text("apiVersion"), kind=kind
        )
        return [Refusal("version-not-served", message, ("apiVersion",))]
    spec = SPECS[version, kind]
    found = [
        *_top(view),
        *metadata_refusals(document, _LONGEST_NAME),
        *walk(view.get("spec", default={}), spec, ("spec",), partial(_unknown, version)),
    ]
    if any(refusal.id == "wrong-type" for refusal in found):
        return found
    rules = {
        "Task": refusing_tasks.of_task,
        "Pipeline": refusing_pipelines.of_pipeline,
        "PipelineRun": refusing_runs.of_run,
    }
    return found + list(rules[kind](view.sub("spec"), version))


def _top(view: View) -> Iterator[Refusal]:
    known = {"apiVersion", "kind", "metadata", "spec"} | (
        {"status"} if view.text("kind") == "PipelineRun" else set()
    )
    for key in view.document.data:
        if key not in known:
            yield unknown_field(key, (key,), list(known))
    if not isinstance(view.get("spec", default={}), dict):
        yield wrong_type(view.get("spec"), Type("object"), ("spec",))


def _unknown(version: str, key: str, path: Path, known: list[str]) -> Refusal:
    moved = MOVED.get((version, key))
    if key == "resources" and moved not in known:
        message = Text("PipelineResources were removed from Tekton: {field} is refused", field=key)
        return Refusal("removed-field", message, path)
    if moved is not None:
        message = Text(
            "{field} is a field of another version; in {version} it is {moved}",
            field=key,
            version=f"{GROUP}/{version}",
            moved=moved,
        )
        return Refusal("field-of-other-version", message, path)
    return unknown_field(key, path, known)
