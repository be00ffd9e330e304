"""Documents for Backstage's validators and for our reader, such as people write and such as they should not.

A document is a base with an edit, or a text of its own. Whether it is right is not written here: both sides
are asked and have to agree.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

COMPONENT = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: payment-service
  title: Payment
  description: Takes money
  annotations:
    backstage.io/kubernetes-id: payment-service
  labels:
    example.org/tier: gold
  tags: [java, c++]
  links:
    - url: https://github.com/lea-devops/payment
      title: Code
      icon: github
spec:
  type: service
  lifecycle: production
  owner: team-payments
"""
TEMPLATE = """\
apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata:
  name: create-nodejs-service
spec:
  type: service
  owner: team-platform
  parameters:
    - title: Service
      required: [name]
      properties:
        name: {type: string}
  steps:
    - id: fetch
      name: Fetch
      action: fetch:template
      input: {url: ./skeleton}
  output:
    links:
      - title: Repository
        url: ${{ steps.publish.output.remoteUrl }}
"""
_CATALOGUE = "apiVersion: backstage.io/v1alpha1\nkind: {kind}\nmetadata: {{name: x}}\nspec: {spec}\n"

_PAGE = """\
    - title: Service
      required: [name]
      properties:
        name: {type: string}
"""
_STEP = """\
    - id: fetch
      name: Fetch
      action: fetch:template
      input: {url: ./skeleton}
"""
_OUTPUT = """\
  output:
    links:
      - title: Repository
        url: ${{ steps.publish.output.remoteUrl }}
"""
_ANNOTATIONS = "  annotations:\n    backstage.io/kubernetes-id: payment-service\n"
_LINK = "    - url: https://github.com/lea-devops/payment\n      title: Code\n      icon: github\n"

