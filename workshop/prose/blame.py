"""Where a text blames people instead of describing causes, in French or English.

Looked for: words of fault, and a person – named, by role, or nobody in particular – as the subject of a
failure. Denials (“this was no human error”), owners of actions and the French “faute de” (for want of)
are no blame.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from workshop.prose.markdown import Line, statements

# Words that begin a sentence or name a thing, never a person, whatever their capital letter says.
_THINGS: Final = """
    alertmanager api application argo argocd aucun aucune aws azure backend backstage cela celui ces cet
    cette ce chaos chaque chart ci client cluster code configuration cosign crossplane dashboard
    database deployment docker elle elles endpoint endpoints engine équipe event everyone everything
    express frontend gcp github gitlab grafana helm hpa il ils image incident ingress istio it kaniko
    kind kube kubelet kubernetes kyverno la le les leur litmus litmuschaos liveness load metrics
    monitoring my namespace network nginx no nobody node nodejs nothing notre nous on one operator our
    pagerduty payment payments pdb personne pipeline plateforme platform pod pods policy postgresql
    probe prod production prometheus proxy quand rate readiness redis replica replicas rien rolling
    rollout rollouts scheduler server serveur service seul seule si slack sli slo slos sonde sre startup
    success syft system team tekton template test that the there these they this tout toute traffic
    trafic trivy un une update we what when which you your calico cilium envoy karpenter keepalived
"""
# Enough of them to tell “Paul a supprimé …” from “Envoy a coupé …”.
_FIRST_NAMES: Final = """
    adrien alex alexandre alice amélie amine anaïs anna antoine arthur aurélie baptiste benoît bob
    camille carole caroline cédric céline charles charlotte chloé christophe claire clément damien
    daniel david elena élodie emilie emma emmanuel eric étienne eva fabien fatima florian françois
    gabriel guillaume hugo inès isabelle jack jacques jane jean jérôme jessica john jonathan juliette
    julie julien karim kevin laura laurent léa léo lisa louis louise lucas lucie ludovic maël manon marc
    marie marion martin mary mathieu mathilde matthieu maxime mehdi mélanie michael michel mohamed nadia
    nathalie nicolas nina olivier oscar pascal patrick paul paula pauline peter philippe pierre quentin
    rachid raphaël romain sabrina samuel sandra sarah sébastien simon sofia sophie stéphane steve
    sylvain théo thibault thomas tom tristan valentin valérie victor vincent william xavier yann yannick
    yasmine youssef zoé
