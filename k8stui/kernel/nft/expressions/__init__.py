"""The expressions of nftables, a module a family; each says by which words it begins."""

from __future__ import annotations

from k8stui.kernel.nft.expressions import ct, fib, jhash, meta, numgen, option, payload, route

MODULES = (ct, fib, jhash, meta, numgen, option, payload, route)

EXPRESSIONS = {word: read for module in MODULES for word, read in module.GRAMMAR.items()}
