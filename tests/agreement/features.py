"""Policies around one feature each, on objects the probes have: what a broad draw combines too seldom."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from .bodies import ANCHORED, CONDITIONAL
from .conditions import VALUES
from .loops import JSON_PATCHES, LOOPS
from .parts import PODS, alone, exactly, maybe, one, some, whole, words
from .settings import SETTINGS, SEVERAL

# --- variables: named by nobody, not to be resolved, of their place, of other texts ---
_PATHS: Final = words(
    [
        *("request.object.metadata.labels.app", "request.object.metadata.colour", "request.object.spec.x.y"),
        *(
            "request.object.metadata.name",
            "nobody",
            "first",
            "first.a",
            "second",
            "images.containers.app.tag",
        ),
        *("request.object.metadata.labels.{{ first }}", "request.object.spec.containers[0].{{ first }}"),
        *("request.object.metadata.labels.missing || 'none'", "request.object.spec.containers[9].image"),
        *("to_upper(request.object.metadata.labels.app || 'a')", "to_upper(first)", "length(first)"),
        *("request.object.metadata.annotations.*", "request.oldObject.metadata.name", "request.dryRun"),
    ]
)
_NAMED: Final = st.builds(lambda path: "{{ " + path + " }}", _PATHS)
_SAID: Final = st.one_of(
    _NAMED,
    st.builds(lambda a, b: f"{a} and {b}", _NAMED, _NAMED),
    words(
        [
            *("plain", r"\{{ request.object.metadata.name }}", "{{- first }}", "{{first}}-{{second}}"),
            *("{{ '{{ first }}' }}", "{{request.object.metadata.labels}}", "{{ first", "{{}}", "{{ }}"),
        ]
    ),
)
_ENTRY: Final = st.builds(
    lambda name, variable: {"name": name, "variable": variable},
    words(["first", "first", "second", "first.a"]),
    st.one_of(
        exactly(value=st.one_of(_SAID, VALUES)),
        exactly(value=words([{"a": "app"}, {"a": "{{ request.object.metadata.name }}"}, ["app", "b"]])),
        exactly(jmesPath=_PATHS),
        exactly(jmesPath=_PATHS, default=st.one_of(_SAID, words([None, 0, "app"]))),
        exactly(value=words([{"a": "app"}, {"b": {"a": "x"}}]), jmesPath=words(["a", "b.a", "c", "@"])),
        exactly(value=_SAID, jmesPath=words(["@", "length(@)"]), default=words(["d", 3])),
    ),
)
_ENTRIES: Final = some(_ENTRY, 3)
_ASKED: Final = st.builds(
    lambda key, operator, value: {"all": [{"key": key, "operator": operator, "value": value}]},
    _SAID,
    words(["Equals", "NotEquals", "AnyIn", "AllNotIn"]),
    st.one_of(_SAID, words(["web", "app", ["app", "web"]])),
)
_SPOKEN: Final = st.one_of(
    exactly(validate=exactly(message=_SAID, deny=exactly(conditions=_ASKED))),
    exactly(validate=exactly(message=_SAID, pattern=exactly(metadata=exactly(name=_SAID)))),
    exactly(
        validate=exactly(
            pattern=exactly(
                metadata=exactly(labels=st.builds(lambda k: {k: "?*"}, words(["app", "{{ first }}"])))
            )
        )
    ),
    exactly(mutate=exactly(patchStrategicMerge=exactly(metadata=exactly(labels=exactly(said=_SAID))))),
    exactly(
        mutate=exactly(
            patchesJson6902=st.builds(
                lambda said: f'- {{op: add, path: /metadata/labels/said, value: "{said}"}}',
                words(
                    ["{{ first }}", "{{ nobody }}", "{{ request.object.metadata.colour }}", "x-{{ first }}"]
                ),
            )
        )
    ),
)
VARIABLES_OF_A_RULE: Final = alone(
    st.builds(
        one,
        _SPOKEN,
        st.one_of(
            exactly(context=_ENTRIES),
            exactly(context=_ENTRIES),
            maybe(context=_ENTRIES, preconditions=_ASKED),
        ),
    )
)

# --- `{{@}}`, JMESPath and references in a strategic merge ---
_OF_ITS_PLACE: Final = words(
    [
        *("{{@}}", "{{ @ }}", "x-{{@}}", "{{@}}{{@}}", "{{ to_upper('{{@}}') }}", "{{ @ || 'none' }}"),
        *(
            "{{ request.object.metadata.name }}-{{@}}",
            "{{ length('{{@}}') }}",
            "{{ split('{{@}}', ':')[0] }}",
        ),
        *("{{ regex_replace_all('^[^/]+', '{{@}}', 'registry.local') }}", "$(./../name)", "plain"),
    ]
)
_CHANGED_LABELS: Final = st.dictionaries(
    words(["app", "+(app)", "env", "new", "+(new)", "version", "{{ request.object.metadata.name }}"]),
    _OF_ITS_PLACE,
    min_size=1,
    max_size=2,
)
_CHANGED_CONTAINER: Final = st.builds(
    one,
    words(
        [
            {"(name)": "*"},
            {"(name)": "?*"},
            {"(image)": "*:latest"},
            {"name": "app"},
            {"(name)": "app | sidecar"},
        ]
    ),
    st.one_of(
        exactly(image=_OF_ITS_PLACE),
        exactly(imagePullPolicy=words(["Never", "{{@}}", "{{ @ || 'Never' }}"])),
        exactly(resources=exactly(limits=exactly(memory=words(["{{@}}", "1Gi"])))),
        exactly(env=st.just([{"(name)": "MODE", "value": "{{@}}x"}])),
    ),
)
MERGES: Final = alone(
    exactly(
        mutate=exactly(
            patchStrategicMerge=st.one_of(
                exactly(metadata=exactly(labels=_CHANGED_LABELS)),
                exactly(spec=exactly(containers=st.builds(lambda c: [c], _CHANGED_CONTAINER))),
                exactly(spec=exactly(containers=some(_CHANGED_CONTAINER, 2))),
                exactly(
                    metadata=exactly(labels=_CHANGED_LABELS),
                    spec=exactly(containers=st.builds(lambda c: [c], _CHANGED_CONTAINER)),
                ),
            )
        )
    )
)

# --- namespaced policies, and kinds without a namespace ---
_KINDS_OF_ALL_SCOPES: Final = some(
    words(
        [
            "Pod",
            "Pod",
            "ConfigMap",
            "Namespace",
            "ClusterRole",
            "Node",
            "v1/Namespace",
            "*/Namespace",
            "Deployment",
        ]
    ),
    2,
)
_SCOPED: Final = st.builds(
    lambda kinds, more: {"resources": {"kinds": kinds, **more}},
    _KINDS_OF_ALL_SCOPES,
    st.one_of(
        *[st.just({})] * 3, maybe(namespaces=words([["team-a"], ["default"], ["*"]]), names=words([["*o*"]]))
    ),
)
NAMESPACED: Final = st.builds(
    lambda namespace, rule, spec: [whole([rule], spec, namespace=namespace)],
    words(["team-a", "team-a", "team-b", "default"]),
    st.builds(
        lambda match, body, more: {"match": match, **body, **more},
        st.one_of(
            st.builds(lambda f: {"any": [f]}, _SCOPED),
            st.builds(lambda f: {"all": [f]}, _SCOPED),
            _SCOPED,
        ),
        words(
            [
                {"validate": {"message": "no", "pattern": {"metadata": {"labels": {"app": "web"}}}}},
                {"validate": {"deny": {}}},
                {"mutate": {"patchStrategicMerge": {"metadata": {"labels": {"+(here)": "yes"}}}}},
            ]
        ),
        st.one_of(st.just({}), exactly(exclude=st.builds(lambda f: {"any": [f]}, _SCOPED))),
    ),
    st.one_of(
        st.just({}),
        st.just({}),
        maybe(
            validationFailureActionOverrides=words([[{"action": "Audit", "namespaces": ["team-a"]}]]),
            background=st.booleans(),
        ),
    ),
)

# --- who asks: not known to us, and seldom what decides ---
_WHO: Final = maybe(
    roles=words([["default:reader"], ["*"]]),
    clusterRoles=words([["cluster-admin"], ["view"], ["*"]]),
    subjects=some(
        words(
            [
                {"kind": "User", "name": "lea-devops"},
                {"kind": "User", "name": "*"},
                {"kind": "Group", "name": "system:masters"},
                {"kind": "ServiceAccount", "name": "default", "namespace": "default"},
                {"kind": "ServiceAccount", "name": "default"},
                {"kind": "Robot", "name": "r2"},
            ]
        ),
        1,
    ),
)
_ASKING: Final = st.builds(
    lambda who, resources: {**who, **({"resources": resources} if resources else {})},
    _WHO,
    words([{}, {"kinds": ["Pod"]}, {"kinds": ["Pod"], "namespaces": ["team-a"]}, {"kinds": ["ConfigMap"]}]),
)
BY_WHOM: Final = alone(
    st.builds(
        lambda match, exclude: {**match, **exclude, "validate": {"message": "no", "deny": {}}},
        st.one_of(
            st.just({"match": PODS}),
            exactly(match=exactly(any=some(_ASKING, 2))),
            exactly(match=exactly(all=some(_ASKING, 2))),
            exactly(match=_ASKING),
        ),
        st.one_of(
            st.just({}),
            exactly(exclude=exactly(any=some(_ASKING, 2))),
            exactly(exclude=exactly(all=some(_ASKING, 2))),
            exactly(exclude=_ASKING),
        ),
    ),
    words([{}, {}, {}, {"background": True}]),
)

#: (name, strategy): drawn in equal shares.
FEATURES: Final = (
    ("variables", VARIABLES_OF_A_RULE),
    ("merges", MERGES),
    ("namespaced", NAMESPACED),
    ("users", BY_WHOM),
    ("anchored", ANCHORED),
    ("conditional", CONDITIONAL),
    ("loops", LOOPS),
    ("patches", JSON_PATCHES),
    ("several", SEVERAL),
    ("settings", SETTINGS),
)
