"""The names that kube-router gives chains and sets: a prefix and a hash of what they stand for.

Source: policy.go networkPolicyChainName, policy*SetName; pod.go podFirewallChainName;
network_policy_controller.go addUUIDForRuleSpec.
"""

from __future__ import annotations

from functools import lru_cache

from k8stui.nodes.kubeproxy.names import chain_suffix
from k8stui.record import record

FAMILY = {4: "IPv4", 6: "IPv6"}
SOURCE = "KUBE-SRC-"
DESTINATION = "KUBE-DST-"
_SET_PREFIX = {4: "", 6: "inet6:"}


@lru_cache(maxsize=1 << 14)
def pod_chain(namespace: str, name: str, sync: str) -> str:
    """The chain of a local pod, the same in both families; `sync` is the number of the sync."""
    return f"KUBE-POD-FW-{chain_suffix(namespace + name + sync)}"


@record()
class PolicyNames:
    """Names of one policy's chain and sets, for IP `version` 4 or 6."""

    namespace: str
    name: str
    version: int

    def chain(self, sync: str) -> str:
        own = self.namespace + self.name
        return f"KUBE-NWPLCY-{chain_suffix(own + sync + FAMILY[self.version])}"

    def targets(self, side: str) -> str:
        """The set of the pods that the policy selects; `side` is SOURCE or DESTINATION."""
        return self._set(side, "")

    def peers(self, side: str, direction: str, rule: int) -> str:
        """The pods that a rule lets through; `direction` is ``ingress`` or ``egress``."""
        return self._set(side, f"{direction}rule{rule}", "pod")

    def blocks(self, side: str, direction: str, rule: int) -> str:
        return self._set(side, f"{direction}rule{rule}", "ipblock")

    def named_port(self, direction: str, rule: int, place: int) -> str:
        """The pods that have a number under the name of a rule's port."""
        return self._set(DESTINATION, f"{direction}rule{rule}{place}", "namedport")

    def _set(self, side: str, what: str, kind: str = "") -> str:
        text = self.namespace + self.name + what + FAMILY[self.version] + kind
        return f"{_SET_PREFIX[self.version]}{side}{chain_suffix(text)}"


def with_id(chain: str, arguments: str, comment: str) -> str:
    """A fixed rule's comment with the id by which kube-router finds the rule again.

    `arguments` are those of ``iptables``, the comment among them, without the blanks between.
    """
    return f"{comment} - {chain_suffix(chain + arguments)}"
