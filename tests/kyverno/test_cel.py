"""CEL as Kubernetes and Kyverno evaluate it, through a library that must not be trusted with everything."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshop.kyverno.cel.check import Checker
from workshop.kyverno.cel.evaluation import Scope, evaluate
from workshop.kyverno.cel.library import CelError, Optional
from workshop.kyverno.cel.tokens import CelSyntaxError
from workshop.kyverno.outcome import Beyond, KyvernoError, work

CONTAINERS = [
    {"name": "a", "image": "nginx:1.27", "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}}},
    {"name": "b", "image": "ghcr.io/lea-devops/app@sha256:" + "0" * 64},
]


def scope(**variables: str) -> Scope:
    values = {
        "object": {
            "metadata": {"labels": {"app.kubernetes.io/name": "x"}, "nothing": None},
            "spec": {"containers": CONTAINERS, "n": 3},
        },
        "oldObject": None,
        "request": {"name": "n"},
    }
    return Scope(values, {("request", "userInfo"): "needs-user"}, variables)


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
        ("[oldObject, null]", [None, None]),
        (".object.spec.n", 3),
        ("object.spec.n == 3.0 && object.spec.n > 2", True),
        ("object.spec.containers.all(c, c.image.contains(':'))", True),
        ("object.spec.containers.exists_one(c, c.name == 'a')", True),
        ("object.spec.containers.filter(c, has(c.resources)).map(c, c.name)", ["a"]),
        ("object.spec.containers.map(c, has(c.resources), c.name)", ["a"]),
        ("object.spec.containers.map(request, request.name)", ["a", "b"]),
        (
            "quantity(object.spec.containers[0].resources.limits.memory).isGreaterThan(quantity('512Mi'))",
            True,
        ),
        ("quantity('1').add(quantity('500m')).compareTo(quantity('1500m'))", 0),
        ("quantity('1Ki') == quantity('1024')", True),
        ("isQuantity('1Gb')", False),
        ("image('nginx').registry() + '/' + image('nginx').repository()", "index.docker.io/library/nginx"),
        ("image(object.spec.containers[1].image).containsDigest()", True),
        ("image('registry.local:5000/app:1').tag()", "1"),
        ("'a,b,c'.split(',').join('-')", "a-b-c"),
        ("'abc'.charAt(0) + 'r:5000/app:1'.substring('r:5000/app:1'.lastIndexOf(':') + 1)", "a1"),
        ("['abab'.lastIndexOf('ab', 1), 'a'.lastIndexOf('b')]", [0, -1]),
        ("[[3, 1].sort(), [1, 2].max(), lists.range(2)]", [[1, 3], 2, [0, 1]]),
        ("'%s has %d %s'.format(['a', 2, null])", "a has 2 null"),
        ("'nginx:latest'.matches('.*:latest$')", True),
        ("cel.bind(x, 2, x * x)", 4),
        ("optional.of(1).optMap(x, x + 1).value()", 2),
        ("sets.contains([1, 2], [2])", True),
        ("[1, 2, 2].distinct()", [1, 2]),
        ("{'a': 1}.exists(k, k == 'a')", True),
        ("object.spec.nothing == 1 || true", True),
        ("request.userInfo.name == 'lea' || true", True),
        ("has(request.userInfo)", True),
        ("object.spec.containers.orValue([]).size() + object.spec.n.orValue(9).orValue(8)", 5),
        ("object.spec.containers.map(c, c.?image.orValue('').orValue('x').size())[0]", 10),
        ("object.metadata.labels['app.kubernetes.io/name'].orValue('').orValue(1 / 1)", "x"),
        ("[object.?spec.?zz.orValue(object.spec.?n.orValue(1)), dyn(optional.none()).orValue(2)]", [3, 2]),
        ("jsonpatch.escapeKey('a/b~c')", "a~1b~0c"),
        (r"r'\d' + '\x41\u00e9' + '''x'''", r"\dAéx"),
        ("duration('1h') > duration('59m')", True),
        ("duration('90m')", timedelta(minutes=90)),
        ("type(1) == int && type('') == string", True),
        ("sha256('a').size()", 64),
        ("parseServiceAccount('system:serviceaccount:a:b').Name", "b"),
    ],
)
def test_values(expression: str, value: Any) -> None:
    assert evaluate(expression, scope()) == value


def test_kyverno_evaluates_the_argument_of_or_value_in_any_case() -> None:
    found = scope()
    assert evaluate("object.spec.?n.orValue(object.spec.zz)", found) == 3
    found.eager = True
    assert evaluate("object.spec.?zz.orValue(object.spec.?yy.orValue(object.spec.n))", found) == 3
    assert evaluate("object.spec.n.orValue(object.spec.?n.orValue(object)).orValue(object) + 1", found) == 4
    with pytest.raises(CelError, match="zz"):
        evaluate("object.spec.?n.orValue(object.spec.zz)", found)


def test_variables_are_evaluated_when_they_are_used_and_may_be_optional() -> None:
    found = scope(
        images="object.spec.containers.map(c, c.image)",
        quantities="object.spec.containers.map(c, quantity('1Gi'))",
        maybe="object.spec.?n",
        absent="object.spec.?zz",
        wrong="object.spec.zz",
        user="request.userInfo",
        again="variables.images",
        itself="variables.itself",
    )
    assert evaluate("variables.again.size() + variables.maybe.orValue(0)", found) == 5
    assert evaluate("variables.absent.hasValue() || has(variables.maybe)", found) is True
    assert evaluate("variables.quantities[0] == quantity('1024Mi')", found) is True
    assert evaluate("variables.wrong == 1 || variables.user == 1 || true", found) is True
    for expression in ("variables.wrong", "variables.itself", "variables.nothing"):
        with pytest.raises(CelError):
            evaluate(expression, found)
    with pytest.raises(Beyond, match=r"request\.userInfo"):
        evaluate("variables.user.name == 'lea'", found)


@pytest.mark.parametrize(
    "expression",
    [
        "object.spec.nothing",
        "object.spec.containers.image",
        "object.spec.n + '1'",
        "1 / 0",
        "[1][1]",
        "nobody",
        "int('x')",
        "'a' < 1",
        "oldObject.metadata",
    ],
)
def test_errors(expression: str) -> None:
    with pytest.raises(CelError):
        evaluate(expression, scope())


@pytest.mark.parametrize(
    "expression", ["", "1 +", "object.", "a b", "'a", "[1, 2", "{1}", "f(", "a.all(c c)", "@", "has(1)"]
)
def test_what_does_not_parse(expression: str) -> None:
    with pytest.raises(CelSyntaxError):
        evaluate(expression, scope())


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("request.userInfo.name == 'lea'", "needs-user"),
        ("request['userInfo'] == 1", "needs-user"),
        ("resource.Get('v1', 'pods', 'default', 'a').metadata", "needs-cluster"),
        ("http.Get('http://example.org').body", "needs-network"),
        ("verifyImageSignatures('a', [1]) > 0", "needs-registry"),
        ("ip('10.0.0.1').family() == 4", "beyond-evaluator"),
        ("[1, 2].indexOf(2) == 1", "beyond-evaluator"),
        ("'%s'.format([['a']]) == '[a]'", "beyond-evaluator"),
        ("'%e'.format([1.5]) == '1.5'", "beyond-evaluator"),
        ("string(duration('1500ms')) == '1.5s'", "beyond-evaluator"),
        ("bool('T')", "beyond-evaluator"),
        ("has(object.metadata.nothing.more)", "beyond-evaluator"),
        ("authorizer.group('').resource('pods').check('get').allowed()", "needs-cluster"),
    ],
)
def test_what_cannot_be_told(expression: str, reason: str) -> None:
    with pytest.raises(Beyond) as raised:
        evaluate(expression, scope())
    assert raised.value.reason == reason


DOUBLING = "cel.bind(b, a + a + a + a + a + a, cel.bind(c, b + b + b + b + b + b, c.size()))"
for _name in "wxyz":
    DOUBLING = f"cel.bind(a, a + a + a + a + a + a, {DOUBLING})"


def test_functions_of_a_registry_can_be_stood_in_for() -> None:
    found = Scope({"images": {"containers": ["a", "b"]}})
    found.attestors = {"lea": {"keyless": 1}, "other": {}}
    found.functions = {"verifyImageSignatures": lambda image, asked: len(asked) if image == "a" else 0}
    signed = "(images.containers + images.?more.orValue([])).map(i, verifyImageSignatures(i, {}))"
    assert evaluate(signed.format("[attestors.lea, attestors['other']]"), found) == [2, 0]
    assert evaluate(signed.format("[attestors.lea].filter(a, true)"), found) == [1, 0]
    for wrong in ("attestors.lea", "[attestors.nobody]", "[optional.none()]"):
        with pytest.raises(CelError):
            evaluate(signed.format(wrong), found)


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 60 + "1" + ")" * 60,
        "object.spec.n + " * 200 + "1",
        "lists.range(1000000000).size()",
        "lists.range(object.spec.n).size()",
        "'" + "a" * 5000 + "'.replace('', object.metadata.name).replace('a', object.metadata.name)",
        f"cel.bind(a, 'xxxxxxxxxx', {DOUBLING})",
        "[1,2,3,4,5,6,7,8,9].all(a, lists.range(9000).all(b, a + b >= 0))",
    ],
)
def test_what_costs_too_much_is_given_up(expression: str) -> None:
    with pytest.raises(Beyond) as raised:
        evaluate(expression, scope())
    assert raised.value.reason == "too-much-work"


@pytest.mark.parametrize(
    "expression",
    ["[variables.o].max()", "[[1].first()].min()", "[optional.none()].sum()", "[[1].last()].max()"],
)
def test_no_function_of_ours_is_given_an_optional(expression: str) -> None:
    with pytest.raises(Beyond, match="an optional where a function takes a list"):
        evaluate(expression, scope(o="object.?spec"))


def test_texts_that_the_library_would_cut_short_are_not_judged() -> None:
    for text in ("a\0b", "\ud800"):
        with pytest.raises(Beyond):
            evaluate("object == 'a'", Scope({"object": text}))
        with pytest.raises(Beyond):
            evaluate(f"'{text}' == 'a'", scope())


def test_objects_become_maps_that_say_what_they_are() -> None:
    built = evaluate('Object{metadata: Object.metadata{labels: {"a": "b"}, ?name: optional.none()}}', scope())
    labels = {"$type": "map", "a": "b"}
    assert built == {"$type": "Object", "metadata": {"$type": "Object.metadata", "labels": labels}}
    assert evaluate("[JSONPatch{op: 'add', value: '{'}]", scope()) == [
        {"$type": "JSONPatch", "op": "add", "value": "{"}
    ]


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("1 + 'a' == 2", "no matching overload for '_+_' applied to '(int, string)' (1:3)"),
        ("object.spec.n ==\n  nobody", "undeclared reference to 'nobody' (2:3)"),
        ("object.spec.n", "expected to be of type bool, but is dyn"),
        ("[1, 'a'].size() == 2", "expected type 'int' but found 'string'"),
        ("'a'.matches('[')", "invalid matches argument"),
        ("duration('1x') == duration('1s')", "invalid duration argument"),
        ("quantity('1') > quantity('2')", "'_>_' applied to '(kubernetes.Quantity, kubernetes.Quantity)'"),
        ("request.nothing == 'a'", "undeclared reference to 'request.nothing'"),
        ("request.operation == 1", "(string, int)"),
        ("variables.y == 1", "undefined field 'y'"),
        ("variables.x == 'a'", "(int, string)"),
        ("object.spec.?n == 1", "(optional_type(dyn), int)"),
        ("'a'.startswith('b')", "undeclared reference to 'startswith'"),
    ],
)
def test_what_does_not_compile_is_said_with_its_place(expression: str, complaint: str) -> None:
    checker = Checker("validating")
    assert checker.variable("x", "1") is None
    assert complaint in str(checker.error(expression, ["bool"]))


@pytest.mark.parametrize(
    "expression",
    [
        "object.spec.n > 1.0",
        "has(request.userInfo) && request.?namespace.orValue('') == ''",
        "'%s %d'.format(['a', 1]) == ''",
        "string(ip('10.0.0.1')) == ''",
        "math.round(1.55, 1) == 1.6",
        "variables.later.orValue(1) == 1",
        "image.getMetadata('a').b == 1 || images('a') == 1 || true",
    ],
)
def test_what_compiles_in_the_engine_compiles_here(expression: str) -> None:
    checker = Checker("validating")
    assert checker.variable("later", "object.spec.?n") is None
    wrong = "images(" in expression
    assert (checker.error(expression, ["bool"]) is not None) is wrong


LEAVES = st.sampled_from(
    [
        *("0", "-1", "2.5", "1u", "'a'", "'abab'", "b'x'", "true", "null", "x", "l", "[]", "{}", "[null]"),
        *("optional.none()", "optional.of([null])", "object.?spec", "variables.o", "request.userInfo"),
        *("quantity('1Gi')", "image('nginx')", "duration('1h')", "type(1)", "nobody", "lists.range(100)"),
        *("Object{a: 1}", "{'a': optional.of(1)}", "[optional.none()]", "dyn(optional.of(null))"),
    ]
)


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    binary = st.sampled_from(["+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||", "in"])
    method = st.sampled_from(["contains", "join", "split", "orValue", "or", "isGreaterThan", "add", "charAt"])
    bare = st.sampled_from(["max", "min", "size", "value", "hasValue", "tag", "sort", "distinct", "flatten"])
    macro = st.sampled_from(["all", "exists", "exists_one", "filter", "map", "optMap", "sortBy"])
    function = st.sampled_from(["size", "string", "dyn", "quantity", "optional.of", "sets.contains", "image"])
    return st.one_of(
        st.builds("({} {} {})".format, inner, binary, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("{}.{}({})".format, inner, method, inner),
        st.builds("{}.{}()".format, inner, bare),
        st.builds("{}({})".format, function, inner),
        st.builds("{}.{}(e, {})".format, inner, macro, inner | st.just("e")),
        st.builds("{}.replace({}, {})".format, inner, inner, inner),
        st.builds("cel.bind(e, {}, {})".format, inner, inner | st.just("e + e")),
        st.builds("verifyImageSignatures('a', [attestors.lea, {}])".format, inner),
        st.builds("{}[?{}]".format, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("Object{{a: {}, b: Object.b{{c: [{}]}}}}".format, inner, inner),
    )


@settings(max_examples=300, deadline=None)
@given(st.recursive(LEAVES, combined, max_leaves=8), st.text(max_size=3), st.integers(0, 40))
def test_no_expression_brings_the_library_down(expression: str, slip: str, place: int) -> None:
    found = scope(o="object.?spec")
    found.values |= {"x": 3, "l": [1, None, [None]]}
    found.attestors = {"lea": {}}
    found.functions = {"verifyImageSignatures": lambda _, attestors: len(attestors)}
    for source in (expression, expression[:place] + slip + expression[place:]):
        with work():
            try:
                value = evaluate(source, found)
            except (KyvernoError, Beyond):
                continue
            assert value is None or isinstance(
                value, bool | int | float | str | bytes | list | dict | Optional | timedelta
            )
            assert Checker("validating").error(source) != ""


def test_nulls_keep_their_count() -> None:
    """The library forgets to count None; in Python 3.11 that would end the interpreter."""
    code = (
        "from workshop.kyverno.cel.evaluation import Scope, evaluate\n"
        "for _ in range(300): evaluate('[object, object]', Scope({'object': [None] * 300}))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
