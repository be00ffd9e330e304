"""Policies written in CEL: Kyverno's policies.kyverno.io kinds, Kubernetes' own, and ``validate.cel`` rules.

Sources: pkg/cel (Kyverno), k8s.io/apiserver/pkg/admission/plugin/policy. The first validation that is false
decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from workshop.kyverno.cel import mutation as cel_mutation
from workshop.kyverno.cel.check import Checker
from workshop.kyverno.cel.evaluation import Scope, evaluate
from workshop.kyverno.cel.library import CelError
from workshop.kyverno.cel.match import (
    autogen,
    conditions,
    generated_spec,
    matches_constraints,
    scope_of,
)
from workshop.kyverno.enforcement import admission_off, cel_actions, ignores_errors
from workshop.kyverno.images import CONTAINERS
from workshop.kyverno.match import Request, as_list, as_map
from workshop.kyverno.outcome import Beyond, KyvernoError, RuleResult
from workshop.kyverno.rules import Status

_NATIVE = "admissionregistration.k8s.io"


@dataclass(frozen=True)
class Outcome:
    """One result, whether an error refuses the request, and the resource when it was changed."""

    result: RuleResult
    blocks_errors: bool
    resource: dict[str, Any] | None = None


def evaluate_policy(
    policy: dict[str, Any], policies: list[dict[str, Any]], stage: str, request: Request, *, deleting: bool
) -> Iterator[Outcome]:
    """What a CEL policy says at a stage (mutate, verifyImages, validate); nothing for other kinds."""
    kind = str(policy.get("kind")).removeprefix("Namespaced")
    group = str(policy.get("apiVersion")).partition("/")[0]
    handler = _KINDS.get((group, kind, stage))
    spec = as_map(policy.get("spec"))
    if handler is None or admission_off(spec) or as_map(spec.get("evaluation")).get("mode") == "JSON":
        return
    metadata = as_map(policy.get("metadata"))
    if policy.get("kind") != kind and metadata.get("namespace", "default") != request.namespace:
        return
    deny = "Deny" in cel_actions(spec) if stage != "mutate" else False
    frame = RuleResult(str(metadata.get("name") or ""), "", "skip", enforce=deny, kind=stage)
    yield from handler(_Policy(policy, spec, policies, request, deleting, group == _NATIVE), frame)


@dataclass(frozen=True)
class _Policy:
    """A CEL policy about to be evaluated for a request."""

    document: dict[str, Any]
    spec: dict[str, Any]
    policies: list[dict[str, Any]]
    request: Request
    deleting: bool
    #: Is it Kubernetes' own, not Kyverno's?
    native: bool

    def scope(self) -> Scope:
        """The variables of its expressions."""
        kyvernos = str(self.document.get("apiVersion")).startswith("policies.kyverno.io/")
        eager = kyvernos and not str(self.document.get("kind")).endswith("ImageValidatingPolicy")
        variables = self.spec.get("variables")
        found = scope_of(self.request, variables, deleting=self.deleting, native=self.native)
        return replace(found, eager=eager)

    def strict(self) -> bool:
        """Do its errors refuse the request?"""
        return not ignores_errors(self.spec)


def _run(
    policy: _Policy, frame: RuleResult, evaluate_it: Callable[[_Policy], Status | None]
) -> Iterator[Outcome]:
    """Match, check conditions, evaluate; errors and unknowns become results."""
    denies = (frame.kind == "mutate" and policy.strict()) or (frame.kind != "mutate" and frame.enforce)
    constraints = as_map(policy.spec.get("matchConstraints"))
    if not as_list(constraints.get("resourceRules")):
        return  # the policy's webhook is asked for nothing
    try:
        if not matches_constraints(constraints, policy.request, deleting=policy.deleting):
            _ask_webhook(policy, constraints)
            return
        try:
            # What is not there is null to the conditions of every kind of policy.
            held = conditions(policy.spec.get("matchConditions"), replace(policy, native=True).scope())
        except KyvernoError:
            if frame.kind == "mutate" or policy.strict():
                raise
            held = False
        status = evaluate_it(policy) if held else Status("skip", "match conditions not met")
    except KyvernoError as error:
        yield Outcome(replace(frame, result="error", message=str(error)), denies)
        return
    except Beyond as beyond:
        yield Outcome(replace(frame, result="unknown", message=str(beyond), reason=beyond.reason), denies)
        return
    except RecursionError:
        yield Outcome(
            replace(frame, result="unknown", message="nested too deeply", reason="too-much-work"), denies
        )
        return
    if status is not None:
        yield Outcome(replace(frame, result=status.result, message=status.message), denies, status.resource)


def _ask_webhook(policy: _Policy, constraints: dict[str, Any]) -> None:
    """A webhook knows no resourceNames: the API server evaluates its conditions for objects of any name."""
    rules = [{**as_map(rule), "resourceNames": []} for rule in as_list(constraints.get("resourceRules"))]
    any_name = {**constraints, "resourceRules": rules}
    if policy.native or not policy.strict() or not policy.spec.get("matchConditions"):
        return
    if matches_constraints(any_name, policy.request, deleting=policy.deleting):
        with suppress(Beyond):
            conditions(policy.spec["matchConditions"], replace(policy, native=True).scope())


def check_validations(validations: object, scope: Scope) -> Status:
    """The first validation that is false, or that cannot be evaluated, decides."""
    for index, item in enumerate(as_list(validations)):
        validation = as_map(item)
        answer = evaluate(str(validation.get("expression")), scope)
        if not isinstance(answer, bool):
            raise CelError("a validation must be true or false")
        if answer:
            continue
        message = str(validation.get("message") or "")
        if validation.get("messageExpression"):
            try:
                told = evaluate(str(validation["messageExpression"]), scope)
                message = told if isinstance(told, str) and told.strip() else message
            except (KyvernoError, Beyond):
                pass
        expression = str(validation.get("expression")).strip()
        return Status("fail", message or f"failed expression: {expression}", f"validations[{index}]")
    return Status("pass", "success")


def _validating(policy: _Policy, frame: RuleResult) -> Iterator[Outcome]:
    spec = generated_spec(policy.spec, policy.request.kind)
    policy = replace(policy, spec=spec)
    yield from _run(policy, frame, lambda p: check_validations(p.spec.get("validations"), p.scope()))


def _image_validating(policy: _Policy, frame: RuleResult) -> Iterator[Outcome]:
    def judge(p: _Policy) -> Status:
        from workshop.kyverno.image_policies import asked_images

        images = asked_images(p.document, p.request.resource)
        if images:
            raise Beyond("needs-registry", "signatures to verify: " + ", ".join(images))
        # The validations run all the same, over lists without images.
        scope = p.scope()
        scope.values["images"] = {name: [] for name in CONTAINERS}
        scope.attestors = {
            str(as_map(each).get("name")): as_map(each) for each in as_list(p.spec.get("attestors"))
        }
        status = check_validations(p.spec.get("validations"), scope)
        if status.result != "pass":
            return status
        return Status("skip", "no image matches matchImageReferences")

    yield from _run(replace(policy, spec=generated_spec(policy.spec, policy.request.kind)), frame, judge)


def _native_validating(policy: _Policy, frame: RuleResult) -> Iterator[Outcome]:
    """A ValidatingAdmissionPolicy acts through its bindings, each with its own actions and narrower match."""
    for binding in _bindings(policy, "ValidatingAdmissionPolicyBinding"):
        spec = as_map(binding.get("spec"))
        deny = "Deny" in as_list(spec.get("validationActions"))
        yield from _native(
            policy,
            spec,
            replace(frame, enforce=deny),
            lambda p: check_validations(p.spec.get("validations"), p.scope()),
        )


def _native_mutating(policy: _Policy, frame: RuleResult) -> Iterator[Outcome]:
    for binding in _bindings(policy, "MutatingAdmissionPolicyBinding"):
        yield from _native(policy, as_map(binding.get("spec")), frame, _mutate)


def _bindings(policy: _Policy, kind: str) -> list[dict[str, Any]]:
    name = as_map(policy.document.get("metadata")).get("name")
    found = [item for item in policy.policies if item.get("kind") == kind]
    return [item for item in found if as_map(item.get("spec")).get("policyName") == name]


def _native(
    policy: _Policy,
    binding: dict[str, Any],
    frame: RuleResult,
    evaluate_it: Callable[[_Policy], Status | None],
) -> Iterator[Outcome]:
    def judge(p: _Policy) -> Status | None:
        if not matches_constraints(binding.get("matchResources"), p.request, deleting=p.deleting):
            return None
        if p.spec.get("paramKind"):
            raise Beyond("needs-cluster", "the policy takes parameters")
        return evaluate_it(p)

    for outcome in _run(policy, frame, judge):
        result = outcome.result
        if result.result == "error" and policy.strict() and frame.kind == "validate":
            # To the API server an expression that fails is a denial, unless failurePolicy says Ignore.
            result = replace(result, result="fail")
        yield replace(outcome, result=result, blocks_errors=policy.strict() and frame.kind == "mutate")


def _mutate(policy: _Policy) -> Status:
    if policy.deleting:
        raise Beyond("beyond-evaluator", "a mutation of an object that is being deleted")
    return Status(
        "pass", "success", resource=cel_mutation.mutated(policy.spec, policy.request, native=policy.native)
    )


def _mutating(policy: _Policy, frame: RuleResult) -> Iterator[Outcome]:
    target = as_map(policy.spec.get("targetMatchConstraints"))
    if target.get("resourceRules") or target.get("expression"):
        return
    found = autogen(policy.spec, policy.request.kind)
    if found is not None:
        policy = replace(policy, spec=cel_mutation.shifted(policy.spec, *found))
    yield from _run(policy, frame, _mutate)


def validate_rule(rule: dict[str, Any], request: Request, deleting: bool) -> Status:
    """A ``validate.cel`` rule of a ClusterPolicy."""
    cel = as_map(rule["validate"]["cel"])
    if cel.get("paramKind") or cel.get("paramRef"):
        raise Beyond("needs-cluster", "the rule takes parameters")
    scope = scope_of(request, cel.get("variables"), deleting=deleting)
    try:
        _compile(rule, cel)
        if not conditions(rule.get("celPreconditions"), scope):
            return Status("skip", "cel preconditions not met")
        status = check_validations(cel.get("expressions"), scope)
    except KyvernoError as error:
        # Kyverno asks the API server's own validator, to which an expression that fails is a denial.
        return Status("fail", f"expression resulted in error: {error}")
    message = as_map(rule["validate"]).get("message")
    own = message and status.message.startswith("failed expression")
    return replace(status, message=str(message)) if own else status


def _compile(rule: dict[str, Any], cel: dict[str, Any]) -> None:
    """Kyverno takes the policy all the same; an expression that does not compile then fails every request."""
    checker = Checker("native")
    named = map(as_map, as_list(cel.get("variables")))
    conditions = [*as_list(rule.get("celPreconditions")), *as_list(cel.get("expressions"))]
    problems = [checker.variable(str(each.get("name")), str(each.get("expression"))) for each in named]
    problems += [checker.error(str(as_map(each).get("expression")), ["bool"]) for each in conditions]
    messages = [as_map(each).get("messageExpression") for each in as_list(cel.get("expressions"))]
    problems += [checker.error(str(message), ["string"]) for message in messages if message]
    # Kyverno compiles these itself, with an orValue that takes anything.
    if found := next((problem for problem in problems if problem and "'orValue'" not in problem), None):
        raise KyvernoError(f"compilation error: {found}")


_Handler = Callable[[_Policy, RuleResult], Iterator[Outcome]]
_KINDS: dict[tuple[str, str, str], _Handler] = {
    ("policies.kyverno.io", "ValidatingPolicy", "validate"): _validating,
    ("policies.kyverno.io", "MutatingPolicy", "mutate"): _mutating,
    ("policies.kyverno.io", "ImageValidatingPolicy", "verifyImages"): _image_validating,
    (_NATIVE, "ValidatingAdmissionPolicy", "validate"): _native_validating,
    (_NATIVE, "MutatingAdmissionPolicy", "mutate"): _native_mutating,
}
