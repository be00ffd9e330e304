"""What a template asks and does, read off the document."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop.backstage import Template, refusals
from workshop.backstage.actions import is_misspelt, meant
from workshop.workspace import parse_documents

_PAGE = """\
spec:
  parameters:
    - required: [{required}]
      properties: {properties}
  steps:
    - action: fetch:template
      input: {{values: {values}}}
"""


def _template(text: str) -> Template:
    return Template.of(parse_documents(text, file="td/backstage/t.yaml", dialect="core")[0])


def _form(properties: str, values: str = "{}", required: str = "") -> Template:
    return _template(_PAGE.format(properties=properties, values=values, required=required))


@pytest.mark.parametrize(
    ("properties", "names", "owners"),
    [
        ("{name: {}, owner: {}}", ["name"], ["owner"]),
        ("{component_id: {}, team: {}}", ["component_id"], ["team"]),
        ("{serviceName: {}, serviceOwner: {}}", ["serviceName"], ["serviceOwner"]),
        ("{nomDuService: {}, equipeProprietaire: {}}", ["nomDuService"], ["equipeProprietaire"]),
        ("{x: {title: Nom du service}, y: {title: Équipe}}", ["x"], ["y"]),
        ("{x: {title: Service name}, y: {ui:field: OwnerPicker}}", ["x"], ["y"]),
        (
            "{name: {}, y: {ui:field: EntityPicker, ui:options: {catalogFilter: {kind: [Group]}}}}",
            ["name"],
            ["y"],
        ),
        (
            "{name: {}, y: {ui:field: EntityPicker, ui:options: {catalogFilter: {kind: System}}}}",
            ["name"],
            [],
        ),
        ("{name: {}, description: {}}", ["name"], []),
        ("{name: {}, githubOwner: {}}", ["name"], []),
        ("{owner: {}, repoUrl: {ui:field: RepoUrlPicker}}", [], ["owner"]),
        ("{owner: {}, imageName: {}, namespace: {}, port: {}}", [], ["owner"]),
        ("{}", [], []),
    ],
)
def test_who_asks_for_what(properties: str, names: list[str], owners: list[str]) -> None:
    read = _form(properties)
    assert [each.id for each in read.names] == names
    assert [each.id for each in read.owners] == owners


def test_what_the_skeleton_calls_an_answer_says_what_it_is() -> None:
    read = _form("{a: {}, b: {}}", values='{name: "${{ parameters.a }}", owner: "${{ parameters.b }}"}')
    assert [each.id for each in read.names] == ["a"]
    assert [each.id for each in read.owners] == ["b"]


def test_the_repository_s_name_serves_where_the_skeleton_gets_it() -> None:
    properties = "{owner: {}, repoUrl: {ui:field: RepoUrlPicker}}"
    given_name = _form(properties, values='{name: "${{ (parameters.repoUrl | parseRepoUrl).repo }}"}')
    assert [each.id for each in given_name.names] == ["repoUrl"]
    given_account = _form(properties, values='{account: "${{ (parameters.repoUrl | parseRepoUrl).owner }}"}')
    assert given_account.names == ()


def test_required_is_what_always_has_to_be_answered() -> None:
    read = _template("""\
spec:
  parameters:
    properties:
      a: {}
      b: {}
    required: [a]
    allOf: [{properties: {c: {}}, required: [c]}]
    dependencies: {b: {properties: {d: {}}, required: [d]}}
    then: {properties: {e: {}}, required: [e]}
""")
    assert {each.id: each.required for each in read.properties} == {
        "a": True, "b": False, "c": True, "d": False, "e": False,
    }  # fmt: skip


def test_steps_without_id_are_numbered() -> None:
    read = _template("spec: {steps: [{action: debug:log}, {id: x, action: debug:log}, {action: debug:log}]}")
    assert [step.id for step in read.steps] == ["step-1", "x", "step-3"]


@pytest.mark.parametrize(
    ("written", "probably"),
    [
        ("publish:github", "publish:github"),
        ("github:publish", "publish:github"),
        ("catalog:add", "catalog:register"),
        ("fetch:templates", "fetch:template"),
        ("Publish:GitHub", "publish:github"),
    ],
)
def test_misspelt_actions_are_understood(written: str, probably: str) -> None:
    assert meant(written) == probably
    assert is_misspelt(written) == (written != probably)


def test_somebody_s_own_action_is_not_misspelt() -> None:
    assert not is_misspelt("techmarket:announce")
    assert is_misspelt("catalog:frobnicate")


_ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["", "name", "${{ parameters.x }}", "fetch:template"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["spec", "parameters", "properties", "required", "steps", "input", "values", "action", "id",
                 "allOf", "dependencies", "metadata", "links", "annotations", "name", "owner", "ui:field"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)  # fmt: skip


@given(_ODD)
def test_odd_shapes_are_read(data: object) -> None:
    text = json.dumps({"kind": "Template", "metadata": data, "spec": data})
    document = parse_documents(text, file="td/backstage/t.yaml", dialect="core")[0]
    read = Template.of(document)
    assert {each.id for each in (*read.names, *read.owners)} <= {each.id for each in read.properties}
    assert all(isinstance(text, str) for _, _, text in read.texts())
    for refusal in refusals(document.data):
        assert refusal.path == () or document.at(*refusal.path)


@given(_ODD)
def test_what_is_no_entity_is_refused(data: object) -> None:
    assert refusals(data)
