"""1.2 – three Components in the catalogue: identity, kind of service, owner, annotation, link."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workshop.accounts import expected_account
from workshop.backstage import github_repository, parse_reference, refusals
from workshop.backstage.repositories import github_slug, is_github
from workshop.checking import Document, Exam, Text, check, must, remark, should
from workshop.texts import Message

from ._backstage import (
    KUBERNETES_ID,
    MANY,
    SERVICES,
    annotated,
    components,
    named,
    namesakes,
    places_of,
    shown,
    value_at,
)

Path = tuple[str | int, ...]

# These say more about a wrong value than the schema can; each has a check of its own.
_JUDGED_ELSEWHERE: Final = (("spec", "type"), ("spec", "lifecycle"), ("spec", "owner"))
_URL_ANNOTATIONS: Final = ("backstage.io/source-location", "backstage.io/view-url", "backstage.io/edit-url")
_SLUG: Final = "github.com/project-slug"
_ADD_LINK: Final = Text("Add an entry to `metadata.links` whose `url` is the repository under your account.")
_NEXT: Final = {
    "shape": Text("Compare with the descriptor format: is it text, a list, or keys and values?"),
    "root": Text("Indent it below `metadata` or `spec`, where it belongs."),
    "api-version": Text("Entities of the catalogue have their own apiVersion; it is no Kubernetes `v1`."),
    "kind": Text("Write the kind exactly so, capital letter included."),
    "name": Text("A name is an identifier. Words for people go into `metadata.title`."),
    "namespace": Text("Leave the namespace out, or use `default`."),
    "label": Text("Labels follow the rules of Kubernetes labels."),
    "annotation": Text("Put the value in quotation marks: annotations are text, always."),
    "tag": Text("Write tags in lower case, words joined by hyphens."),
    "link": Text("Every entry of `metadata.links` needs a `url` that starts with https://."),
    "required": Text("Add the missing key at this level."),
}


@check(level=must)
def three_components(exam: Exam) -> None:
    """The three services are Components of the catalogue.

    A service that is not in the catalogue has no owner when it breaks.
    """
    for name, entity in components(exam):
        named(exam, entity, name)


@check(level=must)
def accepted_by_the_catalogue(exam: Exam) -> None:
    """Backstage's catalogue would accept each of them.

    The catalogue checks every entity against its schema. One that does not fit is left out.
    """
    for name, entity in components(exam):
        found = [refusal for refusal in refusals(entity.data) if refusal.path[:2] not in _JUDGED_ELSEWHERE]
        for refusal in found[:MANY]:
            exam.fact(
                f"refused-{refusal.rule}",
                Text("The catalogue accepts {name}", name=name),
                met=False,
                expected=refusal.expected,
                observed=value_at(entity, refusal.path),
                next=_NEXT[refusal.rule],
                where=entity.at(*refusal.path),
            )
        if not found:
            exam.fact("accepted", Text("The catalogue accepts {name}", name=name), met=True, where=entity)


@check(level=must)
def service_in_production(exam: Exam) -> None:
    """Each is of type service and in production.

    Type and lifecycle are what people filter the catalogue by.
    """
    for name, entity in components(exam):
        for key, wanted in (("type", "service"), ("lifecycle", "production")):
            found = entity.get("spec", key)
            elsewhere = _misplaced(entity, key) if found is None else None
            exam.fact(
                f"{key}-misplaced" if elsewhere else f"wrong-{key}",
                Text("{name} has the {key} {wanted}", name=name, key=key, wanted=wanted),
                isinstance(found, str) and found == wanted,
                expected=f"spec.{key}: {wanted}",
                observed=_observed(entity, key, elsewhere),
                next=Text("Type, lifecycle and owner stand below `spec`, spelt as in the statement."),
                where=entity.key_at(*elsewhere) if elsewhere else entity.at("spec", key),
            )


@check(level=must)
def owned_by_its_team(exam: Exam) -> None:
    """Each belongs to its team.

    The owner is who gets called, and whose page lists the service.
    """
    for name, entity in components(exam):
        team = SERVICES[name][1]
        found = entity.get("spec", "owner")
        elsewhere = _misplaced(entity, "owner") if found is None else None
        namespace = entity.get("metadata", "namespace", default="default")
        reference = parse_reference(
            found,
            default_kind="group",
            default_namespace=namespace if isinstance(namespace, str) else "default",
        )
        exam.fact(
            "owner-misplaced" if elsewhere else "wrong-owner",
            Text("{name} belongs to {team}", name=name, team=team),
            reference is not None
            and (reference.kind, reference.name) == ("group", team)
            # Whoever moves an entity into a namespace finds its owner there too.
            and reference.namespace in ("default", str(namespace).lower()),
            expected=f"spec.owner: {team}",
            observed=_observed(entity, "owner", elsewhere),
            next=Text("Copy the team's identifier from the table; it is no display name."),
            where=entity.key_at(*elsewhere) if elsewhere else entity.at("spec", "owner"),
        )


@check(level=must)
def found_on_kubernetes(exam: Exam) -> None:
    """Each carries the annotation that ties it to its Pods.

    The Kubernetes plugin looks for Pods by this annotation's value, and for nothing else.
    """
    for name, entity in components(exam):
        annotated(exam, entity, name, KUBERNETES_ID)


@check(level=must)
def linked_to_its_repository(exam: Exam) -> None:
    """Each leads to its repository on GitHub.

    Who finds the service in the portal wants to see its code one click later.
    """
    for name, entity in components(exam):
        candidates = list(_links(entity))
        repositories = [found for _, _, found in candidates if found]
        claim = Text("{name} has a link to its GitHub repository", name=name)
        if repositories:
            exam.fact("linked", claim, met=True, where=entity)
        elif any(is_github(value) for _, value, _ in candidates):
            path, value, _ = next(each for each in candidates if is_github(each[1]))
            exam.fact(
                "link-not-a-repository",
                claim,
                met=False,
                expected="https://github.com/ACCOUNT/REPOSITORY",
                observed=shown(value),
                next=Text("Complete the address: https://, the account, a slash, the repository."),
                where=entity.at(*path),
            )
        elif candidates:
            path, value, _ = candidates[0]
            exam.fact(
                "link-not-github",
                claim,
                met=False,
                expected="https://github.com/ACCOUNT/REPOSITORY",
                observed=shown(value),
                next=_ADD_LINK,
                where=entity.at(*path),
            )
        else:
            exam.fact(
                "link-missing",
                claim,
                met=False,
                expected=Text("an entry of metadata.links whose url is on github.com"),
                observed=Text("no link"),
                next=_ADD_LINK,
                where=entity.key_at("metadata", "links"),
            )


@check(level=should)
def found_under_its_plain_name(exam: Exam) -> None:
    """Each stands in the namespace default.

    Everyone else refers to `component:default/NAME`: in another namespace the entity is not found under it.
    """
    for name, entity in components(exam):
        namespace = entity.get("metadata", "namespace", default="default")
        exam.fact(
            "other-namespace",
            Text("{name} is in the namespace default", name=name),
            namespace == "default",
            expected=Text("no metadata.namespace, or default"),
            observed=f"metadata.namespace: {shown(namespace)}",
            next=Text("Remove the line: Backstage's namespaces are not those of Kubernetes."),
            where=entity.at("metadata", "namespace"),
        )


@check(level=should)
def described_once(exam: Exam) -> None:
    """Each is described once.

    Of two entities of one name the catalogue keeps one, and not always the one you mean.
    """
    for name, entity in components(exam):
        copy = next((each for each in namesakes(exam, name) if each.at() != entity.at()), None)
        exam.fact(
            "described-twice",
            Text("{name} is described once", name=name),
            copy is None,
            expected=Text("one entity of that name"),
            observed=Text("another one in {file}", file=copy.file) if copy else None,
            next=Text("Keep the one that is right, and remove the other."),
            where=copy or entity,
        )


@check(level=should)
def shows_its_own_pods(exam: Exam) -> None:
    """No two services claim the same Pods.

    A copied annotation shows one service's Pods on the page of another.
    """
    owners: dict[str, str] = {}
    for name, entity in components(exam):
        value = entity.get("metadata", "annotations", KUBERNETES_ID)
        if not isinstance(value, str) or not value.strip():
            exam.fact("no-annotation", Text("{name} claims no Pods yet", name=name), met=True, where=entity)
            continue
        first = owners.setdefault(value.strip(), name)
        exam.fact(
            "annotation-shared",
            Text("{name} claims Pods of its own", name=name),
            first == name,
            expected=f"{KUBERNETES_ID}: {name}",
            observed=Text("{value}, as for {other}", value=shown(value), other=first),
            next=Text("Give each service its own name as the value."),
            where=entity.at("metadata", "annotations", KUBERNETES_ID),
        )


@check(level=should)
def one_account(exam: Exam) -> None:
    """The repositories are under your account.

    A link into somebody else's account shows code you do not answer for.
    """
    links = [
        (name, found[0].lower(), entity.at(*path))
        for name, entity in components(exam)
        for path, _, found in _links(entity)
        if found
    ]
    if not links:
        exam.fact("no-link", Text("No repository is linked yet"), met=True)
        return
    wanted = expected_account(exam.workspace, exam.account) or links[0][1]
    for name, account, where in links:
        exam.fact(
            "other-account",
            Text("{name} links to your account", name=name),
            account == wanted,
            expected=f"https://github.com/{wanted}/…",
            observed=f"https://github.com/{account}/…",
            next=Text("Use one account everywhere in td/; the workshop asks for it at the start."),
            where=where,
        )


@check(level=remark)
def annotation_says_the_name(exam: Exam) -> None:
    """The annotation's value is the service's name.

    Any value works as long as the Pods carry the same one; the name is what the next person expects.
    """
    for name, entity in components(exam):
        value = entity.get("metadata", "annotations", KUBERNETES_ID)
        usual = not isinstance(value, str) or not value.strip() or value.strip() == name
        exam.fact(
            "annotation-unusual",
            Text("{name} is looked for by its name", name=name),
            usual,
            expected=f"{KUBERNETES_ID}: {name}",
            observed=f"{KUBERNETES_ID}: {shown(value)}",
            next=Text("Keep it only if the Pods are labelled with the same value."),
            where=entity.at("metadata", "annotations", KUBERNETES_ID),
        )


def _links(entity: Document) -> Iterator[tuple[Path, object, tuple[str, str] | None]]:
    """Yield path, value and repository of everything in an entity that may lead to its code."""
    links = entity.get("metadata", "links")
    for index, link in enumerate(links if isinstance(links, list) else ()):
        if isinstance(link, dict) and link.get("url") is not None:
            yield ("metadata", "links", index, "url"), link["url"], github_repository(link["url"])
    slug = entity.get("metadata", "annotations", _SLUG)
    if slug is not None:
        yield ("metadata", "annotations", _SLUG), slug, github_slug(slug)
    for key in _URL_ANNOTATIONS:
        value = entity.get("metadata", "annotations", key)
        if isinstance(value, str):
            url = value.strip().removeprefix("url:")
            yield ("metadata", "annotations", key), url, github_repository(url)


def _misplaced(entity: Document, key: str) -> Path | None:
    """Return where a key of `spec` stands instead: below metadata, at the top, or among the annotations."""
    for path in places_of(entity, key):
        if path[:-1] in ((), ("metadata",), ("metadata", "annotations"), ("metadata", "labels")):
            return path
    return None


def _observed(entity: Document, key: str, elsewhere: Path | None) -> Message:
    found = entity.get("spec", key)
    if found is None and entity.has("spec", "<<"):
        return Text("no spec.{key}, only a merge key <<, which Backstage does not follow by itself", key=key)
    if elsewhere:
        return Text("the key {key} stands at {path}", key=key, path=".".join(map(str, elsewhere[:-1])) or "/")
    if found is None:
        return Text("no spec.{key}", key=key)
    return f"spec.{key}: {shown(found)}"
