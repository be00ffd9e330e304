"""1.2 on a cluster – the three services are in the catalogue of the Backstage that runs."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam, Text, check, cluster, must, remark, should
from workshop.cluster.port import Object
from workshop.cluster.reading import items, part
from workshop.verdicts import Reason, Source

from .._backstage import SERVICES, listed, shown
from ._portal import need_portal
from ._portal_catalogue import entities_named
from ._portal_config import live_config

REGISTER: Final = Text(
    "Register its file: on the page “Register existing component”, or in catalog.locations."
)


def _components(exam: Exam) -> dict[str, Object]:
    return entities_named(exam, need_portal(exam), "component", *SERVICES)


@check(level=must, half=cluster, containers=True)
def catalogue_has_them(exam: Exam) -> None:
    """The catalogue has the three services.

    A file describes a service; only once it is registered does anybody find it.
    """
    found = _components(exam)
    for name in SERVICES:
        with exam.part():
            if name not in found:
                exam.unfinished(
                    "entity-not-registered",
                    Text("{name} is in the catalogue", name=name),
                    observed=Text("the catalogue has no Component of that name"),
                    next=REGISTER,
                    where=Source(object=f"Component/{name}"),
                )
            exam.fact("registered", Text("{name} is in the catalogue", name=name), met=True)


@check(level=should, half=cluster, containers=True, needs=[catalogue_has_them])
def catalogue_is_current(exam: Exam) -> None:
    """It shows them as the statement has them.

    The catalogue reads a file again every few minutes, from where it was registered: that may be an old copy.
    """
    for name, entity in _components(exam).items():
        wanted = {"type": "service", "lifecycle": "production", "owner": SERVICES[name][1]}
        for key, value in wanted.items():
            there = part(entity, "spec", key)
            exam.fact(
                "entity-outdated",
                Text("{name} has the {key} {wanted}", name=name, key=key, wanted=value),
                str(there).rpartition("/")[2].rpartition(":")[2] == value,
                expected=f"spec.{key}: {value}",
                observed=f"spec.{key}: {shown(there)}",
                next=Text("Push the file to where it was registered, then refresh the entity on its page."),
                where=Source(object=f"Component/{name}", field=f"spec.{key}"),
            )


@check(level=remark, half=cluster, containers=True)
def locations_are_configured(exam: Exam) -> None:
    """The configuration says where their files are.

    What is registered by hand has to be registered again after every new database.
    """
    config = live_config(exam, need_portal(exam))
    locations = items({"found": config.get("catalog", "locations")}, "found")
    targets = [str(each.get("target")) for each in locations]
    missing = [name for name, (path, _) in SERVICES.items() if not _is_named(targets, name, path)]
    met = True if not missing else False if targets or config.complete else None
    exam.fact(
        "locations-missing",
        Text("catalog.locations names a file of each service"),
        met,
        expected=Text("an entry of type url or file for each"),
        observed=Text("left out: {names}", names=listed(missing)),
        next=Text("Add them to catalog.locations in the app-config."),
        where=Source(object="ConfigMap", field="catalog.locations"),
        reason=Reason.BEYOND_EVALUATOR if met is None else None,
    )


def _is_named(targets: list[str], name: str, path: str) -> bool:
    """Whether a target is the file of a service: by its name, or one file for all three."""
    file = path.rpartition("/")[2].partition(".")[0]
    words = (file, name, "all.yaml", "catalog-info.yaml", "*")
    return any(word in target for target in targets for word in words)
