"""The judge: Kyverno (and the API server's own policies) in the sandbox, asked by server-side dry-run."""

from __future__ import annotations

import copy
import http.client
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import yaml

from workshop.cluster import witnesses
from workshop.kyverno.autogen import ANNOTATION as AUTOGEN
from workshop.kyverno.match import parse_kind
from workshop.kyverno.values import wildcard
from workshop.sandbox.api import Sandbox
from workshop.sandbox.client import Api, ApiError

Document = dict[str, Any]
_PATIENCE: Final = 3.0
_AT_ONCE: Final = 6
#: Refusals that tell of this installation: kinds it does not serve, rights its controllers do not have.
_CLUSTER: Final = ("could not find the requested resource", "auth check fails", "no kind ")
#: Kyverno's webhooks leave this namespace alone: what is sent here comes back defaulted, no more.
_UNJUDGED: Final = "kyverno"
_SERVER_SET: Final = (
    *("uid", "creationTimestamp", "managedFields", "generation", "resourceVersion", "selfLink"),
    *("deletionTimestamp", "deletionGracePeriodSeconds"),
)
#: Who refuses: a webhook, a native policy, or the API server for a match condition of the webhook that fails.
_JUDGED: Final = ("admission webhook", "ValidatingAdmissionPolicy '", "resulted in error")
_JOB_LABELS: Final = ("controller-uid", "job-name")
_BLOCKED: Final = re.compile(r"blocked due to the following policies\s*\n(.*)", re.DOTALL)


@dataclass(frozen=True)
class Probe:
    """A request: an object as the API server hands it over, what is done, its namespace's labels."""

    name: str
    object: Document
    operation: str = "CREATE"
    old: Document | None = None
    namespace_labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What became of a request. `refused` is None when no policy, but the API server itself objected.

    `rules` are the legacy rules named in the refusal as ``policy/rule``, None when it names none.
    """

    refused: bool | None
    message: str = ""
    rules: frozenset[str] | None = None
    object: Document | None = None


class Engine:
    """One sandbox, asked about one set of policies at a time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.api: Api = sandbox.api()
        self.pool = ThreadPoolExecutor(_AT_ONCE)

    def refusal(self, document: Document) -> str | None:
        """Why a policy is not accepted, strictly decoded as kubectl asks for; None when it is."""
        if not isinstance(document.get("apiVersion"), str) or not isinstance(document.get("kind"), str):
            return "no apiVersion or kind: kubectl does not know where to send it"
        try:
            named = {
                "apiVersion": document["apiVersion"],
                "kind": document["kind"],
                "metadata": {"name": "x"},
            }
            if isinstance(document.get("metadata"), dict) and document["metadata"].get("namespace"):
                named["metadata"]["namespace"] = str(document["metadata"]["namespace"])
            collection = self.api.path(named).rpartition("/")[0]
            query = {"dryRun": "All", "fieldValidation": "Strict"}
            self.api.request("POST", collection, document, query=query)
        except ApiError as error:
            if error.status == 0:
                raise
            return None if error.status == http.client.CONFLICT else error.message
        return None

    def serves_kinds(self, policy: Document) -> bool:
        """Does this cluster have every kind that the rules of a policy name?"""
        metadata = policy.get("metadata")
        annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
        wanted = annotations.get(AUTOGEN) if isinstance(annotations, dict) else None
        generated = [kind for kind in str(wanted or "none").split(",") if kind != "none"]
        return all(self._serves(*parse_kind(kind)[:3]) for kind in [*_kinds(policy), *generated])

    def _serves(self, group: str, version: str, kind: str) -> bool:
        return any(
            wildcard(group, one[0]) and wildcard(version, one[1]) and wildcard(kind, one[2])
            for one in self._served()
        )

    @cache  # noqa: B019  (an engine lives as long as the run)
    def _served(self) -> frozenset[tuple[str, str, str]]:
        """Group, version and kind of every resource."""
        groups = self.api.request("GET", "/apis").get("groups", [])
        versions = ["v1", *(one["groupVersion"] for group in groups for one in group["versions"])]
        found = set()
        for text in versions:
            group, _, version = text.rpartition("/")
            path = f"/apis/{text}" if group else f"/api/{text}"
            resources = (self.api.get(path) or {}).get("resources", [])
            found |= {(group, version, str(one["kind"])) for one in resources}
        return frozenset(found)

    @contextmanager
    def in_force(self, policies: Sequence[Document]) -> Iterator[bool]:
        """Store policies, wait until they are enforced, and take them away again.

        Gives whether all of them became ready: what Kyverno cannot set up it never enforces.
        """
        try:
            stored = [self._store(policy) for policy in policies]
            witnesses.await_native(self.api, stored)
            ready = self._await(lambda: all(map(self._ready, stored)))
            yield ready
        finally:
            self._remove(policies)

    def _store(self, policy: Document) -> Document:
        """Create a policy; the one before may still be on its way out, and still object."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return self.api.create(policy)
            except ApiError:
                if time.monotonic() > deadline:
                    raise

    def _ready(self, stored: Document) -> bool:
        if str(stored["apiVersion"]).startswith("admissionregistration"):
            return True
        current = self.api.get(self.api.path(stored)) or {}
        status = current.get("status") or {}
        if "conditionStatus" in status:
            return bool(status["conditionStatus"].get("ready"))
        return any(
            one.get("type") == "Ready" and one.get("status") == "True" for one in status.get("conditions", [])
        )

    def _remove(self, policies: Sequence[Document]) -> None:
        try:
            for policy in policies:
                self.api.delete(self.api.path(policy))
            witnesses.withdraw(self.api)
            if self._await(self._untouched):
                return
        except ApiError:
            pass
        # It hinders even its own removal: what is in etcd decides.
        self.sandbox.reset()
        self.prepare()

    def prepare(self) -> None:
        """Create what the probes take for granted. Overridden by who knows it."""

    def _untouched(self) -> bool:
        return witnesses.becomes_clean(self.api) and not self._derived()

    def _derived(self) -> bool:
        """Are there native policies that Kyverno has made of its own?"""
        found = self.api.get("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies") or {}
        names = [str(one["metadata"]["name"]) for one in found.get("items", [])]
        return any(name.startswith(("cpol-", "vpol-")) for name in names)

    @staticmethod
    def _await(condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                return False
        return True

    def ask(self, probe: Probe) -> Answer:
        """Send a request as a dry run."""
        try:
            return Answer(False, object=stripped(self._send(probe.object, probe.operation)))
        except ApiError as error:
            if error.status == 0:
                raise
            judged = any(words in error.message for words in _JUDGED)
            return Answer(True if judged else None, error.message, _rules(error.message))

    def settled(self, probe: Probe, *, refused: bool) -> bool | None:
        """Whether a request is refused; asked until `refused` holds, as Kyverno's cache lags behind."""
        self._await(lambda: self.ask(probe).refused is refused)
        return self.ask(probe).refused

    def defaulted(self, document: Document, operation: str) -> Document | None:
        """What the API server makes of an object where no policy acts; None when it is no valid object."""
        metadata = document.get("metadata")
        if operation == "DELETE" or not isinstance(metadata, dict):
            return stripped(document) if operation == "DELETE" else None
        namespace = metadata.get("namespace")
        if namespace is None:
            return stripped(document)
        moved = copy.deepcopy(document)
        moved["metadata"]["namespace"] = _UNJUDGED
        try:
            result = stripped(self._send(moved, "CREATE"))
        except ApiError as error:
            if error.status == 0:
                raise
            return None
        result["metadata"]["namespace"] = namespace
        if "tolerations" in result.get("spec", {}):
            # Those that every new Pod gets are given before policies are asked, and not again.
            own = document["spec"].get("tolerations") or []
            result["spec"]["tolerations"] = [one for one in result["spec"]["tolerations"] if one in own]
            if not own:
                del result["spec"]["tolerations"]
        return result

    def _send(self, document: Document, operation: str) -> Document:
        query = {"dryRun": "All"}
        if operation == "CREATE":
            named = {**document, "metadata": {**document["metadata"], "name": "x"}}
            return self.api.request("POST", self.api.path(named).rpartition("/")[0], document, query=query)
        path = self.api.path(document)
        if operation == "UPDATE":
            return self.api.request("PUT", path, document, query=query)
        self.api.request("DELETE", path, query=query)
        return document


