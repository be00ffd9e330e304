"""Random credentials, in files only the user can read."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from workshop.sandbox.writing import write_atomically

CONTEXT: Final = "techmarket-sandbox"
ADMIN: Final = "admin"
_PRIVATE: Final = 0o600
# The order of NIST P-256's base point: private keys are the numbers below it.
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# RFC 5915: SEQUENCE { INTEGER 1, OCTET STRING (32 bytes), [0] OID prime256v1 }, public key left out.
_BEFORE_KEY: Final = bytes.fromhex("30310201010420")
_AFTER_KEY: Final = bytes.fromhex("a00a06082a8648ce3d030107")


def signing_key() -> bytes:
    """Return a new private key in PEM, for service account tokens (ES256)."""
    number = 1 + secrets.randbelow(_P256_ORDER - 1)
    encoded = base64.b64encode(_BEFORE_KEY + number.to_bytes(32, "big") + _AFTER_KEY).decode()
    lines = [encoded[at : at + 64] for at in range(0, len(encoded), 64)]
    return "\n".join(["-----BEGIN EC PRIVATE KEY-----", *lines, "-----END EC PRIVATE KEY-----", ""]).encode()


def ensure_signing_key(path: Path) -> None:
    """Make the key that service account tokens are signed with, unless it is there."""
    if not path.exists():
        write_atomically(path, signing_key(), _PRIVATE)


def ensure_tokens(folder: Path, users: Iterable[str]) -> dict[str, str]:
    """Return a token for each user, new ones where there are none, and write the API server's token file.

    Tokens outlive a restart, so that a kubeconfig somebody has open stays good.
    """
    kept = folder / "tokens.json"
    try:
        tokens: dict[str, str] = json.loads(kept.read_bytes())
    except (OSError, ValueError):
        tokens = {}
    for user in (ADMIN, *users):
        tokens.setdefault(user, secrets.token_urlsafe(32))
    write_atomically(kept, json.dumps(tokens).encode(), _PRIVATE)
    # Whoever holds a token may do anything: these are the components themselves, and the owner.
    rows = [f'{token},{user},{user},"system:masters"' for user, token in tokens.items()]
    write_atomically(folder / "tokens.csv", "\n".join([*rows, ""]).encode(), _PRIVATE)
    return tokens


def write_kubeconfig(path: Path, *, port: int, authority: bytes, user: str, token: str) -> None:
    """Write a kubeconfig of one context; nobody's own kubeconfig is ever touched."""
    text = f"""\
apiVersion: v1
kind: Config
clusters:
  - name: {CONTEXT}
    cluster:
      server: https://127.0.0.1:{port}
      certificate-authority-data: {base64.b64encode(authority).decode()}
users:
  - name: {json.dumps(user)}
    user:
      token: {token}
contexts:
  - name: {CONTEXT}
    context:
      cluster: {CONTEXT}
      user: {json.dumps(user)}
current-context: {CONTEXT}
"""
    write_atomically(path, text.encode(), _PRIVATE)
