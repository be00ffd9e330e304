"""What Crossplane says of the resources an exercise orders, and of the providers that should make them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from workshop.diagnosis.look import Look, conditions
from workshop.diagnosis.symptom import Sign, Symptom, one_line, shown

_PROVIDER: Final = "Provider.pkg.crossplane.io"
_HOME: Final = "crossplane-system"
_GROUP: Final = re.compile(r"crossplane\.io$|\.upbound\.io$")
_STATES: Final = ("Installed", "Healthy")


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield providers that are not healthy, and the exercise's resources that are not in step."""
    if not _is_ordered(look):
        return
    for provider in look.every(_PROVIDER):
        known = conditions(provider)
        bad = next((known[each] for each in _STATES if known.get(each, {}).get("status") == "False"), None)
        if bad is not None:
            words = one_line(f"{bad.get('reason')}: {bad.get('message', '')}")
            yield Symptom(Sign.CROSSPLANE_PROVIDER_UNHEALTHY, shown(_PROVIDER, provider), words)
    for kind in dict.fromkeys(each.kind for each in look.scope.objects):
        for found in look.own(kind):
            synced = conditions(found).get("Synced", {})
            if synced.get("status") != "False":
                continue
            message = one_line(synced.get("message"))
            config = "ProviderConfig" in message
            sign = Sign.CROSSPLANE_PROVIDER_CONFIG if config else Sign.CROSSPLANE_NOT_SYNCED
            yield Symptom(sign, shown(kind, found), message, str(synced.get("lastTransitionTime")))


def _is_ordered(look: Look) -> bool:
    """Whether the exercise has to do with Crossplane: by the namespace it lives in or its files' kinds."""
    groups = {each.kind.partition(".")[2] for each in look.scope.objects}
    return _HOME in look.scope.namespaces or any(_GROUP.search(group) for group in groups)
