"""Programs in a terminal of their own: how long until a text is on the screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final

_CONTROL: Final = re.compile(
    r"\x1b(?:\[[0-9;?<>=]*[ -/]*[@-~]|[\]PX^_].*?(?:\x07|\x1b\\)|[@-Z\\^_])", re.DOTALL
)
_GIVE_UP_SECONDS: Final = 30.0


class Terminal:
    """A program in a pseudo-terminal of 120×40."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self.started = time.perf_counter()
        self._pid, self._descriptor = pty.fork()
        if self._pid == 0:
            os.execvpe(command[0], list(command), {**os.environ, **environment, "TERM": "xterm-256color"})  # noqa: S606
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._seen = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._descriptor)

    def wait_for(self, text: str) -> float:
        """Return the clock when the text was on the screen. Raises TimeoutError after half a minute."""
        deadline = time.perf_counter() + _GIVE_UP_SECONDS
        wanted = re.compile(r"\s*".join(map(re.escape, text.split())))
        while time.perf_counter() < deadline:
            ready, _, _ = select.select([self._descriptor], [], [], 0.1)
            if not ready:
                continue
            self._seen += os.read(self._descriptor, 65536).decode(errors="replace")
            if wanted.search(_CONTROL.sub("", self._seen)):
                return time.perf_counter()
        raise TimeoutError(f"{text!r} never appeared")

    def forget(self) -> None:
        """Only what is written from now on counts."""
        while select.select([self._descriptor], [], [], 0.3)[0]:
            os.read(self._descriptor, 65536)
        self._seen = ""

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._descriptor, keys.encode())
