"""What Docker knows of registries and images, without keeping a secret and without pulling anything."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_LARGEST: Final = 1_000_000


def is_logged_in(registry: str) -> bool:
    """Whether Docker has a login for a registry: in its configuration, or in the helper that keeps it."""
    config = _configuration()
    if registry in _mapping(config, "auths") or registry in _mapping(config, "credHelpers"):
        return True
    store = config.get("credsStore")
    if not isinstance(store, str) or "/" in store:
        return False
    from workshop.provisioning.shell import ask

    # Helpers list servers and account names, never secrets.
    listed = ask(f"docker-credential-{store}", "list") or ""
    try:
        servers = json.loads(listed)
    except ValueError:
        return False
    return isinstance(servers, dict) and any(_host(str(each)) == registry for each in servers)


def images_on_node(node: str, ask: Callable[..., str | None]) -> frozenset[str] | None:
    """Return the names of the images a kind node has; None when there is no such node to ask."""
    said = ask("docker", "exec", node, "crictl", "images", "--output", "json")
    try:
        images = json.loads(said or "").get("images")
    except (ValueError, AttributeError):
        return None
    if not isinstance(images, list):
        return None
    tags = [each.get("repoTags") for each in images if isinstance(each, dict)]
    return frozenset(str(tag) for names in tags if isinstance(names, list) for tag in names)


def _configuration() -> dict[str, Any]:
    folder = os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
    path = Path(folder) / "config.json"
    try:
        if path.stat().st_size > _LARGEST:
            return {}
        config = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_without_secrets)
    except (OSError, ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


def _without_secrets(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    secrets = {"auth", "password", "identitytoken", "registrytoken"}
    return {key: value for key, value in pairs if key.lower() not in secrets}


def _mapping(config: dict[str, Any], key: str) -> dict[str, Any]:
    found = config.get(key)
    return {_host(name): value for name, value in found.items()} if isinstance(found, dict) else {}


def _host(server: str) -> str:
    return server.removeprefix("https://").removeprefix("http://").partition("/")[0]
