"""What is judged of the skeleton of 1.3: its parts, how they fit together, its Dockerfile."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from workshop.backstage import Reference, Template, references
from workshop.backstage.actions import FETCH, REGISTER
from workshop.backstage.skeletons import Skeleton, filled_in, plain_name, read_skeleton
from workshop.checking import Document, Exam, Position, Text, kind_of
from workshop.verdicts import Reason, Source

from ._backstage import MANY, listed, shown

_CODE: Final = (".js", ".mjs", ".cjs", ".ts")
_MANIFESTS: Final = (
    ("Deployment.apps", "skeleton-no-deployment"),
    ("Service", "skeleton-no-service"),
    ("HorizontalPodAutoscaler.autoscaling", "skeleton-no-hpa"),
)


def judge_parts(exam: Exam, read: Template) -> None:
    """Record which parts of a service the skeleton holds."""
    skeleton = _skeleton(exam, read)
    package = skeleton.named("package.json")
    claim = Text("The skeleton is a Node.js service with Express")
    _part(exam, skeleton, "skeleton-no-package", claim, package, "package.json")
    if package is not None:
        manifest = _json(skeleton.texts[package])
        exam.fact(
            "skeleton-no-express",
            claim,
            "express" in _dictionary(manifest.get("dependencies")),
            expected=Text("express among the dependencies"),
            observed=Text("dependencies: {names}", names=_names(manifest.get("dependencies"))),
            next=Text("Add it to `dependencies`: development dependencies are not in the image."),
            where=Source(file=package),
        )
    entry = _entry(skeleton, package)
    _part(exam, skeleton, "skeleton-no-entry", Text("It has a file to start with"), entry, "index.js")
    dockerfile = skeleton.named("Dockerfile", "Containerfile")
    _part(exam, skeleton, "skeleton-no-dockerfile", Text("It has a Dockerfile"), dockerfile, "Dockerfile")
    for path, problem in skeleton.unreadable.items():
        exam.fact(
            "skeleton-unreadable",
            Text("{path} is valid once it is filled in", path=path),
            met=False,
            observed=problem.problem.text,
            next=problem.problem.remedy,
            where=problem.problem.position or Source(file=path),
        )
    for kind, fact in _MANIFESTS:
        objects = _of_kind(skeleton, kind)
        what = kind.partition(".")[0]
        _part(
            exam,
            skeleton,
            fact,
            Text("It has a {kind}", kind=what),
            objects or None,
            f"kind: {what}",
        )
    entities = _of_kind(skeleton, "Component.backstage.io")
    _part(
        exam,
        skeleton,
        "skeleton-no-catalog-info",
        Text("It has a catalogue entry of its own"),
        entities or None,
        "catalog-info.yaml",
    )


def judge_fit(exam: Exam, read: Template) -> None:
    """Record whether the skeleton uses what it is given, and whether its manifests fit together."""
    skeleton = _skeleton(exam, read)
    _judge_values(exam, read, skeleton)
    for entity in _of_kind(skeleton, "Component.backstage.io"):
        for path in (("metadata", "name"), ("spec", "owner")):
            exam.fact(
                "skeleton-entry-fixed",
                Text("The catalogue entry takes its {key} from the form", key=path[-1]),
                "${{" in skeleton.line(entity.at(*path)),
                expected=f"{'.'.join(path)}: ${{{{ values.… }}}}",
                observed=shown(entity.get(*path)),
                next=Text("Otherwise every service made from the template describes the same one."),
                where=entity.at(*path),
            )
    catalog_paths = [step.input.get("catalogInfoPath") for step in read.doing(REGISTER)]
    for registered in catalog_paths:
        if isinstance(registered, str) and "${{" not in registered:
            wanted = posixpath.normpath(posixpath.join(skeleton.folder or "", registered.lstrip("/")))
            exam.fact(
                "catalog-path",
                Text("The file that is registered is in the skeleton"),
                any(file in (wanted, f"{wanted}.njk") for file in skeleton.texts),
                expected=wanted,
                observed=Text("no such file"),
                next=Text("`catalogInfoPath` is the path in the new repository."),
                where=Source(file=skeleton.folder),
            )
    for scaler in _of_kind(skeleton, "HorizontalPodAutoscaler.autoscaling"):
        _judge_scaler(exam, skeleton, scaler)
    for service in _of_kind(skeleton, "Service"):
        _judge_service(exam, skeleton, service)


def judge_dockerfile(exam: Exam, read: Template) -> None:
    """Record what makes the skeleton's Dockerfile larger or riskier than it has to be."""
    skeleton = _skeleton(exam, read)
    path = skeleton.named("Dockerfile", "Containerfile")
    if path is None:
        exam.blocked("no-dockerfile", Text("There is a Dockerfile to look at"), reason=Reason.MISSING_FILE)
    lines = [line.split() for line in skeleton.texts[path].replace("\\\n", " ").splitlines() if line.strip()]
    bases = [words[1:] for words in lines if words[0].upper() == "FROM" and len(words) > 1]
    images = [next((word for word in words if not word.startswith("--")), "") for words in bases]
    stages = {words[-1].lower() for words in bases if len(words) > 2 and words[-2].lower() == "as"}
    outside = [image for image in images if image.lower() not in stages]
    users = [words[1] for words in lines if words[0].upper() == "USER" and len(words) > 1]
    last = images[-1] if images else ""
    _advice(
        exam,
        path,
        "dockerfile-base-moves",
        Text("Its base image is pinned to a version"),
        all(re.search(r"(?::(?!latest$)[^/]+|@sha256:[0-9a-f]+)$", image) for image in outside),
        Text("an image tag moves: name a version"),
    )
    _advice(
        exam,
        path,
        "dockerfile-large",
        Text("Its image is small"),
        len(images) > 1 or bool(re.search(r"slim|alpine|distroless|chainguard", last)),
        Text("build in one stage and copy into another, or start from a slim image"),
    )
    _advice(
        exam,
        path,
        "dockerfile-root",
        Text("Its process does not run as root"),
        (bool(users) and users[-1].split(":")[0] not in ("root", "0")) or bool(re.search(r"nonroot", last)),
        Text("the official Node images have a user: add USER node, or its number"),
    )


