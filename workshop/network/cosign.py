"""`cosign verify`, the real command, run without anybody's credentials, bounded in time and output."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from typing import Any, Final

from workshop.network.port import NoRegistry, Verification
from workshop.texts import Text
from workshop.verdicts import Reason

_SECONDS: Final = 60
_MOST_BYTES: Final = 4 * 2**20
_CHUNK: Final = 2**16
_ERRNO: Final = re.compile(r"^.*\[Errno \d+\] |: b?'.*$")
# What the command may know of this machine. Settings of cosign's own would let a verification mean less.
_KEPT: Final = ("PATH", "HOME", "TMPDIR", "TUF_ROOT", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")


def verify(image: str, *, identity: str, issuer: str, options: Sequence[str] = ()) -> Verification | None:
    """Verify an image's keyless signature; None where the command is not installed. Raises NoRegistry.

    `options` are further flags, for a registry and a certificate authority of a test's own.
    """
    import sh

    try:
        program: Any = sh.Command("cosign")
    except sh.CommandNotFound:
        return None
    output, errors = _Kept(), _Kept()
    with tempfile.TemporaryDirectory() as nobody:
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        try:
            done = program(
                "verify",
                f"--certificate-identity-regexp={identity}",
                f"--certificate-oidc-issuer-regexp={issuer}",
                *options,
                image,
                _env={**environment, "DOCKER_CONFIG": nobody, "NO_COLOR": "1"},
                _in=os.devnull,
                _out=output.take,
                _err=errors.take,
                _out_bufsize=_CHUNK,
                _err_bufsize=_CHUNK,
                _no_out=True,
                _no_err=True,
                _tty_out=False,
                _new_group=True,
                _ok_code=range(256),
                _timeout=_SECONDS,
                _return_cmd=True,
            )
        except sh.TimeoutException as error:
            text = Text("cosign verify: no answer within {seconds} s", seconds=_SECONDS)
            raise NoRegistry(Reason.TIMEOUT, text) from error
        except sh.SignalException as error:
            if output.overflowed or errors.overflowed:
                text = Text("cosign verify: what it prints does not end")
            else:
                signal = type(error).__name__.rpartition("_")[2]
                text = Text("cosign verify broke off: {problem}", problem=signal)
            raise NoRegistry(Reason.UNAVAILABLE, text) from error
        except (OSError, sh.ForkException) as error:
            # Of what happened in the child sh tells with its traceback; the last line says what it was.
            problem = _ERRNO.sub("", str(error).strip().rpartition("\n")[2].strip())
            text = Text("cosign cannot be run: {problem}", problem=problem[:200])
            raise NoRegistry(Reason.UNAVAILABLE, text) from error
    last = errors.text.strip().rpartition("\n")[2].removeprefix("error during command execution: ")
    return Verification(int(done.exit_code), output.text, last[:1000])


class _Kept:
    """What a command has printed so far. Whoever prints without end is stopped."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0
        self.overflowed = False

    def take(self, part: bytes | str, _input: object, process: Any) -> bool | None:
        """Keep another part of it; true ends the reading."""
        content = part if isinstance(part, bytes) else part.encode()
        self._length += len(content)
        self.overflowed = self._length > _MOST_BYTES
        if self.overflowed:
            process.kill_group()
            return True
        self._parts.append(content)
        return None

    @property
    def text(self) -> str:
        """What it has printed, as text."""
        return b"".join(self._parts).decode(errors="replace")
