"""Whole ClusterPolicies and Policies, right, wrong and odd, as a hypothesis strategy."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from .conditions import CONDITIONS, CONTEXT
from .mutations import MUTATE
from .parts import exactly, maybe, some, words
from .selections import EXCLUDE, MATCH
from .validations import VALIDATE

_BODY: Final = st.one_of(*[exactly(validate=VALIDATE)] * 3, exactly(mutate=MUTATE), exactly(mutate=MUTATE))
RULE: Final = st.builds(
    lambda match, body, more: {"name": "rule", "match": match, **more, **body},
    MATCH,
    _BODY,
    st.one_of(
        *[st.just({})] * 3,
        maybe(exclude=EXCLUDE),
        maybe(preconditions=CONDITIONS),
        maybe(context=CONTEXT, preconditions=CONDITIONS),
    ),
)
_SPEC: Final = maybe(
    failurePolicy=words(["Fail", "Ignore"]),
    applyRules=words(["One", "All"]),
    validationFailureActionOverrides=words(
        [[{"action": "Audit", "namespaces": ["team-a"]}], [{"action": "enforce", "namespaces": ["team-?"]}]]
    ),
    admission=words([True, True, False]),
    emitWarning=st.booleans(),
)


def _policy(
    version: str, kind: str, rules: list[dict[str, Any]], spec: dict[str, Any], annotations: Any, action: str
) -> dict[str, Any]:
    named = [{**rule, "name": f"rule-{index}"} for index, rule in enumerate(rules)]
    metadata = {"name": "generated", **({"annotations": annotations} if annotations else {})}
    if kind == "Policy":
        metadata["namespace"] = "team-a"
    head = {"validationFailureAction": action} if action else {}
    # Most conditions name variables that only an admission request has.
    return {
        "apiVersion": f"kyverno.io/{version}",
        "kind": kind,
        "metadata": metadata,
        "spec": {**head, "background": False, **spec, "rules": named},
    }


LEGACY: Final = st.builds(
    _policy,
    words(["v1"] * 5 + ["v2beta1"]),
    words(["ClusterPolicy"] * 8 + ["Policy"]),
    st.one_of(some(RULE, 1), some(RULE, 1), some(RULE, 3)),
    st.one_of(*[st.just({})] * 3, _SPEC),
    words(
        [None] * 6
        + [
            {"pod-policies.kyverno.io/autogen-controllers": value}
            for value in ("none", "Deployment", "Deployment,CronJob", "all")
        ]
    ),
    words(["Enforce"] * 8 + ["enforce", "Audit", ""]),
)
