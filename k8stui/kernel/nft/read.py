"""What ``nft list ruleset`` printed, as text or as JSON."""

from __future__ import annotations

from k8stui.kernel.nft import listed_json, text
from k8stui.kernel.nft.text import Why
from k8stui.kernel.nft_ruleset import NftRuleset


def parse(printed: str, why: Why | None = None) -> NftRuleset:
    """Read a ruleset; each rule, chain and element gets the reason that `why` gives.

    Raises:
        NftError: not what the command prints.

    """
    if printed.lstrip().startswith(("{", "[")):
        return listed_json.parse(printed, why)
    return text.parse(printed, why)
