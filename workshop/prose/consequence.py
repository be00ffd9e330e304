"""Whether a text says that an error budget is overspent or an objective missed, in French or English."""

from __future__ import annotations

import re
from typing import Final

from workshop.prose.markdown import folded

_OBJECTIVE: Final = r"(?:slo|sla|objectif|objective|target|cible|engagement|contrat|commitment)\b"
_NEAR: Final = r"[^.!?\n]{0,60}?"
_NEGATION: Final = re.compile(
    r"\bn(?:e|')\s?\w{0,14}\s?(?:pas|jamais)\b|\bpas\b|\baucun\w{0,2}\b|\bsans\b|\bnot\b|n't\b|\bnever\b"
    r"|\bwithout\b|\bno\b"
)
_NEGATED_VERB: Final = re.compile(r" (?:pas|jamais)\b")  # « on ne dépasse pas »
_OVERSPENT: Final = re.compile(
    r"\b(?:depass\w*|epuis\w*|negati\w*|exced\w*|a decouvert|au[- ]dela|a sec\b|crev\w*|cram[ee]\w*"
    r"|dans le rouge|sous zero"
    r"|(?:totalement|entierement|integralement) (?:consomm|utilis|depens|brul)\w*"
    r"|(?:consomm|utilis|depens|brul)\w* (?:en entier|en totalite|totalement|entierement|integralement)"
    r"|explos\w*|grill\w*|pulveris\w*|hors (?:de |du )?(?:error )?budget"
    r"|ne (?:couvr|suffi)\w* pas\b|il (?:nous |en )?manqu\w* \d[\d.,]{0,5} ?min"
    r"|exceed\w*|exhaust\w*|overs\w*|overrun\w*|over[- ]?budget|deplet\w*|used up|blown|in the red|below zero"
    r"|burn(?:t|ed) (?:out|through)|r[au]ns? out|deficit"
    r"|budget (?:is|will be|would be) (?:all |completely |entirely |fully )?"
    r"(?:gone|spent|burn(?:t|ed)|consumed)"
    r"|budget (?:est|sera|serait|tombe\w*|passe\w*|is|falls) (?:a|at|to) (?:zero|0)\b|overdrawn"
    r"|(?:plus que|more than) (?:le|notre|l'|the|our) ?(?:error )?budget"
    r"|(?:plus|pas) (?:assez|suffisamment) de (?:error )?budget|budget (?:est |is )?insuff\w*"
    r"|not enough (?:error )?budget|bl[oe]w\w* (?:through|past)|beyond|surpass\w*|bust\w*"
    r"|(?:plus que|superieure?s? aux?) (?:les |nos )?4[34]\b"
    r"|au[- ]dessus (?:du |de (?:notre |l')?)(?:error )?budget|(?:above|over) (?:the |our )?(?:error )?budget"
    r"|budget (?:est|sera|serait) (?:alors )?(?:consomme|depense|utilise|brule|vide|nul)\b"
    r"(?! a (?:environ )?\d)|budget restant (?:est |serait |: ?)?(?:de |a )?0\b(?![.,]\d)"
    r"|45\b[^.!?\n<>]{0,40}> ?4[34]|4[34](?:[.,]\d{1,2})? ?(?:min\w* )?< ?45"
    r"|ne le ser(?:a|ait|ont|aient) plus|plus (?:de|aucune) marge|no margin left"
    r"|goes? over|went over|sort(?:ir|ons|ira)? d[ue]"
    r"|plus (?:(?:rien|aucun|de) (?:du |de )?|d')(?:error )?budget|\bout of (?:error )?budget"
    r"|no (?:more |error )?budget|consomm\w* plus que"
    r"|(?:45|more) (?:min\w* )?(?:>|than)"
    r"|superieure? (?:au|a notre|a l'error) budget|plus de 100 ?%|10[1-6](?:[.,]\d{1,3})? ?%)"
)
# More lost than was left: says it, unless the words beside it say the contrary.
_COMPARED: Final = re.compile(r"\b30 ?(?:min\w* )?> ?28|\b28[.,]\d{1,2} ?(?:min\w* )?< ?30")
_MISSED: Final = (
    re.compile(
        _OBJECTIVE + _NEAR + r"\b(?:viol\w*|enfrei\w*|rompu\w*|manqu\w*|rate\w?\b|perdu\w*|casse\w*|ko\b"
        r"|miss\w*|breach\w*|broken|fail\w*|lost)"
    ),
    re.compile(
        r"\b(?:viol\w*|breach\w*|miss\w*|fails? to|break\w*|manqu\w*|romp\w*|rate\w*)"
        r"(?:[^.!?\n]|\.\d){0,30}?\b" + _OBJECTIVE
    ),
    re.compile(
        _OBJECTIVE
        + r"[^.!?\n]{0,40}?(?:\bn'est (?:donc |alors )?(?:plus|pas)|\bne (?:sera|serait) (?:plus|pas)"
        r"|\bnon|\bnot|\bno longer|n't)\s[^.!?\n]{0,20}?"
        r"(?:respect\w*|ten[ua]\w*|attei[gn]\w*|garanti\w*|honor\w*|rempli\w*|met\b|meet|kept|reach\w*|achiev\w*|hold)"
    ),
    re.compile(
        r"\bn(?:e |')\w{1,12} (?:plus|pas) (?:respecte|tenu|atteint|garanti)[^.!?\n]{0,20}?\b" + _OBJECTIVE
    ),
    re.compile(r"\bnon[- ](?:respect|atteinte) d[ue]|\bhors (?:slo|objectif)|\bout of slo"),
    re.compile(
        r"\b(?:ne respect\w*|n'attein\w*|ne t(?:ien|en)\w*) (?:plus|pas)"
        r"[^.!?\n]{0,30}(?:slo|objectif|engagement|99[.,]9)"
    ),
    re.compile(
        r"(?:\b(?:sous|dessous d[eu]|below|under|inferieure? a|less than)|<) ?"
        r"(?:le |les |la |l'|the |our |notre )?(?:slo|objectif|objective|target|cible|99[.,]9)"
    ),
)
_BUT: Final = re.compile(r"\b(?:mais|but|toutefois|cependant|pourtant|however|yet)\b")
_DENIAL: Final = re.compile(
    r"\b(?:pas|jamais|not|never|aucune?|no|sans|without)\s(?:\w{1,12}\s)?"
    r"(?:viol|manqu|rompu|rate|miss|breach|br[eo]ak|fail)"
)
_STILL_MET: Final = (
    re.compile(r"\b(?:ne depass\w*|n'exced\w*|n'epuis\w*) pas\b"),
    re.compile(
        r"(?:slo|objectif|objective|target|budget)\b[^.!?\n]{0,40}?"
        r"\b(?:toujours|encore|reste\w*|still|remain\w*|demeure)[^.!?\n]{0,20}?"
        r"\b(?:respect\w*|tenu\w*|attein\w*|met|within|positi\w*|suffi\w*|dans)\b"
    ),
    re.compile(
        r"\b(?:still|toujours|encore) (?:within|meet\w*|respect\w*|dans)[^.!?\n]{0,40}"
        r"\b(?:slo|budget|objecti\w+|target)"
    ),
    re.compile(r"\b(?:slo|objectif|objective|target) (?:est |is )(?:respecte\w*|tenu|atteint|met)\b"),
    re.compile(
        r"\b(?:pas|aucune?|not|no) (?:de |d'|be |been )?(?:depass|exceed|exhaust|violation|epuis|breach)\w*"
    ),
)


