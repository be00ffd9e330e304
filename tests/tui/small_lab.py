"""A small lab with results made up, so that pictures of the screens depend on nothing but the screens."""

from __future__ import annotations

from pathlib import Path

from workshop.content import Block, Criterion, Exercise, Lab, Link, Question
from workshop.texts import Bilingual, Text
from workshop.tui.app import WorkshopApp
from workshop.verdicts import (
    CheckResult,
    ExerciseResult,
    Fact,
    Finding,
    Half,
    Level,
    Mode,
    Reason,
    Source,
    Verdict,
)

FOLDER = Path(__file__).parent / "lab"


def _two(fr: str, en: str) -> Bilingual:
    return Bilingual(en=en, fr=fr)


CATALOGUE = Exercise(
    id="1.1",
    slug="catalogue",
    block="1",
    title=_two("Le catalogue", "The catalogue"),
    folder=FOLDER / "catalogue",
    points=10,
    minutes=15,
    halves=(Half.FILES, Half.CLUSTER),
    deliverables=("td/portal/catalog.yaml",),
    questions=(Question("owner", _two("À qui est `shop` ?", "Whose is `shop`?")),),
    hints=(_two("Cherchez `spec.owner`.", "Look for `spec.owner`."), _two("Deux mots.", "Two words.")),
    links=(Link(_two("Le format", "The format"), "https://example.org/format"),),
)
SIGNING = Exercise(
    "1.2", "signing", "1", _two("Une image signée", "A signed image"), FOLDER / "signing", 5, 10
)
LIMITS = Exercise(
    id="2.1",
    slug="limits",
    block="2",
    title=_two("Des limites partout", "Limits everywhere"),
    folder=FOLDER / "limits",
    points=8,
    minutes=10,
    deliverables=("td/policies/limits.yaml",),
)
PIPELINE = Exercise(
    id="2.2",
    slug="pipeline",
    block="2",
    title=_two("Un pipeline qui tourne", "A pipeline that runs"),
    folder=FOLDER / "pipeline",
    points=7,
    minutes=20,
    halves=(Half.CLUSTER,),
)
LAB = Lab(
    id="small",
    title=_two("Petit lab – pour les images", "Small lab – for pictures"),
    summary=_two("Deux blocs, quatre exercices.", "Two blocks, four exercises."),
    minutes=60,
    threshold=20,
    contexts=(),
    blocks=(
        Block(
            "1",
            _two("Le portail", "The portal"),
            _two("Savoir qui fait quoi.", "Know who does what."),
            25,
            (CATALOGUE, SIGNING),
        ),
        Block(
            "2",
            _two("Les règles", "The rules"),
            _two("Refuser ce qui nuit.", "Refuse what hurts."),
            30,
            (LIMITS, PIPELINE),
        ),
    ),
    criteria=(
        Criterion("portal", _two("Le portail répond", "The portal answers"), ("1.1", "1.2"), 2),
        Criterion("rules", _two("Une règle tient", "One rule holds"), ("2.1",), 1),
        Criterion("runs", _two("Le pipeline tourne", "The pipeline runs"), ("2.2",), 1),
        Criterion("readable", _two("Tout se lit", "All can be read"), (), 0, every_file_readable=True),
    ),
    folder=FOLDER,
    _by_id={each.id: each for each in (CATALOGUE, SIGNING, LIMITS, PIPELINE)},
)


def _check(
    name: str, title: Bilingual, verdict: Verdict, *facts: Fact, level: Level = Level.MUST
) -> CheckResult:
    why = _two("Le propriétaire est celui qu'on appelle.", "The owner is who gets called.")
    return CheckResult(f"1.1.{name}", title, level, Half.FILES, verdict, why=why, facts=facts)


