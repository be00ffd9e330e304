"""What a check may ask about published images. Only looking is possible, and only anonymously.

Image references are the student's input: whoever implements this asks public registries alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple, Protocol

from workshop.cluster.port import Unreachable
from workshop.texts import Message, Text
from workshop.verdicts import Reason


class NoRegistry(Unreachable):
    """The registry could not answer, or would not: says nothing about the student's work."""

    claim: ClassVar[Message] = Text("The registry can be asked")
    remedies: ClassVar[Mapping[Reason, Message]] = dict.fromkeys(
        (Reason.TIMEOUT, Reason.UNAVAILABLE),
        Text(
            "Check again in a moment. If it stays so, open https://ghcr.io/v2/ in a browser: does a proxy or "
            "the login page of a network answer instead?"
        ),
    ) | dict.fromkeys(
        (Reason.UNAUTHORIZED, Reason.FORBIDDEN),
        Text("Make the package public in its settings: nobody logs in to look at it."),
    )


class Image(NamedTuple):
    """An image as its registry has it. `reference` is what was asked for, `digest` what it stands for now.

    `platforms` are the digests behind an image of several platforms: a cluster may report one of them.
    """

    reference: str
    digest: str
    platforms: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The reference without tag and digest: `ghcr.io/lea-devops/payment-service`."""
        head, slash, last = self.reference.partition("@")[0].rpartition("/")
        return f"{head}{slash}{last.partition(':')[0]}"


class Signatures(NamedTuple):
    """What is attached to one digest. A signature of either format says nothing yet about who signed.

    `classic`: under the tag `sha256-….sig`, where every Cosign and every Kyverno looks. `bundle`: a Sigstore
    bundle, the format of Cosign 3, found through the referrers API or its fallback tag. `stale` are other
    digests of the same repository with a classic signature: what a tag pointed at before it was pushed again.
    """

    classic: bool
    bundle: bool
    stale: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether there is a signature at all."""
        return self.classic or self.bundle


class Verification(NamedTuple):
    """What `cosign verify` answered: its exit code, what it printed, and its last line of complaint."""

    code: int
    output: str
    complaint: str


class Network(Protocol):
    """Published images. Every method raises NoRegistry when nobody answers properly."""

    def image(self, reference: str) -> Image | None:
        """Return an image, None where the registry says that there is no such tag or repository."""

    def signatures(self, image: Image) -> Signatures:
        """Return what is attached to an image."""

    def verify(self, image: Image, *, identity: str, issuer: str) -> Verification | None:
        """Run `cosign verify` without a key; None where the command is not installed.

        `identity` and `issuer` are regular expressions for the whole text.
        """