def says_overspent(text: str) -> bool:
    """Whether a text says somewhere, not denying it, that the budget is gone or the objective missed."""
    for clause in _clauses(text):
        if not _denied(clause) and any(pattern.search(clause) for pattern in _MISSED):
            return True
        for match in _OVERSPENT.finditer(clause):
            # What is denied before a colon is the reason: “28 minutes do not suffice: the budget is blown”.
            before = clause[max(0, match.start() - 40) : match.start()].rpartition(":")[2]
            after = clause[match.end() :]
            if not _NEGATION.search(before) and not _NEGATED_VERB.match(after):
                return True
    return _COMPARED.search(folded(text)) is not None and not says_still_met(text)


def says_still_met(text: str) -> bool:
    """Whether a text says that the objective is still met."""
    return any(
        _denied(clause) or any(pattern.search(clause) for pattern in _STILL_MET) for clause in _clauses(text)
    )


def contradicts_itself(text: str) -> bool:
    """Whether one sentence says that the budget is overspent and then, after a “but”, the objective met."""
    for sentence in _sentences(text):
        first, *others = _BUT.split(sentence)
        if others and says_overspent(first):
            rest = [other for other in others if not says_overspent(other)]
            if any(pattern.search(other) for other in rest for pattern in _STILL_MET):
                return True
    return False


def _denied(clause: str) -> bool:
    """Whether a clause denies a violation: “the SLO is not violated”, “le SLO n'est pas manqué”."""
    return _DENIAL.search(clause) is not None


def _clauses(text: str) -> list[str]:
    """Return sentences and their parts, questions left out: asking is not saying."""
    return [
        clause
        for sentence in _sentences(text)
        for clause in re.split(r";|\bmais\b|\bbut\b|, (?=[a-z])", sentence)
    ]


def _sentences(text: str) -> list[str]:
    """Return sentences in folded words, questions left out."""
    sentences = re.findall(r"[^.!?\n]{1,600}(?:[.](?=\d)[^.!?\n]{0,600}){0,20}[.!?]?", folded(text))
    return [sentence for sentence in sentences if not sentence.rstrip().endswith("?")]
