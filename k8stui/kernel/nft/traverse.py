"""One base chain of nftables sees one packet.

After net/netfilter/nf_tables_core.c nft_do_chain: a rule's expressions are evaluated in order
until one breaks; verdicts end the chain, jumps come back, what falls out meets the policy.
"""

from __future__ import annotations

from k8stui.kernel.context import PacketContext
from k8stui.kernel.nft.compile import index_of, statements
from k8stui.kernel.nft.errors import BreakError, UnknownError
from k8stui.kernel.nft.passage import Ended, Led, Passage
from k8stui.kernel.nft.verdict import Said
from k8stui.kernel.nft_ruleset import NftChain, NftTable
from k8stui.kernel.packet import Packet
from k8stui.kernel.rules import Chain
from k8stui.kernel.step import RuleCause, StepKind
from k8stui.kernel.traverse import Traversal
from k8stui.kernel.verdict import Accept, CannotEvaluate, Drop

_MOST_JUMPS = 16
"""NFT_JUMP_STACK_SIZE (include/net/netfilter/nf_tables.h)."""


def traverse(table: NftTable, base: NftChain, packet: Packet, context: PacketContext) -> Traversal:
    """Run `packet` through a base chain, jumps included."""
    passage = Passage(table, packet, context, index_of)
    try:
        _through(base.chain, passage, 0)
    except Ended as ended:
        return ended.result
    policy = RuleCause(table=passage.table.called, chain=base.chain, index=0, rule=None)
    drops = base.base is not None and base.base.policy == "drop"
    return passage.result(Drop() if drops else Accept(), policy)


def _through(chain: Chain, passage: Passage, depth: int) -> None:
    """Rule by rule, until one leads away or none is left."""
    last = -1
    for place, rule in enumerate(chain.rules):
        cause = RuleCause(
            table=passage.table.called,
            chain=chain,
            index=place + 1,
            rule=rule,
            skipped=place - last - 1,
        )
        passage.at(cause)
        try:
            for statement in statements(rule.text):
                statement.do(passage)
        except BreakError:
            continue
        except UnknownError as error:
            passage.end(CannotEvaluate(cause, f"nftables ruleset: {error}"))
        except Led as led:
            last = place
            if not _lead(led.said, passage, depth):
                return


def _lead(said: Said, passage: Passage, depth: int) -> bool:
    """Return, jump or go to another chain; whether the packet goes on behind the rule."""
    cause = passage.cause
    if said.kind == "return":
        passage.visit(StepKind.RULE)
        return False
    found = passage.table.chains.get(said.chain)
    if found is None or depth >= _MOST_JUMPS:
        why = "no such chain" if found is None else "the chains jump too deep"
        passage.end(CannotEvaluate(cause, f"nftables ruleset: {said}: {why}"))
    passage.lead(said.chain)
    passage.visit(StepKind.JUMP)
    _through(found.chain, passage, depth + 1)
    return said.kind == "jump"
