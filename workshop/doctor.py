"""What this machine has for the lab: tools, engine, memory, ports, contexts – each with its remedy.

Looks only: every command is one that prints a version or a state, with a time-out.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from workshop.content import Lab
from workshop.provisioning.shell import ask
from workshop.texts import Message, Text

_SECONDS: Final = 10.0
# Not the version of the compiler, which some programs name besides (go1.26.3).
_VERSION: Final = re.compile(r"(?<![\w.])v?(\d+)\.(\d+)(?:\.(\d+))?")
_MEMORY_BYTES: Final = 8 * 2**30
_PROCESSORS: Final = 4
PORTS: Final = {30000: "Backstage", 30002: "Litmus", 30090: "Prometheus"}


class State(StrEnum):
    """How a finding bears on the lab: fine, worth knowing, or in the way of a part of it."""

    GOOD = "good"
    ADVICE = "advice"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    id: str
    state: State
    text: Message
    remedy: Message | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A command the lab uses, the oldest version that will do, and how to ask for its version."""

    name: str
    oldest: tuple[int, int]
    ask: tuple[str, ...]
    url: str


TOOLS: Final = (
    Tool("kubectl", (1, 28), ("version", "--client"), "https://kubernetes.io/docs/tasks/tools/"),
    Tool("helm", (3, 12), ("version", "--short"), "https://helm.sh/docs/intro/install/"),
    Tool("kind", (0, 20), ("version",), "https://kind.sigs.k8s.io/docs/user/quick-start/"),
    Tool("docker", (24, 0), ("--version",), "https://docs.docker.com/engine/install/"),
    Tool("cosign", (2, 0), ("version",), "https://docs.sigstore.dev/cosign/system_config/installation/"),
    Tool("tkn", (0, 32), ("version", "--component", "client"), "https://tekton.dev/docs/cli/"),
)


def examine(lab: Lab) -> list[Finding]:
    """Look at everything, slow commands side by side; the order of the findings is fixed."""
    looks: list[Callable[[], Iterator[Finding]]] = [
        *(lambda tool=tool: _tool(tool) for tool in TOOLS),
        _engine,
        _size,
        _ports,
        lambda: _contexts(lab),
        _login,
        lambda: _images(lab),
    ]
    with ThreadPoolExecutor(max_workers=len(looks)) as pool:
        return [finding for found in pool.map(lambda look: list(look()), looks) for finding in found]


def _ask(command: str, *arguments: str) -> str | None:
    return ask(command, *arguments, seconds=_SECONDS)


def versions() -> dict[Tool, str | None]:
    """Return what every tool says of its version, None where it is absent or does not answer."""
    with ThreadPoolExecutor(max_workers=len(TOOLS)) as pool:
        return dict(zip(TOOLS, pool.map(lambda tool: _ask(tool.name, *tool.ask), TOOLS), strict=True))


def version_in(said: str) -> tuple[int, int] | None:
    """Return major and minor of the first version in what a tool said; None when there is none."""
    match = _VERSION.search(said)
    return (int(match[1]), int(match[2])) if match else None


def _tool(tool: Tool) -> Iterator[Finding]:
    said = _ask(tool.name, *tool.ask)
    wanted = ".".join(map(str, tool.oldest))
    install = Text("Install it: {url}", url=tool.url)
    if said is None:
        text = Text("{tool} is missing, or does not answer", tool=tool.name)
        yield Finding(f"tool-{tool.name}", State.MISSING, text, install)
        return
    match = _VERSION.search(said)
    if match is None:
        text = Text("{tool} is there, but its version cannot be read", tool=tool.name)
        yield Finding(f"tool-{tool.name}", State.ADVICE, text)
        return
    version = (int(match[1]), int(match[2]))
    if version < tool.oldest:
        text = Text(
            "{tool} {version} is older than {wanted}", tool=tool.name, version=match[0], wanted=wanted
        )
        yield Finding(f"tool-{tool.name}", State.MISSING, text, install)
        return
    yield Finding(f"tool-{tool.name}", State.GOOD, Text("{tool} {version}", tool=tool.name, version=match[0]))
    if tool.name == "cosign" and version >= (3, 0):
        yield Finding(
            "cosign-bundle",
            State.ADVICE,
            Text("cosign 3 signs in the bundle format, which a ClusterPolicy does not find on ghcr.io"),
            Text("Exercise 2.5 says which options sign in the older format."),
        )


