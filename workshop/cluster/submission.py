"""What of a student's files is applied to a control plane of our own, and what it takes for granted there.

The files are hostile until they have been looked at: only the kinds the exercise asks for, in ordinary
namespaces, a bounded number of them, and none that would make an engine call somebody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from workshop.content import Exercise, load_lab
from workshop.exam import kind_of
from workshop.workspace import Document, Unreadable, Workspace

MOST_OBJECTS: Final = 50
# More than that nobody looks through for the ones an exercise asks for.
_MOST_READ: Final = 2_000
# What is carried out, not referred to: it comes after everything else.
RUNS: Final = ("PipelineRun", "TaskRun", "Rollout")
_MOST_GRANTED: Final = 20
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
# Where a Rollout names them.
_SERVICES: Final = ("canaryService", "stableService", "rootService", "activeService", "previewService")
# Where the control plane itself lives.
_OURS: Final = ("kube-", "kyverno", "tekton-pipelines", "argo-rollouts")
# Where a policy would make the engine call somebody: refused here, whatever the address.
_CALLS: Final = frozenset({"apiCall", "imageRegistry", "globalReference"})
_CALLS_IN_CEL: Final = re.compile(
    r"\bhttp\s*\.|\b(?:globalContext|imageData|image)\s*\.\s*Get(?:Metadata)?\s*\("
)
# Where a policy names a server that an answer could rightly name: nothing on this machine or beside it.
_ADDRESSES: Final = frozenset({"url", "repository", "registry", "mirror"})
_NEAR: Final = re.compile(
    r"(?:[a-z]+://)?(?:[^/@]*@)?(?:localhost|[0-9.]+|0x[0-9a-f]+|\[[0-9a-f:.]*\])(?:[:/]|$)", re.IGNORECASE
)
_IN_NO_NAMESPACE: Final = frozenset(
    {
        "ClusterPolicy.kyverno.io",
        "ImageValidatingPolicy.policies.kyverno.io",
        "MutatingPolicy.policies.kyverno.io",
        "ValidatingPolicy.policies.kyverno.io",
    }
)


def candidates(exercise: Exercise, workspace: Workspace) -> Iterator[tuple[Document, bool]]:
    """Yield the objects of an exercise's files, and whether each may be applied.

    An object that stands in another file of the folder is found as the file half finds it: first in files
    of no other exercise, then in theirs. Bindings are taken from anywhere beside the policy. A path that ends
    with a slash stands for every file in it. What is carried out comes last.
    """
    asked = [
        each
        for path in exercise.sandbox.files or exercise.deliverables
        for each in (_yaml_in(workspace, path) if path.endswith("/") else [_present(workspace, path)])
    ]
    found = list(_in_files(workspace, asked))
    beside = [path for path in _beside(workspace, asked) if path not in asked]
    theirs = _deliverables_of_others(exercise)
    free = list(_in_files(workspace, (path for path in beside if path not in theirs)))
    if not any(may_be_applied(each, exercise) for each in found):
        found += free
        if not any(may_be_applied(each, exercise) for each in found):
            found += _in_files(workspace, (path for path in beside if path in theirs))
    else:
        found += [each for each in free if kind_of(each).partition(".")[0].endswith("Binding")]
    applied = 0
    for document in sorted(found, key=lambda each: each.get("kind") in RUNS):
        allowed = may_be_applied(document, exercise) and applied < MOST_OBJECTS
        applied += allowed
        yield document, allowed


def may_be_applied(document: Document, exercise: Exercise) -> bool:
    """Whether the exercise asks for such an object, and it is harmless to us."""
    kind = kind_of(document)
    # The API server clears the namespace of what stands in none.
    namespace = (
        "default" if kind in _IN_NO_NAMESPACE else document.get("metadata", "namespace", default="default")
    )
    return (
        kind in exercise.sandbox.kinds
        and isinstance(document.get("metadata"), dict)
        and is_ordinary(namespace)
        and not _calls(document.data)
    )


def is_ordinary(namespace: object) -> bool:
    """Whether this is the name of a namespace that may be made, and is not the control plane's own."""
    return (
        isinstance(namespace, str)
        and _LABEL.fullmatch(namespace) is not None
        and not namespace.startswith(_OURS)
    )


