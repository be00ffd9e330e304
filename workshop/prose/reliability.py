"""Words of reliability, French and English: how a lost Pod hurts, and what prevents it.

Patterns are looked for in folded text: lower case, no accents.
"""

from __future__ import annotations

import re
from typing import Final

from workshop.prose.markdown import folded


def _one_of(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives))


_PROBES: Final = (
    r"readiness",
    r"liveness",
    r"startup ?probe",
    r"\bprobes?\b",
    r"\bsondes?\b",
    r"health ?check",
)
_SHUTDOWN: Final = (
    r"pre-?stop", r"sigterm", r"sigkill", r"graceful", r"grace ?period", r"terminationgrace", r"drain",
    r"arret (?:propre|progressif|gracieux|brutal)", r"periode de grace",
    r"s'arret\w{1,5} (?:immediat|aussitot|net\b|d'un coup|brutal)",
    r"exits? (?:immediately|at once|abruptly)",
)  # fmt: skip
_CAPACITY: Final = (
    r"repliques?\b", r"replicas?\b", r"replicat", r"minreplicas", r"\bhpa\b", r"autoscal", r"surcharg",
    r"overload",
    r"(?:pas assez|trop peu) (?:de |d')(?:pods?|instances?)", r"(?:not enough|too few) (?:pods|instances)",
    r"(?:un|1) seule? (?:pod|instance) (?:rest|tourn|dispo|pour|actif)", r"\babsorb", r"\bencaiss",
    r"sous-dimension", r"capacit", r"under-?provision", r"satur",
)  # fmt: skip
_CALLERS: Final = (
    r"retry", r"retries", r"relanc", r"nouvelles? tentatives?", r"timeouts?", r"delais? d'attente",
    r"circuit",
)  # fmt: skip
_SPREAD: Final = (r"anti-?affinit", r"topolog")
# Traffic that still goes where nobody answers any more: three words of one sentence, in any order.
_STILL_ROUTED: Final = (
    r"(?<![^.!?\n])(?=[^.!?\n]{0,300}\b(?:trafic|traffic|requetes?|requests?)\b)"
    r"(?=[^.!?\n]{0,300}\b(?:encore|toujours|continu|still|kept|keeps?)\w{0,4}\b)"
    r"[^.!?\n]{0,300}\b(?:recev|recoi|rout|envoy|arriv|dirig|achemin|receiv|sen[dt]|flow)"
)
_SENT_TO_THE_DEAD: Final = (
    r"\b(?:rout|envoy|dirig|redirig|achemin|sen[dt]|forward|load-?balanc)\w*[^.!?\n]{0,60}"
    r"\b(?:pods?|endpoints?|instances?)\b[^.!?\n]{0,40}"
    r"\b(?:n'exist\w* plus|mort|dead|gone|disparu|supprim|deleted|terminat|terminaison|shutting"
    r"|en (?:train de s'|cours d')arret)"
)
_MECHANISMS: Final = _one_of(
    _STILL_ROUTED, _SENT_TO_THE_DEAD,
    r"\bterminating\b", r"en (?:cours de )?terminaison", r"being terminated",
    r"qu'il (?:traitait|servait|gerait)", r"en cours de traitement", r"being (?:handled|processed|served)",
    r"n'ont pas (?:tenu|supporte|suivi)", r"(?:could|did) not (?:cope|keep up|handle)",
    r"\b(?:mis|met|mettait|took|takes?) [^.!?\n]{0,30}(?:a|pour|to) "
    r"(?:etre pret|devenir pret|demarr|be(?:come)? ready|start)",
    r"trop de temps (?:a|pour) (?:etre pret|devenir pret|demarr)",
    *_PROBES, *_SHUTDOWN, *_CAPACITY, *_CALLERS, *_SPREAD,
    r"endpoint", r"propagation", r"kube-?proxy", r"iptables", r"load ?balanc", r"repartition",
    r"en vol", r"demarrage[^.!?\n]{0,40} (?:lente?|trop long)\b",
    r"demarr\w+ (?:lent|a froid|trop)", r"lent\w* a demarrer", r"slow (?:to )?start", r"cold start",
    r"warm-?up",
    r"temps de demarrage", r"startup time", r"connexions?", r"connections?", r"keep-?alive",
    r"requetes? en cours",
    r"in[- ]flight", r"pas (?:encore )?pret", r"not (?:yet )?ready", r"poddisruptionbudget", r"\bpdb\b",
    r"meme noe?ud", r"same node", r"single point", r"point unique",
)  # fmt: skip
_TRIGGER: Final = _one_of(
    r"supprim", r"suppression", r"delet", r"kill", r"tue", r"crash", r"chaos", r"litmus", r"arret",
    r"tombe", r"panne", r"redemarr", r"restart",
    r"ne sa\w{1,4} pas", r"don'?t know", r"aucune idee", r"no idea", r"inconnu", r"unknown",
    r"down", r"incident", r"experiment", r"experience",
)  # fmt: skip
_PDB: Final = _one_of(
    r"poddisruptionbudget", r"\bpdb\b", r"disruption ?budget", r"minavailable", r"maxunavailable"
)
_FIXES: Final = _one_of(
    *_PROBES, *_SHUTDOWN, *_CAPACITY, *_CALLERS, *_SPREAD,
    r"alert", r"burn", r"dashboard", r"tableau de bord", r"runbook", r"monitor", r"supervis", r"test",
    r"slo\b",
    r"sli\b", r"cache", r"ressource", r"resource", r"limit", r"cpu", r"memoire", r"memory", r"chaos",
)  # fmt: skip
_OWNER_OR_DATE: Final = _one_of(
    r"\b\d{1,2}[/.-]\d{1,2}(?:[/.-]\d{2,4})?\b", r"\b\d{4}-\d{2}-\d{2}\b", r"@\w", r"\bresponsable",
    r"\bowner",
    r"\bequipe\b", r"\bteam\b", r"\bassign", r"\bpour le\b", r"\bavant (?:le|la)\b", r"\bby\b", r"\bdue\b",
    r"\becheance", r"\bdeadline", r"\bsprint", r"\bsemaine", r"\bweek", r"\bsuivi par", r"\bqui\s?:",
)  # fmt: skip
_OBJECT: Final = (
    r"(?: (?:le |la |les |l'|the |notre |our |du |de la )?(?:service|systeme|system|resilience|fiabilite"
    r"|reliability"
    r"|stabilite|stability|monitoring|supervision|infra(?:structure)?|code|probleme|problem|tests?|process(?:us)?"
    r"|qualite|quality))?(?: (?:du )?payment-service)?"
)
_VAGUE: Final = _one_of(
    r"(?:mieux|plus) (?:tester|surveiller|verifier|faire attention)",
    r"faire (?:plus )?attention",
    r"etre plus (?:prudents?|vigilants?|attentifs?)",
    r"ne (?:plus|pas) (?:refaire|recommencer|oublier|supprimer|tuer)\b.{0,200}",
    r"(?:faire mieux|do better)\b.{0,100}",
    r"be(?:ing)? more careful",
    r"pay more attention",
    r"never do (?:it|that) again",
    r"(?:ameliorer|renforcer|revoir|optimiser|stabiliser|fiabiliser|corriger)" + _OBJECT,
    r"(?:improve|strengthen|review|fix|stabili[sz]e)" + _OBJECT,
    r"a (?:definir|voir|faire|discuter)",
    r"to be defined",
)
# A verb that begins an action: a French infinitive, or one of the usual English ones.
_DOING: Final = (
    r"(?:de |d['’]|to )?(?!(?:[nv]otre|autre|entre|contre|quatre|janvier|février)\b)"
    r"(?:[a-zà-ÿ]{3,14}(?:er|ir|re)|add|set|raise|increase|configure|create|implement|use|enable|tune)\b"
)
# Fields of a Pod whose one word says all there is to do.
_FIELD: Final = re.compile(
    r"(?:readiness|liveness|startup) ?-?probe|pre-?stop|terminationgraceperiodseconds|poddisruptionbudget"
)
_PREAMBLE: Final = re.compile(r"^(?:il faut |nous devons |on doit |we (?:must|should|need to) )")


