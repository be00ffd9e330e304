"""Real registries and the real `cosign`: every question is asked once a run, when a check first has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from workshop.cluster.view import Answers
from workshop.network.port import Image, NoRegistry, Signatures, Verification
from workshop.texts import Text
from workshop.verdicts import Reason

if TYPE_CHECKING:
    from workshop.network.registry import Registry

_SECONDS: Final = 15.0


class LiveNetwork:
    """Public registries, asked anonymously over https.

    `mirrors` says where a registry answers instead (`{"ghcr.io": "http://127.0.0.1:5000"}`), `options` what
    to tell cosign besides: both serve tests, and can be given by code alone.
    """

    def __init__(
        self,
        *,
        seconds: float = _SECONDS,
        mirrors: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self._seconds, self._mirrors, self._options = seconds, dict(mirrors or {}), tuple(options)
        self._registries: dict[tuple[str, str], Registry] = {}
        # Who does not answer is not waited for twice: a failure is an answer, too.
        self._answers = Answers()

    def image(self, reference: str) -> Image | None:
        """Return an image, None where the registry says that there is none."""

        def ask() -> Image | None:
            registry, version = self._registry(reference)
            return registry.image(reference, version)

        return self._answers.of(("image", reference), ask)

    def signatures(self, image: Image) -> Signatures:
        """Return what is attached to an image."""
        return self._answers.of(
            ("signatures", image.name, image.digest),
            lambda: self._registry(image.reference)[0].signatures(image.digest),
        )

    def verify(self, image: Image, *, identity: str, issuer: str) -> Verification | None:
        """Run `cosign verify` on the image's digest; None where the command is not installed."""
        from workshop.network.cosign import verify

        name = f"{image.name}@{image.digest}"
        registry, _, rest = name.partition("/")
        where = self._mirrors.get(registry)
        target = f"{where.partition('://')[2]}/{rest}" if where else name
        return self._answers.of(
            ("verify", name, identity, issuer),
            lambda: verify(target, identity=identity, issuer=issuer, options=self._options),
        )

    def _registry(self, reference: str) -> tuple[Registry, str]:
        from workshop.network.registry import Reference, Registry
        from workshop.network.transport import Transport

        parts = Reference.of(reference)
        if parts is None:
            text = Text("{reference} is not the name of an image in a registry", reference=reference[:200])
            raise NoRegistry(Reason.UNAVAILABLE, text)
        key = (parts.registry, parts.repository)
        if key not in self._registries:
            base = self._mirrors.get(parts.registry, f"https://{parts.registry}")
            transport = Transport(seconds=self._seconds, trusted=frozenset(self._mirrors.values()))
            self._registries[key] = Registry(transport, base, parts.repository)
        return self._registries[key], parts.version
