"""A server's message leads to the line it speaks of."""

from __future__ import annotations

import pytest

from checks.techmarket.on_cluster._places import place_of
from workshop.workspace import parse_documents

TASK = """\
apiVersion: tekton.dev/v1
kind: Task
metadata:
  name: build
spec:
  parms: []
  steps:
    - name: one
      image: alpine
      args: [a, b]
    - name: two
      image: alpine
      args: [c, 1]
      env:
        - {name: X, value: $(params.IMAGE)}
"""
POLICY = """\
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: x}
spec:
  rules:
    - name: r
      verifyImages:
        - attestors: []
"""


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        (TASK, 'strict decoding error: unknown field "spec.parms"', 6, 3),
        (
            TASK,
            'invalid value: non-existent variable in "$(params.IMAGE)": spec.steps[1].env[0].value',
            15,
            21,
        ),
        (TASK, "missing: spec.steps[two].env[X]", 15, 11),
        (
            TASK,
            "json: cannot unmarshal number into Go struct field Step.spec.steps.args of type string",
            13,
            17,
        ),
        (TASK, "spec.steps[0].script: Required value", 8, 7),
        (TASK, "spec.steps[7].script: Required value", 7, 3),
        (TASK, "the server could not be asked", 1, 1),
        (POLICY, "path: spec.rules[0].verifyImages[0].attestors: Required value", 8, 11),
        (POLICY, "variable 'element' present outside of foreach at path /rules/0/verifyImages", 7, 7),
    ],
    ids=[
        "unknown-field",
        "path",
        "by-name",
        "wrong-type",
        "absent-field",
        "absent-item",
        "no-field",
        "kyverno-path",
        "slashes",
    ],
)
def test_place(text: str, message: str, line: int, column: int) -> None:
    [document] = parse_documents(text, file="td/x.yaml")
    place = place_of(document, message)
    assert (place.line, place.column) == (line, column)


@pytest.mark.parametrize(
    "message", ["spec" * 5000, "spec.[[[[", 'unknown field "spec.', "spec.steps[-1].x", ""]
)
def test_strange_messages_are_no_error(message: str) -> None:
    [document] = parse_documents(TASK, file="td/x.yaml")
    assert place_of(document, message).file == "td/x.yaml"
