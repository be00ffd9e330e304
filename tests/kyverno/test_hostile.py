"""Nothing a student hands in makes the evaluator raise, change its input or run for long."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.kyverno import Admission, admit, refusals

from .test_admit import ADD_LABELS, LIMITS, NO_LATEST, VERIFY, pod, policy

WORDS = st.sampled_from(
    [
        *(
            "apiVersion",
            "kind",
            "metadata",
            "name",
            "spec",
            "rules",
            "match",
            "any",
            "all",
            "resources",
            "kinds",
        ),
        *(
            "exclude",
            "validate",
            "mutate",
            "verifyImages",
            "pattern",
            "anyPattern",
            "deny",
            "conditions",
            "foreach",
        ),
        *(
            "list",
            "key",
            "operator",
            "value",
            "cel",
            "expressions",
            "expression",
            "patchStrategicMerge",
            "context",
        ),
        *(
            "patchesJson6902",
            "preconditions",
            "Pod",
            "*",
            "Equals",
            "AnyIn",
            "containers",
            "image",
            "(image)",
            "=(a)",
        ),
        *("^(a)", "X(a)", "<(a)", "+(a)", "{{ element }}", "{{ request.object }}", "$(./a)", "validations"),
        *(
            "request.object.spec.containers",
            "matchConstraints",
            "resourceRules",
            "mutations",
            "failureAction",
        ),
    ]
)
TEXTS = (
    WORDS | st.text(max_size=12) | st.text(alphabet="{}()[]*?!|&<>=\"'\\.@$`-+0123456789aexX", max_size=20)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=25,
)
KINDS = st.sampled_from(
    [
        ("kyverno.io/v1", "ClusterPolicy"),
        ("kyverno.io/v1", "Policy"),
        ("policies.kyverno.io/v1", "ValidatingPolicy"),
        ("policies.kyverno.io/v1beta1", "MutatingPolicy"),
        ("policies.kyverno.io/v1", "ImageValidatingPolicy"),
        ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
    ]
)
REAL = [*NO_LATEST.values(), *ADD_LABELS.values(), LIMITS, VERIFY]


@settings(deadline=None)
@given(kind=KINDS, spec=JSON, resource=JSON)
def test_odd_policies_and_resources_never_raise(kind: tuple[str, str], spec: Any, resource: Any) -> None:
    document: Any = {"apiVersion": kind[0], "kind": kind[1], "metadata": {"name": "p"}, "spec": spec}
    assert isinstance(admit([document], resource), Admission)
    assert isinstance(admit([document], pod()), Admission)
    assert all(isinstance(reason, str) for reason in refusals(document))
    assert isinstance(admit(spec, resource), Admission)
    assert isinstance(refusals(spec), list)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_real_policy_with_one_part_replaced_never_raises(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(REAL)))
    target: Any = document
    for _ in range(data.draw(st.integers(1, 12))):
        keys = list(target) if isinstance(target, dict) else list(range(len(target)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if not isinstance(target[key], dict | list) or data.draw(st.booleans()):
            target[key] = data.draw(JSON)
            break
        target = target[key]
    before = copy.deepcopy(document)
    assert isinstance(admit([document], pod("nginx:latest")), Admission)
    assert isinstance(refusals(document), list)
    assert repr(document) == repr(before)


def nested(depth: int) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for _ in range(depth):
        document = {"a": document}
    return document


ENDLESS = "{{ request.object.metadata.annotations.a }}"


def deny(key: str) -> dict[str, Any]:
    document = policy("validate: {deny: {}}")
    condition = {"key": key, "operator": "Equals", "value": "x"}
    document["spec"]["rules"][0]["validate"] = {"deny": {"conditions": [condition]}}
    return document


def cel(expression: str) -> dict[str, Any]:
    document = policy("validate: {cel: {}}")
    document["spec"]["rules"][0]["validate"] = {"cel": {"expressions": [{"expression": expression}]}}
    return document


LOOPS = "l.all(a, l.all(b, l.all(c, l.all(d, a + b + c + d >= 0))))".replace("l.", "object.spec.l.")
COSTLY = {
    "wildcards": (
        policy(f"validate: {{pattern: {{metadata: {{name: '{'*a' * 50}b'}}}}}}"),
        pod(name="a" * 3_000_000),
    ),
    "variables without end": (deny(f"x{ENDLESS}"), pod(annotations={"a": f"x{ENDLESS}"})),
    "doubling": (deny(f"x{ENDLESS}"), pod(annotations={"a": ENDLESS * 2})),
    "depth": (LIMITS, {**pod(), "spec": nested(5000)}),
    "nested loops": (cel(LOOPS), {**pod(), "spec": {"l": list(range(1000))}}),
    "parentheses": (cel("(" * 9000 + "1" + ")" * 9000), pod()),
    "sums": (cel("1+" * 9000 + "1 == 2"), pod()),
    "a long expression": (deny("{{ " + "a." * 8000 + "b }}"), pod()),
}


@pytest.mark.parametrize("case", COSTLY)
def test_costly_input_is_given_up(case: str) -> None:
    document, resource = COSTLY[case]
    (result,) = admit([document], resource).results
    assert (result.result, result.reason) == ("unknown", "too-much-work")
    assert isinstance(refusals(document), list)


def test_backtracking_is_impossible() -> None:
    document = deny("{{ regex_match('(a+)+(a|aa)+$', '" + "a" * 5000 + "b') && 'x' }}")
    assert admit([document], pod()).admitted is True
    assert admit([cel("!('" + "a" * 5000 + "b').matches('^(a+)+(a|aa)+$')")], pod()).admitted is True


def test_expressions_load_their_libraries_on_first_use() -> None:
    code = (
        "import sys, workshop.kyverno as k;"
        "assert not {'jmespath', 'cel_expr_python', 'yaml'} & sys.modules.keys();"
        "k.refusals({'apiVersion': 'v1', 'kind': 'Pod'});"
        "assert not {'jmespath', 'cel_expr_python'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
