"""Other programs, run as a person would: their output as it comes, a time limit, and Ctrl-C passed on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

ASK_SECONDS: Final = 10.0
# How long a program that was asked to end may take for it: Helm writes down then that a release failed.
_GRACE_SECONDS: Final = 20.0

Say = Callable[[str], None]


class CommandError(Exception):
    """A command did not do its work: `code` is None when it is not there or took too long."""

    def __init__(self, words: Sequence[str], code: int | None, *, missing: bool = False) -> None:
        super().__init__(" ".join(words))
        self.words = tuple(words)
        self.code = code
        self.missing = missing


def ask(command: str, *arguments: str, seconds: float = ASK_SECONDS) -> str | None:
    """Return what a command printed (stdout, else stderr), None when it is absent, fails or hangs."""
    import sh

    try:
        program: Any = sh.Command(command)
        done = program(*arguments, _timeout=seconds, _return_cmd=True, _in=os.devnull, _env=_plain())
    except (sh.CommandNotFound, sh.ErrorReturnCode, sh.TimeoutException, sh.SignalException, OSError):
        return None
    output: bytes = done.stdout or done.stderr
    return output.decode(errors="replace").strip()


def run(words: Sequence[str], say: Say, *, seconds: float) -> None:
    """Run a command and hand on what it prints, line by line. Raises CommandError.

    A KeyboardInterrupt ends the command first (interrupt, then kill), so that nothing goes on behind
    the person's back.
    """
    import sh

    try:
        program: Any = sh.Command(words[0])
    except sh.CommandNotFound as error:
        raise CommandError(words, None, missing=True) from error

    def line(text: str) -> None:
        say(text.rstrip("\n"))

    # Started in a session of its own: a Ctrl-C reaches us, and is passed on in `_end`.
    running: Any = program(
        *words[1:],
        _out=line,
        _err=line,
        _in=os.devnull,
        _tty_out=False,
        _new_session=True,
        _bg=True,
        _bg_exc=False,
        _env=_plain(),
    )
    deadline = time.monotonic() + seconds
    try:
        while running.is_alive():
            if time.monotonic() > deadline:
                _end(running)
                raise CommandError(words, None)
            with suppress(sh.TimeoutException):
                running.wait(timeout=0.2)
        running.wait()
    except sh.ErrorReturnCode as error:
        raise CommandError(words, int(error.exit_code)) from error
    except KeyboardInterrupt:
        _end(running)
        raise


def _end(running: Any) -> None:
    import sh

    for number, patience in ((signal.SIGINT, _GRACE_SECONDS), (signal.SIGKILL, _GRACE_SECONDS)):
        with suppress(ProcessLookupError, OSError):
            running.signal_group(number)
        with suppress(sh.TimeoutException, sh.ErrorReturnCode):
            running.wait(timeout=patience)
        if not running.is_alive():
            return


def _plain() -> dict[str, str]:
    return {**os.environ, "NO_COLOR": "1", "DOCKER_CLI_HINTS": "false"}
