"""1.1 – Backstage runs and answers. Files show the answers and, where they were kept, the chart's values."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from workshop.checking import Exam, Position, Text, check, remark, should

from ._backstage import shown
from ._backstage_config import Section, chart_values

_PRODUCTION: Final = "app-config.production.yaml"
_PORT: Final = ("service", "nodePorts", "backend")
_DATABASE: Final = ("backstage", "appConfig", "backend", "database")
_ENVIRONMENT: Final = ("extraEnvVars", "extraEnvVarsSecrets", "extraEnvVarsCM")
_LOCAL: Final = ("localhost", "127.0.0.1", "[::1]", "::1")
_GUEST: Final = ("backstage", "appConfig", "auth", "providers")


@check(level=should)
def address_is_given(exam: Exam) -> None:
    """The answer names an address that a browser outside the cluster can open.

    A portal is as good as the link people have to it.
    """
    answer = exam.answer("url")
    address = web_address(answer.text)
    claim = Text("The address can be opened in a browser")
    if address is None:
        exam.fail(
            "url-not-an-address",
            claim,
            expected="http://HOST:PORT",
            observed=shown(answer.text),
            next=Text("Copy it from the address bar of your browser."),
            where=answer.position,
        )
    host = address.hostname or ""
    inside = host.endswith((".svc", ".svc.cluster.local")) or re.fullmatch(r"backstage(\.backstage)?", host)
    exam.fact(
        "url-inside-cluster",
        claim,
        not inside,
        expected=Text("a host known outside the cluster, such as localhost"),
        observed=host,
        next=Text("Names of Services are known inside the cluster only: use the NodePort or an Ingress."),
        where=answer.position,
    )


@check(level=should)
def pods_are_counted(exam: Exam) -> None:
    """The answer says how many Pods run in the namespace.

    The portal and its database: who knows the parts sees at once which one is missing.
    """
    answer = exam.answer("pods")
    match = re.search(r"\d{1,4}", answer.text) if not isinstance(answer.value, bool) else None
    if match is None:
        exam.fail(
            "pods-not-a-number",
            Text("The answer is a number"),
            expected=Text("a whole number"),
            observed=shown(answer.value),
            next=Text("Count the lines of kubectl get pods -n backstage."),
            where=answer.position,
        )
    exam.fact(
        "pods-too-few",
        Text("The database is counted too"),
        int(match[0]) >= 2,
        expected=Text("at least 2: Backstage and PostgreSQL"),
        observed=match[0],
        next=Text("Is PostgreSQL there? The chart does not enable it by itself."),
        where=answer.position,
    )


@check(level=should)
def database_is_asked_for(exam: Exam) -> None:
    """The values bring PostgreSQL along, and Backstage uses it.

    Without its production configuration Backstage keeps everything in memory, until the next restart.
    """
    values = chart_values(exam)
    database = values.get(*_DATABASE, "client")
    enabled = values.get("postgresql", "enabled") is True
    exam.fact(
        "postgresql-off",
        Text("A PostgreSQL is part of the installation"),
        enabled or (database == "pg" and _stands_elsewhere(values)),
        expected="postgresql.enabled: true",
        observed=f"postgresql.enabled: {shown(values.get('postgresql', 'enabled'))}",
        next=Text("The chart's default is false."),
        where=values.at("postgresql", "enabled"),
    )
    arguments = values.get("backstage", "args")
    texts = [each for each in arguments if isinstance(each, str)] if isinstance(arguments, list) else []
    exam.fact(
        "database-in-memory",
        Text("Backstage is told to use it"),
        database == "pg" or any(_PRODUCTION in each for each in texts),
        expected=Text(
            "backstage.appConfig.backend.database.client: pg, or args with {file}", file=_PRODUCTION
        ),
        observed=Text("neither"),
        next=Text("Say so in the app-config, or load the image's production configuration with --config."),
        where=values.at("backstage"),
    )


@check(level=should)
def exposed_to_the_outside(exam: Exam) -> None:
    """The values open a way in from outside the cluster.

    A ClusterIP is reachable from Pods, not from a browser.
    """
    values = chart_values(exam)
    kind = values.get("service", "type")
    ingress = any(values.get(key, "enabled") is True for key in ("ingress", "route", "httpRoute"))
    ingress = ingress or Section(values.document).get("route", "enabled") is True
    exam.fact(
        "not-exposed",
        Text("There is a way in from outside"),
        kind in ("NodePort", "LoadBalancer") or ingress,
        expected=Text("service.type: NodePort, or ingress.enabled: true"),
        observed=f"service.type: {shown(kind)}",
        next=Text("Without it the chart makes a ClusterIP."),
        where=values.at("service", "type"),
    )
    port = values.get(*_PORT)
    if values.has("service", "nodePort"):
        exam.fact(
            "node-port-misplaced",
            Text("The port is set where the chart reads it"),
            met=False,
            expected=".".join(_PORT),
            observed="service.nodePort",
            next=Text("The chart knows one port by name: backend."),
            where=values.at("service", "nodePort"),
        )
    if port not in (None, ""):
        number = int(port) if isinstance(port, int) or (isinstance(port, str) and port.isdecimal()) else 0
        exam.fact(
            "node-port-out-of-range",
            Text("The port is one a NodePort can have"),
            30000 <= number <= 32767,
            expected=Text("30000 to 32767"),
            observed=shown(port),
            next=Text("kind-config maps 30000 to your machine: use that one."),
            where=values.at(*_PORT),
        )


@check(level=should)
def addresses_agree(exam: Exam) -> None:
    """Backstage knows the address it is opened at.

    The page loads from any address, but its calls go to baseUrl: a wrong one shows “Failed to fetch”.
    """
    values = chart_values(exam)
    addresses: dict[str, tuple[str, Position]] = {}
    for part in ("app", "backend"):
        url = values.get("backstage", "appConfig", part, "baseUrl")
        address = web_address(url)
        where = values.at("backstage", "appConfig", part, "baseUrl")
        exam.fact(
            "base-url-missing",
            Text("{part}.baseUrl is set", part=part),
            address is not None,
            expected=Text("backstage.appConfig.{part}.baseUrl: the address in the browser", part=part),
            observed=shown(url),
            next=Text("Its default is localhost with the ports of development."),
            where=where,
        )
        if address is not None:
            addresses[part] = (_origin(address), where)
    given = exam.answers.get(exam.exercise.id, "url")
    answered = web_address(given.text) if given else None
    wanted = _origin(answered) if answered else next(iter(addresses.values()), ("", None))[0]
    for part, (origin, where) in addresses.items():
        exam.fact(
            "base-url-differs",
            Text("{part}.baseUrl is the address in the browser", part=part),
            origin == wanted,
            expected=wanted,
            observed=origin,
            next=Text("The same address three times: in app, in backend and in your answer."),
            where=where,
        )


@check(level=should)
def somebody_can_sign_in(exam: Exam) -> None:
    """The values let somebody in.

    The image runs in production mode, where guests are refused unless that is allowed on purpose.
    """
    values = chart_values(exam)
    providers = values.get(*_GUEST)
    named = providers if isinstance(providers, dict) else {}
    guest = values.get(*_GUEST, "guest", "dangerouslyAllowOutsideDevelopment") is True
    exam.fact(
        "guest-refused",
        Text("There is a way to sign in"),
        guest or bool(set(named) - {"guest"}),
        expected=Text("auth.providers.guest.dangerouslyAllowOutsideDevelopment: true, or GitHub"),
        observed=Text("providers: {names}", names=", ".join(map(str, named)) or "–"),
        next=Text("Without it every call answers 401, and the catalogue looks empty."),
        where=values.at(*_GUEST),
    )


@check(level=remark)
def survives_the_policies(exam: Exam) -> None:
    """Backstage could start again after block 2.

    Its default image is `:latest` and has no limits: two of your own policies will refuse its next Pod.
    """
    values = chart_values(exam)
    tag, digest = (values.get("backstage", "image", key) for key in ("tag", "digest"))
    exam.fact(
        "image-moves",
        Text("The image has a version"),
        bool(digest) or (tag is not None and str(tag) not in ("", "latest")),
        expected="backstage.image.tag",
        observed=shown(tag),
        next=Text("Pin it: `latest` is another Backstage next week."),
        where=values.at("backstage", "image", "tag"),
    )
    limits = values.get("backstage", "resources", "limits")
    exam.fact(
        "no-limits",
        Text("Its container has limits"),
        isinstance(limits, dict) and {"cpu", "memory"} <= set(limits),
        expected=Text("backstage.resources.limits with cpu and memory"),
        observed=shown(limits),
        next=Text("Exercise 2.3 demands them of every Pod, the platform's own included."),
        where=values.at("backstage", "resources"),
    )


def _stands_elsewhere(values: Section) -> bool:
    """Whether the connection leads to another PostgreSQL than the chart's own, which sets POSTGRES_HOST."""
    connection = values.get(*_DATABASE, "connection")
    host = connection.get("host") if isinstance(connection, dict) else connection
    given = any(values.get("backstage", key) for key in _ENVIRONMENT)
    return bool(host) and (given or "POSTGRES_HOST" not in str(host))


def web_address(value: object) -> SplitResult | None:
    """Return the parts of a web address; None when it is none."""
    if not isinstance(value, str):
        return None
    try:
        parts = urlsplit(value.strip())
        _ = parts.port  # raises when it is no port number
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None


def _origin(address: SplitResult) -> str:
    host = "localhost" if address.hostname in _LOCAL else address.hostname
    port = address.port or (443 if address.scheme == "https" else 80)
    return f"{address.scheme}://{host}:{port}"
