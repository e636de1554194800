"""The statements of nftables, a module a family; each says by which words it begins."""

from __future__ import annotations

from k8stui.kernel.nft.statements import (
    comment,
    count,
    counter,
    dup,
    dynamic,
    flow,
    fwd,
    last,
    limit,
    log,
    masquerade,
    match,
    meter,
    nat,
    notrack,
    queue,
    quota,
    reject,
    reset,
    setting,
    synproxy,
    tproxy,
    verdicts,
    vmap,
    xt,
)

MODULES = (
    comment, count, counter, dup, dynamic, flow, fwd, last, limit, log, masquerade, meter, nat,
    notrack, queue, quota, reject, reset, synproxy, tproxy, verdicts, xt,
)  # fmt: skip
BEHIND_AN_EXPRESSION = (match, setting, vmap)

STATEMENTS = {word: read for module in MODULES for word, read in module.GRAMMAR.items()}
BEHIND = {word: read for module in BEHIND_AN_EXPRESSION for word, read in module.BEHIND.items()}
