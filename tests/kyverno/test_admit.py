"""What a learner's policies do to probe Pods, in every form the statement allows."""

from __future__ import annotations

import copy
import textwrap
from typing import Any

import pytest
import yaml

from workshop.kyverno import admit

Document = dict[str, Any]


def pod(*images: str, init: tuple[str, ...] = (), resources: Any = None, **metadata: Any) -> Document:
    def container(index: int, image: str) -> Document:
        found: Document = {"name": f"c{index}", "image": image}
        return found | ({"resources": resources} if resources is not None else {})

    spec: Document = {
        "containers": [container(i, image) for i, image in enumerate(images or ("nginx:1.27.5",))]
    }
    if init:
        spec["initContainers"] = [container(i, image) for i, image in enumerate(init)]
    metadata = {"name": "probe", "namespace": "default"} | metadata
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def deployment(*images: str) -> Document:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": pod(*images)["spec"]}
    spec = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
    metadata = {"name": "probe", "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def policy(rule: str, *, action: str = "Enforce", **spec: Any) -> Document:
    body = yaml.safe_load(textwrap.dedent(rule))
    rules = body if isinstance(body, list) else [body]
    for index, item in enumerate(rules):
        item.setdefault("name", f"r{index}")
        item.setdefault("match", {"any": [{"resources": {"kinds": ["Pod"]}}]})
    return {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": "p"},
        "spec": {"validationFailureAction": action, "rules": rules, **spec},
    }


def cel_policy(kind: str, spec: str, **more: Any) -> Document:
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["pods"],
    }
    body = {"matchConstraints": {"resourceRules": [rule]}} | yaml.safe_load(textwrap.dedent(spec)) | more
    document = {"apiVersion": "policies.kyverno.io/v1", "kind": kind, "metadata": {"name": "p"}, "spec": body}
    if kind.endswith("AdmissionPolicy"):
        document["apiVersion"] = "admissionregistration.k8s.io/v1"
    return document


def binding(*actions: str) -> Document:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "b"},
        "spec": {"policyName": "p", "validationActions": list(actions)},
    }


NO_LATEST = {
    "pattern": policy('validate: {message: m, pattern: {spec: {containers: [{image: "!*:latest"}]}}}'),
    "two rules": policy(
        """
        - validate: {pattern: {spec: {containers: [{image: "*:*"}]}}}
        - validate: {pattern: {spec: {containers: [{image: "!*:latest"}]}}}
        """
    ),
    "foreach deny": policy(
        """
        validate:
          foreach:
          - list: request.object.spec.containers
            deny:
              conditions:
                any:
                - {key: "{{ element.image }}", operator: Equals, value: "*:latest"}
        """
    ),
    "foreach pattern": policy(
        'validate: {foreach: [{list: request.object.spec.containers, pattern: {image: "!*:latest"}}]}'
    ),
    "deny on images": policy(
        """
        validate:
          deny:
            conditions:
              any:
              - {key: "{{ images.containers.*.tag }}", operator: AnyIn, value: [latest]}
        """
    ),
    "cel": policy(
        """
        validate:
          cel:
            expressions:
            - {expression: "object.spec.containers.all(c, !c.image.endsWith(':latest'))"}
        """
    ),
    "ValidatingPolicy": cel_policy(
        "ValidatingPolicy",
        "validations: [{expression: \"object.spec.containers.all(c, !c.image.matches(':latest$'))\"}]",
    ),
}


@pytest.mark.parametrize("form", NO_LATEST)
def test_latest_is_refused_in_every_form(form: str) -> None:
    policies = [NO_LATEST[form]]
    assert admit(policies, pod("nginx:latest")).admitted is False
    assert admit(policies, pod("nginx:1.27.5", "nginx:latest")).admitted is False
    assert admit(policies, pod("nginx:1.27.5")).admitted is True
    assert admit(policies, pod("nginx:latest-alpine")).admitted is True
    assert admit(policies, pod("latest-news:1.0")).admitted is True
    assert admit(policies, pod("registry.local:5000/app:1.0")).admitted is True
    assert admit(policies, deployment("nginx:latest")).admitted is False
    assert admit(policies, deployment("nginx:1.27.5")).admitted is True
    assert admit(policies, pod("nginx:latest", namespace="elsewhere")).admitted is False


