"""0.1 on a cluster – the six tools answer, in versions that work with the lab and with this cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workshop.checking import Exam, Text, check, cluster, must, should
from workshop.verdicts import Reason, Source

if TYPE_CHECKING:
    from workshop.doctor import Tool

# Other engines that kind runs on answer to docker's name, and count their versions differently.
_ENGINES: Final = ("podman", "nerdctl")
_OLDEST_ENGINE: Final = (1, 0)
_SKEW: Final = 1


@check(level=must, half=cluster, containers=True)
def tools_answer(exam: Exam) -> None:
    """The six tools answer, in versions the lab works with.

    This exercise alone is about the machine: no other verdict depends on what is installed there.
    """
    from workshop.doctor import versions  # not needed where no cluster is looked at

    exam.cluster.version()  # tools without a cluster that answers them prove nothing
    for tool, said in versions().items():
        with exam.part():
            _judge(exam, tool, said)


def _judge(exam: Exam, tool: Tool, said: str | None) -> None:
    from workshop.doctor import version_in

    claim = Text("{tool} is there", tool=tool.name)
    where = Source(object=tool.name)
    install = Text("Install it: {url}", url=tool.url)
    if said is None:
        exam.unfinished("tool-missing", claim, observed=Text("no answer"), next=install, where=where)
    version = version_in(said)
    oldest = _OLDEST_ENGINE if any(each in said.lower() for each in _ENGINES) else tool.oldest
    exam.fact(
        "tool-too-old",
        claim,
        None if version is None else version >= oldest,
        expected=Text("{version} or newer", version=_shown(oldest)),
        observed=_shown(version) if version else said[:80],
        next=install,
        where=where,
        reason=Reason.BEYOND_EVALUATOR if version is None else None,
    )


@check(level=should, half=cluster, containers=True)
def kubectl_fits_the_cluster(exam: Exam) -> None:
    """kubectl is at most one minor version away from the cluster.

    Further apart, fields that one of them knows are silently lost on the way to the other.
    """
    from workshop.doctor import version_in, versions

    server = version_in(exam.cluster.version())
    said = next((said for tool, said in versions().items() if tool.name == "kubectl"), None)
    own = version_in(said) if said else None
    known = own is not None and server is not None
    exam.fact(
        "kubectl-skew",
        Text("kubectl and the cluster are of about the same age"),
        abs(own[1] - server[1]) <= _SKEW if own and server else None,
        expected=Text("at most one minor version apart"),
        observed=Text(
            "kubectl {own}, cluster {server}",
            own=_shown(own) if own else "–",
            server=_shown(server) if server else "–",
        ),
        next=Text("Install the kubectl of the cluster's version."),
        where=Source(object="kubectl"),
        reason=None if known else Reason.BEYOND_EVALUATOR,
    )


def _shown(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
