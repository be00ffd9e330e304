"""A registry of the OCI distribution specification, asked anonymously: manifests, and what refers to them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from workshop.network.port import Image, NoRegistry, Signatures
from workshop.network.transport import REDIRECTS, Answer, Transport
from workshop.texts import Text
from workshop.verdicts import Reason

_MANIFESTS: Final = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_INDEX: Final = "application/vnd.oci.image.index.v1+json"
_PART: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE: Final = re.compile(
    rf"(?P<registry>[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d{{1,5}})?)/(?P<repository>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_SIGNATURE_TAG: Final = re.compile(r"sha256-([0-9a-f]{64})\.sig")
_CHALLENGE: Final = re.compile(r'(\w+)="([^"]*)"')
_SIMPLE_SIGNING: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
_BUNDLE: Final = "application/vnd.dev.sigstore.bundle"
_PREDICATE: Final = "dev.sigstore.bundle.predicateType"
_SIGNS: Final = "https://sigstore.dev/cosign/sign/"
_MOST_REFERRERS: Final = 20
_BUSY: Final = (408, 429, 504)
# Where a registry has no API for referrers.
_NO_SUCH_API: Final = (400, 404, 405, 406, 501)
# What a registry calls a tag, a digest or a repository that it does not have.
_UNKNOWN: Final = frozenset({"MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND"})


@dataclass(frozen=True, slots=True)
class Reference:
    """The parts of an image reference; one without tag and digest means `latest`."""

    registry: str
    repository: str
    version: str

    @classmethod
    def of(cls, text: str) -> Reference | None:
        """Return the parts, None for a text that names no image of a registry."""
        match = _REFERENCE.fullmatch(text) if len(text) <= 512 else None
        if match is None:
            return None
        return cls(match["registry"], match["repository"], match["digest"] or match["tag"] or "latest")


class Registry:
    """One repository of one registry. `base` is where it answers: `https://ghcr.io`."""

    def __init__(self, transport: Transport, base: str, repository: str) -> None:
        self._transport, self._base, self._repository = transport, base, repository
        self._token: str | None = None

    def image(self, reference: str, version: str) -> Image | None:
        """Return what a tag or digest stands for, None where there is no such thing."""
        found = self._manifest(version, _MANIFESTS)
        if found is None:
            return None
        manifest, digest = found
        platforms = (str(each.get("digest")) for each in _items(manifest, "manifests"))
        return Image(reference, digest, tuple(platforms))

    def signatures(self, digest: str) -> Signatures:
        """Return what is attached to a digest."""
        classic = self._manifest(f"{_tag_of(digest)}.sig", _MANIFESTS)
        signed = classic is not None and any(
            each.get("mediaType") == _SIMPLE_SIGNING for each in _items(classic[0], "layers")
        )
        bundle = any(self._signs(each) for each in self._referrers(digest))
        stale = () if signed or bundle else tuple(self._signed_before(digest))
        return Signatures(signed, bundle, stale)

    def _manifest(self, version: str, accept: str) -> tuple[Mapping[str, Any], str] | None:
        """Return what stands under a tag or a digest, and its digest; None where the registry has no such.

        Raises NoRegistry where what comes back is no manifest, or another one than its digest says: then it
        was put there on the way.
        """
        answer = self._get(f"manifests/{quote(version, safe=':')}", accept)
        if answer.status == 404 and _says_unknown(answer):
            return None
        manifest = _document(_checked(answer))
        if manifest.get("schemaVersion") != 2 or not any(
            isinstance(manifest.get(key), list) for key in ("layers", "manifests")
        ):
            raise _no_registry()
        digest = _digest_of(answer.body)
        told = answer.headers.get("docker-content-digest", digest)
        if any(each != digest for each in (told, version) if _DIGEST.fullmatch(each)):
            raise NoRegistry(Reason.UNAVAILABLE, Text("what the registry sent is not what its digest names"))
        return manifest, digest

    def _referrers(self, digest: str) -> Iterator[Mapping[str, Any]]:
        """Yield the descriptors of what refers to a digest, by whichever way the registry offers."""
        answer = self._get(f"referrers/{digest}", _INDEX, follow=False)
        # GHCR, which has no such API, sends to a page of GitHub's that is soon too busy (429).
        if answer.status in REDIRECTS or answer.status in _NO_SUCH_API:
            # Whoever attaches something keeps an index under a tag instead.
            kept = self._manifest(_tag_of(digest), _INDEX)
            index: Mapping[str, Any] = kept[0] if kept else {"manifests": []}
        else:
            index = _document(_checked(answer))
        if not isinstance(index.get("manifests"), list):
            raise _no_registry()
        yield from _items(index, "manifests")[:_MOST_REFERRERS]

    def _signs(self, descriptor: Mapping[str, Any]) -> bool:
        """Whether a referrer is a bundle that signs, not one that attests (an SBOM, a provenance).

        The index cannot be relied on: Cosign up to 3.1 enters another type there than the manifest's own.
        """
        digest = _DIGEST.fullmatch(str(descriptor.get("digest")))
        if digest is None:
            return False
        found = self._manifest(digest[0], _MANIFESTS)
        if found is None:
            return False
        manifest = found[0]
        types = [
            manifest.get("artifactType"),
            *(each.get("mediaType") for each in _items(manifest, "layers")),
        ]
        annotations = manifest.get("annotations")
        predicate = annotations.get(_PREDICATE, _SIGNS) if isinstance(annotations, dict) else _SIGNS
        return any(str(each).startswith(_BUNDLE) for each in types) and str(predicate).startswith(_SIGNS)

    def _signed_before(self, digest: str) -> Iterator[str]:
        answer = self._get("tags/list?n=1000", "application/json")
        tags = _document(answer).get("tags") if answer.status == 200 else None
        for tag in tags if isinstance(tags, list) else ():
            match = _SIGNATURE_TAG.fullmatch(str(tag))
            if match and f"sha256:{match[1]}" != digest:
                yield f"sha256:{match[1]}"

    # --- asking ----------------------------------------------------------------------------------

    def _get(self, path: str, accept: str, *, follow: bool = True) -> Answer:
        url = f"{self._base}/v2/{self._repository}/{path}"
        answer = self._transport.ask("GET", url, self._headers(accept), follow=follow)
        if answer.status == 401 and self._token is None:
            self._token = self._anonymous_token(answer.headers.get("www-authenticate", ""))
            answer = self._transport.ask("GET", url, self._headers(accept), follow=follow)
        return answer

    def _headers(self, accept: str) -> dict[str, str]:
        return {"Accept": accept, **({"Authorization": f"Bearer {self._token}"} if self._token else {})}

    def _anonymous_token(self, challenge: str) -> str:
        """Return the token that the registry's own token service gives to anybody."""
        scheme, _, rest = challenge.partition(" ")
        asked = dict(_CHALLENGE.findall(rest))
        if scheme.lower() != "bearer" or "realm" not in asked:
            raise _unwelcome(401)
        query = {"scope": f"repository:{self._repository}:pull"}
        if "service" in asked:
            query["service"] = asked["service"]
        realm = asked["realm"]
        separator = "&" if "?" in realm else "?"
        answer = self._transport.ask("GET", f"{realm}{separator}{urlencode(query)}", {})
        document = _document(_checked(answer))
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str):
            raise NoRegistry(Reason.UNAVAILABLE, Text("the registry hands out no token"))
        return token


