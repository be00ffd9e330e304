"""Our evaluation and our verdicts, held against Prometheus itself (promtool)."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.promql.formulations import INVALID, LATENCY, NATIVE, SUCCESS
from workshop.promql.evaluation import evaluate
from workshop.promql.functions import bucket_quantile
from workshop.promql.latency import judge_latency
from workshop.promql.series import Sample, Series
from workshop.promql.success import judge_success_rate
from workshop.promql.syntax import PromQLError, parse
from workshop.verdicts import Level

HOURS = 2
STEP = 15
STEPS = HOURS * 3600 // STEP
PODS = {"a": 0.6, "b": 0.3, "c": 0.1}
# 990 good requests for 10 errors; the errors sit on the quietest Pod.
RATES = {"200": 90.0, "201": 4.0, "204": 1.0, "301": 1.0, "401": 1.0, "404": 2.0, "500": 0.7, "503": 0.3}
OUTCOMES = {"2": "SUCCESS", "3": "REDIRECTION", "4": "CLIENT_ERROR", "5": "SERVER_ERROR"}
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, math.inf)
BUCKETS = {"a": (60, 20, 8, 4, 2, 1, 1), "b": (10, 20, 30, 20, 5, 2, 1), "c": (1, 1, 2, 4, 10, 5, 1)}


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("promtool is missing: install Debian's package `prometheus`")
        pytest.skip("promtool is not installed")
    return found


def _requests() -> list[Series]:
    series = []
    for code, rate in RATES.items():
        for pod, share in PODS.items():
            if code[0] == "5":
                share = {"a": 0.1, "b": 0.1, "c": 0.8}[pod]
            own = {
                "app": "payment-service",
                "job": "payment-service",
                "namespace": "default",
                "method": "POST",
                "pod": f"payment-service-7d9f8c-{pod}",
                "instance": f"10.0.0.{ord(pod)}:8080",
                "status": code,
            }
            # Bad history: an hour-long outage lies behind, which a rate does not see.
            base = 5e6 * share if code[0] == "5" else 1e6 * share
            series.append(Series({**own, "__name__": "http_requests_total"}, base, rate * share))
            gateway = {"service": own["app"], "code": code, "pod": own["pod"]}
            series.append(Series({**gateway, "__name__": "gateway_requests_total"}, base, rate * share))
            spring = {"app": own["app"], "outcome": OUTCOMES[code[0]], "uri": f"/{code}", "pod": own["pod"]}
            series.append(Series({**spring, "__name__": "spring_requests_total"}, base, rate * share))
            envoy = {
                "service": own["app"],
                "envoy_response_code_class": code[0],
                "pod": own["pod"],
                "at": code,
            }
            series.append(Series({**envoy, "__name__": "envoy_upstream_rq_xx"}, base, rate * share))
            other = {**own, "app": "frontend-app", "job": "frontend-app", "pod": f"frontend-app-5c-{pod}"}
            failing = 50.0 if code[0] == "5" else rate
            series.append(Series({**other, "__name__": "http_requests_total"}, base, failing * share))
    return series


def _durations() -> list[Series]:
    series = []
    for pod, counts in BUCKETS.items():
        labels = {"app": "payment-service", "pod": pod, "instance": pod}
        name = "http_request_duration_seconds"
        total = 0
        for bound, count in zip(BOUNDS, counts, strict=True):
            total += count
            le = "+Inf" if math.isinf(bound) else f"{bound:g}"
            slow_past = 1e6 * (BOUNDS.index(bound) + 1)
            series.append(Series({**labels, "le": le, "__name__": f"{name}_bucket"}, slow_past, float(total)))
        series.append(Series({**labels, "__name__": f"{name}_count"}, 7e6, float(total)))
        series.append(Series({**labels, "__name__": f"{name}_sum"}, 7e6, total * 0.3))
    return series


WORLD = [*_requests(), *_durations()]
P95 = bucket_quantile(
    0.95, [(bound, float(sum(sum(c[: i + 1]) for c in BUCKETS.values()))) for i, bound in enumerate(BOUNDS)]
)


def _input(series: Series) -> dict[str, str]:
    assert isinstance(series.base, float)
    assert isinstance(series.slope, float)
    labels = ",".join(f'{key}="{value}"' for key, value in series.labels.items() if key != "__name__")
    start = series.base - series.slope * STEP * STEPS
    return {
        "series": f"{series.labels['__name__']}{{{labels}}}",
        "values": f"{start!r}+{series.slope * STEP!r}x{STEPS}",
    }


def _ask(promtool: str, folder: Path, questions: list[tuple[str, int]]) -> subprocess.CompletedProcess[str]:
    """Let promtool compare expressions with whole numbers, on our world."""
    test = {
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": f"{STEP}s",
                "input_series": [_input(series) for series in WORLD],
                "promql_expr_test": [
                    {
                        "expr": expr,
                        "eval_time": f"{HOURS}h",
                        "exp_samples": [{"labels": "{}", "value": value}],
                    }
                    for expr, value in questions
                ],
            }
        ],
    }
    path = folder / "test.yaml"
    path.write_text(yaml.safe_dump(test), encoding="utf-8")
    return subprocess.run(
        [promtool, "test", "rules", str(path)], capture_output=True, text=True, check=False, timeout=60
    )


def _values(expr: str) -> list[float]:
    result = evaluate(parse(expr), WORLD)
    samples = [Sample({}, result)] if isinstance(result, float) else result
    return [sample.number() for sample in samples]


def test_the_evaluator_agrees_with_prometheus(promtool: str, tmp_path: Path) -> None:
    """Every formulation, right or wrong: as many series, with the same sum."""
    questions = []
    for expr in (*SUCCESS, *LATENCY):
        values = [value for value in _values(expr) if math.isfinite(value)]
        if len(values) != len(_values(expr)):
            continue  # NaN and infinity have no integer to compare with
        questions.append((f"count({expr}) or vector(0)", len(values)))
        # A millionth, rounded: promtool compares floating point numbers bit by bit.
        questions.append((f"round(1e6 * sum({expr})) or vector(0)", round(1e6 * math.fsum(values))))
    assert len(questions) >= 2 * 60
    outcome = _ask(promtool, tmp_path, questions)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_right_ones_record_what_the_exercise_asks_and_wrong_ones_do_not(
    promtool: str, tmp_path: Path
) -> None:
    """Prometheus' own result on one fixed day of traffic confirms our verdict."""
    right: list[tuple[str, int]] = []
    wrong: list[tuple[str, int]] = []
    for table, wanted in ((SUCCESS, 0.99), (LATENCY, P95)):
        for expr, finding in table.items():
            # Per cent and milliseconds are the same thing in another unit; several series are judged apart.
            if finding is None and "by (pod)" in expr:
                continue
            factor = "100" if expr.startswith("100 *") else "1000" if expr.endswith("* 1000") else "1"
            close = f"abs(({expr}) / {wanted!r} - {factor}) < bool {2e-3 * float(factor)!r}"
            (right if finding is None else wrong).append(
                (f"min({close}) or vector(0)", 1 if finding is None else 0)
            )
    assert len(right) >= 30
    assert len(wrong) >= 30
    outcome = _ask(promtool, tmp_path, [*right, *wrong])
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_prometheus_accepts_what_we_accept(promtool: str, tmp_path: Path) -> None:
    rules = [{"record": f"r:{index}", "expr": expr} for index, expr in enumerate((*SUCCESS, *LATENCY))]
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}), encoding="utf-8")
    outcome = subprocess.run(
        [promtool, "check", "rules", str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert outcome.returncode == 0, outcome.stderr


@pytest.mark.parametrize("expr", INVALID)
def test_prometheus_refuses_what_we_refuse(promtool: str, tmp_path: Path, expr: str) -> None:
    with pytest.raises(PromQLError):
        parse(expr)
    path = tmp_path / "rules.yaml"
    rule = {"record": "r:x", "expr": expr}
    path.write_text(yaml.safe_dump({"groups": [{"name": "one", "rules": [rule]}]}), encoding="utf-8")
    outcome = subprocess.run(
        [promtool, "check", "rules", str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert outcome.returncode != 0


@pytest.mark.parametrize(("expr", "finding"), [*SUCCESS.items(), *NATIVE.items()])
def test_verdict_on_success_rate(expr: str, finding: str | None) -> None:
    musts = [each.id for each in judge_success_rate(parse(expr), {}) if each.level is Level.MUST]
    assert musts == ([finding] if finding else [])


@pytest.mark.parametrize(("expr", "finding"), LATENCY.items())
def test_verdict_on_latency(expr: str, finding: str | None) -> None:
    musts = [each.id for each in judge_latency(parse(expr), {}) if each.level is Level.MUST]
    assert musts == ([finding] if finding else [])
