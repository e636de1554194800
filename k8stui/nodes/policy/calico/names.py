"""Names that Felix makes: of chains, of sets, and the selectors that these are hashed from.

Source: Calico v3.30 felix/hashutils/id.go GetLengthLimitedID, libcalico-go/lib/hash MakeUniqueID,
felix/ipsets NameForMainIPSet, felix/rules/endpoints.go PolicyGroup.UniqueID,
libcalico-go/lib/backend/k8s/conversion k8sSelectorToCalico, libcalico-go/lib/selector.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha3_224, sha224, sha256

from k8stui.apiserver.fields import array, labels, table, text, texts
from k8stui.cluster.policy import (
    CalicoPolicy,
    ClusterPolicy,
    NetworkPolicy,
    Policy,
    PolicyPeer,
    Tier,
)

_LONGEST_CHAIN = 28
_LONGEST_SET = 31
_PLAIN = re.compile(r"[\w./-]+", re.ASCII)
_SPACE_LABELS = "pcns."
_ITS_NAMESPACE = "projectcalico.org/namespace"
_OF_KUBERNETES = 'projectcalico.org/orchestrator == "k8s"'
EVERYBODY = "all()"


def limited(prefix: str, rest: str) -> str:
    """The name of a chain: as it is, or with the hash of what is too long.

    So is what no API server would let pass: a dump may say anything, and a rule is text.
    """
    whole = prefix + rest
    is_short = len(whole) < _LONGEST_CHAIN or (len(whole) == _LONGEST_CHAIN and rest[:1] != "_")
    if is_short and _PLAIN.fullmatch(rest):
        return whole
    digest = _base64(sha256(rest.encode()).digest())
    return f"{prefix}_{digest[: _LONGEST_CHAIN - 1 - len(prefix)]}"


DEFAULT_TIER = "default"
_TIERS = {
    "AdminNetworkPolicy": "adminnetworkpolicy",
    "BaselineAdminNetworkPolicy": "baselineadminnetworkpolicy",
}
_SHORT = {"AdminNetworkPolicy": "kanp", "BaselineAdminNetworkPolicy": "kbanp"}


def tier_of(policy: Policy) -> str:
    """Calico's tier; of a ClusterNetworkPolicy, which 3.32 knows, kube-admin or kube-baseline."""
    if policy.tier is Tier.NETWORK_POLICY:
        return DEFAULT_TIER
    if isinstance(policy, CalicoPolicy):
        return policy.tier.value
    return _TIERS.get(policy.kind) or f"kube-{policy.tier.lower()}"


def policy_name(policy: Policy) -> str:
    """As Felix calls it; Kubernetes' own are told from Calico's by ``knp.default.``."""
    if isinstance(policy, NetworkPolicy | CalicoPolicy):
        return policy.felix_name
    return f"{_SHORT.get(policy.kind, 'kcnp')}.{tier_of(policy)}.{policy.name}"


def policy_order(policy: Policy) -> tuple[float, str, float, str]:
    """By this Felix asks policies: that of their tiers, their own, their names.

    Source: felix/calc/policy_sorter.go TierLess, PolKVLess.
    """
    order = policy.priority if isinstance(policy, ClusterPolicy) else policy.order
    return policy.tier.order, tier_of(policy), order, policy_name(policy)


def policy_chain(prefix: str, policy: Policy) -> str:
    return limited(prefix, f"{tier_of(policy)}/{policy_name(policy)}")


def group_chain(prefix: str, way: str, selector: str, policies: Sequence[Policy]) -> str:
    """Of several policies with one selector; `way`: inbound or outbound."""
    tier = tier_of(policies[0])
    parts = [tier, selector, way, str(len(policies)), *map(policy_name, policies)]
    digest = sha3_224("".join(f"{part}\n" for part in parts).encode()).digest()
    return prefix + _base64(digest)[: _LONGEST_CHAIN - len(prefix)]


def set_name(ident: str, version: int) -> str:
    return f"cali{version}0{ident}"[:_LONGEST_SET]


def selector_id(selector: str) -> str:
    """Of the endpoints that a selector, as Calico prints it, means."""
    return _unique("s", selector)


def port_id(selector: str, protocol: str, port: str) -> str:
    """Of the numbers that a port's name has with those endpoints."""
    return _unique("n", f"{selector_id(selector)},{protocol},{port}")


def service_id(kind: str, service: str) -> str:
    """Of a Service's endpoints; `kind`: svc, or svcnoport without their ports (IPSetData)."""
    return _unique(kind, service)


def peer_selector(peer: PolicyPeer, namespace: str) -> str:
    """Whom a peer of a policy of that namespace means, as Calico prints it."""
    if peer.namespaces is None:
        where = f'{_ITS_NAMESPACE} == "{namespace}"'
    else:
        terms = list(_terms(peer.namespaces, _SPACE_LABELS))
        where = _all_of(terms) if terms else f"has({_ITS_NAMESPACE})"
    if not namespace and peer.pods is None:
        return where  # of a policy of the cluster: nothing is written for pods
    return f"({where} && {_all_of([_OF_KUBERNETES, *_terms(peer.pods, '')])})"


def policy_selector(policy: Policy) -> str:
    """Whom it selects, as written by the conversion (it names groups, and is not parsed)."""
    if isinstance(policy, CalicoPolicy):
        return policy.selector
    terms = " && ".join(["projectcalico.org/orchestrator == 'k8s'", *_written(policy.pods)])
    if not isinstance(policy, NetworkPolicy):
        spaces = list(_terms(policy.namespaces, _SPACE_LABELS))
        return f"({terms}) && {_all_of(spaces) if spaces else f'has({_ITS_NAMESPACE})'}"
    return f"({terms}) && {_ITS_NAMESPACE} == '{policy.namespace}'"


def _terms(selector: object, prefix: str) -> Iterator[str]:
    """Terms as the selector's parser prints them: sets sorted, strings in double quotes."""
    for key, value in sorted(labels(selector, "matchLabels").items()):
        yield f'{prefix}{key} == "{value}"'
    for one in map(table, array(selector, "matchExpressions")):
        key = prefix + text(one, "key")
        values = ", ".join(f'"{value}"' for value in sorted(set(texts(one, "values"))))
        match text(one, "operator"):
            case "In":
                yield f"{key} in {{{values}}}"
            case "NotIn":
                yield f"{key} not in {{{values}}}"
            case "Exists":
                yield f"has({key})"
            case _:
                yield f"!has({key})"


def _written(selector: object) -> Iterator[str]:
    for key, value in sorted(labels(selector, "matchLabels").items()):
        yield f"{key} == '{value}'"
    for one in map(table, array(selector, "matchExpressions")):
        key = text(one, "key")
        values = "', '".join(texts(one, "values"))
        match text(one, "operator"):
            case "In":
                yield f"{key} in {{ '{values}' }}"
            case "NotIn":
                yield f"{key} not in {{ '{values}' }}"
            case "Exists":
                yield f"has({key})"
            case _:
                yield f"! has({key})"


def _all_of(terms: Sequence[str]) -> str:
    return terms[0] if len(terms) == 1 else f"({' && '.join(terms)})"


def _unique(prefix: str, content: str) -> str:
    return f"{prefix}:{_base64(sha224(f'{prefix}:{content}'.encode()).digest())}"


def _base64(digest: bytes) -> str:
    return urlsafe_b64encode(digest).decode().rstrip("=")