_EDITS: dict[str, tuple[str, str]] = {
    "newer-version": ("v1alpha1", "v1beta1"),
    "kubernetes-version": ("backstage.io/v1alpha1", "v1"),
    "unknown-version": ("backstage.io/v1alpha1", "backstage.io/v1"),
    "version-is-a-number": ("apiVersion: backstage.io/v1alpha1", "apiVersion: 1"),
    "version-of-the-scaffolder": ("backstage.io/v1alpha1", "scaffolder.backstage.io/v1beta3"),
    "no-version": ("apiVersion: backstage.io/v1alpha1\n", ""),
    "lower-case-kind": ("kind: Component", "kind: component"),
    "unknown-kind": ("kind: Component", "kind: Service"),
    "kind-with-hyphen": ("kind: Component", "kind: My-Component"),
    "no-kind": ("kind: Component\n", ""),
    "kind-is-null": ("kind: Component", "kind:"),
    "name-with-space": ("name: payment-service\n", "name: Payment Service\n"),
    "name-with-capitals": ("name: payment-service\n", "name: Payment_Service.v2\n"),
    "name-ends-in-hyphen": ("name: payment-service\n", "name: payment-\n"),
    "name-with-accent": ("name: payment-service\n", "name: paiement-privé\n"),
    "name-of-63": ("name: payment-service\n", f"name: {'a' * 63}\n"),
    "name-of-64": ("name: payment-service\n", f"name: {'a' * 64}\n"),
    "name-is-a-number": ("name: payment-service\n", "name: 42\n"),
    "name-is-quoted-number": ("name: payment-service\n", 'name: "42"\n'),
    "name-of-yaml-1-1": ("name: payment-service\n", "name: yes\n"),
    "name-is-empty": ("name: payment-service\n", 'name: ""\n'),
    "name-ends-in-newline": ("name: payment-service\n", "name: |\n    payment-service\n"),
    "no-name": ("  name: payment-service\n", ""),
    "namespace": ("  title: Payment\n", "  namespace: shop--eu\n"),
    "namespace-with-capital": ("  title: Payment\n", "  namespace: Shop\n"),
    "namespace-with-dot": ("  title: Payment\n", "  namespace: shop.eu\n"),
    "namespace-is-null": ("  title: Payment\n", "  namespace:\n"),
    "title-is-empty": ("title: Payment\n", 'title: ""\n'),
    "title-is-a-number": ("title: Payment\n", "title: 4\n"),
    "description-is-empty": ("description: Takes money\n", 'description: ""\n'),
    "description-is-null": ("description: Takes money\n", "description:\n"),
    "annotation-true": ("kubernetes-id: payment-service", "kubernetes-id: true"),
    "annotation-on": ("kubernetes-id: payment-service", "kubernetes-id: on"),
    "annotation-number": ("kubernetes-id: payment-service", "kubernetes-id: 1.5"),
    "annotation-date": ("kubernetes-id: payment-service", "kubernetes-id: 2026-01-31"),
    "annotation-octal": ("kubernetes-id: payment-service", "kubernetes-id: 0o17"),
    "annotation-list": ("kubernetes-id: payment-service", "kubernetes-id: [a]"),
    "annotation-null": ("kubernetes-id: payment-service", "kubernetes-id:"),
    "annotation-empty": ("kubernetes-id: payment-service", 'kubernetes-id: ""'),
    "annotation-of-many-words": ("kubernetes-id: payment-service", "kubernetes-id: any thing, é goes"),
    "annotation-misspelt": ("backstage.io/kubernetes-id", "backstage.io/kubernets-id"),
    "annotation-key-with-two-slashes": ("backstage.io/kubernetes-id", "backstage.io/kubernetes/id"),
    "annotation-key-with-capitals-in-prefix": ("backstage.io/kubernetes-id", "Backstage.io/kubernetes-id"),
    "annotation-key-with-space": ("backstage.io/kubernetes-id", "kubernetes id"),
    "annotation-key-is-a-number": ("backstage.io/kubernetes-id", "42"),
    "annotations-null": (
        _ANNOTATIONS,
        "  annotations:\n",
    ),
    "annotations-list": (
        _ANNOTATIONS,
        "  annotations: [a]\n",
    ),
    "no-annotations": (_ANNOTATIONS, ""),
    "label-with-space": ("tier: gold", "tier: pure gold"),
    "label-empty": ("tier: gold", 'tier: ""'),
    "label-number": ("tier: gold", "tier: 1"),
    "tag-with-capital": ("[java, c++]", "[Java]"),
    "tag-with-colon": ("[java, c++]", "['language:c#', a-b]"),
    "tag-with-two-hyphens": ("[java, c++]", "[a--b]"),
    "tag-is-a-number": ("[java, c++]", "[1]"),
    "tags-are-text": ("[java, c++]", "java"),
    "link-without-scheme": ("url: https://github.com", "url: github.com"),
    "link-with-port-only": ("url: https://github.com/lea-devops/payment", "url: localhost:3000"),
    "link-with-path-only": ("url: https://github.com/lea-devops/payment", "url: /docs"),
    "link-of-ssh": (
        "url: https://github.com/lea-devops/payment",
        "url: 'git@github.com:lea-devops/payment.git'",
    ),
    "link-with-a-bad-port": ("https://github.com/", "https://github.com:99999/"),
    "link-with-a-space-in-host": ("https://github.com/", "https://git hub.com/"),
    "link-with-a-space-in-path": ("lea-devops/payment", "lea devops/payment"),
    "link-without-host": ("https://github.com/lea-devops/payment", "'https://'"),
    "link-to-mail": ("https://github.com/lea-devops/payment", "mailto:lea@example.org"),
    "link-to-a-wrong-ipv4": ("https://github.com/", "https://10.0.0.256/"),
    "link-to-an-ipv6": ("https://github.com/lea-devops/payment", "'http://[::1]:8080/'"),
    "link-with-title-of-spaces": ("title: Code", "title: '  '"),
    "link-without-url": (
        "    - url: https://github.com/lea-devops/payment\n      title: Code",
        "    - title: Code",
    ),
    "links-are-a-map": (
        _LINK,
        "    url: https://github.com/lea-devops/payment\n",
    ),
    "links-empty": (
        _LINK,
        "    []\n",
    ),
    "no-owner": ("  owner: team-payments\n", ""),
    "owner-null": ("owner: team-payments", "owner:"),
    "owner-list": ("owner: team-payments", "owner: [team-payments]"),
    "owner-nobody-knows": ("owner: team-payments", "owner: group:default/nobody at all"),
    "no-type": ("  type: service\n", ""),
    "type-below-metadata": ("  title: Payment\n", "  type: service\n"),
    "another-type": ("type: service", "type: website"),
    "type-is-a-number": ("type: service", "type: 1"),
    "no-lifecycle": ("  lifecycle: production\n", ""),
    "another-lifecycle": ("lifecycle: production", "lifecycle: someday"),
    "owner-at-the-top": ("  owner: team-payments\n", "  owner: team-payments\nowner: team-payments\n"),
    "own-field-of-metadata": ("  title: Payment\n", "  cost-center: [1, 2]\n"),
    "own-field-of-spec": ("  type: service\n", "  type: service\n  tier: 1\n"),
    "system-null": ("  type: service\n", "  type: service\n  system:\n"),
    "apis-not-a-list": ("  type: service\n", "  type: service\n  providesApis: payments\n"),
    "status-at-the-top": ("spec:\n", "status: {items: []}\nspec:\n"),
    "spec-is-null": ("spec:\n  type: service\n  lifecycle: production\n  owner: team-payments\n", "spec:\n"),
    "no-spec": ("spec:\n  type: service\n  lifecycle: production\n  owner: team-payments\n", ""),
}
_TEMPLATE_EDITS: dict[str, tuple[str, str]] = {
    "template-version-2": ("v1beta3", "v1beta2"),
    "template-of-the-catalogue": ("scaffolder.backstage.io/v1beta3", "backstage.io/v1beta2"),
    "template-no-type": ("  type: service\n", ""),
    "template-no-owner": ("  owner: team-platform\n", ""),
    "template-braces-without-dollar": ("${{ steps", "'{{ steps"),
    "template-parameters-as-a-map": (_PAGE, "    required: [name]\n    properties: {name: {type: string}}\n"),
    "template-parameters-as-text": ("  parameters:\n" + _PAGE, "  parameters: name\n"),
    "template-page-is-text": (_PAGE, "    - name\n"),
    "template-step-without-action": ("      action: fetch:template\n", ""),
    "template-unknown-action": ("action: fetch:template", "action: no:such:thing"),
    "template-action-is-a-number": ("action: fetch:template", "action: 3"),
    "template-input-is-null": ("      input: {url: ./skeleton}\n", "      input:\n"),
    "template-id-is-a-number": ("id: fetch\n", "id: 1\n"),
    "template-if-is-a-flag": ("      name: Fetch\n", "      if: true\n"),
    "template-if-is-a-number": ("      name: Fetch\n", "      if: 1\n"),
    "template-steps-empty": ("  steps:\n" + _STEP, "  steps: []\n"),
    "template-steps-are-a-map": ("  steps:\n" + _STEP, "  steps: {fetch: {action: fetch:template}}\n"),
    "template-no-steps": ("  steps:\n" + _STEP, ""),
    "template-output-is-text": (_OUTPUT, "  output: done\n"),
    "template-output-of-its-own": ("  output:\n", "  output:\n    remote: ${{ steps.fetch.output.x }}\n"),
    "template-output-of-a-number": ("  output:\n", "  output:\n    remote: 1\n"),
    "template-link-title-empty": ("title: Repository", "title: ''"),
    "template-permissions": ("      name: Fetch\n", "      backstage:permissions: {tags: [1]}\n"),
}  # fmt: skip
_TEXTS: dict[str, str] = {
    "two-documents": COMPONENT + "---\n" + TEMPLATE,
    "empty-document-between": "---\n---\n" + COMPONENT,
    "a-list": "- " + COMPONENT.replace("\n", "\n  ").rstrip() + "\n",
    "a-word": "payment-service\n",
    "kubernetes-list": "apiVersion: v1\nkind: List\nitems:\n  - "
    + COMPONENT.replace("\n", "\n    ").rstrip()
    + "\n",
    "merge-key-is-a-key-like-any-other": COMPONENT.replace("  labels:\n", "  labels:\n    <<: {a: b}\n"),
    "anchors": COMPONENT.replace("name: payment-service", "name: &n payment-service").replace(
        "kubernetes-id: payment-service", "kubernetes-id: *n"
    ),
    "api": _CATALOGUE.format(
        kind="API", spec="{type: openapi, lifecycle: p, owner: o, definition: 'openapi: 3'}"
    ),
    "api-without-definition": _CATALOGUE.format(kind="API", spec="{type: openapi, lifecycle: p, owner: o}"),
    "system": _CATALOGUE.format(kind="System", spec="{owner: o}"),
    "system-without-owner": _CATALOGUE.format(kind="System", spec="{}"),
    "domain": _CATALOGUE.format(kind="Domain", spec="{owner: o, subdomainOf: d}"),
    "resource": _CATALOGUE.format(kind="Resource", spec="{type: database, owner: o, dependsOn: []}"),
    "resource-without-type": _CATALOGUE.format(kind="Resource", spec="{owner: o}"),
    "group": _CATALOGUE.format(kind="Group", spec="{type: team, children: []}"),
    "group-without-children": _CATALOGUE.format(kind="Group", spec="{type: team}"),
    "group-with-profile": _CATALOGUE.format(
        kind="Group", spec="{type: team, children: [], profile: {email: ''}}"
    ),
    "user": _CATALOGUE.format(kind="User", spec="{memberOf: [team-payments]}"),
    "user-of-nothing": _CATALOGUE.format(kind="User", spec="{memberOf: team-payments}"),
    "location": _CATALOGUE.format(kind="Location", spec="{targets: [./a.yaml]}"),
    "location-presence": _CATALOGUE.format(kind="Location", spec="{target: ./a.yaml, presence: maybe}"),
    "location-without-spec": "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: x}\n",
}


