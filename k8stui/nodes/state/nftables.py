"""Rulesets of nftables as the commands show them: where each rule was read is its reason."""

from __future__ import annotations

import re
from functools import partial

from k8stui.because import Because
from k8stui.kernel.nft_ruleset import NftRuleset
from k8stui.nodes.observed import DumpLine
from k8stui.nodes.state.parsing import observed_at
from k8stui.origin import Origin, OriginKind

_SERVICE_PORT = re.compile(
    r"(?:service|local|external|firewall|endpoint|affinity)-[A-Z2-7]{8}-([\w.-]+/[\w.-]+)/[a-z]+/"
    r"([\w.-]*?)(?:__|$|\s)"
)
"""How kube-proxy names chains and sets of a Service's port (nftables/proxier.go)."""


def is_nft(file: str) -> bool:
    """Whether a file is ``nft list ruleset``'s rather than iptables-save's, by its beginning."""
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - pathlib costs 3 ms of a walk
            beginning = opened.read(_BEGINNING).lstrip()
    except OSError:
        return False  # whoever reads it says so
    return beginning.startswith((b"{", b"table ")) or b"\ntable " in beginning


_BEGINNING = 4096


def parse_nft(text: str, file: str) -> NftRuleset:
    """What ``nft list ruleset`` printed, as text or (``-j``) as JSON.

    Raises:
        NftError: something else.

    """
    from k8stui.kernel.nft import read  # noqa: PLC0415 - 15 ms of a walk without nftables

    return read.parse(text, partial(_reason, file))


def parse_nft_json(text: str, file: str) -> NftRuleset:
    """What ``nft -j list ruleset`` printed.

    Raises:
        NftError: something else.

    """
    from k8stui.kernel.nft import listed_json  # noqa: PLC0415 - as above

    return listed_json.parse(text, partial(_reason, file))


def _reason(file: str, text: str, line: int, holder: str) -> Because:
    """Why it is there, as far as a listing says."""
    found = _SERVICE_PORT.search(holder) or _SERVICE_PORT.search(text)
    if found is None:
        return observed_at(file, line, "a rule of the real node")
    service, port = found.groups()
    return Because(
        text=f"Service {service}",
        origin=Origin(kind=OriginKind.OBSERVED, place=DumpLine(file, line)),
        owner="kube-proxy",
        service=service,
        service_port=f"{service}:{port}" if port else service,
    )
