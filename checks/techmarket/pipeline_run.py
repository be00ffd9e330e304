"""4.7 – the PipelineRun: image, repository, a volume the tasks share, and an account that may push."""

from __future__ import annotations

import re

from workshop.checking import Document, Exam, Text, check, must, remark, should
from workshop.tekton import PipelineRun, View, mistaken, parse_image, run_misfits
from workshop.verdicts import Reason

from . import _tekton as shared
from ._tekton_run import (
    PIPELINE,
    SOURCES,
    given,
    is_plain,
    judge_claim,
    pipeline_of,
    same_account,
)
from ._tekton_stages import STAGES, Stages, tasks_at_hand

PATH, PREFIX = "td/tekton/pipelinerun-payment.yaml", "payment-service-build-"
PIPELINE_PATH = "td/tekton/pipeline-secure-build.yaml"
_REPOSITORY = re.compile(
    r"(?:https?://(?:[^/@\s]+@)?|ssh://git@|git://|git@)([\w.-]+)[:/]([\w.-]+)/([\w./-]+?)(?:\.git)?/?"
)
# What a browser shows of a repository has more behind its name than git takes.
_PAGE = re.compile(
    r"github\.com/[^/]+/[^/]+/(?:tree|blob|commits?|releases|pulls?|actions|issues)(?:/|$)"
    r"|gitlab\.com/.+/-/"
)


def _document(exam: Exam) -> Document:
    return exam.resource(PATH, kinds=["PipelineRun.tekton.dev"], where_else=True)


def _run(exam: Exam) -> tuple[Document, PipelineRun]:
    document = _document(exam)
    return document, PipelineRun.of(document)


@check(level=must)
def run_named(exam: Exam) -> None:
    """The run is called payment-service-build-1, or a later one.

    A run is one build: its name is how you find its log again.
    """
    document, run = _run(exam)
    found = run.name or run.prefix
    exam.fact(
        "run-name",
        Text("The name tells the service and the build"),
        found.startswith(PREFIX) and (bool(run.prefix) or len(found) > len(PREFIX)),
        expected=Text("metadata.name: {name}1, or generateName: {name}", name=PREFIX),
        observed=f"metadata.name: {found or '–'}",
        next=Text("For another run take the next number, or generateName together with `kubectl create`."),
        where=document.at("metadata", "name"),
    )


@check(level=must)
def tekton_accepts(exam: Exam) -> None:
    """Tekton accepts the run.

    What the webhook refuses never starts.
    """
    shared.accepted(exam, _document(exam))


@check(level=must)
def runs_the_pipeline(exam: Exam) -> None:
    """It runs secure-build-pipeline.

    Five stages in order are worth something only if they are the ones that run.
    """
    document, run = _run(exam)
    status = document.get("spec", "status")
    exam.fact(
        "never-started",
        Text("The run starts"),
        not status,
        expected=Text("no spec.status"),
        observed=f"status: {status}",
        next=Text("spec.status cancels a run or holds it back: leave it out."),
        where=document.at("spec", "status"),
    )
    if run.embedded is not None:
        stages = Stages(run.embedded, tasks_at_hand(exam))
        absent = [stage for stage in STAGES if not stages.by_stage[stage]]
        exam.fact(
            "embedded-stages",
            Text("The Pipeline written into the run has all five stages"),
            not absent,
            expected=", ".join(STAGES),
            observed=Text("missing: {names}", names=", ".join(absent) or "–"),
            next=Text("Refer to secure-build-pipeline with pipelineRef: it has them already."),
            where=document.at("spec", "pipelineSpec"),
        )
        return
    words = " ".join(str(each.get("value")) for each in run.view.items("spec", "pipelineRef", "params"))
    right = run.reference == PIPELINE or "pipeline-secure-build.yaml" in words or PIPELINE in words
    exam.fact(
        "pipeline-ref",
        Text("The run refers to {name}", name=PIPELINE),
        right,
        expected=f"pipelineRef: {{name: {PIPELINE}}}",
        observed=f"pipelineRef: {{name: {run.reference or '–'}}}",
        next=Text("Copy the Pipeline's metadata.name."),
        where=document.at("spec", "pipelineRef"),
    )


