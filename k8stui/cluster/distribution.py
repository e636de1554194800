"""Kubernetes distributions: what each fills in where the input says nothing.

One is known by its Nodes: the version of their kubelet, their labels, whose machines they are
(providerID), what k3s notes there of its arguments; else by what it keeps in kube-system.
Sources: k3s pkg/cli/cmds/server.go (defaults of --cluster-cidr, --service-cidr, --flannel-backend),
pkg/agent/netpol (kube-router's network policy controller, unless --disable-network-policy),
pkg/nodeconfig (annotation k3s.io/node-args), pkg/cloudprovider/servicelb.go,
pkg/daemons/agent/agent_linux.go (kubeProxyArgs), manifests/traefik.yaml;
kind pkg/cluster/internal/kubeadm,
pkg/internal/apis/config/default.go, images/kindnetd; minikube pkg/minikube/cni/cni.go
(chooseDefault), pkg/minikube/constants; EKS user guide (10.100.0.0/16, kube-proxy-config), eksctl
(192.168.0.0/16);
GKE (34.118.224.0/20 for Services, 10.4.0.0/14 for pods; netd's 10-gke-ptp.conflist and, since
nodes run containerd, kubernetes cluster/gce/gci/configure-helper.sh; before, kubenet; kube-proxy's
--cluster-cidr there);
AKS (az aks create --pod-cidr, --service-cidr; Azure/azure-rest-api-specs pull request 30845:
without --network-plugin it is Azure CNI Overlay from 1.30 on, kubenet before).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from k8stui.apiserver.fields import table, text
from k8stui.apiserver.inventory import Inventory
from k8stui.cluster.versions import minor
from k8stui.kernel.address import Prefix
from k8stui.origin import Origin, OriginKind, assumed
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.manifests import Manifest

KUBEADM, K3S = "kubeadm", "k3s"
_NOTES = "k3s.io/"
_ARGUMENTS = "k3s.io/node-args"

Ranges = Mapping[int, Prefix]
"""By IP version."""


@record(kw_only=True)
class _Known:
    """What such a cluster is made of when the input does not say."""

    pods: str = "10.244.0.0/16"
    services: str = "10.96.0.0/12"
    pods_v6: str = "fd00:10:244::/56"
    services_v6: str = "fd00:10:96::/112"
    cni: str = ""
    """Its network plug-in as ``--cni`` has it; empty: none of its own."""
    before: tuple[int, str] = (0, "")
    """Before which minor version of Kubernetes it was another one."""
    of_several: str = ""
    """The same where there are several nodes, if that makes a difference."""
    policy_engine: str = "none"
    """What enforces NetworkPolicies beside the plug-in's own, as ``--policy-engine`` has it."""
    balancer: str = ""
    """Who gives a Service of type LoadBalancer its address, and how a packet gets to a node."""
    on_demand: str = ""
    """What does so once somebody starts it."""
    proxy: str = "kubeadm sets clusterCIDR to the pods' range"
    """How kube-proxy learns which addresses are pods'."""
    knows_pods: bool = True
    """Whether it does."""
    ingress: str = ""
    """What serves Ingresses of no class of their own; empty: nothing."""
    versions: str = ""
    """By what its kubelet's version is known: a part of it."""
    labels: tuple[str, ...] = ()
    """And beginnings of its Nodes' labels."""
    annotations: tuple[str, ...] = ()
    machines: str = ""
    """And the beginning of their providerID."""
    keeps: frozenset[str] = frozenset()
    """And the names of DaemonSets, Deployments and Pods in kube-system that no other has."""

    @property
    def begins(self) -> tuple[str, ...]:
        """The same with what a controller puts behind them."""
        return tuple(f"{one}-" for one in self.keeps)


