"""A network plug-in, or a mode of kube-proxy, that the input names and that is not modelled.

What is found about the nodes then holds for the plug-in that is assumed instead; requests to
Services in such a mode of kube-proxy are not walked at all. Nothing is wrong with the input.

Does not apply to nodes whose own dump is given.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground

ID = "not-modelled"


def look(ground: Ground) -> Iterator[Finding]:
    for remark in ground.world.network.remarks:
        yield Finding(
            rule=ID,
            severity=Severity.INFO,
            subject="the cluster",
            place=remark.origin.place,
            why=remark.text,
            fix="give the node's own state (--iptables, --ip-addr, --ip-route)",
        )


RULE = CheckRule(
    id=ID,
    summary="A plug-in or mode that is not modelled",
    help=__doc__ or "",
    severity=Severity.INFO,
    look=look,
)