@pytest.mark.parametrize(
    "rule",
    [
        "validate: {pattern: {spec: {containers: [{image: '*:latest'}]}}}",
        (
            "validate: {anyPattern: [{spec: {containers: [{image: '*:*'}]}},"
            " {spec: {containers: [{image: '!*:latest'}]}}]}"
        ),
        "{match: {any: [{resources: {kinds: [Deployment]}}]}, validate: {pattern: {spec: {x: y}}}}",
    ],
    ids=["inverted", "either will do", "other kind"],
)
def test_wrong_answers_admit_latest(rule: str) -> None:
    assert admit([policy(rule)], pod("nginx:latest")).admitted is True


def test_a_rule_says_where_it_failed() -> None:
    (result,) = admit([NO_LATEST["pattern"]], pod("nginx:1", "nginx:latest")).results
    assert (result.policy, result.rule, result.result) == ("p", "r0", "fail")
    assert result.path == "/spec/containers/1/image/"
    (result,) = admit([NO_LATEST["pattern"]], deployment("nginx:latest")).results
    assert (result.rule, result.path) == ("autogen-r0", "/spec/template/spec/containers/0/image/")


@pytest.mark.parametrize(
    ("spec", "enforced"),
    [
        ({"validationFailureAction": "Audit"}, False),
        ({"validationFailureAction": "enforce"}, True),
        ({"validationFailureAction": None}, False),
        ({"validationFailureActionOverrides": [{"action": "Audit", "namespaces": ["def*"]}]}, False),
        ({"validationFailureActionOverrides": [{"action": "Audit", "namespaces": ["other"]}]}, True),
        ({"admission": False}, False),
    ],
)
def test_only_an_enforced_failure_refuses(spec: Document, enforced: bool) -> None:
    changed = copy.deepcopy(NO_LATEST["pattern"])
    changed["spec"] |= spec
    assert admit([changed], pod("nginx:latest")).admitted is not enforced


def test_the_action_of_the_rule_wins() -> None:
    rule = 'validate: {failureAction: Enforce, pattern: {spec: {containers: [{image: "!*:latest"}]}}}'
    assert admit([policy(rule, action="Audit")], pod("nginx:latest")).admitted is False


