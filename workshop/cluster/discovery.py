"""What an API server serves: learnt at once where it can tell everything at once, else group by group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workshop.cluster.port import Object, Unreachable
from workshop.texts import Text
from workshop.verdicts import Reason

# Since Kubernetes 1.27 one answer names all groups with their resources; older servers answer with the names.
AT_ONCE: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


@dataclass(frozen=True, slots=True)
class Resource:
    """How a kind is addressed: the plural in its path, and whether its objects stand in namespaces."""

    plural: str
    namespaced: bool


class Discovery:
    """Kinds by group version, each learnt when it is first needed.

    `get` fetches a path with an Accept header; it returns None for 404 and raises Unreachable otherwise.
    """

    def __init__(self, get: Callable[[str, str], Object | None]) -> None:
        self._get = get
        self._groups: dict[str, list[str]] | None = None
        self._kinds: dict[str, Mapping[str, Resource]] = {}

    def version_of(self, kind: str) -> str | None:
        """Return the group version that serves `Kind.group`: the group's preferred one, else any other."""
        name, _, group = kind.partition(".")
        return next((each for each in self.versions(group) if name in self.resources(each)), None)

    def versions(self, group: str) -> Sequence[str]:
        """Return the group versions of a group, the preferred one first."""
        return self.groups().get(group, []) if group else ["v1"]

    def groups(self) -> Mapping[str, Sequence[str]]:
        """Return the group versions of every named group."""
        if self._groups is None:
            answer = self._get("/apis", AT_ONCE) or {}
            if answer.get("kind") == "APIGroupDiscoveryList":
                self._groups = self._learn(answer)
            else:
                self._groups = {
                    str(each.get("name")): _preferred_first(each) for each in _list(answer.get("groups"))
                }
        return self._groups

    def resources(self, version: str) -> Mapping[str, Resource]:
        """Return the kinds of a group version."""
        if version not in self._kinds:
            answer = self._get(root(version), "application/json")
            if answer is None:
                return {}
            self._kinds[version] = {
                str(each.get("kind")): Resource(str(each.get("name")), bool(each.get("namespaced")))
                for each in _list(answer.get("resources"))
                if "/" not in str(each.get("name", "/"))
            }
        return self._kinds[version]

    def _learn(self, answer: Object) -> dict[str, list[str]]:
        """Take over a server's account of everything; return the versions by group."""
        groups: dict[str, list[str]] = {}
        for item in _list(answer.get("items")):
            group = str((item.get("metadata") or {}).get("name"))
            for each in _list(item.get("versions")):
                version = f"{group}/{each.get('version')}"
                groups.setdefault(group, []).append(version)
                if each.get("freshness") != "Stale":  # else whoever serves it did not answer just now
                    self._kinds[version] = {
                        str((one.get("responseKind") or {}).get("kind")): Resource(
                            str(one.get("resource")), one.get("scope") == "Namespaced"
                        )
                        for one in _list(each.get("resources") or [])
                    }
        return groups


def root(version: str) -> str:
    """Return the path below which a group version is served."""
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


def _preferred_first(group: Object) -> list[str]:
    preferred = str((group.get("preferredVersion") or {}).get("groupVersion"))
    versions = [str(each.get("groupVersion")) for each in _list(group.get("versions"))]
    return sorted(versions, key=lambda version: version != preferred)


def _list(value: Any) -> list[Object]:
    if not isinstance(value, list):
        raise Unreachable(Reason.UNAVAILABLE, Text("what answered is no Kubernetes API server"))
    return [each for each in value if isinstance(each, dict)]