def _advice(exam: Exam, path: str, fact: str, claim: Text, met: bool, following: Text) -> None:
    exam.fact(
        fact, claim, met, observed=None if met else Text("not so"), next=following, where=Source(file=path)
    )


def _skeleton(exam: Exam, read: Template) -> Skeleton:
    """Return the skeleton; the check ends as blocked when it is elsewhere, as failed when it is nowhere."""
    skeleton = read_skeleton(exam.workspace, read)
    claim = Text("The skeleton is there")
    if skeleton.folder is None:
        observed = (
            Text("it is fetched from {url}, which is not looked at", url=skeleton.urls[0][:100])
            if skeleton.urls
            else Text("no step fetches it")
        )
        exam.blocked("skeleton-elsewhere", claim, reason=Reason.MISSING_FILE, observed=observed)
    if not skeleton.texts:
        step = next(each for each in read.doing(*FETCH) if isinstance(each.input.get("url"), str))
        exam.fail(
            "skeleton-missing",
            claim,
            expected=Text("files below {folder}", folder=skeleton.folder),
            observed=Text("none"),
            next=Text("Create the folder that `url` names, next to the template: the step copies it."),
            where=read.at(*step.path, "input", "url"),
        )
    return skeleton


def _judge_values(exam: Exam, read: Template, skeleton: Skeleton) -> None:
    claim = Text("The skeleton uses what it is given")
    given = _given(read)
    first = list(islice(_not_given(skeleton, given), MANY))
    for place, reference in first:
        exam.fact(
            "skeleton-unknown-value" if reference.root == "values" else "skeleton-reads-parameters",
            claim,
            met=False,
            expected=Text("one of: {names}", names=listed(sorted(given or ()))),
            observed=reference.text,
            next=Text("In the skeleton only the keys of the step's `values` exist: values.KEY."),
            where=place,
        )
    if not first:
        exam.fact("skeleton-values", claim, met=True)


def _given(read: Template) -> set[str] | None:
    """Return the keys the skeleton is given; None when one expression gives them all."""
    given: set[str] = set()
    for step in read.doing(*FETCH):
        values = step.input.get("values")
        if isinstance(values, str):
            return None
        given |= set(_dictionary(values))
    return given


