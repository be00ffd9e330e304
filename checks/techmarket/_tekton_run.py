"""What a PipelineRun brings along: values, the account they belong to, and the claim behind a workspace."""

from __future__ import annotations

import re

from workshop.accounts import expected_account
from workshop.checking import Exam, Position, Text
from workshop.tekton import PipelineRun, PipelineSpec, View, mistaken, references
from workshop.workspace import Unreadable
from workshop.workspace.placeholders import placeholders

from ._tekton_stages import FOLDER

PIPELINE = "secure-build-pipeline"
_GIB = 1024**3
SOURCES = (
    "volumeClaimTemplate",
    "persistentVolumeClaim",
    "emptyDir",
    "configMap",
    "secret",
    "projected",
    "csi",
)


def pipeline_of(exam: Exam, run: PipelineRun) -> PipelineSpec | None:
    """Return the Pipeline of the run, embedded or in td/tekton; None where it is not there."""
    if run.embedded is not None:
        return run.embedded
    for path in exam.workspace.files(FOLDER):
        if not path.endswith((".yaml", ".yml")):
            continue
        try:
            documents = exam.workspace.documents(path)
        except Unreadable:
            continue
        for document in documents:
            named = document.get("metadata", "name") == (run.reference or PIPELINE)
            if document.get("kind") == "Pipeline" and named and not placeholders(document):
                return PipelineSpec.of(document)
    return None


def given(exam: Exam, run: PipelineRun, name: str) -> tuple[str, Position] | None:
    """Return a parameter's value as text and its place; record when there is none."""
    view = run.parameters.get(name)
    value = view.get("value") if view is not None else None
    pipeline = pipeline_of(exam, run)
    if value is None and pipeline is not None and name in pipeline.parameters:
        # A default in the Pipeline is as good as a value.
        view, value = pipeline.parameters[name].view, pipeline.parameters[name].default
    if isinstance(value, str) and value.strip() and view is not None:
        return value.strip(), view.at("value" if view.has("value") else "default")
    exam.fact(
        "param-missing",
        Text("The run gives {name}", name=name),
        met=False,
        expected=Text("an entry of spec.params named {name}", name=name),
        observed=Text("parameters: {names}", names=", ".join(run.parameters) or "–"),
        next=Text("Add name and value under `spec.params`. Capital letters count."),
        where=run.view.at("spec", "params"),
    )
    return None


def is_plain(exam: Exam, value: str, name: str, where: Position) -> bool:
    """Record a value that is a variable: nothing fills one in within a run."""
    used = [*mistaken(value), *(ref.text for ref in references(value) if ref.scope != "context")]
    if not used:
        return True
    exam.fact(
        "literal-param",
        Text("{name} is a value", name=name),
        met=False,
        expected=Text("the value itself"),
        observed=used[0],
        next=Text("The run is where values come from: there is nothing outside it to take them from."),
        where=where,
    )
    return False


def same_account(exam: Exam, account: str, where: Position) -> None:
    """Record whether an account is the one the rest of td/ uses."""
    expected = expected_account(exam.workspace, exam.account)
    exam.fact(
        "wrong-account",
        Text("It is your account"),
        expected is None or account.lower() == expected,
        expected=expected,
        observed=account,
        next=Text("One account owns the image, the repository and the identity that signs."),
        where=where,
    )


def judge_claim(exam: Exam, spec: View) -> None:
    """Record whether a volumeClaimTemplate makes a claim that is taken and bound."""
    modes = spec.texts("accessModes")
    storage = spec.get("resources", "requests", "storage")
    size = storage_bytes(storage)
    exam.fact(
        "claim-incomplete",
        Text("The claim says how much and for whom"),
        bool(modes) and size is not None and size > 0,
        expected="accessModes: [ReadWriteOnce], resources.requests.storage: 1Gi",
        observed=Text(
            "accessModes: {modes}, storage: {storage}", modes=", ".join(modes) or "–", storage=storage or "–"
        ),
        next=Text("Kubernetes refuses a claim without access modes or without a size."),
        where=spec.at("resources" if modes else "accessModes"),
    )
    exam.fact(
        "claim-too-small",
        Text("The volume is large enough"),
        size is None or size >= _GIB,
        expected="1Gi",
        observed=str(storage),
        next=Text("Sources, dependencies and SBOM share it: 1Gi is little enough."),
        where=spec.at("resources", "requests", "storage"),
    )
    usable = all(mode in ("ReadWriteOnce", "ReadWriteOncePod") for mode in modes) or (
        "ReadWriteMany" in modes and spec.has("storageClassName")
    )
    if modes:
        exam.fact(
            "access-mode",
            Text("The cluster has volumes with this access mode"),
            usable,
            expected="ReadWriteOnce",
            observed=", ".join(modes),
            next=Text(
                "kind's volumes live on one node: they know ReadWriteOnce, and the tasks of a run share a "
                "node."
            ),
            where=spec.at("accessModes"),
        )


def storage_bytes(quantity: object) -> int | None:
    """Return a quantity of storage in bytes, None where it is none."""
    if isinstance(quantity, int) and not isinstance(quantity, bool):
        return quantity
    matched = (
        re.fullmatch(r"(\d+(?:\.\d+)?)(|[kMGTPE]|[KMGTPE]i)", quantity) if isinstance(quantity, str) else None
    )
    if matched is None:
        return None
    unit = matched[2]
    power = "KMGTPE".index(unit[0].upper()) + 1 if unit else 0
    return int(float(matched[1]) * (1024 if unit.endswith("i") else 1000) ** power)
