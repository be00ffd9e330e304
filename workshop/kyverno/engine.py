"""What happens to a request: mutation, then validation, policy by policy, then the decision.

Order is Kyverno's: mutating policies first (what they change is what is validated), image verification,
validation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workshop.kyverno import chances
from workshop.kyverno.autogen import compute_rules
from workshop.kyverno.enforcement import admission_off, enforces, ignores_errors, judges
from workshop.kyverno.match import OPERATIONS, Request, applies, as_map, webhook_operations
from workshop.kyverno.outcome import Admission, Beyond, KyvernoError, RuleResult, plain, work

if TYPE_CHECKING:
    from workshop.kyverno.context import Context

_LEGACY = {"ClusterPolicy", "Policy"}
_PATTERNS = ("pattern", "anyPattern")


def admit(
    policies: list[dict[str, Any]],
    resource: dict[str, Any],
    *,
    operation: str = "CREATE",
    old: dict[str, Any] | None = None,
    namespace_labels: dict[str, Any] | None = None,
    variables: dict[str, Any] | None = None,
) -> Admission:
    """See `workshop.kyverno.admit`."""
    with work():
        try:
            given: list[dict[str, Any]] = [policy for policy in plain(policies) if isinstance(policy, dict)]
            asked, before = plain(resource), plain(old)
            labels, values = plain(namespace_labels), plain(variables)

            def decide(name: str = "") -> Admission:
                return chances.in_any_order(
                    given,
                    lambda order: _Admission(asked, operation, before, labels, values).decide(order, name),
                )

            created = operation == "CREATE" and isinstance(asked, dict)
            return chances.under_any_name(asked, decide) if created else decide()
        except (Beyond, RecursionError, TypeError) as error:
            reason = error.reason if isinstance(error, Beyond) else "beyond-evaluator"
            untouched = resource if isinstance(resource, dict) else {}
            return Admission(None, untouched, [RuleResult("", "", "unknown", str(error), reason=reason)])


class _Admission:
    """One request on its way through the policies."""

    def __init__(
        self,
        resource: Any,
        operation: str,
        old: Any,
        namespace_labels: Any,
        variables: Any,
    ) -> None:
        if not isinstance(resource, dict) or operation not in OPERATIONS:
            raise Beyond(
                "beyond-evaluator", "the resource is no object, or the operation is none of Kubernetes'"
            )
        self.deleting = operation == "DELETE"
        self.operation = operation
        self.old: dict[str, Any] | None = (
            old if isinstance(old, dict) else resource if self.deleting else None
        )
        self.labels: dict[str, Any] | None = namespace_labels if isinstance(namespace_labels, dict) else None
        self.variables: dict[str, Any] = variables if isinstance(variables, dict) else {}
        self.resource: dict[str, Any] = resource
        self.results: list[RuleResult] = []
        self.blurred: str | None = None
        self.refused = False
        self.uncertain = False
        self.torn = False
        self.pictured: dict[str, Any] = resource

    @property
    def request(self) -> Request:
        """The request as it stands after the mutations so far."""
        subject = self.old if self.deleting and self.old is not None else self.resource
        return Request(subject, self.operation, self.old, self.labels)

    def decide(self, policies: list[dict[str, Any]], name: str = "") -> Admission:
        """The answer; `name` is what the API server calls an object without one before it is judged."""
        for stage in ("mutate", "verifyImages", "validate"):
            if stage == "validate" and name:
                changed = self.resource
                self.resource = {**changed, "metadata": {**as_map(changed.get("metadata")), "name": name}}
            self.pictured = self.resource
            for policy in policies:
                self.policy(policy, policies, stage)
        admitted = False if self.refused else None if self.uncertain else True
        return Admission(admitted, changed if name else self.resource, self.results)

    def policy(self, policy: dict[str, Any], policies: list[dict[str, Any]], stage: str) -> None:
        """Let one policy act at a stage; one that is no policy at all is unknown."""
        try:
            if str(policy.get("kind")) in _LEGACY:
                self.legacy(policy, policies, stage)
            else:
                self.other(policy, policies, stage)
        except Exception as error:  # noqa: BLE001  (a shape no schema allows must not become a traceback)
            name = str(as_map(policy.get("metadata")).get("name") or "")
            reason = error.reason if isinstance(error, Beyond) else "beyond-evaluator"
            self.add(
                RuleResult(name, "", "unknown", str(error), reason=reason, kind=stage), blocks_errors=True
            )

    def add(self, result: RuleResult, *, blocks_errors: bool) -> None:
        """Take a result into account: a failure refuses if enforced, an error unless errors are ignored."""
        if self.blurred and result.kind == "validate" and result.result != "skip":
            # What this rule would see depends on a change that cannot be told.
            result = replace(result, result="unknown", reason=self.blurred)
        self.results.append(result)
        if result.kind == "mutate" and result.result == "unknown":
            self.blurred = result.reason
        if (result.result == "fail" and result.enforce) or (result.result == "error" and blocks_errors):
            self.refused = True
        elif result.result == "unknown" and (result.enforce or blocks_errors):
            self.uncertain = True

    def asked(self, stage: str, policies: list[dict[str, Any]]) -> bool:
        """Does the API server send this request to Kyverno? That depends on the rules of all policies."""
        actions = ("validate",) if stage == "validate" else ("mutate", "verifyImages")
        default = OPERATIONS if stage == "validate" else ("CREATE", "UPDATE")
        return any(
            self.operation in webhook_operations(rule, self.request, default)
            for policy in policies
            if policy.get("kind") in _LEGACY and not admission_off(as_map(policy.get("spec")))
            for rule in compute_rules(policy, self.request.kind)
            if any(rule.get(action) for action in actions)
        )

    def legacy(self, policy: dict[str, Any], policies: list[dict[str, Any]], stage: str) -> None:
        spec, metadata = as_map(policy.get("spec")), as_map(policy.get("metadata"))
        if admission_off(spec) or not self.asked(stage, policies):
            return
        namespace = str(metadata.get("namespace") or "default") if policy.get("kind") == "Policy" else None
        rules = compute_rules(policy, "" if stage == "mutate" else self.request.kind)
        strict = not ignores_errors(spec)
        before, failed = self.resource, False
        for rule in rules:
            if not rule.get(stage):
                continue
            blocking = stage != "validate" or judges(policy, rule, self.request)
            result = _guarded(
                lambda rule=rule: self.rule(rule, stage, namespace, spec),  # type: ignore[misc]
                RuleResult(
                    str(metadata.get("name") or ""),
                    str(rule.get("name") or ""),
                    "skip",
                    enforce=stage != "mutate" and blocking and enforces(policy, rule, self.request),
                    kind=stage,
                ),
            )
            if result is None:
                continue
            self.add(result, blocks_errors=strict and blocking)
            failed = failed or result.result == "error"
            if spec.get("applyRules") == "One" and result.result in {"pass", "fail"}:
                break
        if stage == "mutate" and failed and not strict:
            # What the policy has changed so far is dropped; what the next one sees then, Kyverno leaves open.
            self.resource, self.torn = before, True

    def rule(
        self, rule: dict[str, Any], stage: str, namespace: str | None, spec: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Evaluate one legacy rule; None when it says nothing of this resource."""
        if not applies(rule, self.request, namespace):
            return None
        webhook = spec.get("webhookConfiguration")
        if isinstance(webhook, dict) and webhook.get("matchConditions"):
            from workshop.kyverno.cel.match import conditions_hold

            if not conditions_hold(webhook["matchConditions"], self.request):
                return None
        from workshop.kyverno import rules
        from workshop.kyverno.context import Context

        new = None if self.deleting else self.resource
        context = Context.of_request(new, self.old, self.operation, self.variables, new and self.pictured)
        context.add_entries(rule.get("context"))
        held, message = rules.check_conditions(rule.get("preconditions"), context)
        status: rules.Status | None
        if not held:
            status = rules.Status("skip", "; ".join(filter(None, ["preconditions not met", message])))
        elif stage == "mutate":
            if rule["mutate"].get("targets"):
                return None
            if self.torn:
                raise Beyond("beyond-evaluator", "a policy before this one failed, and Kyverno ignores that")
            status = rules.mutate(rule, context, self.resource)
            self.resource = status.resource or self.resource
        elif stage == "verifyImages":
            status = rules.verify_images(rule, self.request.resource)
        elif rule["validate"].get("cel") is not None:
            from workshop.kyverno.cel.policies import validate_rule

            status = validate_rule(rule, self.request, self.deleting)
        else:
            status = rules.validate_resource(rule, context, new)
            if status is not None and status.result == "fail" and self.violated_before(rule, spec, context):
                status = rules.Status("skip", "pre-existing violations are allowed")
        if status is None:
            return None
        return {"result": status.result, "message": status.message, "path": status.path}

    def violated_before(self, rule: dict[str, Any], spec: dict[str, Any], context: Context) -> bool:
        """Did the object fail an enforced rule before this update already? Kyverno then lets it be.

        `context` is the one the new object was judged in: what was looked up there is not looked up again.
        """
        validate = rule["validate"]
        action = validate.get("failureAction") or spec.get("validationFailureAction")
        tolerant = validate.get("allowExistingViolations") is not False and str(action).lower() == "enforce"
        if self.operation != "UPDATE" or self.old is None or not tolerant:
            return False
        if rule.get("preconditions") is not None:
            # Kyverno then takes the rule for one that does not match the old object.
            return False
        if not applies(rule, Request(self.old, namespace_labels=self.labels), None):
            return False
        if validate.get("foreach") and (rule.get("context") or "images" in str(validate["foreach"])):
            raise Beyond("beyond-evaluator", "an update: what a foreach looked up in the new object decides")
        from workshop.kyverno import rules
        from workshop.kyverno.variables import substitute

        # A pattern keeps the values it got for the new object.
        known = {form: substitute(validate[form], context) for form in _PATTERNS if validate.get(form)}
        before = rules.validate_resource(
            {**rule, "validate": {**validate, **known}}, context.as_created(self.old), self.old
        )
        return before is not None and before.result == "fail"

    def other(self, policy: dict[str, Any], policies: list[dict[str, Any]], stage: str) -> None:
        """CEL policies: Kyverno's own kinds and Kubernetes' native ones."""
        from workshop.kyverno.cel import policies as cel_policies

        for outcome in cel_policies.evaluate_policy(
            policy, policies, stage, self.request, deleting=self.deleting
        ):
            if outcome.resource is not None:
                self.resource = outcome.resource
            self.add(outcome.result, blocks_errors=outcome.blocks_errors)


def _guarded(evaluate: Callable[[], dict[str, Any] | None], frame: RuleResult) -> RuleResult | None:
    """Run one rule: what stops it becomes its result, whatever the policy holds."""
    try:
        changes = evaluate()
    except KyvernoError as error:
        return replace(frame, result="error", message=str(error))
    except Beyond as beyond:
        return replace(frame, result="unknown", message=str(beyond), reason=beyond.reason)
    except RecursionError:
        return replace(frame, result="unknown", message="nested too deeply", reason="too-much-work")
    except Exception as error:  # noqa: BLE001  (a shape no schema allows must not become a traceback)
        return replace(
            frame, result="unknown", message=f"{type(error).__name__}: {error}", reason="beyond-evaluator"
        )
    return None if changes is None else replace(frame, **changes)
