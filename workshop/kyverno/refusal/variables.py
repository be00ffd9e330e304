"""What Kyverno's policy webhook refuses of variables: names that nothing defines where they stand.

Source: pkg/validation/policy/{validate,allowed_vars,background}.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from workshop.kyverno.autogen import compute_rules
from workshop.kyverno.match import as_list, as_map
from workshop.kyverno.outcome import Beyond, KyvernoError, NotFoundError
from workshop.kyverno.values import wildcard
from workshop.kyverno.variables import VARIABLE, substitute

_CALL = r"([a-z_0-9]+\()[^{}]"
_BACKGROUND = re.compile(rf"request\.|element|elementIndex|@|images|images\.|image\.|{_CALL}")
_ADMISSION = re.compile(
    rf"request|serviceAccountName|serviceAccountNamespace|element|elementIndex|@|images|image|{_CALL}"
)
_USER = re.compile(
    r"[^.](serviceAccountName|serviceAccountNamespace|request.userInfo|request.roles|request.clusterRoles)\b"
)


def variable_errors(policy: dict[str, Any], own: list[dict[str, Any]], *, background: bool) -> Iterator[str]:
    """Every objection to a variable; `own` are the rules as they are written."""
    if background and not any(as_map(rule.get("mutate")).get("targets") for rule in own):
        for found in VARIABLE.findall(str(policy.get("spec"))):
            if user := _USER.search(found[found.index("{{") :]):
                yield f"only select variables are allowed in background mode: {user[1]} (background: false)"
    for rule in compute_rules(policy, ""):
        yield from _stray_elements(rule, "")
        yield from _stray_targets(rule)
        allowed = _Names(rule, background=background)
        try:
            substitute({key: value for key, value in rule.items() if key != "verifyImages"}, allowed)  # type: ignore[arg-type]
        except NotFoundError:
            pass
        except Beyond:
            continue
        except KyvernoError as error:
            yield f"variable substitution failed for rule {rule.get('name')}: {error}"


def _stray_elements(node: object, path: str) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _stray_elements(value, f"{path}/{key}")
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _stray_elements(item, f"{path}/{index}")
    elif isinstance(node, str) and "/foreach/" not in path:
        for found in VARIABLE.findall(node):
            name = (
                found[found.index("{{") :]
                .replace("{{", "")
                .replace("}}", "")
                .strip()
                .removeprefix("-")
                .strip()
            )
            if name.startswith("element"):
                yield f"variable '{name}' present outside of foreach at path {path}"


def _stray_targets(rule: dict[str, Any]) -> Iterator[str]:
    """`target` is known once the targets are found: to their conditions and contexts, and to the patch."""
    mutate = as_map(rule.get("mutate"))
    found_by = [
        {key: value for key, value in as_map(target).items() if key not in ("context", "preconditions")}
        for target in as_list(mutate.get("targets"))
    ]
    before = {key: value for key, value in rule.items() if key != "mutate"}
    for variable in VARIABLE.findall(str([before, *found_by])) if found_by else ():
        name = variable[variable.index("{{") :].strip("{}- ")
        if name.startswith("target."):
            yield f"variable '{name}' is known in the target section of a rule only"


class _Names:
    """Stands for the context while a policy is checked: knows which variables exist, not their values."""

    operation = ""
    data: dict[str, Any] = {}  # noqa: RUF012  (read only: there is never a target)

    def __init__(self, rule: dict[str, Any], *, background: bool) -> None:
        targets = as_list(as_map(rule.get("mutate")).get("targets"))
        self.allowed = _BACKGROUND if background else _ADMISSION
        self.patterns = ["target.*"] if targets else []
        loops = [
            loop
            for action in ("validate", "mutate", "generate")
            for loop in as_list(as_map(rule.get(action)).get("foreach"))
        ]
        entries = [
            entry for holder in [rule, *loops, *targets] for entry in as_list(as_map(holder).get("context"))
        ]
        for entry in map(as_map, entries):
            name = str(entry.get("name"))
            tails = (
                (".data", ".metadata", ".data.*", ".metadata.*")
                if entry.get("configMap") is not None
                else ("*",)
            )
            self.patterns += [name + tail for tail in tails]

    def query(self, expression: str) -> None:
        """None for a variable that may be used; raises KyvernoError for the others."""
        from workshop.kyverno.jmes import check_syntax

        check_syntax(expression)
        bare = expression.replace('"', "")
        if self.allowed.search(bare) or any(wildcard(pattern, bare) for pattern in self.patterns):
            return
        raise KyvernoError(f"variable {bare} must match the variables that are defined here")