def mechanism(text: str) -> bool | None:
    """Whether a text names how the loss of a Pod became failed requests; None when it cannot be told.

    False for a text that only says that a Pod was deleted, or next to nothing.
    """
    words = folded(text)
    if _MECHANISMS.search(words):
        return True
    sentences = [each for each in re.split(r"[.!?\n]+", words) if len(each.split()) > 2]
    return False if all(_TRIGGER.search(each) for each in sentences) else None


def single_actions(sentence: str) -> list[str]:
    """Return the actions that one sentence strings together: “ajouter …, configurer … et passer …”."""
    return re.split(rf"(?:\s*[,;]\s*(?:et |and )?|\s+(?:et|and)\s+)(?={_DOING})", sentence)


def is_vague(action: str) -> bool:
    """Whether an action says nothing that could be done and then ticked off."""
    words = _PREAMBLE.sub("", folded(action).strip(" .:-–*[]!"))
    if _FIELD.fullmatch(words):
        return False
    return len(re.findall(r"\w{2,}", words)) < 2 or _VAGUE.fullmatch(words) is not None


def is_disruption_budget(action: str) -> bool:
    """Whether an action is about a PodDisruptionBudget and nothing else."""
    words = folded(action)
    # Draining nodes is what a budget is for, no other remedy.
    rest = re.sub(r"\bdrain\w*", "", _PDB.sub("", words))
    return bool(_PDB.search(words)) and not _FIXES.search(rest)


def has_owner_or_date(action: str) -> bool:
    """Whether an action says who does it, or until when."""
    return _OWNER_OR_DATE.search(folded(action)) is not None
