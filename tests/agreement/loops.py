"""Loops in loops, and JSON patches of several steps, as hypothesis strategies."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from .conditions import ELEMENT_CONDITIONS, OPERATORS, VALUES
from .mutations import PATCHES
from .parts import alone, exactly, maybe, some, words

# --- foreach inside foreach ---
_ANNOTATED: Final = """
- {op: add, path: '/metadata/annotations/p-{{elementIndex0}}-{{elementIndex1}}', value: x}
"""
_PORT_GONE: Final = """
- op: remove
  path: /spec/containers/{{elementIndex0}}/ports/{{elementIndex1}}
"""
_NUMBERED: Final = "- {op: add, path: /metadata/annotations/last, value: 'n{{ elementIndex }}'}"
_TOLERATED: Final = """
- op: add
  path: /spec/tolerations/-
  value: {key: '{{ element.name }}', operator: Exists}
"""
_INNER_LISTS: Final = words(
    [
        *(
            "element.ports",
            "element0.ports",
            "element.env || `[]`",
            "request.object.spec.volumes",
            "element.missing",
        ),
        *(
            "element.capabilities.add",
            "element0.securityContext.capabilities.add || `[]`",
            "`[1, 2]`",
            "items(element, 'k', 'v')",
        ),
    ]
)
_INNER_KEYS: Final = words(
    [
        *(
            "{{ element.containerPort || `0` }}",
            "{{ element1.name }}",
            "{{ element0.name }}",
            "{{ element }}",
        ),
        *(
            "{{ elementIndex }}",
            "{{ elementIndex0 }}-{{ elementIndex1 }}",
            "{{ element.k || '' }}",
            "{{ limit }}",
        ),
    ]
)
_INNER_CONDITIONS: Final = st.builds(
    lambda word, key, operator, value: {word: [{"key": key, "operator": operator, "value": value}]},
    words(["any", "all"]),
    _INNER_KEYS,
    OPERATORS,
    st.one_of(VALUES, words([8080, "8000-9000", "metrics", "MODE", "0-0", ["app", "payment"]])),
)
_INNER: Final = st.builds(
    lambda where, body, more: {"list": where, **body, **more},
    _INNER_LISTS,
    st.one_of(
        exactly(deny=exactly(conditions=_INNER_CONDITIONS)),
        exactly(deny=exactly(conditions=_INNER_CONDITIONS)),
        exactly(pattern=words([{"containerPort": ">8000"}, {"name": "?*"}, {"=(name)": "metrics"}])),
        exactly(anyPattern=words([[{"containerPort": 8080}, {"name": "?*"}]])),
    ),
    st.one_of(
        *[st.just({})] * 2,
        maybe(
            preconditions=_INNER_CONDITIONS,
            elementScope=st.booleans(),
            context=words(
                [
                    [{"name": "limit", "variable": {"value": "{{ element.name }}"}}],
                    [{"name": "limit", "variable": {"jmesPath": "element0.name"}}],
                    [
                        {
                            "name": "limit",
                            "variable": {"jmesPath": "element.nothing", "default": "{{ element0.image }}"},
                        }
                    ],
                ]
            ),
        ),
    ),
)
_OUTER: Final = st.builds(
    lambda where, inner, more: {"list": where, "foreach": inner, **more},
    words(
        [
            "request.object.spec.containers",
            "request.object.spec.[initContainers, containers][]",
            "request.object.spec",
        ]
    ),
    some(_INNER, 2),
    st.one_of(st.just({}), maybe(preconditions=ELEMENT_CONDITIONS)),
)
_CHANGED_INNER: Final = st.builds(
    lambda where, body, more: {"list": where, **body, **more},
    words(["element.ports", "element.env", "`[1, 2]`", "element.missing", "request.object.spec.volumes"]),
    words(
        [
            {"patchesJson6902": _ANNOTATED},
            {"patchesJson6902": _PORT_GONE},
            {
                "patchStrategicMerge": {
                    "metadata": {"annotations": {"last": "{{ element0.name }}-{{ element1.name || 'none' }}"}}
                }
            },
            {
                "patchStrategicMerge": {
                    "spec": {
                        "containers": [
                            {
                                "(name)": "{{ element0.name }}",
                                "env": [{"name": "N", "value": "{{ elementIndex1 }}"}],
                            }
                        ]
                    }
                }
            },
        ]
    ),
    maybe(order=words(["Ascending", "Descending"])),
)
_CHANGED_EACH: Final = st.builds(
    lambda where, body, more: {"list": where, **body, **more},
    words(
        [
            "request.object.spec.containers",
            "request.object.spec.containers",
            "request.object.spec.volumes",
            '`["a", "b"]`',
        ]
    ),
    st.one_of(
        exactly(foreach=some(_CHANGED_INNER, 2)),
        words(
            [
                {"patchStrategicMerge": {"metadata": {"annotations": {"last": "{{ elementIndex }}"}}}},
                {"patchesJson6902": _NUMBERED},
                {"patchesJson6902": "- {op: remove, path: '/spec/containers/{{ elementIndex }}'}"},
                {"patchesJson6902": _TOLERATED},
                {
                    "patchStrategicMerge": {
                        "spec": {"containers": [{"name": "{{ element.name }}", "image": "{{@}}"}]}
                    }
                },
                {
                    "patchStrategicMerge": {
                        "spec": {"containers": [{"name": "c{{ elementIndex }}", "image": "busybox:1.36"}]}
                    }
                },
            ]
        ),
    ),
    maybe(order=words(["Ascending", "Descending"]), preconditions=ELEMENT_CONDITIONS),
)
LOOPS: Final = alone(
    st.one_of(
        exactly(
            validate=exactly(
                message=words(["no", "no {{ request.object.metadata.name }}"]), foreach=some(_OUTER, 1)
            )
        ),
        exactly(mutate=exactly(foreach=some(_CHANGED_EACH, 2))),
        exactly(mutate=exactly(foreach=some(_CHANGED_EACH, 2))),
    )
)

# --- JSON patches: every operation and kind of path, one after the other ---
_STEPS: Final = """
- {op: test, path: /spec/containers/0/name, value: app}
- {op: test, path: /metadata/labels/nothing, value: x}
- {op: test, path: /spec/hostNetwork, value: true}
- {op: test, path: /metadata/labels, value: {app: web}}
- {op: move, from: /metadata/labels/app, path: /metadata/annotations/app}
- {op: move, from: /metadata/nothing, path: /metadata/labels/x}
- {op: copy, from: /spec/containers/0, path: /spec/containers/-}
- {op: copy, from: /metadata/labels/app, path: /metadata/labels/example.org~1copy}
- {op: add, path: /spec/containers/0, value: {name: zero, image: 'busybox:1.36'}}
- {op: add, path: /spec/containers/5, value: {name: five, image: 'busybox:1.36'}}
- {op: add, path: /metadata/annotations/a~0b, value: tilde}
- {op: add, path: /metadata/annotations/a~1b, value: slash}
- {op: replace, path: /metadata/annotations/owner, value: me}
- {op: remove, path: /spec/containers/1}
- {op: remove, path: /spec/containers/-}
- {op: remove, path: /spec/containers/-1}
- {op: replace, path: /spec/containers/-1/image, value: 'nginx:1.28.0'}
- {op: add, path: /spec/nodeSelector/disk, value: hdd}
- {op: add, path: /spec/tolerations/-, value: {key: b, operator: Exists}}
- {op: add, path: /spec/containers/0/env/-, value: {name: A, value: '1'}}
- {op: add, path: /spec/containers/0/env/0/value, value: other}
- {op: replace, path: /spec/containers, value: [{name: only, image: 'nginx:1.28.0'}]}
- {op: add, path: /metadata/labels, value: {all: new}}
- {op: add, path: '', value: {}}
- {op: add, path: /, value: x}
- {op: replace, path: /spec/hostNetwork, value: false}
- {op: add, path: /metadata/labels/n, value: null}
- {op: add, path: /metadata/labels/n, value: y}
- {op: add, path: /metadata/labels/n, value: 1:30}
- {op: add, path: /metadata/labels/n}
- {op: remove, path: /metadata/labels/app, value: web}
- {op: add, path: /spec/volumes/-, value: {name: more, emptyDir: {}}}
- {op: add, path: /metadata/labels/a, value: '{{ request.object.metadata.name }}'}
"""
JSON_PATCHES: Final = alone(
    exactly(
        mutate=exactly(
            patchesJson6902=st.one_of(
                st.builds("\n".join, some(words(_STEPS.strip().splitlines()), 3)), PATCHES
            )
        )
    )
)
