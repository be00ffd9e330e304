"""Policies written in CEL – Kyverno's own kinds and Kubernetes' – as hypothesis strategies."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from .parts import exactly, maybe, some, words
from .selections import SELECTORS
from .validations import CEL

_RULE: Final = st.builds(
    lambda groups, versions, operations, resources, more: {
        "apiGroups": groups,
        "apiVersions": versions,
        "operations": operations,
        "resources": resources,
        **more,
    },
    words([[""]] * 4 + [["apps"], ["*"], ["", "apps"], ["batch"]]),
    words([["v1"]] * 4 + [["*"], ["v1beta1"]]),
    words([["CREATE"], ["CREATE", "UPDATE"], ["*"], ["DELETE"], ["UPDATE"], ["CREATE", "UPDATE"]]),
    words(
        [["pods"]] * 5
        + [["deployments"], ["*"], ["pods", "configmaps"], ["Pod"], ["pods/*"], ["jobs", "cronjobs"]]
    ),
    st.one_of(
        *[st.just({})] * 3,
        maybe(resourceNames=words([["latest"], ["good"]]), scope=words(["Namespaced", "*"])),
    ),
)
_CONSTRAINTS: Final = st.builds(
    lambda rules, more: {"resourceRules": rules, **more},
    some(_RULE, 2),
    st.one_of(
        *[st.just({})] * 3,
        maybe(
            namespaceSelector=SELECTORS,
            objectSelector=SELECTORS,
            excludeResourceRules=some(_RULE, 1),
            matchPolicy=words(["Exact", "Equivalent"]),
        ),
    ),
)
_VARIABLES: Final = words(
    [
        [{"name": "images", "expression": "object.spec.containers.map(c, c.image)"}],
        [
            {"name": "all", "expression": "object.spec.containers + object.spec.?initContainers.orValue([])"},
            {"name": "images", "expression": "variables.all.map(c, c.image)"},
        ],
        [{"name": "images", "expression": "object.spec.nothing"}],
    ]
)
_CONDITIONS: Final = some(exactly(name="only", expression=CEL), 1)
_VALIDATION: Final = st.builds(
    lambda expression, more: {"expression": expression, **more},
    CEL,
    maybe(message=st.just("no"), messageExpression=words(["'no ' + object.metadata.name", "object.nothing"])),
)
_MORE: Final = st.one_of(
    st.just({"variables": [{"name": "images", "expression": "object.spec.containers.map(c, c.image)"}]}),
    maybe(variables=_VARIABLES, matchConditions=_CONDITIONS, failurePolicy=words(["Fail", "Ignore"])),
)
_KYVERNOS: Final = maybe(
    validationActions=words([["Deny"], ["Deny"], ["Audit"], ["Warn"], ["Audit", "Deny"], []]),
    autogen=words(
        [
            {"podControllers": {"controllers": ["deployments"]}},
            {"podControllers": {"controllers": []}},
            {"podControllers": {"controllers": ["deployments", "cronjobs"]}},
        ]
    ),
    evaluation=words(
        [{"admission": {"enabled": False}}, {"background": {"enabled": False}}, {"mode": "Kubernetes"}]
    ),
)


def _document(group: str, kind: str, version: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {"name": "generated"}, "spec": spec}


_VERSIONS: Final = words(["v1", "v1beta1", "v1alpha1"])
VALIDATING: Final = st.builds(
    lambda version, constraints, validations, more, own: [
        _document(
            "policies.kyverno.io",
            "ValidatingPolicy",
            version,
            {"matchConstraints": constraints, "validations": validations, **more, **own},
        )
    ],
    _VERSIONS,
    _CONSTRAINTS,
    some(_VALIDATION, 2),
    _MORE,
    st.one_of(st.just({}), _KYVERNOS),
)
_MUTATION: Final = st.one_of(
    exactly(
        patchType="ApplyConfiguration",
        applyConfiguration=exactly(
            expression=words(
                [
                    "Object{metadata: Object.metadata{labels: Object.metadata.labels{added: 'yes'}}}",
                    "Object{metadata: Object.metadata{labels: {'cost-center': 'techmarket', 'a': 'b'}}}",
                    "Object{spec: Object.spec{hostNetwork: false}}",
                    (
                        "Object{spec: Object.spec{containers: object.spec.containers.map(c, "
                        "Object.spec.containers{name: c.name, imagePullPolicy: 'Never'})}}"
                    ),
                    "has(object.spec.hostNetwork) ? Object{} : Object{spec: Object.spec{hostNetwork: false}}",
                    "Object{metadata: Object.metadata{labels: {'n': object.metadata.labels.app}}}",
                    "Object{metadata: Object.metadata{labels: {'n': 1}}}",
                ]
            )
        ),
    ),
    exactly(
        patchType="JSONPatch",
        jsonPatch=exactly(
            expression=words(
                [
                    "[JSONPatch{op: 'add', path: '/metadata/labels/added', value: 'yes'}]",
                    (
                        "has(object.metadata.labels) ? [JSONPatch{op: 'remove', path: '/metadata/labels'}]"
                        " : [JSONPatch{op: 'add', path: '/metadata/labels', value: {'added': 'y'}}]"
                    ),
                    "[JSONPatch{op: 'replace', path: '/spec/containers/0/image', value: 'nginx:1.28.0'}]",
                    "[JSONPatch{op: 'remove', path: '/metadata/labels/app'}]",
                    "[JSONPatch{op: 'add', path: '/data/' + jsonpatch.escapeKey('a/b'), value: 'c'}]",
                    "[]",
                ]
            )
        ),
    ),
)
MUTATING: Final = st.builds(
    lambda version, constraints, mutations, more: [
        _document(
            "policies.kyverno.io",
            "MutatingPolicy",
            version,
            {"matchConstraints": constraints, "mutations": mutations, **more},
        )
    ],
    _VERSIONS,
    _CONSTRAINTS,
    some(_MUTATION, 2),
    st.one_of(st.just({}), _MORE),
)
_BINDING: Final = st.builds(
    lambda name, actions, resources: {
        "policyName": name,
        "validationActions": actions,
        **({"matchResources": resources} if resources else {}),
    },
    words(["generated"] * 5 + ["other"]),
    words([["Deny"]] * 4 + [["Audit"], ["Warn"], ["Deny", "Audit"]]),
    st.one_of(*[st.none()] * 3, exactly(namespaceSelector=SELECTORS), _CONSTRAINTS),
)
NATIVE: Final = st.builds(
    lambda constraints, validations, more, binding: [
        _document(
            "admissionregistration.k8s.io",
            "ValidatingAdmissionPolicy",
            "v1",
            {"matchConstraints": constraints, "validations": validations, **more},
        ),
        _document("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "v1", binding),
    ],
    _CONSTRAINTS,
    some(_VALIDATION, 2),
    _MORE,
    _BINDING,
)
