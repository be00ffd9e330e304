"""Images of a real registry, signed by the real cosign in both formats, as the network half sees them."""

from __future__ import annotations

import re

import pytest

from tests.rig.registry import GITHUB, Registry, Signing
from workshop.network import LiveNetwork
from workshop.network.port import Image

LEA = "lea@example.org"


def identity(email: str) -> str:
    return f"^{re.escape(email)}$"


def pushed(registry: Registry, repository: str, tag: str = "v1.0.0", content: str = "") -> tuple[str, str]:
    """Push an image; return its reference, as a student writes it, and what is to be signed."""
    digest = registry.push(repository, tag, content)
    return f"ghcr.io/{repository}:{tag}", f"ghcr.io/{repository}@{digest}"


def found(network: LiveNetwork, reference: str) -> Image:
    image = network.image(reference)
    assert image is not None
    return image


def test_no_such_image(signing: Signing) -> None:
    network = signing.network()
    assert network.image("ghcr.io/nobody/payment-service:v1.0.0") is None
    signing.registry.push("lea/absent", "v1.0.0")
    assert network.image("ghcr.io/lea/absent:v2.0.0") is None


def test_unsigned(registry: Registry, signing: Signing) -> None:
    reference, by_digest = pushed(registry, "lea/unsigned")
    network = signing.network()
    image = found(network, reference)
    assert f"{image.name}@{image.digest}" == by_digest
    signatures = network.signatures(image)
    assert (signatures.any, signatures.stale) == (False, ())
    verification = network.verify(image, identity=identity(LEA), issuer=GITHUB)
    assert verification is not None
    assert verification.code == 10


@pytest.mark.parametrize("bundle", [False, True], ids=["classic", "bundle"])
def test_signed_by_a_person(bundle: bool, registry: Registry, signing: Signing) -> None:
    reference, by_digest = pushed(registry, f"lea/person-{bundle}".lower())
    signing.as_person(by_digest, LEA, bundle=bundle)
    network = signing.network()
    image = found(network, reference)
    signatures = network.signatures(image)
    assert (signatures.classic, signatures.bundle) == (not bundle, bundle)
    good = network.verify(image, identity=identity(LEA), issuer=f"^{GITHUB}$")
    assert good is not None
    assert good.code == 0, good
    assert image.digest in good.output
    for other in (
        network.verify(image, identity=identity("mallory@example.net"), issuer=f"^{GITHUB}$"),
        network.verify(image, identity=identity(LEA), issuer="^https://accounts.google.com$"),
    ):
        assert other is not None
        assert other.code != 0
        assert "dentit" in other.complaint


@pytest.mark.parametrize("bundle", [False, True], ids=["classic", "bundle"])
def test_signed_with_a_key(bundle: bool, registry: Registry, signing: Signing) -> None:
    reference, by_digest = pushed(registry, f"lea/key-{bundle}".lower())
    signing.with_key(by_digest, bundle=bundle)
    network = signing.network()
    image = found(network, reference)
    assert network.signatures(image).any
    verification = network.verify(image, identity=identity(LEA), issuer=GITHUB)
    assert verification is not None
    assert verification.code != 0
    assert re.search("no certificate found|public key", verification.complaint)


def test_pushed_again_after_signing(registry: Registry, signing: Signing) -> None:
    _, by_digest = pushed(registry, "lea/again")
    signing.with_key(by_digest)
    reference, _ = pushed(registry, "lea/again", content="built anew")
    network = signing.network()
    signatures = network.signatures(found(network, reference))
    assert not signatures.any
    assert signatures.stale == (by_digest.partition("@")[2],)


def test_an_attestation_is_no_signature(registry: Registry, signing: Signing) -> None:
    reference, by_digest = pushed(registry, "lea/attested")
    (signing.folder / "sbom.json").write_text("{}")
    target = by_digest.replace("ghcr.io", f"127.0.0.1:{registry.port}")
    options = ["--yes", "--allow-insecure-registry", "--tlog-upload=false", "--use-signing-config=false"]
    about = ["--predicate", "sbom.json", "--type", "https://example.org/sbom"]
    signing.run("cosign", "attest", "--key", "cosign.key", *options, *about, target)
    network = signing.network()
    assert not network.signatures(found(network, reference)).any
