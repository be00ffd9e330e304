"""No symptom without a test that sees it, and none without a word in the guide."""

from __future__ import annotations

from tests.diagnosis import test_live_custom, test_live_engines, test_live_pods, test_refusals
from workshop.content import Lab
from workshop.diagnosis.diagnose import scope_of
from workshop.diagnosis.symptom import Sign
from workshop.guide import entry_for, load_guide
from workshop.texts import LANGUAGES, translate
from workshop.verdicts import Half

MODULES = (test_live_pods, test_live_engines, test_live_custom, test_refusals)
# What only words can show here: no component in reach says it (docs/conformance.md).
IN_WORDS_ONLY = {Sign.SIGNATURE_NOT_FOUND, Sign.LEGACY_POLICY_REFUSED, Sign.RULE_REFUSED}


def _shown(*modules: object) -> set[Sign]:
    return {
        sign
        for module in modules
        for function in vars(module).values()
        for mark in getattr(function, "pytestmark", ())
        if mark.name == "shows"
        for sign in mark.args
    }


def test_every_symptom_is_brought_about_and_seen() -> None:
    assert _shown(*MODULES) == set(Sign)
    assert set(Sign) - _shown(*MODULES[:-1]) == IN_WORDS_ONLY


def test_every_symptom_has_a_remedy_in_every_exercise_with_a_cluster_half(lab: Lab) -> None:
    for exercise in lab.exercises:
        for sign in Sign if Half.CLUSTER in exercise.halves else ():
            assert entry_for(lab, exercise, sign) is not None


def test_an_entry_of_the_exercise_comes_before_any_other(lab: Lab) -> None:
    for exercise in lab.exercises:
        for entry in load_guide(lab):
            for signal in entry.signals if exercise.id in entry.exercises else ():
                found = entry_for(lab, exercise, signal)
                assert found is not None
                assert exercise.id in found.exercises


def test_exercises_with_a_cluster_half_say_where_they_live(lab: Lab) -> None:
    from workshop.workspace import Workspace

    workspace = Workspace(lab.solutions)
    for exercise in lab.exercises:
        if Half.CLUSTER in exercise.halves and exercise.id != "0.1":
            scope = scope_of(exercise, workspace)
            assert scope.namespaces or scope.workloads, exercise.id


def test_what_only_a_log_shows_says_how_to_read_it(lab: Lab) -> None:
    entries = [entry for entry in load_guide(lab) if entry.log]
    assert len(entries) > 10
    for entry in entries:
        assert not entry.signals, "what a status shows needs no log"
        for language in LANGUAGES:
            said = translate(entry.shows, language)
            assert "kubectl logs" in said or "tkn taskrun logs" in said, (entry.id, language)
