"""Numbers as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop.prose.blame import blaming, naming
from workshop.prose.consequence import says_overspent, says_still_met
from workshop.prose.markdown import Line, plain, sections
from workshop.prose.quantities import quantities
from workshop.prose.reliability import is_vague, mechanism


@pytest.mark.parametrize(
    "text",
    [
        "43,2 min", "43.2 minutes", "43 min 12 s", "43m12s", "43'12\"", "0,72 h", "0.72 hours", "00:43:12",
        "2592 s",
        "43 minutes et 12 secondes", "43 min 12", "2 592 secondes", "**43,2** mn", "$43.2\\text{ min}$",
        "43,200 min",
    ],
)  # fmt: skip
def test_the_same_duration(text: str) -> None:
    found = quantities(plain(text))
    assert any(each.near(43.2, 0.001) and each.dimension in ("time", "plain") for each in found), found


def test_times_of_day_are_no_durations() -> None:
    assert quantities("14:00:05 - Suppression d'un pod") == []


def test_a_dash_between_numbers_subtracts() -> None:
    assert [each.values[0] for each in quantities("28.2 - 30 = -1.8")] == [28.2, 30.0, -1.8]


@given(st.integers(0, 999), st.integers(0, 59))
def test_minutes_and_seconds(minutes: int, seconds: int) -> None:
    found = quantities(f"il reste {minutes} min {seconds} s")
    assert [each.values[0] for each in found] == [pytest.approx(minutes + seconds / 60)]


@given(st.text(max_size=300))
def test_nothing_raises(text: str) -> None:
    quantities(text)
    lines = [line for section in sections(text) for line in section.lines]
    list(blaming(lines))
    list(naming(lines))
    says_overspent(text)
    says_still_met(text)
    mechanism(text)
    is_vague(text)


_REPEATED = ("a ", "1 ", "1,", "1 000 ", "| ", "- ", "Paul a ", "n'a pas ", "*", "[", "le slo ", "'")


@pytest.mark.parametrize("repeated", _REPEATED)
def test_hostile_repetition_is_read(repeated: str) -> None:
    test_nothing_raises.hypothesis.inner_test(repeated * (20_000 // len(repeated)))  # type: ignore[attr-defined]


def test_sections_of_every_kind() -> None:
    text = "# One\na\n**Two** :\nb\nThree\n-----\nc\n```\n# no heading\n```\n<!-- # neither -->\n## Four ##\n"
    assert [section.title for section in sections(text)] == ["", "One", "Two", "Three", "Four"]


@pytest.mark.parametrize(
    "text",
    [
        "Paul a oublié la readinessProbe.", "C'est la faute de Paul", "par la faute de l'équipe ops",
        "L'incident est dû à une erreur humaine.", "Human error caused the outage",
        "Le développeur a oublié le preStop",
        "Bob should have configured probes", "It was Bob's mistake", "à cause de Marie",
        "Someone forgot the probe",
        "Le stagiaire n'a pas vérifié", "Quelqu'un a oublié la probe", "@lea-devops forgot to add it",
        "Karim, de l'équipe SRE, a cassé la prod", "l'erreur de Jean",
    ],
)  # fmt: skip
def test_blame(text: str) -> None:
    assert list(blaming([Line(1, text)]))


@pytest.mark.parametrize(
    "text",
    [
        "Il ne s'agit pas d'une erreur humaine.", "Faute de PodDisruptionBudget, deux Pods ont disparu.",
        "Responsable : Léa, avant le 12/02", "Ajouter une preStop (Paul)", "This was not human error",
        "Nobody is to blame", "Le Pod n'a pas répondu", "Kubernetes a supprimé le pod",
        "Sans chercher de coupable",
        "à cause de la latence", "because of Kubernetes", "We had not configured probes",
        "HPA n'avait pas configuré",
        "Prometheus a mal configuré ses cibles", "Le coupable est le HPA", "Marc fixes the probe by Friday",
        "Grâce à Paul nous avons détecté la panne", "erreur de configuration",
        "Rolling update failed to finish",
    ],
)  # fmt: skip
def test_no_blame(text: str) -> None:
    assert not list(blaming([Line(1, text)]))


@pytest.mark.parametrize(
    "text",
    [
        "le SLO n'est plus respecté", "on ne respecte plus le SLO", "le budget sera dépassé",
        "the SLO is not met",
        "budget overrun of 1.8 minutes", "99,8958 % < 99,9 %", "on est hors SLO", "on viole le SLO",
        "Plus de budget",
        "there is no budget left", "The objective was missed.", "le budget serait négatif",
    ],
)  # fmt: skip
def test_overspent(text: str) -> None:
    assert says_overspent(text)


@pytest.mark.parametrize(
    "text",
    [
        "le budget n'est pas dépassé", "the budget is not exhausted", "the SLO is still met",
        "le SLO reste respecté",
        "le SLO ne sera pas violé", "Le SLO est-il dépassé ?", "Le service est arrêté",
    ],
)  # fmt: skip
def test_not_overspent(text: str) -> None:
    assert not says_overspent(text)