"""
_NO_PERSON: Final = frozenset(_THINGS.split())
_FIRST: Final = frozenset(_FIRST_NAMES.split())
# A name: a capitalised word (two of them: first and last name), or a handle. Checked against _NO_PERSON.
_NAME: Final = r"(?P<name>(?-i:[A-ZÀ-Ý][a-zà-ÿ-]{1,20}(?:\s[A-ZÀ-Ý][a-zà-ÿ-]{1,20})?)|@[\w-]{2,39})"
_TITLES: Final = (
    "développeur", "développeuse", "dev", "stagiaire", "ingénieure?",
    "administrateur", "administratrice", "admin",
    "collègue", "alternante?", "chef", "developer", "engineer", "intern", "colleague",
    "sysadmin", "administrator",
    "ops", "devops", "manager", "lead", "teammate",
)  # fmt: skip
_ROLE: Final = (
    r"(?P<role>(?:(?:le|la|un|une|notre|the|an?|our|one)\s|l['’])"
    r"(?:[\w-]{2,15}\s)?"
    rf"(?:{'|'.join(_TITLES)})|quelqu['’]un|someone|somebody)"
)
_WHO: Final = rf"(?:{_NAME}|{_ROLE})"
# Faults by themselves; and what is one only when it was left undone: “Paul a testé le retour” is praise.
_FAULTS: Final = (
    "oublié", "omis", "négligé", "trompée?", "cassé", "raté", "merdé", "planté", "commis",
    r"fait\s(?:une|l['’])\s?erreur", r"supprimé\spar\serreur",
)  # fmt: skip
_LEFT_UNDONE: Final = (
    "vérifié", "testé", "pensé", "configuré", "paramétré", "prévu", "respecté", "relu", "surveillé",
    "mis", "ajouté", "défini", "activé", "anticipé",
)  # fmt: skip
_FRENCH: Final = (
    rf"(?:a|avait|s['’]est|s['’]était)\s(?:encore\s|tout\s)?(?:{'|'.join(_FAULTS)})"
    rf"|(?:n['’]a|n['’]avait|a|avait)\s(?:même\s)?(?:pas|jamais|mal)\s(?:encore\s|bien\s)?"
    rf"(?:{'|'.join(_LEFT_UNDONE)})"
    r"|(?:n['’])?aurait\s(?:pas\s|jamais\s)?dû"
)
_NOT_DONE: Final = r"(?:check|test|configure|think|read|set|add|watch|notice)"
_FAILED: Final = (
    rf"(?:{_FRENCH}|forgot|failed\sto|broke|messed\sup|screwed\sup"
    r"|neglected|misconfigured"
    r"|should(?:\snot)?\shave|shouldn['’]t\shave|made\sa\s(?:mistake|error)"
    rf"|(?:didn['’]t|did\snot)\s{_NOT_DONE}|was\s(?:careless|negligent))"
)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_PATTERNS: Final = (
    _pattern(r"\berreurs?\shumaines?\b|\bhuman\serrors?\b|\buser\serror\b"),
    _pattern(r"\b(?:la|sa|leur|ma|ta|notre|votre|une|par|c['’]est|est)\s+faute\s(?:de|d['’]|du|des|à|au)"),
    _pattern(r"\b(?:his|her|their|your|our)\sfault\b|\bfault\sof\b"),
    _pattern(rf"{_NAME}['’]s\s(?:fault|mistake|error|negligence)\b"),
    _pattern(r"\b(?:coupables?|culprit)\b(?!\s*(?:est|était|is|was|:|=))|\bfautifs?\b|\bfautives?\b"),
    _pattern(rf"\b(?:coupables?|culprit)\s*(?:est|était|is|was|:|=)\s*{_WHO}"),
    _pattern(r"\bincompéten\w{1,4}|\bnégligence\b|\bincompeten\w{1,4}|\bnegligence\b"),
    _pattern(rf"\bfaute\s(?:en\s)?(?:revient|incombe)\s(?:à|au)\s?{_WHO}"),
    _pattern(rf"{_WHO}\s(?:is|are|was|were)\sto\sblame\b"),
    _pattern(rf"\b(?:blame|blamed|blaming)\s{_WHO}"),
    _pattern(r"\bresponsable\sde\s(?:l['’]incident|(?:la|cette)\spanne|l['’]erreur)"),
    _pattern(r"\bresponsible\sfor\sthe\s(?:outage|incident|failure|error)"),
    _pattern(rf"\b(?:erreur|oubli|maladresse|étourderie)\s(?:de\s|d['’]|du\s)(?:la\spart\sde\s)?{_WHO}"),
    _pattern(rf"\b(?:à\scause\s(?:de\s|d['’]|du\s)|because\sof|due\sto)\s?{_WHO}(?![\w-])"),
    _pattern(rf"(?<![\w@]){_WHO}(?:,[^,.\n]{{1,40}},|\s(?:qui|who)\s[^,.;\n]{{1,60}}?)?\s{_FAILED}(?![\w-])"),
)
_DENIAL: Final = _pattern(
    r"\b(?:pas|aucune?|sans|non|ni|jamais|nul(?:le)?|plutôt que|au lieu|not|no|never|without|nobody|none"
    r"|rather than"
    r"|tolér\w{1,4}|tolerat\w{1,3}|malgré|despite|instead of|nor|n['’]est|isn['’]t|wasn['’]t|personne)\b"
)


_ACTING: Final = _pattern(
    rf"(?<![\w@]){_NAME}(?:,[^,.\n]{{1,40}},)?\s(?:(?:n['’]a|n['’]avait|a|avait|s['’]est)\s"
    r"|(?:did|had|was|has|set|put|\w{2,20}ed)\b)"
)


def naming(lines: Sequence[Line]) -> Iterator[tuple[Line, str]]:
    """Yield statements in which somebody known by a first name did something: for sections about causes."""
    for statement in statements(list(lines)):
        for match in _ACTING.finditer(statement.text):
            if match["name"].split()[0].lstrip("@").lower() in _FIRST or match["name"].startswith("@"):
                yield statement, match[0].strip()
                break


def blaming(lines: Sequence[Line]) -> Iterator[tuple[Line, str]]:
    """Yield every statement that blames, with the words that do."""
    for statement in statements(list(lines)):
        found = (match for pattern in _PATTERNS for match in pattern.finditer(statement.text))
        words = next((match[0].strip() for match in found if _blames(statement.text, match)), None)
        if words is not None:
            yield statement, words


def _blames(text: str, match: re.Match[str]) -> bool:
    if _DENIAL.search(text[max(0, match.start() - 45) : match.start()]):
        return False
    groups = match.groupdict()
    if not groups or groups.get("role"):
        return True
    name = str(groups["name"])
    if name.startswith("@"):
        return True
    return not any(word.lower() in _NO_PERSON for word in name.split())
