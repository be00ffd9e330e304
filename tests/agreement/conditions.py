"""Variables, conditions and context entries, as hypothesis strategies."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from .parts import exactly, maybe, some, words

EXPRESSIONS: Final = words(
    [
        "request.operation",
        "request.namespace",
        "request.name",
        "request.kind.kind",
        "request.object.metadata.name",
        "request.object.metadata.labels.app",
        "request.object.metadata.labels.app || 'none'",
        "request.object.metadata.labels.\"cost-center\" || ''",
        "request.object.metadata.labels || `{}`",
        "request.object.metadata.annotations.ttl || '10m'",
        "request.object.spec.containers[].image",
        "request.object.spec.containers[*].image | [0]",
        "request.object.spec.containers[0].resources.limits.memory || '0'",
        "request.object.spec.containers[].resources.limits.cpu",
        "request.object.spec.containers[?name=='app'].image | [0]",
        "length(request.object.spec.containers || `[]`)",
        "request.object.spec.[initContainers, containers][].name",
        "request.object.spec.replicas || `0`",
        "request.object.spec.hostNetwork || `false`",
        "request.object.data.count || '1'",
        "request.object.data.size || '1Gi'",
        "request.object.data.wait || '30m'",
        "request.object.data.version || '1.0.0'",
        "request.object.data.float || '0.25'",
        "request.object.data.list || '[]'",
        "parse_json(request.object.data.list || '[]')",
        "parse_yaml(request.object.data.yaml || 'a: 2').a",
        "to_number(request.object.data.count || '2')",
        "request.object.data.* | length(@)",
        "keys(request.object.metadata.labels || `{}`)",
        "images.containers.*.tag",
        "images.containers.*.registry",
        "images.containers.app.name",
        "images.containers.app.digest || ''",
        "images.containers.*.path | sort(@)",
        "request.object.spec.containers[].ports[].containerPort",
        "request.oldObject.metadata.labels.app || ''",
        "to_upper(request.object.metadata.name || '')",
        "split(request.object.metadata.name || 'a-b', '-')",
        "replace_all(request.object.metadata.name || 'a', 'a', 'b')",
        "regex_match('^[a-z]+$', request.object.metadata.name || '')",
        "regex_replace_all('[aeiou]', request.object.metadata.name || '', 'x$0')",
        "truncate(request.object.metadata.name || '', `3`)",
        "trim(request.object.metadata.name || '', 'dl')",
        "add('100Mi', request.object.data.size || '1Mi')",
        "divide(request.object.data.size || '1Gi', '2Mi')",
        "multiply(`2`, request.object.data.wait || '1m')",
        "subtract('2h', request.object.data.wait || '1h')",
        "modulo(`7`, `3`)",
        "sum([`1`, `2`, length(request.object.metadata.labels || `{}`)])",
        "base64_encode(request.object.metadata.name || '')",
        "semver_compare(request.object.data.version || '1.10.0', '>=1.2.0 <2.0.0')",
        "compare(request.object.metadata.name || '', 'm')",
        "equal_fold(request.object.metadata.name || '', 'GOOD')",
        "pattern_match('*o*', request.object.metadata.name || '')",
        'label_match(`{"app":"web"}`, request.object.metadata.labels || `{}`)',
        "to_boolean(request.object.data.flag || 'false')",
        "items(request.object.metadata.labels || `{}`, 'k', 'v')[].k",
        "object_from_lists(['a','b'], ['1','2']).a",
        "lookup(request.object.metadata.labels || `{}`, 'app')",
        "path_canonicalize('/a/../b//c')",
        "time_add(request.object.data.when || '2024-01-01T00:00:00Z', '36h')",
        "time_diff('2024-01-01T00:00:00Z', request.object.data.when || '2024-01-02T00:00:00Z')",
        "time_before(request.object.data.when || '2024-01-02T00:00:00Z', '2024-02-01T00:00:00Z')",
        "time_to_cron(request.object.data.when || '2024-01-02T03:04:05Z')",
        "contains(request.object.spec.containers[].name || `[]`, 'sidecar')",
        'max_by(request.object.spec.containers || `[{"name":"z"}]`, &name).name',
        "round(`2.555`, `2`)",
        "sha256(request.object.metadata.name || '')",
        "random('[a-z]{3}')",
        "request.userInfo.username",
        "request.object.spec.missing",
        "request.object.spec.containers[",
        "unheard_of(request.object)",
        "element.image",
        "elementIndex",
        "limit",
        "serviceAccountName",
    ]
)
VARIABLES: Final = st.builds(lambda e: "{{ " + e + " }}", EXPRESSIONS)
VALUES: Final = st.one_of(
    words(
        [
            *(
                "",
                "web",
                "latest",
                "*o*",
                "nginx:latest",
                "CREATE",
                "default",
                "team-*",
                "1",
                "3",
                "1Gi",
                "500m",
                "1h",
            ),
            *(
                "2h",
                "1-5",
                "100Mi-1Gi",
                "10m-2h",
                "1.2.0",
                ">1.0.0",
                '["a","b"]',
                "true",
                "none",
                "docker.io",
                "Pod",
            ),
            *(0, 1, 3, 8080, 1.5, True, False, None),
            *(
                ["latest"],
                ["web", "db"],
                ["*o*", "x"],
                ["1", "3"],
                [1, 3],
                ["app"],
                [],
                ["docker.io", "ghcr.io"],
            ),
            {"app": "web"},
        ]
    ),
    VARIABLES,
)
OPERATORS: Final = words(
    [
        *(
            "Equals",
            "NotEquals",
            "AnyIn",
            "AllIn",
            "AnyNotIn",
            "AllNotIn",
            "In",
            "NotIn",
            "Equal",
            "NotEqual",
        ),
        *("GreaterThan", "GreaterThanOrEquals", "LessThan", "LessThanOrEquals"),
        *(
            "DurationGreaterThan",
            "DurationLessThanOrEquals",
            "DurationGreaterThanOrEquals",
            "DurationLessThan",
        ),
    ]
)
_KEYS: Final = st.one_of(
    VARIABLES, VARIABLES, words(["web", "1h", "100m", 3, True, ["a", "b"], "{{ elementIndex }}x"])
)
CONDITION: Final = st.builds(
    lambda key, operator, value, more: {"key": key, "operator": operator, "value": value, **more},
    _KEYS,
    st.one_of(*[OPERATORS] * 9, words(["equals", "Contains", "anyin"])),
    VALUES,
    maybe(message=words(["because of this"])),
)
CONDITIONS: Final = st.one_of(
    st.builds(lambda c: {"any": c}, some(CONDITION, 2)),
    st.builds(lambda c: {"all": c}, some(CONDITION, 2)),
    st.builds(lambda a, b: {"any": a, "all": b}, some(CONDITION, 2), some(CONDITION, 2)),
    some(CONDITION, 2),
)
CONTEXT: Final = some(
    st.one_of(
        exactly(name="limit", variable=exactly(value=VALUES)),
        exactly(name="limit", variable=exactly(jmesPath=EXPRESSIONS, default=VALUES)),
        exactly(name="limit", variable=exactly(jmesPath=EXPRESSIONS)),
        exactly(name="other", variable={"value": {"a": [1, 2], "b": "x"}, "jmesPath": "a[1]"}),
        exactly(name="cm", configMap={"name": "settings", "namespace": "team-a"}),
        exactly(name="request", variable={"value": 1}),
    ),
    2,
)

_ELEMENT_KEYS: Final = words(
    [
        *(
            "{{ element.image }}",
            "{{ element.name }}",
            "{{ element }}",
            "{{ elementIndex }}",
            "{{ element0.image }}",
        ),
        *(
            "{{ element.resources.limits.memory || '0' }}",
            "{{ element.securityContext.privileged || `false` }}",
        ),
        *(
            '{{ images.containers."{{element.name}}".tag }}',
            "{{ to_upper(element.name) }}",
            "{{ element.missing }}",
        ),
    ]
)
_ELEMENT_CONDITION: Final = st.builds(
    lambda key, operator, value: {"key": key, "operator": operator, "value": value},
    _ELEMENT_KEYS,
    OPERATORS,
    VALUES,
)
ELEMENT_CONDITIONS: Final = st.one_of(
    st.builds(lambda c: {"any": c}, some(_ELEMENT_CONDITION, 2)),
    st.builds(lambda c: {"all": c}, some(_ELEMENT_CONDITION, 2)),
)