def _checked(answer: Answer) -> Answer:
    """Return an answer that worked. Raises NoRegistry with the reason why another did not."""
    if answer.status < 300:
        return answer
    if answer.status in (401, 403):
        raise _unwelcome(answer.status)
    if answer.status in _BUSY:
        raise NoRegistry(Reason.TIMEOUT, Text("the registry is too busy ({status})", status=answer.status))
    raise NoRegistry(Reason.UNAVAILABLE, Text("the registry answered {status}", status=answer.status))


def _unwelcome(status: int) -> NoRegistry:
    reason = Reason.UNAUTHORIZED if status == 401 else Reason.FORBIDDEN
    text = Text("the registry shows it to nobody without a login ({status})", status=status)
    return NoRegistry(reason, text)


def _document(answer: Answer) -> Mapping[str, Any]:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _no_registry()
    return document


def _says_unknown(answer: Answer) -> bool:
    """Whether it is the registry that has no such thing: a page of somebody between is no word of its own."""
    codes = {each.get("code") for each in _items(_document(answer), "errors")}
    return bool(codes & _UNKNOWN)


def _no_registry() -> NoRegistry:
    return NoRegistry(Reason.UNAVAILABLE, Text("what answered is no registry"))


def _items(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = document.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _tag_of(digest: str) -> str:
    return digest.replace(":", "-")


def _digest_of(body: bytes) -> str:
    import hashlib

    return f"sha256:{hashlib.sha256(body).hexdigest()}"