@pytest.mark.parametrize(("actions", "admitted"), [([], True), (["Audit"], True), (["Deny"], False)])
def test_a_native_policy_acts_through_its_binding(actions: list[str], admitted: bool) -> None:
    native = copy.deepcopy(NO_LATEST["ValidatingPolicy"])
    native |= {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy"}
    policies = [native, *([binding(*actions)] if actions else [])]
    assert admit(policies, pod("nginx:latest")).admitted is admitted


LIMITS = policy(
    'validate: {pattern: {spec: {containers: [{resources: {limits: {memory: "?*", cpu: "?*"}}}]}}}'
)


@pytest.mark.parametrize(
    ("resources", "admitted"),
    [
        (None, False),
        ({}, False),
        ({"limits": {"memory": "32Mi"}}, False),
        ({"limits": {"cpu": "50m"}}, False),
        ({"requests": {"memory": "32Mi", "cpu": "50m"}}, False),
        ({"limits": {"memory": "32Mi", "cpu": "50m"}}, True),
        ({"limits": {"memory": "32Mi", "cpu": 1}}, True),
    ],
)
def test_both_limits_are_required(resources: Any, admitted: bool) -> None:
    assert admit([LIMITS], pod(resources=resources)).admitted is admitted


def test_a_conditional_anchor_makes_limits_optional() -> None:
    rule = 'validate: {pattern: {spec: {containers: [{=(resources): {=(limits): {memory: "?*"}}}]}}}'
    assert admit([policy(rule)], pod()).admitted is True


LABELS = {"cost-center": "techmarket", "managed-by": "platform-team"}
ADD_LABELS = {
    "strategic merge": policy(
        "mutate: {patchStrategicMerge: {metadata: {labels:"
        " {cost-center: techmarket, managed-by: platform-team}}}}"
    ),
    "add if absent": policy(
        "mutate: {patchStrategicMerge: {metadata: {labels:"
        " {+(cost-center): techmarket, +(managed-by): platform-team}}}}"
    ),
    "json patch": policy(
        """
        mutate:
          patchesJson6902: |-
            - {op: add, path: /metadata/labels/cost-center, value: techmarket}
            - {op: add, path: /metadata/labels/managed-by, value: platform-team}
        """
    ),
    "ApplyConfiguration": cel_policy(
        "MutatingPolicy",
        """
        mutations:
        - patchType: ApplyConfiguration
          applyConfiguration:
            expression: >-
              Object{metadata: Object.metadata{
                labels: {"cost-center": "techmarket", "managed-by": "platform-team"}}}
        """,
    ),
    "JSONPatch": cel_policy(
        "MutatingPolicy",
        """
        mutations:
        - patchType: JSONPatch
          jsonPatch:
            expression: >-
              has(object.metadata.labels)
              ? [JSONPatch{op: "add", path: "/metadata/labels/cost-center", value: "techmarket"},
                 JSONPatch{op: "add", path: "/metadata/labels/managed-by", value: "platform-team"}]
              : [JSONPatch{op: "add", path: "/metadata/labels",
                 value: {"cost-center": "techmarket", "managed-by": "platform-team"}}]
        """,
    ),
}


@pytest.mark.parametrize("form", ADD_LABELS)
@pytest.mark.parametrize("labels", [None, {"app": "a"}])
def test_labels_are_added_in_every_form(form: str, labels: Any) -> None:
    given = pod(**({"labels": labels} if labels else {}))
    before = copy.deepcopy(given)
    admission = admit([ADD_LABELS[form]], given)
    assert admission.admitted is True
    assert admission.resource["metadata"]["labels"] == (labels or {}) | LABELS
    assert given == before


def test_a_replace_of_what_is_absent_is_an_error() -> None:
    patch = "mutate: {patchesJson6902: '- {op: replace, path: /metadata/labels/a, value: b}'}"
    admission = admit([policy(patch)], pod())
    assert [result.result for result in admission.results] == ["error"]
    assert admission.admitted is False


def test_mutation_comes_before_validation() -> None:
    wanted = policy("validate: {pattern: {metadata: {labels: {cost-center: techmarket}}}}")
    assert admit([wanted], pod()).admitted is False
    assert admit([wanted, ADD_LABELS["strategic merge"]], pod()).admitted is True


VERIFY = policy(
    """
    verifyImages:
    - imageReferences: ["ghcr.io/lea-devops/*"]
      attestors: [{entries: [{keyless: {subject: lea@example.org, issuer: i, rekor: {url: u}}}]}]
    """
)


@pytest.mark.parametrize(
    ("image", "admitted"), [("ghcr.io/lea-devops/payment-service:v1", None), ("nginx:1.27.5", True)]
)
def test_a_signature_is_for_the_registry_to_tell(image: str, admitted: bool | None) -> None:
    admission = admit([VERIFY], pod(image))
    assert admission.admitted is admitted
    (result,) = admission.results
    assert (result.result, result.reason) == (
        ("unknown", "needs-registry") if admitted is None else ("skip", None)
    )


def test_what_only_a_cluster_knows_is_unknown() -> None:
    rule = """
    context: [{name: cm, configMap: {name: a, namespace: b}}]
    validate: {deny: {conditions: {any: [{key: "{{ cm.data.x }}", operator: Equals, value: y}]}}}
    """
    admission = admit([policy(rule)], pod())
    assert admission.admitted is None
    assert admission.results[0].reason == "needs-cluster"
    assert admit([policy(rule, action="Audit")], pod()).admitted is True


def test_who_asks_is_unknown() -> None:
    rule = """
    match: {any: [{resources: {kinds: [Pod]}, subjects: [{kind: User, name: lea}]}]}
    validate: {deny: {}}
    """
    assert admit([policy(rule)], pod()).results[0].reason == "needs-user"
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}
    assert admit([policy(rule)], service).results == []