def _kinds(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        listed = node.get("kinds")
        yield from (str(kind) for kind in listed if kind) if isinstance(listed, list) else ()
        for value in node.values():
            yield from _kinds(value)
    elif isinstance(node, list):
        for item in node:
            yield from _kinds(item)


def of_the_cluster(refusal: str) -> bool:
    """Would the policy be taken by a cluster that serves the kind and grants the rights it needs?"""
    return any(text in refusal for text in _CLUSTER)


def stripped(document: Document) -> Document:
    """A copy without what the server or a controller sets on every object."""
    result = {key: value for key, value in copy.deepcopy(document).items() if key != "status"}
    for key in _SERVER_SET:
        result["metadata"].pop(key, None)
    if "generateName" in result["metadata"]:
        result["metadata"].pop("name", None)
    spec = result.get("spec")
    if result.get("kind") == "Job" and isinstance(spec, dict):
        spec.pop("selector", None)
        labels = spec.get("template", {}).get("metadata", {}).get("labels", {})
        for key in [key for key in labels if key.rpartition("/")[2] in _JOB_LABELS]:
            del labels[key]
    if result.get("kind") == "Service" and isinstance(spec, dict):
        for key in ("clusterIP", "clusterIPs"):
            spec.pop(key, None)
    return result


def _rules(message: str) -> frozenset[str] | None:
    """The ``policy/rule`` names of a refusal by Kyverno's own rules."""
    found = _BLOCKED.search(message)
    if found is None or "mutate.kyverno" in message:
        return None
    try:
        blocked = yaml.safe_load(found[1])
    except yaml.YAMLError:
        return None
    if not isinstance(blocked, dict) or not all(isinstance(rules, dict) for rules in blocked.values()):
        return None
    return frozenset(f"{policy}/{rule}" for policy, rules in blocked.items() for rule in rules)
