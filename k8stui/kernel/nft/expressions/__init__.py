"""The expressions of nftables, a module a family; each says by which words it begins."""

from __future__ import annotations

from k8stui.kernel.nft.expressions import (
    ct,
    extension,
    fib,
    jhash,
    meta,
    numgen,
    option,
    payload,
    raw,
    route,
    socket,
)

MODULES = (
    ct, extension, fib, jhash, meta, numgen, option, payload, raw, route, socket,
)  # fmt: skip

EXPRESSIONS = {word: read for module in MODULES for word, read in module.GRAMMAR.items()}
