"""The expressions of nftables, a module a family; each says by which words it begins."""

from __future__ import annotations

from k8stui.kernel.nft.expressions import (
    chunk,
    ct,
    extension,
    fib,
    inner,
    ipsec,
    jhash,
    meta,
    numgen,
    option,
    osf,
    payload,
    raw,
    route,
    socket,
)

MODULES = (
    chunk, ct, extension, fib, inner, ipsec, jhash, meta, numgen, option, osf, payload, raw, route,
    socket,
)  # fmt: skip

EXPRESSIONS = {word: read for module in MODULES for word, read in module.GRAMMAR.items()}
