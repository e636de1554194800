"""Why a plug-in sends what pods ask of the world beyond their nodes with the pods' own addresses.

Sources: Calico felix/rules/nat.go (NATOutgoingChain: not to what is in a pool itself);
amazon-vpc-cni-k8s README (AWS_VPC_K8S_CNI_EXTERNALSNAT, …_EXCLUDE_SNAT_CIDRS); flannel main.go.
"""

from __future__ import annotations

from k8stui.apiserver.fields import text
from k8stui.cluster.fields import prefixes
from k8stui.cluster.model import Cluster
from k8stui.kernel.address import Address
from k8stui.nodes.cni.daemon import is_flanneld, listed, told
from k8stui.origin import Origin
from k8stui.record import record

_EXTERNAL = "AWS_VPC_K8S_CNI_EXTERNALSNAT"
_EXCLUDED = "AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS"


@record()
class Spared:
    """Why it is not masqueraded, and what would mend it."""

    reason: str
    """Empty: nothing says why."""
    mend: str
    origin: Origin | None = None


def spared(cluster: Cluster, node: str, pod: Address, far: Address) -> Spared:
    """What the plug-in of the input says of packets from `pod` to `far`."""
    return (
        _by_calico(cluster, pod, far)
        or _by_aws(cluster, far)
        or _by_flannel(cluster, pod)
        or Spared(
            "",
            f"let {node} masquerade what its pods send beyond the pod network (the plug-in's "
            "ipMasq; flannel: --ip-masq)",
        )
    )


def _by_calico(cluster: Cluster, pod: Address, far: Address) -> Spared | None:
    pools = cluster.calico.pools if cluster.calico is not None else ()
    for pool in pools:
        if pool.cidr is not None and pod not in pool.cidr:
            continue
        if not pool.nat_outgoing:
            mend = f"set natOutgoing: true in Calico's IPPool {pool.name}, which holds {pod}"
            return Spared("", mend, pool.nat_origin)
    holding = next((one for one in pools if one.cidr is not None and far in one.cidr), None)
    if holding is None:
        return None
    return Spared(
        f"Calico takes {far} for a pod, because its IPPool {holding.name} ({holding.cidr}) holds "
        "it, and masquerades nothing that goes to a pool (natOutgoing)",
        "give the pods a pool apart from the networks of nodes and hosts (a new IPPool; disable "
        f"{holding.name}, and make the pods anew)",
        holding.origin,
    )


def _by_flannel(cluster: Cluster, at: Address) -> Spared | None:
    """Flanneld hides nobody unless it is told to; else its delegate does, where that is not off.

    And nobody of another network than its own (pkg/trafficmngr/iptables masqRules).
    """
    network = next(iter(prefixes((text(cluster.flannel or {}, "Network"),))), None)
    if network is not None and at.version == network.address.version and at not in network:
        return Spared(
            f"flannel masquerades its own Network {network}, which does not hold {at}",
            "write the pods' range as Network into flannel's net-conf.json, and start flannel anew",
            cluster.origins.get("flannel"),
        )
    for pod in cluster.pods.values():
        for one in pod.containers if pod.host_network else ():
            if is_flanneld(one) and not told(one.spoken, "ip-masq", otherwise=False):
                return Spared(
                    "flanneld runs without --ip-masq, and its CNI configuration has ipMasq off",
                    "write --ip-masq into its args",
                    one.origin,
                )
    return None


def _by_aws(cluster: Cluster, far: Address) -> Spared | None:
    for pod in cluster.pods.values():
        for container in pod.containers if pod.host_network else ():
            env = dict(container.env)
            if env.get(_EXTERNAL) == "true":
                return Spared(
                    f"{_EXTERNAL} is true, so aws-node masquerades nothing and leaves it to a NAT "
                    "gateway, of which nothing is known here",
                    "send the nodes' subnet by a NAT gateway (its route table), or set "
                    f'{_EXTERNAL}: "false" where the nodes have public addresses',
                    container.origin,
                )
            if any(far in one for one in listed(env.get(_EXCLUDED, ""))):
                return Spared(
                    f"{_EXCLUDED} holds {far}, so aws-node does not masquerade what goes there",
                    f"take {far} out of it where nobody there knows a way to the pods",
                    container.origin,
                )
    return None
