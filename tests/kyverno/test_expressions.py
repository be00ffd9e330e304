"""What the real engines said of hundreds of expressions, in every place in which a policy may have one.

`expressions.yaml`: refused with the policy, else what became of one Pod – admitted, with which labels where
the policy mutates, or denied; "taken" where only the policy was asked about.
"""

from __future__ import annotations

import pytest

from workshop.kyverno import admit, refusals

from .expressions import RECORDED, in_force

#: Answered otherwise here: fields are known of the spec of Pods and no deeper, and what the API server writes
#: into every object (managedFields) is not in what is judged.
KNOWN = {
    'parseServiceAccount("a").name == "b"',
    "Object{metadata: object.metadata}",
    "Object{spec: Object.spec{securityContext: Object.spec.securityContext{nothing: true}}}",
}


@pytest.mark.parametrize("place", RECORDED["places"])
def test_the_engines_answer(place: str) -> None:
    pod, decided = RECORDED["pod"], 0
    wrong: list[tuple[str, object, object]] = []
    for expression, answer in RECORDED["places"][place].items():
        if expression in KNOWN:
            continue
        policies = in_force(place, expression)
        reasons = refusals(policies[0])
        if answer == "refused" or reasons:
            if bool(reasons) != (answer == "refused"):
                wrong.append((expression, answer, reasons))
            decided += 1
            continue
        if answer == "taken":
            decided += 1
            continue
        found = admit(policies, pod, namespace_labels={})
        if found.admitted is None:
            continue
        decided += 1
        labels = found.resource["metadata"].get("labels") or {}
        ours = ("denied" if not found.admitted else labels) if isinstance(answer, dict) else found.admitted
        if ours != (answer if isinstance(answer, dict) else answer == "admitted"):
            wrong.append((expression, answer, found.results))
    assert wrong == []
    assert decided >= 0.8 * len(RECORDED["places"][place])
