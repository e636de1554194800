"""What is known of each policy engine: by what it is found, where it decides, what it knows.

Sources: kube-router pkg/controllers/netpol; Calico felix/rules and
libcalico-go/lib/backend/k8s/conversion; Cilium bpf/bpf_lxc.c (from-container, to-container;
services are translated before policy looks), Documentation/network/kubernetes/policy.rst (1.20:
ClusterNetworkPolicy, with a flag) and Documentation/security/policy/language.rst (CIDR rules do not
apply to what Cilium manages, nor to nodes; policy-cidr-match-mode, 1.15); ovn-kubernetes
go-controller/pkg/ovn (ACLs; those of egress after load balancing) and
docs/network-security-controls; Antrea docs/design/ovs-pipeline.md (EgressRule behind EndpointDNAT)
and docs/admin-network-policy.md; kube-network-policies pkg/dataplane/controller.go (a queue in
POSTROUTING at srcnat - 5; both ends are judged on every node); weave npc (chains of FORWARD);
kube-ovn pkg/ovs (ACLs).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from k8stui.cluster.policy import CALICO_POLICY_KINDS, CILIUM_POLICY_KINDS
from k8stui.kernel.namespace import JudgesAt
from k8stui.nodes.policy import calico, kube_router
from k8stui.nodes.policy.engine import Engine
from k8stui.nodes.site import Site
from k8stui.record import record

KUBE_ROUTER, CALICO = "kube-router", "calico"
NONE = "none"
API = "api"
"""By the rules of the API alone."""
_ADMIN = frozenset({"AdminNetworkPolicy", "BaselineAdminNetworkPolicy"})
_CLUSTER = frozenset({"ClusterNetworkPolicy"})


@record(kw_only=True)
class KnownEngine:
    """One engine."""

    title: str
    """As its project calls it."""
    rules: Callable[[Site], Engine] | None = None
    """Its rules and sets in Linux' tables. None: they are modelled by the API's rules."""
    cni: frozenset[str] = frozenset()
    """The plug-ins (``--cni``) whose devices its rules are about; with another one they would meet
    nothing. Empty: any."""
    at: JudgesAt = JudgesAt.DEVICES
    """Without rules: where it decides."""
    place: str = ""
    """The same in words."""
    rejects: bool = False
    """Whether the sender of what is denied is told; else it is dropped in silence."""
    kinds: frozenset[str] = frozenset()
    """Policies of the whole cluster that it knows, in some version."""
    blocks_spare: frozenset[str] = frozenset()
    """Whom address blocks never mean: ``pods``, and ``nodes`` unless the plug-in is told so."""
    plugins: tuple[str, ...] = ()
    """Network plug-ins (`k8stui.cluster.networks.network_plugins`) that bring it."""


KNOWN: Mapping[str, KnownEngine] = {
    KUBE_ROUTER: KnownEngine(title="kube-router", rules=kube_router.k3s, rejects=True),
    "kube-router-v2.11": KnownEngine(
        title="kube-router",
        rules=kube_router.upstream,
        rejects=True,
        plugins=("kube-router",),
    ),
    CALICO: KnownEngine(
        title="Calico",
        rules=calico.CALICO,
        cni=frozenset({"calico", "canal"}),
        place="in the chains of the pod's cali device",
        kinds=_ADMIN | _CLUSTER | {*CALICO_POLICY_KINDS},
        plugins=("Calico", "Canal"),
    ),
    "cilium": KnownEngine(
        title="Cilium",
        place="in eBPF at the pod's lxc device",
        kinds=_CLUSTER | {*CILIUM_POLICY_KINDS},
        blocks_spare=frozenset({"pods", "nodes"}),
        plugins=("Cilium",),
    ),
    "ovn-kubernetes": KnownEngine(
        title="OVN-Kubernetes",
        place="in OVN, at the pod's port of the switch",
        kinds=_ADMIN,
        plugins=("OVN-Kubernetes",),
    ),
    "antrea": KnownEngine(
        title="Antrea",
        place="in Open vSwitch, at the pod's port",
        kinds=_ADMIN,
        plugins=("Antrea",),
    ),
    "kube-ovn": KnownEngine(
        title="Kube-OVN",
        place="in OVN, at the pod's port of the switch",
        kinds=_ADMIN,
        plugins=("Kube-OVN",),
    ),
    "kindnet": KnownEngine(
        title="kindnet",
        at=JudgesAt.POSTROUTING,
        place="in a queue of POSTROUTING",
        plugins=("kindnet",),
    ),
    "weave": KnownEngine(title="Weave Net", place="in WEAVE-NPC's chains", plugins=("Weave Net",)),
    API: KnownEngine(title="api", place="at the pod's device", kinds=_ADMIN | _CLUSTER),
}
"""By the name that ``--policy-engine`` takes."""


def of_plugin(name: str) -> str | None:
    """The engine that a network plug-in brings, by its name or by ``--cni``; None: none known."""
    brought = ((engine, map(str.lower, one.plugins)) for engine, one in KNOWN.items())
    return next((engine for engine, plugins in brought if name.lower() in plugins), None)
