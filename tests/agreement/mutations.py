"""`mutate` bodies of legacy policies, as hypothesis strategies."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from .conditions import CONTEXT, ELEMENT_CONDITIONS, VARIABLES
from .parts import Strategy, exactly, maybe, one, some, words
from .validations import LISTS

_ADDED: Final = st.one_of(words(["techmarket", "x", "7", ""]), VARIABLES)


def _merge_keys(fields: dict[str, Strategy]) -> Strategy:
    def entry(name: str) -> Strategy:
        mark = words(["{}"] * 4 + ["+({})", "+({})", "({})", "<({})"])
        return st.builds(lambda m, value: (m.format(name), value), mark, fields[name])

    pairs = st.lists(
        st.one_of([entry(name) for name in fields]), min_size=1, max_size=3, unique_by=lambda p: p[0]
    )
    return st.builds(dict, pairs)


_MERGED_CONTAINER: Final = _merge_keys(
    {
        "name": words(["*", "app", "new", "?*"]),
        "image": words(["*:latest", "nginx:1.28.0", "!*:latest", "nginx*"]),
        "imagePullPolicy": words(["IfNotPresent", "Always", "Never"]),
        "resources": _merge_keys(
            {"limits": _merge_keys({"cpu": words(["1", "250m"]), "memory": words(["1Gi"])})}
        ),
        "env": some(_merge_keys({"name": words(["MODE", "NEW", "*"]), "value": words(["dev", "prod"])}), 2),
    }
)
MERGE: Final = _merge_keys(
    {
        "metadata": _merge_keys(
            {
                "labels": _merge_keys(
                    {"app": _ADDED, "cost-center": _ADDED, "env": words(["?*", "prod", None])}
                ),
                "annotations": _merge_keys({"owner": words(["new", "?*", None]), "added": _ADDED}),
            }
        ),
        "spec": _merge_keys(
            {
                "containers": some(_MERGED_CONTAINER, 2),
                "initContainers": some(_MERGED_CONTAINER, 1),
                "hostNetwork": words([True, False, None]),
                "nodeSelector": _merge_keys({"disk": words(["hdd", None]), "zone": words(["a"])}),
                "volumes": some(_merge_keys({"name": words(["data", "tmp"]), "emptyDir": st.just({})}), 1),
                "tolerations": words([[{"key": "spot", "operator": "Exists"}], []]),
                "replicas": words([2, 5]),
            }
        ),
        "data": _merge_keys({"count": words(["9", "3"]), "new": _ADDED}),
    }
)
_OPERATION: Final = words(
    [
        "- {op: add, path: /metadata/labels/added, value: yes-please}",
        "- op: add\n  path: /metadata/labels/cost-center\n  value: '{{ request.object.metadata.name }}'",
        "- {op: replace, path: /metadata/labels/app, value: other}",
        "- {op: remove, path: /metadata/labels/app}",
        "- {op: remove, path: /metadata/annotations/owner}",
        '- {"op": "add", "path": "/metadata/annotations/example.org~1owner", "value": "x"}',
        "- {op: add, path: /spec/containers/-, value: {name: more, image: 'busybox:1.36'}}",
        "- {op: add, path: /spec/tolerations/0, value: {key: a, operator: Exists}}",
        "- {op: replace, path: /spec/containers/0/image, value: 'nginx:1.28.0'}",
        "- {op: test, path: /metadata/labels/app, value: web}",
        "- {op: copy, from: /metadata/name, path: /metadata/labels/copied}",
        "- {op: move, from: /metadata/labels/app, path: /metadata/labels/moved}",
        "- {op: add, path: /spec/replicas, value: 4}",
        "- {op: add, path: metadata/labels/x, value: y}",
        "- {op: insert, path: /metadata/labels/x, value: y}",
        "- {op: add, path: /data/new, value: 5}",
    ]
)
PATCHES: Final = st.builds("\n".join, some(_OPERATION, 2))
_MUTATED_EACH: Final = st.builds(
    one,
    st.one_of(
        exactly(
            list=LISTS,
            patchStrategicMerge=words(
                [
                    {"spec": {"containers": [{"name": "{{ element.name }}", "imagePullPolicy": "Never"}]}},
                    {
                        "spec": {
                            "containers": [
                                {"(name)": "{{ element.name }}", "image": "reg.local/{{ element.image }}"}
                            ]
                        }
                    },
                    {"metadata": {"labels": {"seen-{{ elementIndex }}": "{{ element.name }}"}}},
                ]
            ),
        ),
        exactly(
            list=LISTS,
            patchesJson6902=words(
                [
                    (
                        "- path: /spec/containers/{{elementIndex}}/image\n  op: replace\n"
                        "  value: reg.local/{{element.image}}"
                    ),
                    (
                        "- path: /spec/containers/{{elementIndex}}/env/-\n  op: add\n"
                        "  value: {name: N, value: '{{element.name}}'}"
                    ),
                ]
            ),
        ),
    ),
    maybe(preconditions=ELEMENT_CONDITIONS, order=words(["Ascending", "Descending"]), context=CONTEXT),
)
MUTATE: Final = st.one_of(
    exactly(patchStrategicMerge=MERGE),
    exactly(patchStrategicMerge=MERGE),
    exactly(patchesJson6902=PATCHES),
    exactly(foreach=some(_MUTATED_EACH, 2)),
)