def denied(selection: str) -> str:
    return f"{{match: {{any: [{{resources: {{kinds: [Pod], {selection}}}}}]}}, validate: {{deny: {{}}}}}}"


@pytest.mark.parametrize(("labels", "admitted"), [(None, None), ({"a": "b"}, False), ({}, True)])
def test_namespace_labels_may_decide(labels: Any, admitted: bool | None) -> None:
    rule = denied("namespaceSelector: {matchLabels: {a: b}}")
    assert admit([policy(rule)], pod(), namespace_labels=labels).admitted is admitted


def test_the_name_of_a_namespace_is_always_known() -> None:
    selector = (
        "{matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system]}]}"
    )
    rule = denied(f"namespaceSelector: {selector}")
    assert admit([policy(rule)], pod()).admitted is False
    assert admit([policy(rule)], pod(namespace="kube-system")).admitted is True


@pytest.mark.parametrize("operation", ["CREATE", "UPDATE", "DELETE"])
def test_operations_are_told_apart(operation: str) -> None:
    rule = denied(f"operations: [{operation}]")
    for asked in ("CREATE", "UPDATE", "DELETE"):
        old = pod() if asked != "CREATE" else None
        assert admit([policy(rule)], pod(), operation=asked, old=old).admitted is (asked != operation)


@pytest.mark.parametrize(
    ("kind", "result"),
    [("ValidatingPolicy", "error"), ("ValidatingAdmissionPolicy", "fail"), ("rule", "fail")],
)
@pytest.mark.parametrize("failure_policy", ["Fail", "Ignore"])
def test_an_expression_that_fails(kind: str, result: str, failure_policy: str) -> None:
    validations = [{"expression": "object.spec.nothing == 1"}]
    if kind == "rule":
        document = policy("validate: {cel: {expressions: [{expression: object.spec.nothing == 1}]}}")
    else:
        document = cel_policy(kind, "{}", validations=validations, failurePolicy=failure_policy)
    ignored = kind == "ValidatingAdmissionPolicy" and failure_policy == "Ignore"
    admission = admit([document, binding("Deny")], pod())
    assert [found.result for found in admission.results] == ["error" if ignored else result]
    assert admission.admitted is ignored


def test_an_old_violation_is_tolerated() -> None:
    bad, good = pod("nginx:latest"), pod("nginx:1")
    rule = NO_LATEST["pattern"]
    assert admit([rule], bad, operation="UPDATE", old=bad).admitted is True
    assert admit([rule], bad, operation="UPDATE", old=good).admitted is False
    strict = copy.deepcopy(rule)
    strict["spec"]["rules"][0]["validate"]["allowExistingViolations"] = False
    assert admit([strict], bad, operation="UPDATE", old=bad).admitted is False


def test_what_follows_an_unknown_change_is_unknown() -> None:
    rule = """
    context: [{name: cm, configMap: {name: a, namespace: b}}]
    mutate: {patchStrategicMerge: {metadata: {labels: {cost-center: "{{ cm.data.x }}"}}}}
    """
    wanted = policy("validate: {pattern: {metadata: {labels: {cost-center: techmarket}}}}")
    admission = admit([policy(rule), wanted], pod())
    assert admission.admitted is None
    assert [(result.result, result.reason) for result in admission.results] == [
        ("unknown", "needs-cluster")
    ] * 2


def test_preconditions_hold_for_every_form() -> None:
    never = "preconditions: {all: [{key: a, operator: Equals, value: b}]}"
    for body in ("validate: {deny: {}}", "validate: {cel: {expressions: [{expression: 'false'}]}}"):
        (result,) = admit([policy(f"{{{never}, {body}}}")], pod()).results
        assert result.result == "skip"
