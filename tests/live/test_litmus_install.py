"""3.3 on a real API server. Litmus' programs do not run here: kwok plays their Pods."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live.judging import check, look, unmet, untold
from tests.live.objects import Object, applied, namespace, service, until, workload
from tests.rig.cluster import Rig
from workshop.content import Lab
from workshop.verdicts import Verdict

EXERCISE = "3.3"
READY, EXPOSED, ANSWER = "chaos_center_is_ready", "frontend_has_a_node_port", "the_answer_is_its_port"
OPERATOR = "somebody_carries_experiments_out"
COMPONENT = "app.kubernetes.io/component"
PORTS = {"frontend": 9091, "server": 9002, "auth-server": 9003}


def portal(
    home: str = "litmus",
    *,
    label: Callable[[str], dict[str, str]] = lambda part: {COMPONENT: f"litmus-{part}"},
    type: str = "NodePort",
    stuck: str = "",
    without: str = "",
) -> list[Object]:
    """Return what the chart of the Chaos Center installs, by any release name."""
    made = [namespace(home)]
    for part, port in PORTS.items():
        if part != without:
            made.append(workload(f"r-{part}", home, labels=label(part), stuck=part == stuck))
            kind = type if part == "frontend" else "ClusterIP"
            made.append(service(f"r-{part}-service", home, port, label(part), type=kind))
    if without != "mongodb":
        made.append(
            workload(
                "r-mongodb",
                home,
                kind="StatefulSet",
                image="bitnamilegacy/mongodb:7",
                stuck=stuck == "mongodb",
            )
        )
    return made


def operator(*, stuck: bool = False) -> Object:
    return workload("litmus-core", "litmus", image="litmuschaos.docker.io/chaos-operator:3.29.0", stuck=stuck)


def answers(url: str) -> dict[str, str]:
    return {"td/answers.yaml": yaml.safe_dump({"answers": {EXERCISE: {"url": url}}})}


def node_port(rig: Rig) -> int:
    found = rig.api.get("/api/v1/namespaces/litmus/services/r-frontend-service") or {}
    return int(found["spec"]["ports"][0]["nodePort"])


def test_everything_is_there(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    applied(pristine_rig, *portal(), operator())
    url = f"http://localhost:{node_port(pristine_rig)}"
    result = look(lab, pristine_rig, tmp_path, EXERCISE, answers(url))
    assert result.verdict is Verdict.PASSED, [(each.id, each.facts) for each in result.checks]
    assert check(result, OPERATOR).verdict is Verdict.PASSED


def test_parts_are_found_by_the_port_of_their_service(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    applied(pristine_rig, *portal(label=lambda part: {"my-own": part}))
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert check(result, READY).verdict is Verdict.PASSED
    assert check(result, EXPOSED).verdict is Verdict.PASSED


def test_nothing_is_there(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert result.verdict is Verdict.UNFINISHED
    assert unmet(result, READY) == ["chaos-center-missing"]
    assert unmet(result, OPERATOR) == ["no-chaos-operator"]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"stuck": "server"}, "chaos-center-not-ready"),
        ({"stuck": "mongodb"}, "mongodb-not-ready"),
        ({"without": "auth-server"}, "chaos-center-part-missing"),
        ({"home": "litmuschaos"}, "chaos-center-elsewhere"),
    ],
)
def test_what_is_wrong_with_the_portal(
    how: dict[str, Any], expected: str, lab: Lab, pristine_rig: Rig, tmp_path: Path
) -> None:
    applied(pristine_rig, *portal(**how))
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert unmet(result, READY) == [expected]
    assert result.verdict is Verdict.FAILED
    assert result.hint is not None


def test_a_database_outside_cannot_be_told(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    applied(pristine_rig, *portal(without="mongodb"))
    assert untold(look(lab, pristine_rig, tmp_path, EXERCISE), READY) == ["mongodb-elsewhere"]


def test_not_exposed(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    applied(pristine_rig, *portal(type="ClusterIP"))
    result = look(lab, pristine_rig, tmp_path, EXERCISE)
    assert unmet(result, EXPOSED) == ["frontend-not-exposed"]
    assert result.hint is not None


def test_answers(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    applied(pristine_rig, *portal())
    port = node_port(pristine_rig)
    wrong = 30002 if port != 30002 else 30003
    for url, expected in (
        (f"http://172.18.0.2:{port}/login", Verdict.PASSED),
        ("http://localhost:9091", Verdict.PASSED),
        (f"http://localhost:{wrong}", Verdict.FAILED),
        ("https://chaos.example.org", Verdict.UNKNOWN),
    ):
        result = look(lab, pristine_rig, tmp_path, EXERCISE, answers(url))
        assert check(result, ANSWER).verdict is expected, url
    result = look(lab, pristine_rig, tmp_path, EXERCISE, {"td/answers.yaml": "answers: {}\n"})
    assert check(result, ANSWER).verdict is Verdict.UNFINISHED


def test_an_operator_that_does_not_run(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    applied(pristine_rig, *portal(), operator(stuck=True))
    assert unmet(look(lab, pristine_rig, tmp_path, EXERCISE), OPERATOR) == ["chaos-operator-not-ready"]


def test_an_operator_scaled_down_is_none(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    """A Deployment that asks for no Pod is available all the same."""
    asleep = workload("litmus-core", "litmus", image="litmuschaos/chaos-operator:3.29.0", replicas=0)
    applied(pristine_rig, *portal(), asleep)
    path = pristine_rig.api.path(asleep)
    until(lambda: (pristine_rig.api.get(path) or {}).get("status", {}).get("conditions"), "nobody saw it")
    assert unmet(look(lab, pristine_rig, tmp_path, EXERCISE), OPERATOR) == ["chaos-operator-not-ready"]


def test_kinds_that_are_not_installed(lab: Lab, pristine_rig: Rig, tmp_path: Path) -> None:
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    pristine_rig.api.delete(f"{definitions}/chaosengines.litmuschaos.io")
    until(lambda: not pristine_rig.cluster().serves("ChaosEngine.litmuschaos.io"), "it is still served")
    applied(pristine_rig, *portal(), operator())
    assert unmet(look(lab, pristine_rig, tmp_path, EXERCISE), OPERATOR) == ["no-chaos-kinds"]