_KNOWN = {
    KUBEADM: _Known(),
    K3S: _Known(
        pods="10.42.0.0/16",
        services="10.43.0.0/16",
        pods_v6="2001:cafe:42::/56",
        services_v6="2001:cafe:43::/112",
        cni="flannel-vxlan",
        policy_engine="kube-router",
        balancer="k3s' ServiceLB: every node's own address, by a pod of its DaemonSet there",
        proxy="k3s starts its kube-proxy with --cluster-cidr, the pods' range",
        ingress="Traefik, by Service kube-system/traefik",
        versions="+k3s",
        keeps=frozenset({"local-path-provisioner"}),
        annotations=(_NOTES,),
    ),
    "minikube": _Known(
        keeps=frozenset({"storage-provisioner"}),
        cni="bridge-ipmasq",
        of_several="kindnet",
        balancer="minikube tunnel: a route of the host to the node",
        on_demand="run minikube tunnel, which has to stay running",
        labels=("minikube.k8s.io/",),
    ),
    "kind": _Known(
        services="10.96.0.0/16",
        cni="kindnet",
        machines="kind://",
        keeps=frozenset({"kindnet"}),
        on_demand="run cloud-provider-kind on the machine, or install MetalLB",
    ),
    "eks": _Known(
        pods="192.168.0.0/16",
        services="10.100.0.0/16",
        cni="amazon-vpc-cni",
        balancer="a load balancer of AWS, to node ports",
        proxy="EKS leaves clusterCIDR of kube-proxy-config empty",
        knows_pods=False,
        versions="-eks-",
        keeps=frozenset({"aws-node"}),
        labels=("eks.amazonaws.com/", "alpha.eksctl.io/"),
    ),
    "gke": _Known(
        pods="10.4.0.0/14",
        services="34.118.224.0/20",
        cni="gke-ptp",
        before=(19, "kubenet"),
        balancer="a load balancer of Google's, which keeps the address: any ready node",
        proxy="GKE starts kube-proxy with --cluster-cidr, the pods' range",
        ingress="GKE's own controller: a load balancer of Google's for each",
        versions="-gke.",
        keeps=frozenset({"gke-metrics-agent", "pdcsi-node", "fluentbit-gke", "anetd"}),
        labels=("cloud.google.com/gke-",),
        machines="gce://",
    ),
    "aks": _Known(
        services="10.0.0.0/16",
        cni="azure-cni",
        before=(30, "kubenet"),
        balancer="a load balancer of Azure's with floating IP: any ready node",
        proxy="AKS starts kube-proxy with --cluster-cidr, the pods' range",
        labels=("kubernetes.azure.com/",),
        keeps=frozenset({"cloud-node-manager", "csi-azuredisk-node", "azure-ip-masq-agent"}),
        machines="azure://",
    ),
}
"""By the name that ``--distribution`` takes; the first that the Nodes show counts."""


@record(kw_only=True)
class Distribution:
    """What a cluster was set up with."""

    name: str
    pod_cidrs: Ranges
    service_cidrs: Ranges
    """What is assumed where the input does not say them."""
    arguments: Mapping[str, str]
    """What its server was started with, as far as the input shows."""
    origin: Origin
    minor: int | None = None
    """Of its kubelets' version of Kubernetes; None: no Node tells."""

    @property
    def policy_engine(self) -> str:
        """What enforces NetworkPolicies, as ``--policy-engine`` has it."""
        off = self.arguments.get("--disable-network-policy", "false")
        return _KNOWN[self.name].policy_engine if off == "false" else "none"

    def plugin(self, nodes: int) -> str:
        """Its network plug-in on so many nodes, as ``--cni`` has it; empty: none of its own."""
        known = _KNOWN[self.name]
        backend = self.arguments.get("--flannel-backend")
        if self.name == K3S and backend:
            return "" if backend == "none" else f"flannel-{backend.removesuffix('-native')}"
        if self.minor is not None and self.minor < known.before[0]:
            return known.before[1]
        return known.of_several if nodes > 1 and known.of_several else known.cni

    @property
    def ingress(self) -> str:
        """What serves Ingresses; empty: nothing that such a cluster brings."""
        off = "traefik" in self.arguments.get("--disable", "").split(",")
        return "" if off else _KNOWN[self.name].ingress

    @property
    def proxy(self) -> str:
        """How kube-proxy learns which addresses are pods', in words."""
        return _KNOWN[self.name].proxy

    @property
    def proxy_knows_pods(self) -> bool:
        return _KNOWN[self.name].knows_pods

    @property
    def proxy_mode(self) -> str:
        """Kube-proxy's mode, where its starter says one; k3s hands on ``--kube-proxy-arg``."""
        if self.name != K3S:
            return ""
        told = self.arguments.get("--kube-proxy-arg", "").split(",")
        said = (one.partition("=")[2] for one in told if one.startswith("proxy-mode="))
        return next(said, "iptables")

    @property
    def on_demand(self) -> str:
        """What has to be started so that load balancers get addresses; empty: nothing known."""
        return _KNOWN[self.name].on_demand

    @property
    def balancer(self) -> str:
        """Who announces load balancers' addresses; empty: nobody that is known."""
        off = "servicelb" in self.arguments.get("--disable", "").split(",")
        return "" if off else _KNOWN[self.name].balancer


