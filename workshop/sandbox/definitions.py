"""Custom resource definitions: whether the API server serves what they define."""

from __future__ import annotations

from workshop.sandbox.client import Api, Document

_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def unserved(api: Api) -> list[str]:
    """Return the names of the definitions that are not established. Raises ApiError."""
    found = api.request("GET", _PATH)["items"]
    return [str(each["metadata"]["name"]) for each in found if not is_established(each)]


def is_established(definition: Document) -> bool:
    """Tell whether a definition is served, by its condition."""
    conditions = definition.get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
