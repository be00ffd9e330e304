"""`cosign verify`, the real command, run without anybody's credentials and with a time-out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from typing import Any, Final

from workshop.network.port import NoRegistry, Verification
from workshop.texts import Text
from workshop.verdicts import Reason

_SECONDS: Final = 60
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
                _tty_out=False,
                _ok_code=range(256),
                _timeout=_SECONDS,
                _return_cmd=True,
            )
        except (sh.TimeoutException, sh.SignalException) as error:
            text = Text("cosign verify: no answer within {seconds} s", seconds=_SECONDS)
            raise NoRegistry(Reason.TIMEOUT, text) from error
        except OSError as error:
            text = Text("cosign cannot be run: {problem}", problem=str(error)[:200])
            raise NoRegistry(Reason.UNAVAILABLE, text) from error
    output, errors = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
    last = errors.strip().rpartition("\n")[2].removeprefix("error during command execution: ")
    return Verification(int(done.exit_code), output, last[:1000])