@check(level=must)
def builds_payment_service(exam: Exam) -> None:
    """It builds the payment-service under your account.

    The registry takes images only from the account they belong to.
    """
    _, run = _run(exam)
    found = given(exam, run, "IMAGE")
    if found is None:
        return
    value, where = found
    if not is_plain(exam, value, "IMAGE", where):
        return
    image = parse_image(value)
    matched = re.fullmatch(r"ghcr\.io/([^/]+)/(?:[^/]+/)*payment-service", image.repository, re.IGNORECASE)
    exam.fact(
        "image",
        Text("IMAGE is the payment-service on ghcr.io"),
        matched is not None,
        expected="ghcr.io/<account>/payment-service:v1.0.0",
        observed=value,
        next=Text("Registry, account, name and tag, in this order: the Task pushes exactly there."),
        where=where,
    )
    exam.fact(
        "image-by-digest",
        Text("IMAGE is a name that can be pushed to"),
        not image.digest,
        expected="ghcr.io/<account>/payment-service:v1.0.0",
        observed=value,
        next=Text("A digest is what the push results in: give a tag."),
        where=where,
    )
    exam.fact(
        "image-upper-case",
        Text("The name of the image is in small letters"),
        image.repository == image.repository.lower(),
        expected=image.repository.lower(),
        observed=image.repository,
        next=Text("Registries refuse capital letters, also where the GitHub account has some."),
        where=where,
    )
    if matched is not None:
        same_account(exam, matched[1], where)


@check(level=must)
def builds_your_repository(exam: Exam) -> None:
    """It clones your repository, at a revision.

    The sources of the build are a Git repository and one point in its history.
    """
    _, run = _run(exam)
    found = given(exam, run, "GIT_REPO")
    if found is not None and is_plain(exam, found[0], "GIT_REPO", found[1]):
        value, where = found
        matched = _REPOSITORY.fullmatch(value.strip())
        exam.fact(
            "repository",
            Text("GIT_REPO is the address of a repository"),
            matched is not None,
            expected="https://github.com/<account>/techmarket-payment",
            observed=value,
            next=Text("Write the address as `git clone` takes it."),
            where=where,
        )
        page = _PAGE.search(value)
        exam.fact(
            "page-of-a-repository",
            Text("git can clone this address"),
            page is None,
            expected="https://github.com/<account>/techmarket-payment",
            observed=value,
            next=Text(
                "That is a page of the browser: cut it after the repository, a branch is GIT_REVISION."
            ),
            where=where,
        )
        if matched is not None and matched[1].lower() == "github.com":
            same_account(exam, matched[2], where)
    revision = run.parameters.get("GIT_REVISION")
    if revision is not None:
        text = revision.get("value")
        exam.fact(
            "revision",
            Text("GIT_REVISION is a branch, a tag or a commit"),
            isinstance(text, str) and bool(text.strip()) and not mistaken(text),
            expected="main",
            observed=str(text),
            next=Text("Leave it out for the Pipeline's default, or name a revision as text."),
            where=revision.at("value"),
        )