def _engine() -> Iterator[Finding]:
    said = _ask("docker", "info", "--format", "{{.ServerVersion}} {{.MemTotal}} {{.NCPU}}")
    parts = said.split() if said else []
    if len(parts) != 3 or not (parts[1].isdigit() and parts[2].isdigit()):
        yield Finding(
            "engine",
            State.MISSING,
            Text("no container engine answers"),
            Text("Start Docker, or work without it: “workshop sandbox up”, or files only."),
        )
        return
    memory, processors = int(parts[1]), int(parts[2])
    state = State.GOOD if memory >= _MEMORY_BYTES * 0.9 and processors >= _PROCESSORS else State.ADVICE
    yield Finding(
        "engine",
        state,
        Text(
            "the engine has {memory} GiB of memory and {processors} processors",
            memory=f"{memory / 2**30:.1f}",
            processors=processors,
        ),
        None
        if state is State.GOOD
        else Text("Give it 8 GiB and 4 processors, or leave Litmus and Grafana out."),
    )


def _size() -> Iterator[Finding]:
    try:
        pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return
    total = pages * page
    yield Finding(
        "memory",
        State.GOOD if total >= _MEMORY_BYTES * 0.9 else State.ADVICE,
        Text("this machine has {memory} GiB of memory", memory=f"{total / 2**30:.1f}"),
        None
        if total >= _MEMORY_BYTES * 0.9
        else Text("The sandbox takes about 1.2 GiB; a full kind cluster 8."),
    )


def _ports() -> Iterator[Finding]:
    published = _ask("docker", "port", "techmarket-control-plane") or ""
    for port, use in PORTS.items():
        if f":{port}" in published:
            text = Text("port {port} leads into the cluster ({use})", port=port, use=use)
            yield Finding(f"port-{port}", State.GOOD, text)
        elif _is_free(port):
            yield Finding(f"port-{port}", State.GOOD, Text("port {port} is free ({use})", port=port, use=use))
        else:
            yield Finding(
                f"port-{port}",
                State.ADVICE,
                Text("port {port} is taken by another program ({use})", port=port, use=use),
                Text(
                    "End that program before you create the cluster, or change the port in kind-config.yaml."
                ),
            )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _contexts(lab: Lab) -> Iterator[Finding]:
    from workshop.cluster.choosing import choose
    from workshop.cluster.port import Unreachable

    try:
        cluster = choose(lab.contexts)
        cluster.list("Namespace")
    except Unreachable as unreachable:
        yield Finding(
            "cluster",
            State.ADVICE,
            Text("no cluster of the lab answers: {problem}", problem=unreachable.text),
            Text("Create one (exercise 0.2), or bring the sandbox up: “workshop sandbox up”."),
        )
        return
    yield Finding(
        "cluster", State.GOOD, Text("the cluster of context {context} answers", context=cluster.context)
    )


def _login() -> Iterator[Finding]:
    """Whether docker, and with it cosign, is logged in to the registry of exercise 2.5; no secret is kept."""
    from workshop.provisioning.registries import is_logged_in

    registry = "ghcr.io"
    if is_logged_in(registry):
        text = Text("docker is logged in to {registry}; cosign takes the same login", registry=registry)
        yield Finding("login", State.GOOD, text)
        return
    yield Finding(
        "login",
        State.ADVICE,
        Text("docker is not logged in to {registry}", registry=registry),
        Text(
            "Before 2.5: docker login {registry} -u ACCOUNT, with a classic token that may write packages.",
            registry=registry,
        ),
    )


def _images(lab: Lab) -> Iterator[Finding]:
    """Which of the images that the lab pulls are on the kind node already: a class shares one line."""
    from workshop.components import load_components
    from workshop.provisioning.registries import images_on_node
    from workshop.provisioning.target import Target

    cluster = next((name for name in (Target(each).kind_cluster for each in lab.contexts) if name), None)
    present = images_on_node(f"{cluster}-control-plane", _ask) if cluster else None
    if present is None:
        return  # no node to look at: the cluster's finding says so
    for component in load_components(lab).values():
        missing = [image for image in component.images if image not in present]
        if not component.images:
            continue
        yield Finding(
            f"images-{component.id}",
            State.ADVICE if missing else State.GOOD,
            Text(
                "{present} of {total} images of {component} are on the node",
                present=len(component.images) - len(missing),
                total=len(component.images),
                component=component.id,
            ),
            Text(
                "To load them before class: docker pull IMAGE, then kind load docker-image IMAGE --name "
                "{cluster}, with {images}",
                cluster=cluster,
                images=", ".join(missing),
            )
            if missing
            else None,
        )
