"""1.3 on a cluster – the template is offered by the Backstage that runs."""

from __future__ import annotations

from typing import Final

from workshop.checking import Exam, Text, check, cluster, must
from workshop.cluster.reading import items
from workshop.verdicts import Source

from .._backstage import listed
from ._portal import Portal, need_portal
from ._portal_catalogue import entities_named
from ._portal_config import LiveConfig, live_config
from .software_catalog import REGISTER

NAME: Final = "create-nodejs-service"
_KIND: Final = "template"
# What the catalogue takes where nothing else is said; its own words for the rest are in its log only.
_DEFAULT: Final = ("Component", "API", "Location")


@check(level=must, half=cluster, containers=True)
def catalogue_offers_it(exam: Exam) -> None:
    """The template is in the catalogue, and so on the page where services are made.

    Nobody copies a template by hand: it is found under Create, or not at all.
    """
    portal = need_portal(exam)
    claim = Text("{name} is in the catalogue", name=NAME)
    if NAME in entities_named(exam, portal, _KIND, NAME):
        exam.fact("registered", claim, met=True)
        return
    _judge_rules(exam, portal)
    exam.unfinished(
        "entity-not-registered",
        claim,
        observed=Text("the catalogue has no Template of that name"),
        next=REGISTER,
        where=Source(object=f"Template/{NAME}"),
    )


def _judge_rules(exam: Exam, portal: Portal) -> None:
    """Where the configuration lets no Template in, that alone is why it is missing."""
    config = live_config(exam, portal)
    rules, locations = config.get("catalog", "rules"), config.get("catalog", "locations")
    section = config.holding("catalog")
    if section is None or (rules is None and not config.complete):
        return
    if _allows(rules) or any(_allows(each.get("rules")) for each in items({"found": locations}, "found")):
        return
    if not _asks_for_it(config):
        return
    exam.fail(
        "template-refused",
        Text("The catalogue lets Templates in"),
        expected=Text("catalog.rules, or the rules of its location, allow Template"),
        observed=Text("allowed: {names}", names=listed(_named(rules)) if rules else listed(_DEFAULT)),
        next=Text("Allow the kind in the app-config; its log says “is not of an allowed kind” until then."),
        where=section.place("catalog", "rules"),
    )


def _asks_for_it(config: LiveConfig) -> bool:
    """Whether a location leads to the template, by what its file is called."""
    locations = items({"found": config.get("catalog", "locations")}, "found")
    return any(_KIND in str(each.get("target")).lower() for each in locations)


def _allows(rules: object) -> bool:
    return any(name.lower() == _KIND for name in _named(rules))


def _named(rules: object) -> list[str]:
    """Return the kinds that rules allow; an entry is a word, or a mapping with the kind."""
    lists = [rule.get("allow") for rule in items({"found": rules}, "found")]
    entries = [each for allowed in lists if isinstance(allowed, list) for each in allowed]
    return [str(each.get("kind")) if isinstance(each, dict) else str(each) for each in entries]
