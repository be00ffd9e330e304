"""`match` and `exclude` of legacy policies, as hypothesis strategies."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from .parts import Strategy, exactly, maybe, some, words

KINDS: Final = words(
    [
        *[["Pod"]] * 8,
        *([kind] for kind in ("Deployment", "ConfigMap", "CronJob", "Service", "Namespace", "*", "v1/Pod")),
        *(
            [kind]
            for kind in ("*/Pod", "apps/v1/Deployment", "apps/*/*", "batch/v1/CronJob", "Deploy*", "v1/*")
        ),
        *(
            [kind]
            for kind in ("*/*", "pods", "apps/v1beta1/Deployment", "apps.v1.Deployment", "Pod/exec", "?od")
        ),
        ["Pod", "Deployment"],
        ["Pod", "ConfigMap"],
        ["Deployment", "StatefulSet", "DaemonSet"],
        ["ConfigMap", "Service"],
        [],
    ]
)
_LABELS: Final = words(
    [
        {"app": "web"},
        {"app": "*"},
        {"env": "prod"},
        {"tier": "back*"},
        {"a?p": "web"},
        {"missing": "x"},
        {"app": ""},
    ]
)
_EXPRESSIONS: Final = words(
    [
        {"key": "app", "operator": "In", "values": ["web", "db"]},
        {"key": "app", "operator": "NotIn", "values": ["web"]},
        {"key": "env", "operator": "Exists"},
        {"key": "env", "operator": "DoesNotExist"},
        {"key": "env", "operator": "In", "values": []},
        {"key": "env", "operator": "in", "values": ["prod"]},
    ]
)
SELECTORS: Final = st.one_of(
    exactly(matchLabels=_LABELS),
    exactly(matchExpressions=some(_EXPRESSIONS, 2)),
    maybe(matchLabels=_LABELS, matchExpressions=some(_EXPRESSIONS, 2)),
)
_NAMESPACES: Final = words(
    [["team-a"], ["team-*"], ["default"], ["default", "team-b"], ["kube-system"], ["*"], [""]]
)
_RESOURCES: Final = maybe(
    namespaces=_NAMESPACES,
    names=words([["latest"], ["*o*"], ["web", "settings"], ["good-*"]]),
    selector=SELECTORS,
    operations=words([["CREATE"], ["UPDATE"], ["CREATE", "UPDATE"], ["DELETE"], ["CONNECT"]]),
    annotations=words([{"owner": "*"}, {"owner": "lea-devops"}, {"own*": "?*"}]),
    namespaceSelector=maybe(
        matchLabels=words([{"env": "prod"}, {"env": "*"}, {"kubernetes.io/metadata.name": "team-b"}])
    ),
)


def _with_kinds(kinds: Strategy) -> Strategy:
    few: Strategy = st.one_of(st.just({}), st.just({}), _RESOURCES)
    return st.builds(lambda k, rest: {"kinds": k, **rest}, kinds, few)


_FILTER: Final = st.builds(lambda r: {"resources": r}, _with_kinds(KINDS))
MATCH: Final = st.one_of(
    st.builds(lambda f: {"any": f}, some(_FILTER, 2)),
    st.builds(lambda f: {"any": [f]}, _FILTER),
    st.builds(lambda f: {"all": f}, some(_FILTER, 2)),
    _FILTER,
)
EXCLUDE: Final = st.one_of(
    st.builds(lambda r: {"any": [{"resources": r}]}, _RESOURCES),
    st.builds(lambda r: {"resources": r}, _RESOURCES),
    st.builds(lambda f: {"all": [f]}, _FILTER),
)
