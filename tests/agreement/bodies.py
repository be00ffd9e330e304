"""Bodies of rules around one feature each: anchors in lists, operators of every kind, conditions."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from .conditions import CONDITION, OPERATORS
from .parts import alone, exactly, some, words
from .patterns import keyed

# --- patterns: anchors inside each other, operators of every kind of value ---
_OPERATED: Final = st.builds(
    lambda left, sign, right: f"{left} {sign} {right}",
    words(
        [
            *("?*", "web", "!web", "*a*", ">1", "<=2Gi", ">=100m", "!500m", "1h-2h", "<90m", ">1.2.0", "1-3"),
            *("!1-2", "64Mi-1Gi", "100m!-2", "0.5", "true", "!true", "1.10.2", "<2.0.0", "", "!*", "*"),
        ]
    ),
    words(["|", "&"]),
    words(["?*", "batch", "!latest", ">0", "<1Gi", "2h", "!1", "10-20", "1.2.3", "1h30m", ">=0.5", "false"]),
)
_VALUE: Final = st.one_of(
    _OPERATED,
    words(
        [
            *(
                "<2h",
                ">=90m",
                "1h-2h",
                "!90m",
                "90m",
                "5400s",
                ">1.2.0",
                "1.10.2",
                "<2Gi",
                "2048Mi",
                "1Gi-3Gi",
            ),
            *("!1Gi-3Gi", "1!-2", "10-20", ">9", "3", 3, "3.0", 3.0, "0.5", "500m", True, "true", None, ""),
            *(
                "a|b",
                "a | b | 90m",
                "!a & !b",
                "> 1",
                ">=  90m",
                "<>",
                "!",
                "-1",
                "1-",
                "2024-02-29T12:00:00Z",
            ),
        ]
    ),
)
_TEXTUAL: Final = keyed(
    {
        "metadata": keyed(
            {
                "annotations": keyed({"ttl": _VALUE, "size": _VALUE, "owner": _VALUE}),
                "labels": keyed({"app": _VALUE, "version": _VALUE, "*": _VALUE}),
            }
        ),
        "data": keyed(
            {
                **dict.fromkeys(
                    ("count", "size", "wait", "version", "range", "float", "empty", "when"), _VALUE
                ),
                "flag": _VALUE,
                "f*": _VALUE,
            }
        ),
    }
)
_IN_LISTS: Final = st.builds(
    lambda marks, inner: {"spec": {marks: inner}},
    words(
        [
            "containers",
            "^(containers)",
            "=(containers)",
            "=(initContainers)",
            "^(initContainers)",
            "<(containers)",
        ]
    ),
    some(
        st.builds(
            lambda *pairs: dict(pairs),
            st.tuples(
                words(["(image)", "<(image)", "image", "=(image)", "X(image)", "(name)", "<(name)", "name"]),
                words(["*:latest", "nginx*", "!*:latest", "?*", "busybox:*", "app", "sidecar"]),
            ),
            st.one_of(
                st.tuples(
                    words(["resources", "=(resources)", "X(resources)", "(resources)", "<(resources)"]),
                    st.builds(
                        lambda mark, value: {mark: {"memory": value}},
                        words(["limits", "=(limits)", "(limits)", "X(limits)", "<(limits)"]),
                        words(["?*", "<=1Gi", None, "64Mi"]),
                    ),
                ),
                st.tuples(
                    words(
                        ["securityContext", "=(securityContext)", "(securityContext)", "X(securityContext)"]
                    ),
                    words(
                        [
                            {"privileged": False},
                            {"=(privileged)": False},
                            {"X(privileged)": None},
                            {"(runAsUser)": 0},
                        ]
                    ),
                ),
                st.tuples(
                    words(["ports", "^(ports)", "=(ports)", "X(ports)"]),
                    words([[{"containerPort": ">8000"}], [{"(name)": "metrics", "containerPort": 9090}], []]),
                ),
            ),
        ),
        2,
    ),
)
_TOGETHER: Final = st.builds(
    lambda inside, outside: {**inside, **outside},
    _IN_LISTS,
    st.one_of(
        st.just({}),
        exactly(
            metadata=words(
                [
                    {"<(labels)": {"app": "web"}},
                    {"(labels)": {"app": "web"}},
                    {"labels": {"(app)": "web", "cost-center": "?*"}},
                    {"=(labels)": {"=(env)": "prod"}},
                    {"X(annotations)": "null"},
                    {"annotations": {"X(ttl)": None}},
                ]
            )
        ),
    ),
)
ANCHORED: Final = alone(
    st.builds(
        lambda match, validate: {"match": match, "validate": validate},
        words([{"any": [{"resources": {"kinds": ["Pod", "ConfigMap"]}}]}]),
        st.one_of(
            exactly(pattern=_TEXTUAL),
            exactly(pattern=_TOGETHER),
            exactly(pattern=_TOGETHER),
            exactly(anyPattern=some(st.one_of(_TOGETHER, _TEXTUAL), 2)),
        ),
    )
)

# --- conditions in every place that has some ---
_TOLD: Final = st.builds(
    lambda condition, message: {**condition, **({"message": message} if message else {})},
    CONDITION,
    words(
        [None, "because", "of {{ request.object.metadata.name }}", "of {{ request.object.metadata.colour }}"]
    ),
)
_CASES: Final = st.builds(
    lambda key, operator, value: {"key": key, "operator": operator, "value": value},
    words(
        [
            *(
                "{{ request.object.data.wait || '90m' }}",
                "{{ request.object.data.size || '1Gi' }}",
                "{{ `3` }}",
            ),
            *(
                "{{ request.object.data.version || '1.2.3' }}",
                "{{ request.object.data.range || '15' }}",
                3,
                "3",
                0.5,
            ),
            *(
                "{{ request.object.metadata.labels.* || `[]` }}",
                "{{ request.object.spec.containers[].image || `[]` }}",
            ),
            *(
                "{{ parse_json(request.object.data.list || '[]') }}",
                "{{ request.object.data || `{}` }}",
                "{{ `[1, 3]` }}",
            ),
            *(
                "{{ request.object.data.when || '2024-02-29T12:00:00Z' }}",
                "{{ request.object.data.empty || '' }}",
                True,
            ),
        ]
    ),
    OPERATORS,
    words(
        [
            *(
                "90m",
                "1h-2h",
                "!1h-2h",
                "1.5h",
                "5400s",
                5400,
                "1Gi",
                "512Mi",
                "1Gi-2Gi",
                "1.2.3",
                ">1.0.0",
                "<2.0.0",
            ),
            *(
                "10-20",
                "!10-20",
                3,
                "3",
                3.0,
                0.5,
                "*",
                "?*",
                "*:latest",
                ["*:latest"],
                ["1", "3"],
                [1, 3],
                ["a", "c"],
            ),
            *(
                ["1-5"],
                ["90m", "1h"],
                [],
                "",
                None,
                True,
                "true",
                {"count": "3"},
                "2024-02-29T12:00:00Z",
                ">2",
                "web|x",
            ),
            *("{{ request.object.metadata.name }}", ["{{ request.object.metadata.labels.app || 'x' }}", "y"]),
        ]
    ),
)
_BLOCK: Final = st.one_of(
    st.builds(lambda c: {"any": c}, some(st.one_of(_CASES, _TOLD), 2)),
    st.builds(lambda c: {"all": c}, some(st.one_of(_CASES, _TOLD), 2)),
    some(_CASES, 2),
)
CONDITIONAL: Final = alone(
    st.builds(
        lambda match, body: {"match": match, **body},
        words([{"any": [{"resources": {"kinds": ["Pod", "ConfigMap"]}}]}]),
        st.one_of(
            exactly(validate=exactly(message=words(["no"]), deny=exactly(conditions=_BLOCK))),
            exactly(validate=exactly(deny=exactly(conditions=_BLOCK))),
            exactly(preconditions=_BLOCK, validate=words([{"message": "no", "deny": {}}])),
            exactly(preconditions=_BLOCK, validate=exactly(deny=exactly(conditions=_BLOCK))),
        ),
    )
)