RESULTS = {
    "1.1": ExerciseResult(
        "1.1",
        "catalogue",
        CATALOGUE.title,
        Verdict.FAILED,
        10,
        checks=(
            _check(
                "kind",
                _two("Les deux services sont des Components", "Both services are Components"),
                Verdict.PASSED,
                Fact("kind", _two("shop est un Component", "shop is a Component"), met=True),
            ),
            _check(
                "owner",
                _two("Chacun appartient à son équipe", "Each belongs to its team"),
                Verdict.FAILED,
                Fact(
                    "wrong-owner",
                    _two("billing appartient à team-money", "billing belongs to team-money"),
                    met=False,
                    expected="spec.owner: team-money",
                    observed="spec.owner: équipe [bold]argent[/bold]",
                    next=_two(
                        "Copiez l'identifiant du tableau, lettre par lettre ; ce n'est pas un nom.",
                        "Copy the identifier from the table, letter by letter; it is no display name.",
                    ),
                    source=Source("td/portal/catalog.yaml", 21, 10),
                ),
                Fact(
                    "wrong-owner", _two("shop appartient à team-shop", "shop belongs to team-shop"), met=True
                ),
            ),
            _check(
                "link",
                _two("Un lien mène au dépôt", "A link leads to the repository"),
                Verdict.FAILED,
                Fact("link", _two("shop a un lien", "shop has a link"), met=False, observed="links: []"),
                level=Level.SHOULD,
            ),
            CheckResult(
                "1.1.cluster",
                Text("What runs on the cluster"),
                Level.MUST,
                Half.CLUSTER,
                Verdict.UNKNOWN,
                Reason.OFFLINE,
            ),
        ),
        hint=_two("Un identifiant s'écrit sans espace.", "An identifier has no spaces."),
    ),
    "2.1": ExerciseResult("2.1", "limits", LIMITS.title, Verdict.PASSED, 8),
    "2.2": ExerciseResult(
        "2.2",
        "pipeline",
        PIPELINE.title,
        Verdict.UNKNOWN,
        7,
        checks=(
            CheckResult(
                "2.2.runs",
                _two("Le pipeline va jusqu'au bout", "The pipeline gets to its end"),
                Level.MUST,
                Half.CLUSTER,
                Verdict.UNKNOWN,
                Reason.TIMEOUT,
                facts=(
                    Fact(
                        "not-ended",
                        _two("build-1 est fini", "build-1 has ended"),
                        met=None,
                        observed=_two("0 tâche finie sur 3", "0 of 3 tasks have ended"),
                        source=Source(object="PipelineRun/build-1"),
                    ),
                ),
            ),
        ),
        hint=_two("Lisez la fin de l'événement.", "Read the end of the event."),
        diagnosis=(
            Finding(
                "unschedulable",
                "Pod/shop/billing-0",
                "0/1 nodes are available: 1 Insufficient cpu.",
                since="2026-01-15T10:02:03Z",
                entry="pod-unschedulable",
                symptom=_two("Un Pod reste Pending", "A Pod stays Pending"),
                cause=_two("Le nœud n'a pas la place demandée.", "The node has no room for it."),
                remedy=_two(
                    "Réduisez `requests`, ou donnez plus de processeurs à Docker.",
                    "Lower `requests`, or give Docker more processors.",
                ),
            ),
            Finding(
                "image-unavailable",
                "Pod/shop/shop-7d9c5b-x2x4z",
                'Failed to pull image "ghcr.io/lea-devops/shop:v1": not found [bold]',
                entry="image-not-pulled",
                symptom=_two("Un Pod reste en ImagePullBackOff", "A Pod stays in ImagePullBackOff"),
                remedy=_two(
                    "Lisez les dernières lignes de l'événement.", "Read the last lines of the event."
                ),
            ),
        ),
        unseen=(
            Text(
                "{kind} could not be looked at: {problem}",
                kind="Ingress.networking.k8s.io",
                problem=Text("not allowed to look (403): {message}", message="ingresses is forbidden"),
            ),
        ),
    ),
}


class Still(WorkshopApp):
    """The application with made-up results: nothing is watched, judged, timed or written."""

    def __init__(self, *, fresh: bool = False) -> None:
        super().__init__(LAB, Path("/lea"), language="fr", now=lambda: 0.0)
        self.choices = self.choices.__class__("fr", Mode.OFFLINE, started=not fresh)
        if not fresh:
            self.state = self.state.__class__(
                LAB,
                Path("/lea"),
                "fr",
                results=RESULTS,
                hints={"1.1": 1},
                spent={"1.1": 500.0, "2.1": 400.0},
                files_readable=True,
            )

    def open_workspace(self) -> None:
        """There is none."""

    def begin(self) -> None:
        """Nothing begins."""