def find_distribution(inventory: Inventory, asked: str | None) -> Distribution:
    """The one that is asked for, else what the Nodes show, else kubeadm's."""
    nodes = tuple(inventory.of("Node").values())
    shown = next(filter(None, map(_shown, nodes)), None) or _kept(inventory) or _written(inventory)
    name = asked or (shown[0] if shown is not None else KUBEADM)
    known = _KNOWN[name]
    return Distribution(
        name=name,
        pod_cidrs={4: Prefix.parse(known.pods), 6: Prefix.parse(known.pods_v6)},
        service_cidrs={4: Prefix.parse(known.services), 6: Prefix.parse(known.services_v6)},
        arguments=dict(_arguments(nodes)) if name == K3S else {},
        minor=next(filter(None, map(_minor, nodes)), None),
        origin=shown[1]
        if shown is not None and shown[0] == name
        else assumed(f"taken to be set up with {name}"),
    )


def _shown(node: Manifest) -> tuple[str, Origin] | None:
    """Whose a Node is, and by which of its fields."""
    version = text(node.data, "status", "nodeInfo", "kubeletVersion")
    machine = text(node.data, "spec", "providerID")
    for name, known in _KNOWN.items():
        if known.versions and known.versions in version:
            return name, node.origin("status", "nodeInfo", "kubeletVersion")
        if known.machines and machine.startswith(known.machines):
            return name, node.origin("spec", "providerID")
        for field, begins in (("annotations", known.annotations), ("labels", known.labels)):
            if begins and any(
                key.startswith(begins) for key in table(node.data, "metadata", field)
            ):
                place = node.place("metadata", field)
                return name, Origin(kind=OriginKind.OBSERVED, place=place)
    return None


def _minor(node: Manifest) -> int | None:
    return minor(text(node.data, "status", "nodeInfo", "kubeletVersion"))


def _written(inventory: Inventory) -> tuple[str, Origin] | None:
    """The file that kind reads, beside the manifests."""
    return next((("kind", one.origin()) for one in inventory.of("Cluster").values()), None)


def _kept(inventory: Inventory) -> tuple[str, Origin] | None:
    """Whose kube-system it is, by what is kept there."""
    there = {
        manifest.name: manifest
        for kind in ("DaemonSet", "Deployment", "Pod")
        for manifest in inventory.of(kind).values()
        if manifest.namespace == "kube-system"
    }
    for name, known in _KNOWN.items():
        for one, manifest in there.items():
            if one in known.keeps or f"{one}-".startswith(known.begins):
                place = manifest.place("metadata", "name")
                return name, Origin(kind=OriginKind.OBSERVED, place=place)
    return None


def _arguments(nodes: tuple[Manifest, ...]) -> Iterator[tuple[str, str]]:
    """The server's arguments: ``--flag value``, ``--flag=value``, ``--flag``.

    What is given several times (``--disable``) is one list.
    """
    for node in nodes:
        try:
            words = json.loads(text(node.data, "metadata", "annotations", _ARGUMENTS) or "[]")
        except (ValueError, RecursionError):
            continue
        if not isinstance(words, list) or "server" not in words:
            continue
        said: dict[str, list[str]] = {}
        for word, following in zip(words, (*words[1:], "--"), strict=True):
            flag, equals, value = str(word).partition("=")
            if flag.startswith("--"):
                bare = "true" if str(following).startswith("--") else str(following)
                said.setdefault(flag, []).append(value if equals else bare)
        yield from ((flag, ",".join(values)) for flag, values in said.items())
