"""How names, labels, ports and addresses may be written: each function says what is wrong, or "".

Source: apimachinery/pkg/util/validation/validation.go (IsDNS1123Label, IsDNS1123Subdomain,
IsQualifiedName, IsValidLabelValue, IsValidPortName), net.go of the same (IsValidIP, IsValidCIDR).
"""

from __future__ import annotations

import re
from functools import lru_cache

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PORT_CHARACTERS = re.compile(r"[-a-z0-9]*")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_MAPPED_BITS = 96
"""Before the IPv4 address in an IPv4-mapped one."""

_WORD = "lower case letters, digits and '-', with a letter or digit at both ends"


@lru_cache(maxsize=8192)
def dns_label(text: str) -> str:
    """One part of a DNS name, at most 63 characters."""
    if len(text) > 63:
        return f"has {len(text)} characters; 63 are allowed"
    return "" if _LABEL.fullmatch(text) else f"may only have {_WORD}"


@lru_cache(maxsize=8192)
def dns_subdomain(text: str) -> str:
    """A DNS name, at most 253 characters."""
    if len(text) > 253:
        return f"has {len(text)} characters; 253 are allowed"
    return "" if _SUBDOMAIN.fullmatch(text) else f"may only have parts of {_WORD}, joined by dots"


@lru_cache(maxsize=8192)
def qualified_name(text: str) -> str:
    """A label's key: ``name`` or ``dns.name/name``."""
    prefix, slash, name = text.rpartition("/")
    if slash and (not prefix or dns_subdomain(prefix)):
        return f"has {prefix!r} before its '/', where only a DNS name may stand"
    if len(name) > 63:
        return f"has a name of {len(name)} characters; 63 are allowed"
    if not _QUALIFIED.fullmatch(name):
        return (
            "may only have letters, digits, '-', '_' and '.', with a letter or digit at both ends, "
            "and one DNS name and '/' before it"
        )
    return ""


@lru_cache(maxsize=8192)
def label_value(text: str) -> str:
    """What a label may hold; it may be empty."""
    if len(text) > 63:
        return f"has {len(text)} characters; 63 are allowed"
    if not text or _QUALIFIED.fullmatch(text):
        return ""
    return "may only have letters, digits, '-', '_' and '.', with a letter or digit at both ends"


@lru_cache(maxsize=4096)
def port_name(text: str) -> tuple[str, ...]:
    """A port's name: all that is wrong with it, as the server tells each thing by itself."""
    found = []
    if len(text) > 15:
        found.append(f"has {len(text)} characters; 15 are allowed")
    if not _PORT_CHARACTERS.fullmatch(text):
        found.append("may only have lower case letters, digits and '-'")
    if not any("a" <= letter <= "z" for letter in text):
        found.append("needs at least one letter from a to z")
    if "--" in text:
        found.append("may not have two '-' in a row")
    if text[:1] == "-" or text[-1:] == "-":
        found.append("may not begin or end with '-'")
    return tuple(found)


def configuration_key(text: str) -> str:
    """A key of a ConfigMap or Secret: a file's name."""
    if len(text) > 253:
        return f"has {len(text)} characters; 253 are allowed"
    if text in (".", "..") or text.startswith(".."):
        return "may not be a name of the folder above"
    return "" if _CONFIG_KEY.fullmatch(text) else "may only have letters, digits, '-', '_' and '.'"


def descending_path(text: str) -> str:
    """A path inside a volume (validateLocalDescendingPath); empty is right."""
    if text.startswith("/"):
        return "has to be relative: it begins inside the volume"
    return "may not have '..' in it" if ".." in text.split("/") else ""


def address_version(text: str) -> int:
    """4 or 6 for an IP address, else 0."""
    import ipaddress  # noqa: PLC0415 - 3 ms, and most manifests name no address

    try:
        return ipaddress.ip_address(text).version if "%" not in text else 0
    except ValueError:
        return 0


def special_address(text: str) -> str:
    """Name the range of an address that leads to nobody else (ValidateEndpointIP)."""
    import ipaddress  # noqa: PLC0415 - as above

    found = ipaddress.ip_address(text)
    if found.is_unspecified:
        return "the unspecified address"
    if found.is_loopback:
        return "a loopback address"
    if found.is_link_local:
        return "a link-local address"
    if found.is_multicast and text.lower().startswith(("224.0.0.", "ff02:")):
        return "a link-local multicast address"
    return ""


def is_cidr(text: str) -> bool:
    """Whether it is ``ADDRESS/LENGTH``; bits behind the length are allowed."""
    import ipaddress  # noqa: PLC0415 - as above

    base, slash, length = text.partition("/")
    if not slash or not length.isdigit() or "%" in base:
        return False
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def network_of(cidr: str) -> str:
    """The network that a range is part of, where it has bits behind its length; else empty."""
    import ipaddress  # noqa: PLC0415 - as above

    found = ipaddress.ip_network(cidr, strict=False)
    return str(found) if ipaddress.ip_address(cidr.partition("/")[0]) != found[0] else ""


def unmapped(cidr: str) -> str:
    """The IPv4 range that stands in a range of IPv4-mapped addresses (RFC 4291, 2.5.5.2); empty."""
    import ipaddress  # noqa: PLC0415 - as above

    base, _, length = cidr.partition("/")
    address = ipaddress.ip_address(base)
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if inner is None or int(length) < _MAPPED_BITS:
        return ""
    return str(ipaddress.ip_network(f"{inner}/{int(length) - _MAPPED_BITS}", strict=False))


def is_inside(part: str, whole: str) -> bool:
    """Whether one range is a smaller part of another (ValidateIPBlock)."""
    import ipaddress  # noqa: PLC0415 - as above

    inner = ipaddress.ip_network(part, strict=False)
    outer = ipaddress.ip_network(whole, strict=False)
    return inner.version == outer.version and inner != outer and inner.subnet_of(outer)  # type: ignore[arg-type]


def as_label(text: str) -> str:
    """The name that was probably meant; empty where nothing is left of it."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:63].strip("-")


def as_subdomain(text: str) -> str:
    """The nearest DNS subdomain, for a hint; empty where nothing is left of the text."""
    parts = [part for part in map(as_label, text.split(".")) if part]
    return ".".join(parts)


def as_label_value(text: str) -> str:
    """The nearest value of a label, for a hint."""
    return re.sub(r"[^-A-Za-z0-9_.]+", "-", text)[:63].strip("-_.")


def as_port_name(text: str) -> str:
    """The nearest port name (IANA_SVC_NAME: at most 15 characters), for a hint."""
    return as_label(text)[:15].strip("-")
