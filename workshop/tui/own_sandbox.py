"""The student's sandbox as the TUI uses it: whether it is up, bringing it up, a shell that speaks to it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Mapping

from workshop.texts import Message, Text


class _GivenUp(Exception):
    """The application is closing: what was begun is taken back."""


def is_up() -> bool:
    """Whether a sandbox is running for the student. Reads a few files, waits for nothing."""
    if os.name == "nt":
        return False
    from workshop.sandbox.api import Sandbox

    return Sandbox().status().up


def bring_up(tell: Callable[[Message], object], stop: threading.Event) -> Message | None:
    """Bring the sandbox up with every part that is built; return what went wrong and what to do, or None.

    `tell` is given every step as it happens; when `stop` is set, the start is given up and nothing stays.
    """
    if os.name == "nt":
        return Text("The sandbox runs on Linux, macOS and WSL2.")
    from workshop.content import load_lab
    from workshop.sandbox.api import Sandbox
    from workshop.sandbox.client import ApiError
    from workshop.sandbox.components import ON_DEMAND, selected
    from workshop.sandbox.errors import SandboxError
    from workshop.sandbox.finding import take_stock
    from workshop.sandbox.places import Cache
    from workshop.stand_ins import give

    def progress(message: Message) -> None:
        if stop.is_set():
            raise _GivenUp
        tell(message)

    try:
        cache = Cache.of_user()
        there = [name for name in ON_DEMAND if not take_stock(selected([name]), cache).missing]
        give(Sandbox.up(with_=there, build_missing=False, progress=progress), load_lab())
    except _GivenUp:
        return None
    except SandboxError as error:
        if not error.details:
            return error.text
        return Text("{problem} ({details})", problem=error.text, details=" | ".join(error.details[-3:]))
    except ApiError as error:
        return Text("The control plane refused: {error}", error=str(error))
    except OSError as error:
        return Text("The sandbox cannot be started: {problem}", problem=error.strerror or error)
    return None


def environment() -> Mapping[str, str]:
    """Return what a shell needs to speak to the running sandbox, empty when none runs."""
    if not is_up():
        return {}
    from workshop.sandbox.api import Sandbox

    sandbox = Sandbox()
    variables = {"KUBECONFIG": str(sandbox.kubeconfig)}
    if shutil.which("kubectl") is None and (kubectl := sandbox.program("kubectl")) is not None:
        variables["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), str(kubectl.parent)])
    return variables
