"""What an image reference says, and what is known about the images of the lab: entrypoint, PATH, shell.

From the Dockerfiles of the projects: an image built FROM scratch has neither PATH nor shell.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Image(NamedTuple):
    """An image reference: repository with its registry, tag and digest (empty where absent)."""

    repository: str
    tag: str
    digest: str

    @property
    def name(self) -> str:
        """The last part of the repository."""
        return self.repository.rpartition("/")[2]

    @property
    def moves(self) -> bool:
        """Whether tomorrow's pull may bring another image without anybody changing the reference."""
        return not self.digest and self.tag in ("", "latest")


class Known(NamedTuple):
    """What an image runs without a `command`, whether that program is on its PATH, whether it has a shell."""

    entrypoint: tuple[str, ...]
    on_path: bool = True
    shell: bool = True


_VERSION: Final = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?")


def parse_image(reference: str) -> Image:
    """Split an image reference. Never raises: what is no reference ends up in the repository."""
    rest, _, digest = reference.partition("@")
    head, slash, last = rest.rpartition("/")
    name, _, tag = last.partition(":")
    return Image(f"{head}{slash}{name}", tag, digest)


def version_of(image: Image) -> tuple[int, int, int] | None:
    """Return the version a tag names (missing parts are 0), or None where it names none."""
    match = _VERSION.match(image.tag)
    return (int(match[1]), int(match[2] or 0), int(match[3] or 0)) if match else None


def known_image(reference: str) -> Known | None:
    """Return what is known about an image, None where nothing is."""
    image = parse_image(reference.lower())
    debug = "debug" in image.tag or "dev" in image.tag
    repository, name = image.repository, image.name
    if repository.count("/") == 1 and re.search(r"[.:]", repository.partition("/")[0]):
        return None  # somebody's own image at a registry's top: what is in it is theirs to know
    if "kaniko" in repository and name not in ("warmer", "kaniko-warmer"):
        return Known(("/kaniko/executor",), shell=debug)
    if name == "trivy" or repository.endswith("aquasecurity/trivy"):
        return Known(("trivy",))
    if name == "cosign":
        # Bitnami's and the -dev variants are built on a distribution, the others on distroless.
        return Known(("cosign",), shell=debug or "bitnami" in repository)
    if name == "syft":
        chainguard = "chainguard" in repository or repository.startswith("cgr.dev/")
        return Known(("/syft",), on_path=chainguard, shell=debug)
    if "distroless" in repository:
        return Known((), shell=debug)
    if name in ("git-init", "git-clone") or repository.endswith("/git-init"):
        return Known(("/ko-app/git-init",))
    if name == "ko":
        return Known(("ko",))
    if name == "jib-cli" or name == "jib":
        return Known(("jib",))
    return None
