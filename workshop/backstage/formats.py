"""Formats of single values in a catalogue entity: names, keys, tags, URLs.

Source: the validators of npm `@backstage/catalog-model` 1.10 (FieldFormatEntityPolicy), which follow
Kubernetes but differ from it in details: a namespace may hold `--`, a tag may hold `:`, `+` and `#`.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import unquote_to_bytes

_NAME: Final = re.compile(r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_LABEL: Final = re.compile(r"[a-z0-9]+(?:-+[a-z0-9]+)*")
_TAG: Final = re.compile(r"[a-z0-9:+#]+(?:-[a-z0-9:+#]+)*")
_KIND: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9]*")
_VERSION: Final = re.compile(r"[a-zA-Z0-9]+")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_AUTHORITY: Final = re.compile(r"(.*?)(?::([0-9]*))?", re.DOTALL)
_FORBIDDEN_IN_HOST: Final = re.compile(r"[\x00-\x20\x7f#/:<>?@\[\\\]^|%]")
_SPECIAL: Final = frozenset({"http", "https", "ws", "wss", "ftp"})


def is_object_name(value: object) -> bool:
    """Whether it can be the name of an entity: 1–63 letters and digits, with `-`, `_`, `.` in between."""
    return _fits(value, _NAME)


def is_namespace(value: object) -> bool:
    """Whether it can be a namespace: 1–63 lower-case letters and digits, with `-` in between."""
    return _fits(value, _LABEL)


def is_tag(value: object) -> bool:
    """Whether it can be a tag."""
    return _fits(value, _TAG)


def is_kind(value: object) -> bool:
    """Whether it can be the name of a kind, known or not."""
    return _fits(value, _KIND)


def is_api_version(value: object) -> bool:
    """Whether it has the form `version` or `group/version`."""
    return _prefixed(value, _VERSION)


def is_key(value: object) -> bool:
    """Whether it can be the key of a label or an annotation: `name` or `prefix.example/name`."""
    return _prefixed(value, _NAME)


def is_label_value(value: object) -> bool:
    """Whether it can be the value of a label; the empty text can."""
    return value == "" or is_object_name(value)


def is_url(value: object) -> bool:
    """Whether `new URL(value)` of JavaScript takes it: absolute, with a host where its scheme needs one.

    Internationalised host names are taken without looking at them closely.
    """
    if not isinstance(value, str):
        return False
    # The WHATWG parser strips controls and spaces around, tabs and line ends anywhere.
    text = re.sub(r"[\t\n\r]", "", value.strip("".join(map(chr, range(0x21)))))
    match = _SCHEME.fullmatch(text)
    if not match:
        return False
    scheme, rest = match[1].lower(), match[2]
    if scheme == "file":
        return True
    if scheme in _SPECIAL:
        return _is_authority(re.split(r"[/\\?#]", rest.lstrip("/\\"), maxsplit=1)[0], special=True)
    if rest.startswith("//"):
        return _is_authority(re.split(r"[/?#]", rest[2:], maxsplit=1)[0], special=False)
    return True


def _fits(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and len(value) <= 63 and pattern.fullmatch(value) is not None


def _prefixed(value: object, suffix: re.Pattern[str]) -> bool:
    if not isinstance(value, str):
        return False
    parts = value.split("/")
    if len(parts) > 2 or not _fits(parts[-1], suffix):
        return False
    return len(parts) == 1 or (len(parts[0]) <= 253 and all(map(is_namespace, parts[0].split("."))))


def _is_authority(authority: str, *, special: bool) -> bool:
    host_and_port = authority.rpartition("@")[2]
    if host_and_port.startswith("["):
        address, bracket, port = host_and_port[1:].partition("]")
        return bool(bracket) and _is_ipv6(address) and (not port or _is_port(port.removeprefix(":")))
    match = _AUTHORITY.fullmatch(host_and_port)
    if not match or not _is_port(match[2] or ""):
        return False
    host = match[1]
    if not special:
        return _FORBIDDEN_IN_HOST.search(host.replace("%", "")) is None and (bool(host) or match[2] is None)
    decoded = unquote_to_bytes(host).decode("utf-8", errors="replace")
    return bool(decoded) and _FORBIDDEN_IN_HOST.search(decoded) is None and _is_domain(decoded)


def _is_port(port: str) -> bool:
    return not port or (
        port.isascii() and port.isdigit() and len(port.lstrip("0")) <= 5 and int(port) <= 65535
    )


def _is_ipv6(address: str) -> bool:
    try:
        return "%" not in address and bool(ipaddress.IPv6Address(address))
    except ValueError:
        return False


def _is_domain(host: str) -> bool:
    """Whether a host whose last label is a number is an IPv4 address; every other host will do."""
    labels = host.removesuffix(".").split(".")
    if not re.fullmatch(r"[0-9]+|0[xX][0-9A-Fa-f]*", labels[-1]):
        return True
    numbers = [_ipv4_number(label) for label in labels]
    if len(numbers) > 4 or any(number is None for number in numbers):
        return False
    *first, last = [number or 0 for number in numbers]
    return all(number <= 255 for number in first) and last < 256 ** (4 - len(first))


def _ipv4_number(label: str) -> int | None:
    if len(label) > 40:
        return None
    base, digits = (16, label[2:]) if label[:2] in ("0x", "0X") else (10, label)
    if base == 10 and len(label) > 1 and label.startswith("0"):
        base, digits = 8, label[1:]
    if not digits:
        return 0 if base != 10 else None
    try:
        return int(digits, base) if digits.isalnum() else None
    except ValueError:
        return None
