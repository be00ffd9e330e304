"""Pipelines as the cluster has them, read like those of a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from workshop.checking import Document, Exam, Text
from workshop.cluster.port import Object
from workshop.cluster.reading import name_of
from workshop.tekton import PipelineSpec, View
from workshop.verdicts import Source
from workshop.workspace import parse_documents


def document_of(current: Object) -> Document:
    """Return an object of the cluster as a document; its places mean nothing."""
    kept = {key: current[key] for key in ("apiVersion", "kind", "spec") if key in current}
    text = json.dumps({**kept, "metadata": {"name": name_of(current)}})
    return parse_documents(text, file=f"{current.get('kind')}/{name_of(current)}")[0]


def carried_out(run: Object, written: PipelineSpec) -> PipelineSpec:
    """Return the Pipeline that a run was made of, as Tekton kept it in there; without that the file's."""
    kept = run.get("status", {}).get("pipelineSpec")
    if not isinstance(kept, dict) or not kept.get("tasks"):
        return written
    document = document_of({"kind": "PipelineRun", "metadata": run["metadata"], "spec": kept})
    return PipelineSpec(View(document).sub("spec"), written.name)


@contextmanager
def another_version(exam: Exam, shown: str, file: str) -> Iterator[None]:
    """Let what is recorded meanwhile speak of an object of the cluster that is not what the file says."""
    before = len(exam.facts)
    try:
        yield
    finally:
        source = Source(object=shown)
        exam.facts[before:] = [
            replace(
                fact,
                source=source,
                next=Text(
                    "The cluster has another version than your file: kubectl apply -f {file}. {advice}",
                    file=file,
                    advice=fact.next or "",
                ),
            )
            if fact.met is False
            else replace(fact, source=source)
            for fact in exam.facts[before:]
        ]