@check(level=must)
def volume_shared(exam: Exam) -> None:
    """The shared workspace is a volume that all tasks can use.

    Each task has a Pod of its own: what they share has to outlive a Pod.
    """
    document, run = _run(exam)
    pipeline = pipeline_of(exam, run)
    names = [name for name, each in pipeline.workspaces.items() if not each.optional] if pipeline else []
    name = "shared-workspace" if pipeline is None or "shared-workspace" in names or not names else names[0]
    binding = run.workspaces.get(name)
    if binding is None:
        exam.fail(
            "workspace-missing",
            Text("The run brings the workspace {name}", name=name),
            expected=Text("an entry of spec.workspaces named {name}", name=name),
            observed=Text("workspaces: {names}", names=", ".join(run.workspaces) or "–"),
            next=Text("Bind it under `spec.workspaces`, with a volumeClaimTemplate."),
            where=document.at("spec", "workspaces"),
        )
    source = next((key for key in SOURCES if binding.get(key) is not None), None)
    if source in ("volumeClaimTemplate", "persistentVolumeClaim"):
        exam.fact("claim", Text("The workspace is a volume that tasks share"), met=True)
        if source == "volumeClaimTemplate":
            judge_claim(exam, binding.sub(source, "spec"))
        return
    exam.fact(
        "empty-dir-workspace" if source == "emptyDir" else "no-claim",
        Text("The workspace is a volume that tasks share"),
        met=False,
        expected="volumeClaimTemplate, persistentVolumeClaim",
        observed=source or Text("no source"),
        next=Text(
            "An emptyDir is new and empty in every Pod; a ConfigMap or a Secret cannot be written. Ask for "
            "a claim."
        ),
        where=binding.at(source) if source else binding.at(),
    )


@check(level=must)
def pipeline_served(exam: Exam) -> None:
    """The Pipeline gets every parameter and workspace it asks for.

    Tekton compares the two when the run begins, and fails it at once.
    """
    document, run = _run(exam)
    pipeline = pipeline_of(exam, run)
    if pipeline is None:
        exam.blocked(
            "pipeline-file-missing",
            Text("{path} is there to compare with", path=PIPELINE_PATH),
            reason=Reason.MISSING_FILE,
        )
    wanted = ("param-not-given", "param-of-other-type", "workspace-not-bound")
    misfits = [misfit for misfit in run_misfits(run, pipeline) if misfit.kind in wanted]
    for misfit in misfits:
        exam.fact(
            misfit.kind,
            Text("The run gives {name} as the Pipeline asks for it", name=misfit.name),
            met=False,
            expected=misfit.name,
            observed=Text("given: {names}", names=", ".join([*run.parameters, *run.workspaces]) or "–"),
            next=Text("Compare the names with the Pipeline's, capital letters included."),
            where=document.at(*misfit.path),
        )
    known = [task.name for task in pipeline.all_tasks]
    strangers = [
        each for each in run.view.items("spec", "taskRunSpecs") if each.text("pipelineTaskName") not in known
    ]
    for each in strangers:
        exam.fact(
            "task-run-spec-unknown",
            Text("The Pipeline has every task that taskRunSpecs names"),
            met=False,
            expected=Text("one of: {names}", names=", ".join(known) or "–"),
            observed=each.text("pipelineTaskName") or "–",
            next=Text("pipelineTaskName is the task's name in the Pipeline: the run is refused otherwise."),
            where=each.at("pipelineTaskName"),
        )
    if not misfits and not strangers:
        exam.fact("served", Text("The Pipeline gets what it asks for"), met=True)


@check(level=must)
def namespaces_agree(exam: Exam) -> None:
    """Run and Pipeline are in the same namespace.

    A run finds Pipelines and Tasks in its own namespace only.
    """
    document, run = _run(exam)
    pipeline = pipeline_of(exam, run)
    claim = Text("The run is in the Pipeline's namespace")
    if pipeline is None:
        exam.blocked(
            "pipeline-file-missing",
            Text("{path} is there to compare with", path=PIPELINE_PATH),
            reason=Reason.MISSING_FILE,
        )
    mine, theirs = (View(each).get("metadata", "namespace") for each in (document, pipeline.view.document))
    # One of them without a namespace may still be applied with -n.
    exam.fact(
        "other-namespace",
        claim,
        mine == theirs or None in (mine, theirs),
        expected=f"namespace: {theirs}",
        observed=f"namespace: {mine}",
        next=Text("Write the same namespace everywhere, or none and apply everything with the same -n."),
        where=document.at("metadata", "namespace"),
    )


