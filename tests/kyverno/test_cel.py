"""CEL as Kubernetes and Kyverno evaluate it; the installed CEL library is the second opinion."""

from __future__ import annotations

from typing import Any

import cel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.kyverno.cel_eval import Unknown, evaluate, to_json
from workshop.kyverno.cel_syntax import CelSyntaxError
from workshop.kyverno.cel_values import CelError
from workshop.kyverno.outcome import Beyond

CONTAINERS = [
    {"name": "a", "image": "nginx:1.27", "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}}},
    {"name": "b", "image": "ghcr.io/lea-devops/app@sha256:" + "0" * 64},
]
SCOPE: dict[str, Any] = {
    "object": {
        "metadata": {"labels": {"app.kubernetes.io/name": "x"}},
        "spec": {"containers": CONTAINERS, "n": 3},
    },
    "oldObject": None,
    "user": Unknown("needs-user"),
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("object.spec.?initContainers.orValue([]).size()", 0),
        ("object.?spec.?containers.orValue([]).size()", 2),
        ("object.metadata.?annotations['a'].orValue('none')", "none"),
        ("object.metadata.labels[?'app.kubernetes.io/name'].orValue('')", "x"),
        ("object.spec.?containers[?9].hasValue()", False),
        ("has(object.spec.initContainers)", False),
        ("has(object.metadata.labels)", True),
        ("has(oldObject.metadata)", False),
        ("oldObject.?metadata.hasValue()", False),
        ("!!true && - -1 == 1", True),
        ("oldObject == null", True),
        ("object.spec.n == 3.0 && object.spec.n > 2", True),
        ("object.spec.containers.all(c, c.image.contains(':'))", True),
        ("object.spec.containers.exists_one(c, c.name == 'a')", True),
        ("object.spec.containers.filter(c, has(c.resources)).map(c, c.name)", ["a"]),
        ("object.spec.containers.map(c, has(c.resources), c.name)", ["a"]),
        (
            "quantity(object.spec.containers[0].resources.limits.memory).isGreaterThan(quantity('512Mi'))",
            True,
        ),
        ("quantity('1').add(quantity('500m')).compareTo(quantity('1500m'))", 0),
        ("isQuantity('1Gb')", False),
        ("image('nginx').registry() + '/' + image('nginx').repository()", "index.docker.io/library/nginx"),
        ("image(object.spec.containers[1].image).containsDigest()", True),
        ("image('registry.local:5000/app:1').tag()", "1"),
        ("'a,b,c'.split(',').join('-')", "a-b-c"),
        ("'r:5000/app:1'.substring('r:5000/app:1'.lastIndexOf(':') + 1)", "1"),
        ("['abab'.lastIndexOf('ab', 1), 'a'.lastIndexOf('b'), [1, 2, 1].lastIndexOf(1)]", [0, -1, 2]),
        ("'%s has %d'.format(['a', 2])", "a has 2"),
        ("'nginx:latest'.matches('.*:latest$')", True),
        ("cel.bind(x, 2, x * x)", 4),
        ("optional.of(1).optMap(x, x + 1).value()", 2),
        ("sets.contains([1, 2], [2])", True),
        ("[1, 2, 2].distinct()", [1, 2]),
        ("{'a': 1}.exists(k, k == 'a')", True),
        ("object.spec.nothing == 1 || true", True),
        ("user.name == 'lea' || true", True),
        ("jsonpatch.escapeKey('a/b~c')", "a~1b~0c"),
        (r"r'\d' + '\x41\u00e9' + '''x'''", r"\dAéx"),
        ("duration('1h') > duration('59m')", True),
        ("type(1) == int && type('') == string", True),
    ],
)
def test_values(expression: str, value: Any) -> None:
    assert evaluate(expression, SCOPE) == value


@pytest.mark.parametrize(
    "expression",
    [
        "object.spec.nothing",
        "object.spec.n + '1'",
        "1 / 0",
        "[1][1]",
        "nobody",
        "int('x')",
        "'a' < 1",
        "has(1)",
    ],
)
def test_errors(expression: str) -> None:
    with pytest.raises(CelError):
        evaluate(expression, SCOPE)


@pytest.mark.parametrize(
    "expression", ["", "1 +", "object.", "a b", "'a", "[1, 2", "{1}", "f(", "a.all(c c)", "@"]
)
def test_what_does_not_parse(expression: str) -> None:
    with pytest.raises(CelSyntaxError):
        evaluate(expression, SCOPE)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("user.name == 'lea'", "needs-user"),
        ("resource.Get('v1', 'pods', 'default', 'a').metadata", "needs-cluster"),
        ("http.Get('http://example.org').body", "needs-network"),
        ("verifyImageSignatures('a', [1]) > 0", "needs-registry"),
        ("'abc'.charAt(0)", "beyond-evaluator"),
        ("authorizer.group('').resource('pods').check('get').allowed()", "needs-cluster"),
    ],
)
def test_what_cannot_be_told(expression: str, reason: str) -> None:
    with pytest.raises(Beyond) as raised:
        evaluate(expression, SCOPE)
    assert raised.value.reason == reason


def test_objects_become_json() -> None:
    built = evaluate('Object{metadata: Object.metadata{labels: {"a": "b"}, ?name: optional.none()}}', SCOPE)
    assert to_json(built) == {"metadata": {"labels": {"a": "b"}}}


#: No bare map: the library adds the keys of a map to a list, which CEL does not.
LEAVES = st.sampled_from(
    [
        "0",
        "1",
        "-1",
        "7",
        "2.5",
        "'a'",
        "'ab'",
        "''",
        "true",
        "false",
        "null",
        "x",
        "s",
        "l",
        "[]",
        "[1, 'a']",
    ]
)


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    binary = st.sampled_from(["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in"])
    method = st.sampled_from(["contains", "startsWith", "endsWith"])
    macro = st.sampled_from(["all", "exists", "exists_one", "filter", "map"])
    return st.one_of(
        st.builds("({} {} {})".format, inner, binary, inner),
        st.builds("!{}".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("{}.{}({})".format, inner, method, inner),
        st.builds("{}.{}(e, {})".format, inner, macro, inner | st.just("e == 1") | st.just("e != 'a'")),
        st.builds("size({})".format, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("m.{}".format, st.sampled_from(["a", "b", "zz"])),
        st.builds("has(m.{})".format, st.sampled_from(["a", "b", "zz"])),
        st.builds("[{}, {}]".format, inner, inner),
    )


@settings(max_examples=300)
@given(st.recursive(LEAVES, combined, max_leaves=8))
def test_the_library_agrees(expression: str) -> None:
    data: dict[str, Any] = {"x": 3, "s": "abc", "l": [1, 2, 3], "m": {"a": 1, "b": "z"}}
    try:
        theirs: Any = cel.evaluate(expression, data)
    except Exception:  # noqa: BLE001  (any complaint of the library counts as an error)
        theirs = CelError
    try:
        ours: Any = evaluate(expression, data)
    except (CelError, CelSyntaxError):
        ours = CelError
    assert same_value(ours, theirs), (expression, ours, theirs)


def same_value(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same_value, ours, theirs))
    return bool(ours == theirs)
