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
from k8stui.cluster.policy import NetworkPolicy, PolicyPeer

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


def policy_name(policy: NetworkPolicy) -> str:
    """As Felix calls it; Kubernetes' own are told from Calico's by ``knp.default.``."""
    return f"{policy.namespace}/knp.default.{policy.name}"


def policy_chain(prefix: str, policy: NetworkPolicy) -> str:
    return limited(prefix, f"default/{policy_name(policy)}")


def group_chain(prefix: str, way: str, selector: str, policies: Sequence[NetworkPolicy]) -> str:
    """Of several policies with one selector; `way`: inbound or outbound."""
    parts = ["default", selector, way, str(len(policies)), *map(policy_name, policies)]
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


def peer_selector(peer: PolicyPeer, namespace: str) -> str:
    """Whom a peer of a policy of that namespace means, as Calico prints it."""
    if peer.namespaces is None:
        where = f'{_ITS_NAMESPACE} == "{namespace}"'
    else:
        terms = list(_terms(peer.namespaces, _SPACE_LABELS))
        where = _all_of(terms) if terms else f"has({_ITS_NAMESPACE})"
    return f"({where} && {_all_of([_OF_KUBERNETES, *_terms(peer.pods, '')])})"


def policy_selector(policy: NetworkPolicy) -> str:
    """Whom it selects, as written by the conversion (it names groups, and is not parsed)."""
    terms = " && ".join(["projectcalico.org/orchestrator == 'k8s'", *_written(policy.pods)])
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
