"""Several policies beside each other, and the settings of one, as hypothesis strategies."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from .parts import exactly, maybe, some, whole, words
from .validations import CEL

# --- several policies and rules, one after the other ---
_TOUCH: Final = words(
    [
        {"mutate": {"patchStrategicMerge": {"metadata": {"labels": {"+(step)": "first"}}}}},
        {"mutate": {"patchStrategicMerge": {"metadata": {"labels": {"step": "second"}}}}},
        {"mutate": {"patchStrategicMerge": {"metadata": {"labels": {"(step)": "first", "seen": "{{@}}"}}}}},
        {
            "mutate": {
                "patchStrategicMerge": {
                    "metadata": {"labels": {"of": "{{ request.object.metadata.labels.step }}"}}
                }
            }
        },
        {"mutate": {"patchesJson6902": "- {op: replace, path: /metadata/labels/step, value: third}"}},
        {"mutate": {"patchesJson6902": "- {op: remove, path: /metadata/labels/step}"}},
        {
            "preconditions": {
                "all": [
                    {
                        "key": "{{ request.object.metadata.labels.step || '' }}",
                        "operator": "Equals",
                        "value": "first",
                    }
                ]
            },
            "mutate": {"patchStrategicMerge": {"metadata": {"labels": {"+(after)": "first"}}}},
        },
        {
            "mutate": {
                "patchStrategicMerge": {
                    "spec": {"containers": [{"(image)": "*:latest", "image": "nginx:1.28.0"}]}
                }
            }
        },
        {"validate": {"message": "no", "pattern": {"spec": {"containers": [{"image": "!*:latest"}]}}}},
        {"validate": {"message": "no", "pattern": {"metadata": {"labels": {"step": "first"}}}}},
        {
            "validate": {
                "deny": {
                    "conditions": {
                        "any": [
                            {
                                "key": "{{ request.object.metadata.labels.step || '' }}",
                                "operator": "Equals",
                                "value": "second",
                            }
                        ]
                    }
                }
            }
        },
        {
            "context": [
                {
                    "name": "step",
                    "variable": {"jmesPath": "request.object.metadata.labels.step", "default": "none"},
                }
            ],
            "validate": {
                "message": "no",
                "deny": {
                    "conditions": {"all": [{"key": "{{ step }}", "operator": "NotEquals", "value": "third"}]}
                },
            },
        },
    ]
)
_NAMES: Final = st.permutations(["generated-a", "generated-b", "generated-c"])
SEVERAL: Final = st.one_of(
    st.builds(
        lambda rules, names, spec: [
            whole([rule], spec, name) for rule, name in zip(rules, names, strict=False)
        ],
        st.lists(_TOUCH, min_size=2, max_size=3),
        _NAMES,
        words([{}, {}, {"failurePolicy": "Ignore"}, {"validationFailureAction": "Audit"}]),
    ),
    st.builds(
        lambda rules, spec: [whole(rules, spec)],
        st.lists(_TOUCH, min_size=2, max_size=4),
        words([{}, {}, {"applyRules": "One"}, {"applyRules": "All", "emitWarning": True}]),
    ),
)

# --- settings of a policy: actions, warnings, CEL conditions, autogen ---
_CONDITION_OF_THE_WEBHOOK: Final = st.builds(
    lambda expression: {"matchConditions": [{"name": "only", "expression": expression}]},
    words(
        [
            "object.metadata.name != 'latest'",
            "request.operation == 'CREATE'",
            "false",
            "'yes'",
            "object.nothing == 1",
            "request.namespace != 'team-a'",
        ]
    ),
)
_ACTION: Final = words(["Enforce", "Audit", "enforce", "audit"])
_OVERRIDES: Final = some(
    st.builds(
        lambda action, namespaces, selector: {"action": action, "namespaces": namespaces, **selector},
        _ACTION,
        words([["team-*"], ["default"], ["*"], ["team-a", "default"], []]),
        words(
            [
                {},
                {},
                {"namespaceSelector": {"matchLabels": {"env": "prod"}}},
                {"namespaceSelector": {"matchExpressions": [{"key": "env", "operator": "Exists"}]}},
            ]
        ),
    ),
    2,
)
_CELS: Final = st.builds(
    lambda expression, more: {"cel": {"expressions": [{"expression": expression, "message": "no"}], **more}},
    CEL,
    maybe(
        variables=st.just([{"name": "images", "expression": "object.spec.containers.map(c, c.image)"}]),
        generate=st.booleans(),
        auditAnnotations=st.just([{"key": "a", "valueExpression": "'b'"}]),
    ),
)
SETTINGS: Final = st.builds(
    lambda rules, spec, annotations, kinds: [
        whole(
            [{**rule, "match": {"any": [{"resources": {"kinds": kinds}}]}} for rule in rules],
            spec,
            **({"annotations": annotations} if annotations else {}),
        )
    ],
    some(
        st.one_of(
            st.builds(
                lambda more, body: {"validate": {"message": "no", **body, **more}},
                maybe(
                    failureAction=_ACTION,
                    failureActionOverrides=_OVERRIDES,
                    allowExistingViolations=st.booleans(),
                ),
                words(
                    [
                        {"pattern": {"spec": {"containers": [{"image": "!*:latest"}]}}},
                        {
                            "deny": {
                                "conditions": {
                                    "any": [
                                        {
                                            "key": "{{ request.object.metadata.name }}",
                                            "operator": "AnyIn",
                                            "value": ["latest", "web", "stored*"],
                                        }
                                    ]
                                }
                            }
                        },
                    ]
                ),
            ),
            st.builds(
                lambda cel, more: {"validate": cel, **more},
                _CELS,
                maybe(celPreconditions=some(exactly(name="only", expression=CEL), 1)),
            ),
            exactly(
                celPreconditions=some(exactly(name="only", expression=CEL), 1),
                validate=words([{"message": "no", "deny": {}}]),
            ),
        ),
        2,
    ),
    st.one_of(
        st.just({}),
        maybe(
            validationFailureAction=_ACTION,
            validationFailureActionOverrides=_OVERRIDES,
            emitWarning=st.booleans(),
            webhookConfiguration=_CONDITION_OF_THE_WEBHOOK,
            failurePolicy=words(["Fail", "Ignore"]),
            applyRules=words(["One", "All"]),
        ),
    ),
    words(
        [None] * 3
        + [
            {"pod-policies.kyverno.io/autogen-controllers": value}
            for value in (
                "none",
                "Deployment",
                "Deployment,Job",
                "DaemonSet,CronJob",
                "Pod",
                "",
                "deployment",
            )
        ]
    ),
    words([["Pod"]] * 4 + [["Pod", "Deployment"], ["Deployment"], ["CronJob"], ["v1/Pod"], ["*/Pod"]]),
)