@check(level=should)
def has_account(exam: Exam) -> None:
    """The run has a service account with the registry's credentials.

    Pushing and signing need a login; the account's Secret brings it into the Pods.
    """
    document, run = _run(exam)
    spec = run.view.sub("spec")
    accounts = [spec.text("taskRunTemplate", "serviceAccountName"), spec.text("serviceAccountName")]
    for each in spec.items("taskRunSpecs"):
        accounts += [each.text("serviceAccountName"), each.text("taskServiceAccountName")]
    secrets = [name for name, binding in run.workspaces.items() if binding.has("secret")]
    named = [account for account in accounts if account and account != "default"]
    exam.fact(
        "no-service-account",
        Text("The run can log in to the registry"),
        bool(named or secrets),
        expected="serviceAccountName",
        observed=Text("the account default, which has no credentials"),
        next=Text(
            "Make a Secret of type docker-registry, link it to a ServiceAccount and name that in the run."
        ),
        where=document.at("spec"),
    )


@check(level=should)
def sources_writable(exam: Exam) -> None:
    """git-clone may write into the volume.

    It runs as user 65532, and a new volume belongs to root.
    """
    document, run = _run(exam)
    spec = run.view.sub("spec")
    templates = [spec.sub("taskRunTemplate", "podTemplate"), spec.sub("podTemplate")]
    for each in spec.items("taskRunSpecs"):
        templates += [each.sub("podTemplate"), each.sub("taskPodTemplate")]
    set_ = any(each.has("securityContext", key) for each in templates for key in ("fsGroup", "runAsUser"))
    exam.fact(
        "no-fs-group",
        Text("The volume's files belong to the group of git-clone"),
        set_,
        expected="podTemplate.securityContext.fsGroup: 65532",
        observed=Text("no fsGroup"),
        next=Text("Set fsGroup in the Pod template of the run: Kubernetes then hands the volume over."),
        where=document.at("spec"),
    )


@check(level=should)
def kaniko_may_be_root(exam: Exam) -> None:
    """kaniko may run as root.

    It unpacks whole file systems: a Pod that forbids root is turned away before its first step.
    """
    document, run = _run(exam)
    spec = run.view.sub("spec")
    contexts = [
        each.sub("securityContext")
        for each in (spec.sub("taskRunTemplate", "podTemplate"), spec.sub("podTemplate"))
    ]
    steps = [step for task in tasks_at_hand(exam).values() for step in task.steps]
    # What a step says of itself counts more than what the Pod says of all, field by field.
    forbidden = any(
        any(each.get(field) not in (None, harmless) for each in contexts)
        and not any(step.view.get("securityContext", field) == harmless for step in steps)
        for field, harmless in (("runAsNonRoot", False), ("runAsUser", 0))
    )
    exam.fact(
        "root-forbidden",
        Text("The step that builds may run as root"),
        not forbidden,
        expected=Text("no runAsNonRoot and no runAsUser for the whole run"),
        observed=Text("the Pod template forbids root"),
        next=Text("Leave fsGroup alone there, or let kaniko's step say runAsNonRoot: false, runAsUser: 0."),
        where=document.at("spec"),
    )


@check(level=remark)
def run_tidy(exam: Exam) -> None:
    """The run asks for what it needs, and for nothing else.

    What is misspelt in a run is ignored without a word.
    """
    document, run = _run(exam)
    pipeline = pipeline_of(exam, run)
    unknown = (
        [misfit.name for misfit in run_misfits(run, pipeline) if misfit.kind == "param-unknown"]
        if pipeline
        else []
    )
    exam.fact(
        "param-unknown",
        Text("The Pipeline knows every parameter of the run"),
        not unknown,
        observed=", ".join(unknown) or "–",
        next=Text("Tekton ignores parameters a Pipeline does not declare."),
        where=document.at("spec", "params"),
    )
    value = run.parameters["IMAGE"].get("value") if "IMAGE" in run.parameters else None
    if isinstance(value, str):
        exam.fact(
            "image-tag-moves",
            Text("The image gets a version"),
            not parse_image(value).moves,
            expected="ghcr.io/<account>/payment-service:v1.0.0",
            observed=value,
            next=Text("Name a version: exercise 2.2 refuses to run latest."),
            where=run.parameters["IMAGE"].at("value"),
        )
