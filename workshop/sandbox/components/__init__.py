"""The components, one small module each; adding one is one module and one line here."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

from workshop.sandbox.errors import SandboxError
from workshop.sandbox.model import Family, Part
from workshop.texts import Text


@functools.cache
def parts() -> Mapping[str, Part]:
    """Return every part by name, in the order in which they come up."""
    from workshop.sandbox.components import crds, etcd, kubernetes, kwok, kyverno, rollouts, services, tekton

    known = (etcd.PART, kubernetes.SERVER, kubernetes.CONTROLLERS, kwok.PART, crds.PART, kyverno.PART)
    return {part.name: part for part in (*known, tekton.PART, rollouts.PART, services.PART)}


# What a student's sandbox is made of, and what judging policies by dry-run takes.
CORE = ("controllers", "kwok", "crds", "kyverno")
POLICIES = ("kyverno",)
ON_DEMAND = ("tekton", "rollouts")


def selected(names: Iterable[str]) -> tuple[Part, ...]:
    """Return those parts and what they need, in the order in which they come up.

    Raises SandboxError when a name is unknown.
    """
    wanted: set[str] = set()
    queue = list(names)
    while queue:
        name = queue.pop()
        if name not in parts():
            raise SandboxError(
                Text("There is no part “{name}” of the sandbox.", name=name),
                Text("Choose among: {names}.", names=", ".join(ON_DEMAND)),
            )
        wanted.add(name)
        queue.extend(need for need in parts()[name].needs if need not in wanted)
    return tuple(part for name, part in parts().items() if name in wanted)


def families(names: Iterable[str]) -> tuple[Family, ...]:
    """Return the modules those parts are made of, each once."""
    return tuple(dict.fromkeys(family for part in selected(names) for family in part.families))