def written() -> dict[str, str]:
    """Return name → text of the documents that were written by hand."""
    found = {"component": COMPONENT, "template": TEMPLATE, **_TEXTS}
    for base, edits in ((COMPONENT, _EDITS), (TEMPLATE, _TEMPLATE_EDITS)):
        for name, (old, new) in edits.items():
            assert old in base, f"{name}: nothing to edit"
            text = base.replace(old, new)
            found[name] = text + "'" if new.startswith("'{{") else text
    # The opening quotation mark needs its closing one, on the same line.
    found["template-braces-without-dollar"] = TEMPLATE.replace(
        "${{ steps.publish.output.remoteUrl }}", "'{{ steps.publish.output.remoteUrl }}'"
    )
    return found


_VALUES: tuple[Any, ...] = (
    None, True, 0, 1.5, "", " ", "a", "a b", "A-1", "-", "é", "a" * 64, "https://x", "x:y", "http://[", "//x",
    [], [""], ["a"], [1], {}, {"a": "b"}, {"a": 1}, {"a/b/c": "d"}, [{"url": "https://x"}], [{"url": "x"}],
)  # fmt: skip
_KEYS = (
    "name",
    "title",
    "spec",
    "url",
    "tags",
    "links",
    "owner",
    "steps",
    "parameters",
    "presence",
    "x y",
    "",
)


def mutated(bases: list[Any], count: int, seed: int) -> Iterator[str]:
    """Yield entities (as JSON, which is YAML) with one to three random changes each; the same for a seed."""
    chance = random.Random(seed)  # noqa: S311 (tests that repeat, not secrets)
    for _ in range(count):
        entity = copy.deepcopy(chance.choice(bases))
        for _ in range(chance.randint(1, 3)):
            change(entity, chance)
        yield json.dumps(entity)


def change(entity: Any, chance: random.Random) -> None:
    """Remove, add or replace one value anywhere in a mapping that is not empty."""
    places = [*_places(entity)]
    container, key = chance.choice(places)
    action = chance.random()
    if action < 0.25:
        del container[key]
    elif action < 0.4 and isinstance(container, dict):
        container[chance.choice(_KEYS)] = copy.deepcopy(chance.choice(_VALUES))
    else:
        container[key] = copy.deepcopy(chance.choice(_VALUES))
    if not entity:
        entity["kind"] = "Component"


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, child in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(child, dict | list):
            yield from _places(child)