def granted(documents: Iterable[Document]) -> Iterator[dict[str, Any]]:
    """Yield what objects name and somebody makes by hand: namespaces, accounts, their secrets, claims.

    Namespaces come first; there are at most twenty objects in all.
    """
    documents = list(documents)
    wanted: dict[tuple[str, str, str], dict[str, Any]] = {}
    for document in documents:
        for name in (_namespace_of(document), *_namespaces_named(document.data)):
            if is_ordinary(name) and name != "default":
                wanted["Namespace", "", name] = _object("Namespace", name)
    for document in documents:
        namespace = _namespace_of(document)
        for kind, name in _taken_for_granted(document.data):
            if _LABEL.fullmatch(name):
                wanted[kind, namespace, name] = _object(kind, name, namespace)
    yield from list(wanted.values())[:_MOST_GRANTED]


def home_of(documents: Iterable[Document]) -> str:
    """Return the namespace of the Pipeline among some objects; `default` without one."""
    pipelines = [each for each in documents if each.get("kind") == "Pipeline"]
    return _namespace_of(pipelines[0]) if pipelines else "default"


def _namespace_of(document: Document) -> str:
    namespace = document.get("metadata", "namespace")
    return namespace if isinstance(namespace, str) else "default"


def _object(kind: str, name: str, namespace: str = "") -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    made: dict[str, Any] = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    if kind == "PersistentVolumeClaim":
        made["spec"] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    if kind == "Service":
        made["spec"] = {"ports": [{"port": 80}]}
    return made


def _taken_for_granted(data: object) -> Iterator[tuple[str, str]]:
    for key, value in _entries(data):
        if key == "serviceAccountName" and isinstance(value, str):
            yield "ServiceAccount", value
        elif key == "claimName" and isinstance(value, str):
            yield "PersistentVolumeClaim", value
        elif key in _SERVICES and isinstance(value, str):
            yield "Service", value
        elif key in ("secrets", "imagePullSecrets") and isinstance(value, list):
            for each in value:
                if isinstance(each, dict) and isinstance(each.get("name"), str):
                    yield "Secret", each["name"]


def _namespaces_named(data: object) -> Iterator[str]:
    """Yield what stands under `namespaces`, or in a selector of or condition on the namespace."""
    pending = [data]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            about = "namespace" in str(value.get("key", ""))
            for name, child in value.items():
                if name == "namespaces" or (about and name in ("value", "values")):
                    texts = child if isinstance(child, list) else [child]
                    yield from (
                        each.replace("*", "x").replace("?", "x") for each in texts if isinstance(each, str)
                    )
                else:
                    pending.append(child)
        elif isinstance(value, list):
            pending.extend(value)


def _entries(data: object) -> Iterator[tuple[str, Any]]:
    pending = [data]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            yield from value.items()
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


def _calls(data: object) -> bool:
    pending = [data]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if _CALLS & set(value) or any(_is_near(value.get(key)) for key in _ADDRESSES):
                return True
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, str) and _CALLS_IN_CEL.search(value):
            return True
    return False


def _is_near(address: object) -> bool:
    return isinstance(address, str) and _NEAR.match(address.strip()) is not None


def _present(workspace: Workspace, path: str) -> str:
    twin = path.removesuffix(".yaml") + ".yml"
    return path if workspace.exists(path) or not workspace.exists(twin) else twin


def _beside(workspace: Workspace, asked: Iterable[str]) -> list[str]:
    folders = dict.fromkeys(path.rpartition("/")[0] for path in asked)
    return [path for folder in folders for path in _yaml_in(workspace, folder)]


def _yaml_in(workspace: Workspace, folder: str) -> list[str]:
    return workspace.files(folder.rstrip("/"), suffixes=(".yaml", ".yml"))


def _in_files(workspace: Workspace, paths: Iterable[str]) -> Iterator[Document]:
    read = 0
    for path in paths:
        if read >= _MOST_READ:
            return
        try:
            found = workspace.documents(path)
        except Unreadable:
            continue  # the file half says so
        read += len(found)
        yield from found


def _deliverables_of_others(exercise: Exercise) -> frozenset[str]:
    lab = load_lab(exercise.folder.parent.name)
    return frozenset(path for each in lab.exercises if each.id != exercise.id for path in each.deliverables)
