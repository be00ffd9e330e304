"""Policies of Kubernetes itself are in force a moment after they are stored: witnesses show when.

The API server takes such policies up together, about once a second. A witness is one more, about the Pod of
its own name, whose effect nobody else has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workshop.sandbox.client import Api, ApiError

Object = dict[str, Any]
NATIVE: Final = "admissionregistration.k8s.io"
_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the API server said to the Pod of a witness: why it was refused, and its labels otherwise."""

    refusal: str
    labels: Object


@dataclass(frozen=True, slots=True)
class _Witness:
    """A policy about the Pod of its own name, and how it shows that it is in force."""

    name: str
    version: str
    policy: Object
    binding: Object
    seen: Callable[[_Answer], bool]


# Last of all names: changes come in the order of names, so when it is seen, the others have been.
_DENIES: Final = "zz-slate-witness"
_LABELS: Final = "zz-slate-witness-too"
_LABELLED: Final = f'Object{{metadata: Object.metadata{{labels: {{"{_LABELS}": "yes"}}}}}}'


def _about(name: str) -> Object:
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [pods]},
        "matchConditions": [{"name": "witness", "expression": f"object.metadata.name == '{name}'"}],
    }


_WITNESSES: Final = {
    "ValidatingAdmissionPolicy": _Witness(
        _DENIES,
        "v1",
        {**_about(_DENIES), "validations": [{"expression": "false", "message": "seen"}]},
        {"validationActions": ["Deny"]},
        # Of several denials the message may quote another one.
        lambda answer: "ValidatingAdmissionPolicy '" in answer.refusal,
    ),
    "MutatingAdmissionPolicy": _Witness(
        _LABELS,
        "v1beta1",
        {
            **_about(_LABELS),
            "reinvocationPolicy": "Never",
            "mutations": [
                {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": _LABELLED}}
            ],
        },
        {},
        lambda answer: _LABELS in answer.labels,
    ),
}


def await_native(api: Api, objects: Sequence[Object]) -> None:
    """Return when policies of Kubernetes itself among the objects are in force. Raises ApiError."""
    kinds = {
        str(each.get("kind")).removesuffix("Binding")
        for each in objects
        if str(each.get("apiVersion")).startswith(f"{NATIVE}/")
    }
    called = [(kind, witness) for kind, witness in _WITNESSES.items() if kind in kinds]
    for kind, witness in called:
        api.create(_object(witness, kind, witness.policy))
        api.create(_object(witness, f"{kind}Binding", {"policyName": witness.name, **witness.binding}))
    for _, witness in called:
        _poll(api, witness.name, witness.seen)


def becomes_clean(api: Api) -> bool:
    """Wait until Pods nobody could object to are let in unchanged; tell whether. Raises ApiError."""
    return all(
        _poll(api, each.name, lambda answer: not answer.refusal and not answer.labels)
        for each in _WITNESSES.values()
    )


def withdraw(api: Api) -> None:
    """Remove the witnesses, where nothing else removes them. Raises ApiError."""
    for kind, witness in _WITNESSES.items():
        for each in (f"{kind}Binding", kind):
            api.delete(api.path(_object(witness, each, {})))


def _object(witness: _Witness, kind: str, spec: Object) -> Object:
    version, metadata = f"{NATIVE}/{witness.version}", {"name": witness.name}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def _poll(api: Api, name: str, condition: Callable[[_Answer], bool]) -> bool:
    deadline = time.monotonic() + _SECONDS
    while not condition(_ask(api, name)):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _ask(api: Api, name: str) -> _Answer:
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "nginx:1.27.5"}]},
    }
    try:
        stored = api.create(pod, dry_run=True)
    except ApiError as error:
        if error.status == 0:
            raise
        return _Answer(error.message, {})
    return _Answer("", stored.get("metadata", {}).get("labels") or {})
