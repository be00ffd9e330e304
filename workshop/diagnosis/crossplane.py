"""What Crossplane says of the resources an exercise orders, and of the providers that should make them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workshop.diagnosis.look import Look, conditions
from workshop.diagnosis.symptom import Sign, Symptom, one_line, shown

_PROVIDER: Final = "Provider.pkg.crossplane.io"
_STATES: Final = ("Installed", "Healthy")


def symptoms(look: Look) -> Iterator[Symptom]:
    """Yield providers that are not healthy, and the exercise's resources that are not in step."""
    if not any(_is_crossplane(kind) for kind in {each.kind for each in look.scope.objects}):
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


def _is_crossplane(kind: str) -> bool:
    group = kind.partition(".")[2]
    return "crossplane" in group or group.endswith(".upbound.io") or group not in _KUBERNETES


_KUBERNETES: Final = frozenset({"", "apps", "batch", "policy", "autoscaling"})
