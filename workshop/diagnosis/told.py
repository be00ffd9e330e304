"""What the cluster has told the checks themselves: a refused dry run, a kind it does not know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workshop.diagnosis.refusals import sign_of
from workshop.diagnosis.symptom import Sign, Symptom, one_line
from workshop.texts import translate
from workshop.verdicts import CheckResult, Half, Reason, Source, Verdict


def symptoms(results: Iterable[CheckResult]) -> Iterator[Symptom]:
    """Yield what answers of the API server, kept in facts that are not met, are symptoms of.

    A policy that refuses a probe is no symptom: that is what the probe was for.
    """
    for result in results:
        if result.half is not Half.CLUSTER or result.verdict is Verdict.PASSED:
            continue
        for fact in result.facts:
            if fact.met is True or fact.observed is None:
                continue
            said = translate(fact.observed, "en")
            sign = Sign.KIND_NOT_SERVED if fact.reason is Reason.MISSING_CRD else sign_of(said)
            if sign is not None and sign is not Sign.REFUSED_BY_POLICY:
                message = fact.observed if sign is Sign.KIND_NOT_SERVED else one_line(said)
                yield Symptom(sign, _object(fact.source) or result.id, message, group=sign)


def _object(source: Source | None) -> str:
    return str(source) if source is not None else ""
