"""Structured merge for ApplyConfiguration: maps merge, keyed lists merge by their keys.

Source: sigs.k8s.io/structured-merge-diff and the API server's mutating policies, which refuse to touch
atomic lists.
"""

from __future__ import annotations

import copy
from typing import Any

from workshop.kyverno.outcome import Beyond, KyvernoError, spend
from workshop.kyverno.strategic import Schema

_KEY_DEFAULTS = {"protocol": "TCP"}


def structured_merge(resource: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The merged copy; KyvernoError for a change of an atomic list, Beyond for lists of unknown kinds."""
    merged = _merge(copy.deepcopy(resource), patch, Schema(resource), "")
    if not isinstance(merged, dict):
        raise KyvernoError("the patch leaves no object")
    return merged


def _merge(target: Any, patch: Any, schema: Schema, path: str) -> Any:
    spend()
    if isinstance(patch, dict):
        target = target if isinstance(target, dict) else {}
        for key, value in patch.items():
            target[key] = _merge(target.get(key), value, schema, f"{path}/{key}" if path else key)
        return target
    if not isinstance(patch, list):
        return patch
    if not schema.known:
        raise Beyond("needs-cluster", f"the schema of {path} is the cluster's")
    keys = schema.merge_keys(path)
    if keys is None:
        raise KyvernoError(
            f"error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays: .{path}"
        )
    merged = target if isinstance(target, list) else []
    if not keys:
        return merged + [item for item in patch if item not in merged]
    for item in patch:
        if not isinstance(item, dict):
            raise KyvernoError(f"failed to merge: a list of maps is expected at {path}")
        mine = [item.get(key, _KEY_DEFAULTS.get(key)) for key in keys]
        spend(len(merged))
        places = [
            i for i, old in enumerate(merged) if [old.get(k, _KEY_DEFAULTS.get(k)) for k in keys] == mine
        ]
        if places:
            merged[places[0]] = _merge(merged[places[0]], item, schema, f"{path}/*")
        else:
            merged.append(_merge({}, item, schema, f"{path}/*"))
    return merged