def _not_given(skeleton: Skeleton, given: set[str] | None) -> Iterator[tuple[Position, Reference]]:
    """Yield what the skeleton reads without being given it, each name at its first place."""
    seen: set[tuple[str, ...]] = set()
    for path, text in skeleton.texts.items():
        for number, line in enumerate(text.split("\n"), start=1):
            for reference in references(line[:2000]):
                unknown = given is not None and bool(reference.path) and reference.path[0] not in given
                name = (reference.root, *reference.path[:1])
                if name not in seen and (name[0] == "parameters" or (name[0] == "values" and unknown)):
                    seen.add(name)
                    yield Position(path, number, max(1, line.find(reference.text) + 1)), reference


def _judge_scaler(exam: Exam, skeleton: Skeleton, scaler: Document) -> None:
    deployments = {str(each.get("metadata", "name")): each for each in _of_kind(skeleton, "Deployment.apps")}
    target = str(scaler.get("spec", "scaleTargetRef", "name"))
    if not exam.fact(
        "hpa-target",
        Text("The autoscaler scales the Deployment"),
        target in deployments or bool(skeleton.unreadable),
        expected=Text("spec.scaleTargetRef.name: the Deployment's name"),
        observed=skeleton.line(scaler.at("spec", "scaleTargetRef", "name")).strip()[:80] or "–",
        next=Text("Use the same expression in both places."),
        where=scaler.at("spec", "scaleTargetRef", "name"),
    ):
        return
    deployment = deployments.get(target)
    containers = deployment.get("spec", "template", "spec", "containers") if deployment else None
    for index, container in enumerate(containers if isinstance(containers, list) else ()):
        resources = _dictionary(_dictionary(container).get("resources"))
        exam.fact(
            "hpa-without-requests",
            Text("Its containers request CPU, which is what an autoscaler measures against"),
            "cpu" in {**_dictionary(resources.get("limits")), **_dictionary(resources.get("requests"))},
            expected="resources.requests.cpu",
            observed=Text("no request"),
            next=Text("Without a request the target utilisation is a percentage of nothing."),
            where=deployment.at("spec", "template", "spec", "containers", index) if deployment else None,
        )


def _judge_service(exam: Exam, skeleton: Skeleton, service: Document) -> None:
    selector = _dictionary(service.get("spec", "selector"))
    pods = [
        _dictionary(each.get("spec", "template", "metadata", "labels"))
        for each in _of_kind(skeleton, "Deployment.apps")
    ]
    exam.fact(
        "service-selects-nothing",
        Text("The Service finds the Pods of the Deployment"),
        not pods or not selector or any(selector.items() <= labels.items() for labels in pods),
        expected=Text("a selector made of labels of the Pod template"),
        observed=Text("spec.selector: {names}", names=_names(selector)),
        next=Text("Compare with spec.template.metadata.labels of the Deployment."),
        where=service.at("spec", "selector"),
    )


def _part(exam: Exam, skeleton: Skeleton, fact: str, claim: Text, found: object, wanted: str) -> None:
    # In a file that cannot be read the part may be: not known is not missing.
    hidden = found is None and skeleton.unreadable and wanted.startswith("kind:")
    exam.fact(
        fact,
        claim,
        None if hidden else found is not None,
        expected=Text("{wanted} below {folder}", wanted=wanted, folder=skeleton.folder or ""),
        observed=None if found is not None else Text("not found"),
        next=Text("Add it to the skeleton: every new service is a copy of it."),
        where=Source(file=skeleton.folder),
        reason=Reason.UNREADABLE if hidden else None,
    )


def _entry(skeleton: Skeleton, package: str | None) -> str | None:
    code = [path for path in skeleton.texts if plain_name(path).endswith(_CODE)]
    if package is not None:
        manifest = _json(skeleton.texts[package])
        start = str(_dictionary(manifest.get("scripts")).get("start", ""))
        words = [*start.split(), str(manifest.get("main", ""))]
        base = posixpath.dirname(package)
        for word in words:
            wanted = posixpath.normpath(posixpath.join(base, word))
            for path in code:
                if path.removesuffix(".njk") in (wanted, f"{wanted}.js") and word:
                    return path
    return next((path for path in code if "express" in skeleton.texts[path]), None)


def _json(text: str) -> dict[str, Any]:
    try:
        return _dictionary(json.loads(filled_in(text)))
    except (ValueError, RecursionError):
        return {}


def _dictionary(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _names(value: object) -> str:
    return ", ".join(map(str, _dictionary(value))) or "–"


def _of_kind(skeleton: Skeleton, kind: str) -> list[Document]:
    return [document for document in skeleton.documents if kind_of(document) == kind]
