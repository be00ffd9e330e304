"""3.3 – what files can tell of the installation: the URL, and Helm values if they were kept."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from workshop.checking import Exam, Text, check, remark, should
from workshop.verdicts import Reason
from workshop.workspace import Unreadable

VALUES: Final = ("td/litmus/values.yaml", "td/litmus/values.yml", "td/litmus/litmus-values.yaml")
NODE_PORTS: Final = range(30_000, 32_768)
FORWARDED: Final = 9091


@check(level=should)
def the_url_is_noted(exam: Exam) -> None:
    """The answer is a URL with the port of the frontend.

    The portal is only useful to people who find it.
    """
    answer = exam.answer("url")
    text = answer.text.strip().strip("<>`")
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
        host, port = url.hostname, url.port
    except ValueError:
        host, port = None, None
    exam.fact(
        "not-a-url",
        Text("The answer is a URL with host and port"),
        host is not None and not re.search(r"[\s<>]", text) and (port is not None or url.scheme == "https"),
        expected=Text("http://<node>:<NodePort of the frontend>"),
        observed=text,
        next=Text("Read the port with `kubectl get svc -n litmus`: it stands behind the colon of 9091."),
        where=answer.position,
    )


@check(level=remark, needs=[the_url_is_noted])
def the_port_is_a_node_port(exam: Exam) -> None:
    """The port is a NodePort, not one of a port-forward.

    A port-forward ends with the terminal it was started in.
    """
    answer = exam.answer("url")
    text = answer.text.strip().strip("<>`")
    port = urlsplit(text if "://" in text else f"http://{text}").port
    exam.fact(
        "port-forwarded" if port == FORWARDED else "not-a-node-port",
        Text("The port lies between 30000 and 32767"),
        port in NODE_PORTS,
        expected=Text("a port between 30000 and 32767"),
        observed=str(port),
        next=Text("Make the frontend's Service a NodePort, and map the port in kind's configuration."),
        where=answer.position,
    )


@check(level=remark)
def values_are_the_charts(exam: Exam) -> None:
    """Helm values that are handed in are values the chart knows.

    A chart ignores what it does not know, without a word.
    """
    for path in VALUES:
        try:
            documents = exam.workspace.documents(path)
        except Unreadable:
            continue
        for document in documents:
            place = ("portal", "frontend", "service", "nodePort")
            exam.fact(
                "node-port-ignored",
                Text("No value of the file is ignored by the chart"),
                not document.has(*place),
                expected=Text("the port read from, or patched into, the Service"),
                observed=Text("{value} is no value of the chart", value=".".join(place)),
                next=Text(
                    "Remove it, and change the port with `kubectl patch svc` if you need a certain one."
                ),
                where=document.at(*place),
            )
    if not exam.facts:
        exam.blocked(
            "no-values",
            Text("Helm values are handed in"),
            reason=Reason.MISSING_FILE,
            observed=Text("none in td/litmus; that is fine"),
        )
