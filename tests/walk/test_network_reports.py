"""What people report of nodes and networks: said by walk and check alike, with cause and mend.

`beside` are dumps of a node: option, node, text. `at` is the line to blame, of the manifests or of
a dump. `rule` is the finding of the check; empty: nothing of the input alone shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from manifests_of import (
    Manifest,
    kind,
    kube_proxy,
    labels,
    node,
    observed,
    pod,
    service,
    workload,
    write,
)

from k8stui.check import check
from k8stui.cluster.hosts import OutsideHost
from k8stui.cluster.options import ClusterOptions
from k8stui.kernel.address import Address
from k8stui.nodes.options import NodeOptions
from k8stui.record import record
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world


@record(kw_only=True)
class Told:
    manifests: tuple[Manifest, ...]
    ask: tuple[str, str] = ("pod/client", "svc/web:80")
    beside: tuple[tuple[str, str, str], ...] = ()
    options: Mapping[str, Any] | None = None
    problems: int = 0
    result: str
    by: str = ""
    cause: tuple[str, ...] = ()
    mend: str = ""
    at: str = ""
    assumed: str = ""
    not_said: str = ""
    source_port: int | None = None
    hosts: Mapping[str, str] | None = None
    size: int | None = None
    """What is sent once connected, in bytes."""
    rule: str = ""
    words: str = ""
    fix: str = ""
    silent: str = ""
    """A rule that finds nothing."""


def labelled(made: Manifest, text: str) -> Manifest:
    return {**made, "metadata": {**made["metadata"], "labels": labels(text)}}


def tunnelled(number: int, told: str) -> Manifest:
    made = node(number, f"10.244.{number}.0/24")
    made["metadata"]["annotations"] = {"projectcalico.org/IPv4IPIPTunnelAddr": told}
    return made


def flannel(number: int, told: str, own: str = "") -> Manifest:
    """A Node on which flanneld has written what it does."""
    made = node(number, f"10.244.{number}.0/24", address=own or f"192.168.56.1{number}")
    prefix = "flannel.alpha.coreos.com/"
    made["metadata"]["annotations"] = {
        f"{prefix}backend-type": "vxlan",
        f"{prefix}backend-data": f'{{"VNI":1,"VtepMAC":"5a:00:00:00:00:0{number}"}}',
        f"{prefix}public-ip": told,
    }
    return made


def ranged(number: int, cidr: str) -> Manifest:
    made = flannel(number, f"192.168.56.1{number}")
    return {**made, "spec": {"podCIDR": cidr}}


def policy(name: str, app: str, namespace: str | None = None, **spec: Any) -> Manifest:
    pods = {"matchLabels": {"app": app}} if app else {}
    spec = {"podSelector": pods, **spec}
    return kind("networking.k8s.io/v1", name, "NetworkPolicy", namespace, spec=spec)


def lets_in(*peers: Manifest, port: int = 8080, protocol: str = "TCP") -> dict[str, Any]:
    ports = [{"port": port, "protocol": protocol}]
    return {"policyTypes": ["Ingress"], "ingress": [{"from": list(peers), "ports": ports}]}


def lets_out(*peers: Manifest) -> dict[str, Any]:
    return {"policyTypes": ["Egress"], "egress": [{"to": list(peers)}] if peers else []}


def having(**wanted: str) -> dict[str, Any]:
    return {"matchLabels": wanted}


def space(name: str, text: str = "") -> Manifest:
    return labelled(kind("v1", name, "Namespace"), text)


NODES = (node(1, "10.244.1.0/24"), node(2, "10.244.2.0/24"))
CLIENT = pod("client", "app=client")
WEB = (service("web", to=8080), pod("web-0", "app=web", node="node-2", ports=[8080]))
ALL = (*NODES, CLIENT, *WEB)
SHOP = pod("shop", "app=shops", namespace="front")
CALICO = {"policy_engine": "calico"}
CONTROL = labelled(NODES[0], "node-role.kubernetes.io/control-plane=")
DNS = (
    service("kube-dns", "k8s-app=kube-dns", {"port": 53, "protocol": "UDP"},
            namespace="kube-system", clusterIP="10.96.0.10"),
    pod("coredns-0", "k8s-app=kube-dns", namespace="kube-system", node="node-2",
        ports=[{"containerPort": 53, "protocol": "UDP"}]),
)  # fmt: skip
CACHE = pod(
    "node-local-dns-1", "k8s-app=node-local-dns", namespace="kube-system", hostNetwork=True,
    container={"image": "registry.k8s.io/dns/k8s-dns-node-cache:1.23.0",
               "args": ["-localip", "169.254.20.10,10.96.0.10", "-conf", "/etc/Corefile"]},
)  # fmt: skip
FELIX = workload(
    "DaemonSet", "calico-node", "k8s-app=calico-node", namespace="kube-system",
    container={"image": "calico/node:v3.30.0"}, pod_spec={"hostNetwork": True},
)  # fmt: skip
KUBELET: Manifest = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    "clusterDNS": ["169.254.20.10"],
}
TO_DNS = {"to": [{"namespaceSelector": {}, "podSelector": having(**{"k8s-app": "kube-dns"})}],
          "ports": [{"port": 53, "protocol": "UDP"}]}  # fmt: skip
HOOK = kind(
    "admissionregistration.k8s.io/v1", "guard", "ValidatingWebhookConfiguration",
    webhooks=[{
        "name": "a.guard.example", "admissionReviewVersions": ["v1"], "sideEffects": "None",
        "failurePolicy": "Ignore", "clientConfig": {"service": {"name": "hook", "namespace": "g"}},
    }],
)  # fmt: skip
HOOKED = (
    service("hook", "app=hook", 443, 9443, namespace="g"),
    pod("hook-0", "app=hook", namespace="g", node="node-2", ports=[9443]),
    space("g"), HOOK,
)  # fmt: skip
SYSTEM = {"namespaceSelector": having(**{"kubernetes.io/metadata.name": "kube-system"})}
PROXY_DOWN = observed(
    "kube-proxy-b", "k8s-app=kube-proxy", "192.168.0.11", namespace="kube-system", ready=False,
    hostNetwork=True, container={"image": "registry.k8s.io/kube-proxy:v1.30.2"},
)  # fmt: skip
PROXY_DOWN["status"]["containerStatuses"] = [
    {"name": "main", "ready": False, "restartCount": 41, "image": "x", "imageID": "",
     "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
]  # fmt: skip
FIREWALLD = """\
table inet firewalld {
\tchain filter_FORWARD {
\t\ttype filter hook forward priority filter + 10; policy accept;
\t\tct state { established, related } accept
\t\treject with icmpx admin-prohibited
\t}
}
"""
OWN_TABLE = """\
table inet site {
\tchain forward {
\t\ttype filter hook forward priority filter; policy accept;
\t\tip saddr 10.0.0.0/8 drop
\t}
}
"""
CARDS = """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 state UNKNOWN
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP
    link/ether 52:54:00:12:34:01 brd ff:ff:ff:ff:ff:ff
    inet 192.168.0.11/24 brd 192.168.0.255 scope global eth0
3: eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP
    link/ether 52:54:00:12:34:02 brd ff:ff:ff:ff:ff:ff
    inet 172.16.0.11/24 brd 172.16.0.255 scope global eth1
"""
CARDS_2 = CARDS.replace("192.168.0.11", "192.168.0.12").replace("172.16.0.11", "172.16.0.12")
CARDS_2 += """\
4: cni0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP
    link/ether 52:54:00:12:34:03 brd ff:ff:ff:ff:ff:ff
    inet 10.244.2.1/24 brd 10.244.2.255 scope global cni0
"""
SECOND_WAY = """\
192.168.0.0/24 dev eth0 scope link
172.16.0.0/24 dev eth1 scope link
10.244.1.0/24 via 172.16.0.11 dev eth1
10.244.2.0/24 dev cni0 scope link
"""
FORWARDS_NOT = "net.ipv4.conf.all.rp_filter = 0\nnet.ipv4.ip_forward = 0\n"
STRICT = """\
net.ipv4.conf.eth0.rp_filter = 0
net.ipv4.ip_forward = 1
net.ipv4.conf.all.rp_filter = 1
"""
FEW_PORTS = """\
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp --dport 22 -j ACCEPT
COMMIT
"""
BRIDGE_UP = "4: cni0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP"
BRIDGE_DOWN = "4: cni0: <BROADCAST,MULTICAST> mtu 1500 state DOWN"
PAST_NETFILTER = "net.ipv4.ip_forward = 1\nnet.bridge.bridge-nf-call-iptables = 0\n"
NO_BRIDGE = """\
default via 192.168.0.1 dev eth0
192.168.0.0/24 dev eth0 scope link
10.244.1.0/24 via 192.168.0.11 dev eth0
"""
HIDDEN = """\
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -o eth0 -j MASQUERADE
COMMIT
"""
APART = (node(1, "10.244.1.0/24", address="10.0.1.11"),
         node(2, "10.244.2.0/24", address="10.0.2.11"))  # fmt: skip
CARD_APART = (
    CARDS.replace("192.168.0", "10.0.1")
    + """\
4: cni0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP
    link/ether 52:54:00:12:34:03 brd ff:ff:ff:ff:ff:ff
    inet 10.244.1.1/24 brd 10.244.1.255 scope global cni0
"""
)
ROUTES_APART = """\
default via 10.0.1.1 dev eth0
10.0.1.0/24 dev eth0 scope link src 10.0.1.11
10.244.1.0/24 dev cni0 scope link src 10.244.1.1
"""
IP_POOL = kind(
    "projectcalico.org/v3",
    "default-ipv4-ippool",
    "IPPool",
    spec={"cidr": "10.244.0.0/16", "ipipMode": "Always", "natOutgoing": False},
)


def by_calico(number: int, told: str) -> Manifest:
    made = node(number, f"10.244.{number}.0/24")
    made["metadata"]["annotations"] = {"projectcalico.org/IPv4Address": told}
    return made


def metallb(**spec: Any) -> tuple[Manifest, ...]:
    """A pool, announced on the nodes' network."""
    spec = {"addresses": ["192.168.0.200-192.168.0.210"], **spec}
    group, own = "metallb.io/v1beta1", "metallb-system"
    return (space(own), kind(group, "pool", "IPAddressPool", own, spec=spec),
            kind(group, "ads", "L2Advertisement", own, spec={}))  # fmt: skip


METALLB = pod("speaker", namespace="metallb-system", hostNetwork=True,
              container={"image": "quay.io/metallb/speaker:v0.14.8"})  # fmt: skip


def ingress(host: str, annotations: Mapping[str, str] | None = None, **spec: Any) -> Manifest:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    made = kind("networking.k8s.io/v1", "shop", "Ingress",
                spec={"rules": [{"host": host, "http": {"paths": paths}}], **spec})  # fmt: skip
    made["metadata"]["annotations"] = dict(annotations or {})
    return made


def alb(**annotations: str) -> Manifest:
    return ingress("shop.example", {"alb.ingress.kubernetes.io/scheme": "internal", **annotations})


def watching(namespace: str) -> Manifest:
    """ingress-nginx, which looks at one namespace."""
    return pod("controller", namespace="in", container={
        "image": "registry.k8s.io/ingress-nginx/controller:v1.11.2",
        "args": [f"--watch-namespace={namespace}"] if namespace else []})  # fmt: skip


NGINX = watching("")
KIND: Manifest = {
    "apiVersion": "kind.x-k8s.io/v1alpha4", "kind": "Cluster",
    "nodes": [
        {"role": "control-plane", "extraPortMappings": [{"containerPort": 80, "hostPort": 8080}]},
        {"role": "worker"},
    ],
}  # fmt: skip
INGRESS = ingress("shop.example", ingressClassName="nginx")
CLASS, OWN_CLASS = (
    kind("networking.k8s.io/v1", "nginx", "IngressClass", spec={"controller": f"k8s.io/{name}"})
    for name in ("other-nginx", "ingress-nginx")
)


TLS = (service("web", "app=web", {"name": "https", "port": 80, "targetPort": 8443}),
       pod("web-0", "app=web", ports=[8443]))  # fmt: skip
NGINX_ORG = kind(
    "networking.k8s.io/v1",
    "nginx",
    "IngressClass",
    spec={"controller": "nginx.org/ingress-controller"},
)
TRAEFIK = pod("traefik", ports=[8000], container={
    "image": "traefik:v3.1",
    "args": ["--providers.kubernetescrd", "--entrypoints.web.address=:8000"],
})  # fmt: skip
OF_NGINX = "nginx.ingress.kubernetes.io/"
OF_ROUTER = "traefik.ingress.kubernetes.io/router."
MUTUAL_TLS = kind("security.istio.io/v1", "default", "PeerAuthentication", "istio-system",
              spec={"mtls": {"mode": "STRICT"}})  # fmt: skip
MESH = (space("mesh", "istio-injection=enabled"), service("web", namespace="mesh"),
        pod("web-0", "app=web", namespace="mesh", ports=[80]))  # fmt: skip


ASKED = "svc/web.mesh:80"


def spoken(name: str, image: str, number: int) -> tuple[Manifest, ...]:
    port = {"name": name, "port": 80, "targetPort": number}
    server = pod("web-0", "app=web", namespace="mesh", ports=[number], container={"image": image})
    own = (MESH[0], service("web", None, port, namespace="mesh", selector={"app": "web"}))
    return (*own, server, pod("client", namespace="mesh"))


def leading_to(subset: str) -> Manifest:
    made = {"host": "web", "subset": subset}
    return kind("networking.istio.io/v1", "web", "VirtualService", "mesh", spec={
        "hosts": ["web"], "http": [{"route": [{"destination": made}]}]})  # fmt: skip


def left_alone(made: Manifest, ports: str = "80") -> Manifest:
    told = {"traffic.sidecar.istio.io/excludeInboundPorts": ports}
    return {**made, "metadata": {**made["metadata"], "annotations": told}}


GATEWAY = kind("networking.istio.io/v1", "front", "Gateway", "mesh", spec={
    "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
})  # fmt: skip


def virtual_service(gateway: str, destination: str = "web") -> Manifest:
    return kind("networking.istio.io/v1", "shop", "VirtualService", spec={
        "hosts": ["shop.example"], "gateways": [gateway],
        "http": [{"route": [{"destination": {"host": destination}}]}],
    })  # fmt: skip


BALANCER = {"loadBalancer": {"ingress": [{"ip": "198.51.100.80"}]}}
PROXY = (
    service("proxy", to=80, type="LoadBalancer", status=BALANCER),
    pod("proxy", "app=proxy,istio=ingress", ports=[80], container={
        "image": "istio/proxyv2:1.22.1", "args": ["proxy", "router"]}),
)  # fmt: skip
UNPRIVILEGED = (
    PROXY[0],
    pod("proxy", "app=proxy,istio=ingress", container={
        "image": "istio/proxyv2:1.22.1", "args": ["proxy", "router"],
        "env": [{"name": "ISTIO_META_UNPRIVILEGED_POD", "value": "true"}]}),
)  # fmt: skip
TRAEFIK_CRD = {
    "image": "traefik:v3.1",
    "args": ["--entryPoints.web.address=:8000/tcp", "--entryPoints.websecure.address=:8443"],
}


def chosen(istio: str) -> Manifest:
    made = kind("networking.istio.io/v1", "front", "Gateway", spec={**GATEWAY["spec"]})
    made["spec"]["selector"] = {"istio": istio}
    return made


def opens(number: int) -> Manifest:
    made = chosen("ingress")
    port = {"number": number, "name": "http", "protocol": "HTTP"}
    made["spec"]["servers"] = [{"port": port, "hosts": ["*"]}]
    return made


def by_config_map(addresses: str, name: str = "config") -> tuple[Manifest, ...]:
    """MetalLB before 0.13."""
    own, image = "metallb-system", "quay.io/metallb/controller:v0.9.6"
    pools = f"address-pools: [{{name: a, protocol: layer2, addresses: [{addresses}]}}]"
    runs = pod("controller", namespace=own, container={"image": image})
    return space(own), runs, kind("v1", name, "ConfigMap", own, data={"config": pools})


ALLOWS = kind("security.istio.io/v1", "web", "AuthorizationPolicy", "mesh", spec={
    "rules": [{"from": [{"source": {"principals": ["cluster.local/ns/shop/sa/*"]}}]}],
})  # fmt: skip


def own_metrics(argument: str, beside: int = 0) -> Manifest:
    """web-0, told where to listen, and asked at port 9090 whether it is ready."""
    probe = {"httpGet": {"path": "/ready", "port": 9090}}
    container = {"image": "web:1", "args": [argument], "readinessProbe": probe}
    made = pod("web-0", "app=web", ports=[8080], container=container)
    if beside:
        one = {"name": "proxy", "image": "proxy:1", "ports": [{"containerPort": beside}]}
        made["spec"]["containers"].append(one)
    return made


def secured(
    said: Mapping[str, Any], *, port: int = 8443, beside: int = 0, scheme: str = ""
) -> tuple[Manifest, ...]:
    """web-0, told to speak TLS, and asked by HTTP whether it is ready."""
    asked = {"path": "/ready", "port": port} | ({"scheme": scheme} if scheme else {})
    data = said.get("data", {})
    own = {key: value for key, value in said.items() if key != "data"}
    ports = [port, beside] if beside else [port]
    made = pod(
        "web-0",
        "app=web",
        ports=ports,
        container={
            "image": "web:1",
            **own,
            "readinessProbe": {"httpGet": asked},
            **({"volumeMounts": [{"name": "told", "mountPath": "/etc/web"}]} if data else {}),
        },
    )
    if data:
        made["spec"]["volumes"] = [{"name": "told", "configMap": {"name": "told"}}]
    held = (kind("v1", "told", "ConfigMap", data=data),) if data else ()
    return (*NODES, CLIENT, WEB[0], made, *held)


def by_plain_http(said: Mapping[str, Any], by: str, **more: Any) -> Told:
    return Told(
        manifests=secured(said, **more),
        result="refused",
        cause=("by plain HTTP, and that is answered by TLS alone", by),
        mend="write scheme: HTTPS",
        at="httpGet:",
        rule="no-endpoints",
        words=f"answered by TLS alone ({by}",
        fix="write scheme: HTTPS",
    )


def searching(domain: str) -> Manifest:
    return pod("client", dnsConfig={"searches": [domain]})


def speaking(host: str, mode: str) -> Manifest:
    return kind("networking.istio.io/v1", "web", "DestinationRule", "mesh",
                spec={"host": host, "trafficPolicy": {"tls": {"mode": mode}}})  # fmt: skip


def streams(argument: str, port: int = 5432) -> tuple[Manifest, ...]:
    """An ingress-nginx, a ConfigMap for its TCP, and the Service in front of it."""
    controller = pod("front", "app=front", ports=[80], container={
        "image": "registry.k8s.io/ingress-nginx/controller:v1.11.2", "args": [argument],
    })  # fmt: skip
    led = kind("v1", "tcp", "ConfigMap", data={"5432": "default/web:80"})
    return controller, led, service("front", "app=front", port)


def rewriting(name: str) -> Manifest:
    lines = (f"  rewrite name shop.example {name}", "  kubernetes cluster.local")
    return kind("v1", "coredns", "ConfigMap", "kube-system",
                data={"Corefile": "\n".join((".:53 {", *lines, "}"))})  # fmt: skip


def broker(listeners: str) -> Manifest:
    env = [{"name": "KAFKA_ADVERTISED_LISTENERS", "value": listeners}]
    return pod("kafka-0", "app=kafka", ports=[9092], container={"env": env})


BROKER = service("kafka", port=9092)
BALANCED = service("web", to=8080, type="LoadBalancer")
LOCAL = service("web", to=8080, type="LoadBalancer", externalTrafficPolicy="Local")
CHOSEN = kind(
    "metallb.io/v1beta1",
    "ads",
    "L2Advertisement",
    "metallb-system",
    spec={"nodeSelectors": [having(rack="a")]},
)
SPEAKER = observed(
    "speaker-a",
    "component=speaker",
    "192.168.0.11",
    namespace="metallb-system",
    hostNetwork=True,
    container={"image": "quay.io/metallb/speaker:v0.14.8"},
)
FLANNEL_DOWN = observed(
    "flannel-b", "app=flannel", "192.168.0.12", namespace="kube-flannel", node="node-2",
    ready=False, hostNetwork=True,
    container={"image": "ghcr.io/flannel-io/flannel:v0.25.1", "command": ["/opt/bin/flanneld"],
               "args": ["--ip-masq"]},
)  # fmt: skip
PROXIES = workload(
    "DaemonSet", "kube-proxy", "k8s-app=kube-proxy", namespace="kube-system",
    container={"image": "registry.k8s.io/kube-proxy:v1.30.2"}, pod_spec={"hostNetwork": True},
)  # fmt: skip


def proxies_called(field: str) -> Manifest:
    return workload(
        "DaemonSet", "kube-proxy", "k8s-app=kube-proxy", namespace="kube-system",
        container={
            "image": "registry.k8s.io/kube-proxy:v1.34.1",
            "command": ["kube-proxy", "--hostname-override=$(ITS)"],
            "env": [{"name": "ITS", "valueFrom": {"fieldRef": {"fieldPath": field}}}],
        },
        pod_spec={"hostNetwork": True},
    )  # fmt: skip


TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
K3S_NODES = tuple(
    {**one, "status": {**one["status"], "nodeInfo": {"kubeletVersion": "v1.31.4+k3s1"}}}
    for one in (node(1, "10.42.1.0/24"), node(2, "10.42.2.0/24"))
)
ENABLED = labelled(K3S_NODES[1], "svccontroller.k3s.cattle.io/enablelb=true")
NODE_PORT = service("web", to=8080, port={"port": 80, "nodePort": 30080}, type="NodePort")
BOTH_FAMILIES = service(
    "web", to=8080, clusterIP="10.96.7.7", clusterIPs=["10.96.7.7", "fd00:10:96::77"],
    ipFamilies=["IPv4", "IPv6"], ipFamilyPolicy="PreferDualStack", head={"uid": "1-2"},
)  # fmt: skip
OLD_DATABASE = (
    service("db", None, 5432, clusterIP="10.100.5.5"),
    kind("v1", "db", "Endpoints",
         subsets=[{"addresses": [{"ip": "10.100.5.20"}], "ports": [{"port": 5432}]}]),
)  # fmt: skip

OLD_METALLB = "metallb-system"


def old_metallb(version: str, protocol: str = "") -> tuple[Manifest, ...]:
    """MetalLB as it was told by a ConfigMap; without a protocol: not told at all."""
    program = workload("Deployment", "controller", namespace=OLD_METALLB,
                       container={"image": f"quay.io/metallb/controller:{version}"})  # fmt: skip
    pools = (
        "address-pools:\n- name: lan\n"
        f"  protocol: {protocol}\n  addresses:\n  - 192.168.0.200-192.168.0.210\n"
    )
    told = kind("v1", "config", "ConfigMap", OLD_METALLB, data={"config": pools})
    return (space(OLD_METALLB), program, *((told,) if protocol else ()))


def cilium_pool(**spec: Any) -> Manifest:
    blocks = [{"start": "192.168.0.240", "stop": "192.168.0.250"}]
    return kind("cilium.io/v2alpha1", "blue", "CiliumLoadBalancerIPPool", None,
                spec={"blocks": blocks, **spec})  # fmt: skip


def kube_vip(**env: str) -> Manifest:
    told = [{"name": name, "value": value} for name, value in env.items()]
    return workload(
        "DaemonSet", "kube-vip-ds", namespace="kube-system", pod_spec={"hostNetwork": True},
        container={"image": "ghcr.io/kube-vip/kube-vip:v0.8.2", "args": ["manager"], "env": told},
    )  # fmt: skip


ASKS_KUBE_VIP = service(
    "web", to=8080, type="LoadBalancer",
    head={"annotations": {"kube-vip.io/loadbalancerIPs": "192.168.0.200"}},
    status={"loadBalancer": {"ingress": [{"ip": "192.168.0.200"}]}},
)  # fmt: skip
BY_BGP = kind("metallb.io/v1beta1", "ads", "BGPAdvertisement", "metallb-system", spec={})
VXLAN_POOL = kind(
    "projectcalico.org/v3", "pods", "IPPool",
    spec={"cidr": "10.244.0.0/16", "vxlanMode": "Always", "natOutgoing": True},
)  # fmt: skip
WITHOUT_TUNNEL = """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 state UNKNOWN
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP
    link/ether 52:54:00:12:34:01 brd ff:ff:ff:ff:ff:ff
    inet 192.168.0.11/24 brd 192.168.0.255 scope global eth0
6: calia7a3e029a7b@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 state UP
    link/ether ee:ee:ee:ee:ee:ee brd ff:ff:ff:ff:ff:ff link-netnsid 0
"""
ROUTES_WITHOUT_TUNNEL = """\
default via 192.168.0.1 dev eth0
192.168.0.0/24 dev eth0 proto kernel scope link src 192.168.0.11
10.244.1.2 dev calia7a3e029a7b scope link
"""
API = pod(
    "kube-apiserver-node-1", "component=kube-apiserver", namespace="kube-system",
    hostNetwork=True, ports=[6443], container={"command": ["kube-apiserver"]},
)  # fmt: skip
API_SERVICE = (
    service("kubernetes", None, {"name": "https", "port": 443}, 6443, clusterIP="10.96.0.1"),
    kind("v1", "kubernetes", "Endpoints", subsets=[
        {"addresses": [{"ip": "192.168.0.11"}], "ports": [{"name": "https", "port": 6443}]}]),
)  # fmt: skip
TEMPLATE = workload(
    "DaemonSet", "node-local-dns", namespace="kube-system", pod_spec={"hostNetwork": True},
    container={"image": "registry.k8s.io/dns/k8s-dns-node-cache:1.23.0",
               "args": ["-localip", "__PILLAR__LOCAL__DNS__,__PILLAR__DNS__SERVER__"]},
)  # fmt: skip
PORT_OF_LOCAL = service(
    "web", to=8080, port={"port": 80, "nodePort": 30080}, type="NodePort",
    externalTrafficPolicy="Local",
)  # fmt: skip


ENI_CARDS = """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 state UNKNOWN
    inet 127.0.0.1/8 scope host lo
2: ens5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9001 state UP
    link/ether 52:54:00:12:34:01 brd ff:ff:ff:ff:ff:ff
    inet 192.168.0.11/24 brd 192.168.0.255 scope global ens5
6: eniec4c2d67f18@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9001 state UP
    link/ether 52:54:00:12:99:01 brd ff:ff:ff:ff:ff:ff link-netnsid 0
7: eni3408eb5d67f@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9001 state UP
    link/ether 52:54:00:12:99:02 brd ff:ff:ff:ff:ff:ff link-netnsid 1
"""
ENI_SECOND = """\
8: ens6: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 9001 state UP
    link/ether 52:54:00:12:34:02 brd ff:ff:ff:ff:ff:ff
    inet 192.168.0.61/24 brd 192.168.0.255 scope global ens6
"""
ENI_RULES = """\
0:      from all lookup local
512:    from all to 192.168.0.77 lookup main
1536:   from 192.168.0.77 lookup 2
32766:  from all lookup main
"""
ENI_ROUTES = """\
default via 192.168.0.1 dev ens5
192.168.0.0/24 dev ens5 proto kernel scope link src 192.168.0.11
192.168.0.77 dev eni3408eb5d67f scope link
"""
OLD_LOCAL = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:KUBE-FIREWALL - [0:0]
-A INPUT -j KUBE-FIREWALL
-A KUBE-FIREWALL -m mark --mark 0x8000/0x8000 -j DROP
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-MARK-DROP - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-SEP-WEB - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SVC-WEB - [0:0]
:KUBE-XLB-WEB - [0:0]
-A PREROUTING -j KUBE-SERVICES
-A OUTPUT -j KUBE-SERVICES
-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000
-A KUBE-NODEPORTS -p tcp -m comment --comment "default/web:" -m tcp --dport 30080 -j KUBE-XLB-WEB
-A KUBE-SEP-WEB -p tcp -m comment --comment "default/web:" -m tcp -j DNAT --to-destination 10.244.2.2:8080
-A KUBE-SERVICES -d 10.108.2.154/32 -p tcp -m comment --comment "default/web: cluster IP" -m tcp --dport 80 -j KUBE-SVC-WEB
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-SVC-WEB -m comment --comment "default/web:" -j KUBE-SEP-WEB
-A KUBE-XLB-WEB -m comment --comment "default/web: has no local endpoints" -j KUBE-MARK-DROP
COMMIT
"""  # noqa: E501 - as iptables-save prints it


TO_THE_API = policy("client", "client", **lets_out({"ipBlock": {"cidr": "192.168.0.11/32"}}))


def moved(told: str, address: str) -> Manifest:
    made = node(2, "10.244.2.0/24", address=address)
    made["metadata"]["annotations"] = {"projectcalico.org/IPv4Address": told}
    return made


CILIUM = observed(
    "cilium-a", "k8s-app=cilium", "192.168.0.11", namespace="kube-system", hostNetwork=True,
    container={"image": "quay.io/cilium/cilium:v1.16.7"},
)  # fmt: skip
LEAVES_IT = kind(
    "v1", "cilium-config", "ConfigMap", "kube-system", data={"kube-proxy-replacement": "false"}
)
AWS = workload(
    "DaemonSet", "aws-node", namespace="kube-system", pod_spec={"hostNetwork": True},
    container={"image": "amazon-k8s-cni:v1.15.1",
               "env": [{"name": "AWS_VPC_K8S_CNI_EXTERNALSNAT", "value": "true"}]},
)  # fmt: skip


def of_aws(name: str, value: str) -> Manifest:
    annotations = {f"service.beta.kubernetes.io/aws-load-balancer-{name}": value}
    return service("web", to=8080, type="LoadBalancer", head={"annotations": annotations})


WIDE_POOL = kind(
    "projectcalico.org/v3", "wide", "IPPool",
    spec={"cidr": "192.168.0.0/16", "ipipMode": "Always", "natOutgoing": True},
)  # fmt: skip
HALF_FORWARD = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:KUBE-FORWARD - [0:0]
-A FORWARD -j KUBE-FORWARD
-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-SEP-WEB - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SVC-WEB - [0:0]
-A PREROUTING -j KUBE-SERVICES
-A OUTPUT -j KUBE-SERVICES
-A POSTROUTING -j KUBE-POSTROUTING
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE
-A KUBE-SEP-WEB -p tcp -m comment --comment "default/web" -m tcp -j DNAT --to-destination 10.244.2.2:8080
-A KUBE-NODEPORTS -p tcp -m comment --comment "default/web" -m tcp --dport 30080 -j KUBE-MARK-MASQ
-A KUBE-NODEPORTS -p tcp -m comment --comment "default/web" -m tcp --dport 30080 -j KUBE-SVC-WEB
-A KUBE-SERVICES -d 10.104.1.2/32 -p tcp -m comment --comment "default/web cluster IP" -m tcp --dport 80 -j KUBE-SVC-WEB
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-SVC-WEB ! -s 10.244.0.0/16 -d 10.104.1.2/32 -p tcp -m comment --comment "default/web cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
-A KUBE-SVC-WEB -m comment --comment "default/web -> 10.244.2.2:8080" -j KUBE-SEP-WEB
COMMIT
"""  # noqa: E501 - as iptables-save prints it
UFW_OUT = """\
-P INPUT DROP
-P FORWARD DROP
-P OUTPUT DROP
-N ufw-before-output
-A OUTPUT -j ufw-before-output
-A ufw-before-output -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
"""
BEFORE_RULES = (
    "udp 17 27 src=10.244.1.2 dst=10.96.0.10 sport=40000 dport=53 [UNREPLIED] "
    "src=10.96.0.10 dst=10.244.1.2 sport=53 dport=40000 mark=0 use=1\n"
)
CIRCLE = kind("v1", "coredns", "ConfigMap", "kube-system", data={"Corefile": """\
.:53 {
    kubernetes cluster.local in-addr.arpa ip6.arpa
    forward . 10.96.0.10
    loop
}
"""})  # fmt: skip
COREDNS = pod(
    "coredns-1", "k8s-app=kube-dns", namespace="kube-system",
    ports=[{"containerPort": 53, "protocol": "UDP"}],
    container={"args": ["-conf", "/etc/coredns/Corefile"],
               "volumeMounts": [{"name": "told", "mountPath": "/etc/coredns"}]},
    volumes=[{"name": "told", "configMap": {"name": "coredns"}}],
)  # fmt: skip

PREFIX = "service.beta.kubernetes.io/"


def corefile(said: str, forward: str = "forward . 1.1.1.1", more: str = "") -> Manifest:
    text = f".:53 {{\n    {said}\n    kubernetes cluster.local\n    {forward}\n}}\n{more}"
    return kind("v1", "coredns", "ConfigMap", "kube-system", data={"Corefile": text})


def of_cloud(cloud: str) -> tuple[Manifest, ...]:
    return tuple({**n, "spec": {**n["spec"], "providerID": f"{cloud}:///x"}} for n in NODES)


def pool(mode: str, name: str = "pods", **more: Any) -> Manifest:
    spec = {"cidr": "10.244.0.0/16", "ipipMode": mode, "natOutgoing": True, **more}
    return kind("crd.projectcalico.org/v1", name, "IPPool", spec=spec)


def balanced(made: Manifest, given: Manifest, **annotations: str) -> Manifest:
    told = {f"{PREFIX}{name}": value for name, value in annotations.items()}
    return {**made, "metadata": {**made["metadata"], "annotations": told},
            "status": {"loadBalancer": {"ingress": [given]}}}  # fmt: skip


def probed(name: str = "x", value: str = "") -> Manifest:
    port = {"port": 80, "appProtocol": "http"}
    made = service("entry", "app=entry", port, type="LoadBalancer")
    return balanced(made, {"ip": "20.73.10.11"}, **{name: value})


def gateway(address: str) -> Manifest:
    listener = {"name": "pg", "port": 5432, "protocol": "TCP"}
    made = kind("gateway.networking.k8s.io/v1", "gw", "Gateway",
                spec={"gatewayClassName": "eg", "listeners": [listener]})  # fmt: skip
    return {**made, "status": {"addresses": [{"type": "IPAddress", "value": address}]}}


def tcp_route(section: str) -> Manifest:
    return kind("gateway.networking.k8s.io/v1alpha2", "pg", "TCPRoute", spec={
        "parentRefs": [{"name": "gw", "sectionName": section}],
        "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]})  # fmt: skip


def named_balancer(kind_of_it: str, **told: str) -> Manifest:
    made = service("web", to=8080, type="LoadBalancer")
    given = {"hostname": "x.elb.amazonaws.com"}
    return balanced(made, given, **{"aws-load-balancer-type": kind_of_it, **told})


def portless(given: Manifest, **annotations: str) -> Manifest:
    made = service("web", to=8080, type="LoadBalancer", allocateLoadBalancerNodePorts=False)
    return balanced(made, given, **annotations)


CONTROLLER = pod("entry", "app=entry", container={
    "image": "registry.k8s.io/ingress-nginx/controller:v1.11.2"})  # fmt: skip
READS_HEADERS = pod("entry", "app=entry", container={
    "image": "registry.k8s.io/ingress-nginx/controller:v1.11.2",
    "args": ["--configmap=$(POD_NAMESPACE)/front"]})  # fmt: skip
ENTRY = kind("networking.k8s.io/v1", "shop", "Ingress", spec={"rules": [{
    "host": "shop.example", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {
        "service": {"name": "shop", "port": {"number": 80}}}}]}}]})  # fmt: skip


def probing(how: dict[str, dict[str, object]]) -> Manifest:
    each = {name: {**said, "port": 8080} for name, said in how.items()}
    return pod("shop-0", "app=shop", ports=[8080], container={"readinessProbe": each})


def ended(annotation: str, tls: int) -> Manifest:
    ports = [{"name": "http", "port": 80, "targetPort": 80},
             {"name": "https", "port": 443, "targetPort": tls}]  # fmt: skip
    made = service("entry", "app=entry", type="LoadBalancer", ports=ports)
    return balanced(made, {"ip": "20.73.10.11"}, **{annotation: "x"})


DUAL: Manifest = {
    "apiVersion": "kubeadm.k8s.io/v1beta3",
    "kind": "ClusterConfiguration",
    "networking": {
        "podSubnet": "10.244.0.0/16,fd00:10:244::/56",
        "serviceSubnet": "10.96.0.0/16,fd00:10:96::/112",
    },
}
NO_IPV6 = "net.ipv4.ip_forward = 1\nnet.ipv6.conf.all.forwarding = 0\n"
WAY_OUT = "default via 192.168.0.1 dev eth0\n"
ONE_WAY = "192.168.0.0/24 dev eth0\n10.244.1.0/24 dev cni0\n"
TUNNEL = """\
4: tun0: <POINTOPOINT,UP,LOWER_UP> mtu 1500 state UNKNOWN
    link/none
    inet 10.8.0.6/24 scope global tun0
5: cni0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP
    link/ether 52:54:00:12:34:05 brd ff:ff:ff:ff:ff:ff
    inet 10.244.1.1/24 brd 10.244.1.255 scope global cni0
"""

EXIT_NODE = f"""\
{WAY_OUT}{ONE_WAY}10.244.2.0/24 via 192.168.0.12 dev eth0
default dev tailscale0 table 52
"""
BEFORE_MAIN = """\
0:	from all lookup local
5270:	from all lookup 52
32766:	from all lookup main
32767:	from all lookup default
"""
THREE = (*NODES, node(3, "10.244.3.0/24"))
AROUND = f"{WAY_OUT}{ONE_WAY}10.244.2.0/24 via 192.168.0.13 dev eth0\n"
CREATING = observed("web-0", "app=web", "", ready=False, phase="Pending", node="node-2")
CREATING["status"] = {"phase": "Pending", "containerStatuses": [
    {"name": "main", "state": {"waiting": {"reason": "ContainerCreating"}}}]}  # fmt: skip


def event(name: str, said: str, when: str, reason: str = "FailedCreatePodSandBox") -> Manifest:
    """What the kubelet says of web-0."""
    made = kind("v1", name, "Event", type="Warning", reason=reason, lastTimestamp=when)
    of = {"kind": "Pod", "name": "web-0", "namespace": "default"}
    return {**made, "involvedObject": of, "message": said}


BRIDGE_OF_BEFORE = (
    event("e-2", '"cni0" already has an IP address different from 10.244.2.1/24', "2026-03-02"),
    event("e-1", "loadFlannelSubnetEnv failed: /run/flannel/subnet.env", "2026-03-01"),
    event("e-3", "Back-off pulling image", "2026-03-03", "BackOff"),
)


APISERVER = pod(
    "kube-apiserver-node-1", namespace="kube-system", hostNetwork=True, node="node-1",
    container={"image": "registry.k8s.io/kube-apiserver:v1.24.3", "command": [
        "kube-apiserver", "--secure-port=7443", "--service-node-port-range=30000-50000"]},
)  # fmt: skip
PROXY_OF_VIP = kind(
    "v1", "kube-proxy", "ConfigMap", "kube-system",
    data={"config.conf": "apiVersion: kubeproxy.config.k8s.io/v1alpha1\n"
                         "kind: KubeProxyConfiguration\nmode: ipvs\n",
          "kubeconfig.conf": "clusters:\n- cluster:\n    server: https://192.168.0.100:8443\n"},
)  # fmt: skip
MASQ_AGENT = workload(
    "DaemonSet", "ip-masq-agent", "k8s-app=ip-masq-agent", namespace="kube-system",
    container={"image": "gke.gcr.io/ip-masq-agent:v2.9.3"}, pod_spec={"hostNetwork": True},
)  # fmt: skip
MASQ_CONFIG = kind("v1", "ip-masq-agent", "ConfigMap", "kube-system",
                   data={"config": "nonMasqueradeCIDRs:\n- 10.0.0.0/8\n"})  # fmt: skip


def told_of(made: Manifest, name: str, said: str) -> Manifest:
    return {**made, "metadata": {**made["metadata"], "annotations": {name: said}}}


def told_tunnel(number: int, *, mac: int = 0, vni: int = 1) -> Manifest:
    made = flannel(number, f"192.168.56.1{number}")
    data = f'{{"VNI":{vni},"VtepMAC":"5a:00:00:00:00:0{mac or number}"}}'
    made["metadata"]["annotations"]["flannel.alpha.coreos.com/backend-data"] = data
    return made


def subnets(services: str) -> Manifest:
    return {"apiVersion": "kubeadm.k8s.io/v1beta4", "kind": "ClusterConfiguration",
            "networking": {"serviceSubnet": services, "podSubnet": "10.244.0.0/16"}}  # fmt: skip


SUBNETS, BY_DOCKER = subnets("10.96.0.0/12"), subnets("172.17.0.0/16")
ONE_BRIDGE = CARDS_2.rpartition("4: cni0")[2].replace("10.244.2", "10.244.1")
VIP_CARD = f"""\
{CARDS.replace("eth1", "eth9")}\
    inet 172.16.0.12/24 scope global secondary eth9
4: cni0{ONE_BRIDGE}""".replace(
    "scope global eth0\n", "scope global eth0\n    inet 192.168.0.200/32 scope global eth0\n", 1
)
DOCKER_CARD = f"""\
{CARDS}5: docker0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 state DOWN
    link/ether 02:42:00:00:01:11 brd ff:ff:ff:ff:ff:ff
    inet 172.17.0.1/16 brd 172.17.255.255 scope global docker0
4: cni0{ONE_BRIDGE}"""
NO_MASQUERADE = HIDDEN.replace("-A POSTROUTING -o eth0 -j MASQUERADE\n", "")


def nginx(listens: str) -> tuple[Manifest, ...]:
    return (
        service("web", ipFamilyPolicy="SingleStack", ipFamilies=["IPv6"]),
        kind("v1", "web", "ConfigMap", data={"default.conf": f"server {{\n{listens}\n}}\n"}),
        pod("web-0", "app=web", volumes=[{"name": "conf", "configMap": {"name": "web"}}],
            container={"image": "nginx", "ports": [{"containerPort": 80}],
                       "volumeMounts": [{"name": "conf", "mountPath": "/etc/nginx/conf.d"}]}),
    )  # fmt: skip


VIP = workload(
    "DaemonSet", "kube-vip", "app=kube-vip", namespace="kube-system",
    container={"image": "ghcr.io/kube-vip/kube-vip:v0.7.2", "args": ["manager"], "env": [
        {"name": "svc_enable", "value": "true"}, {"name": "vip_interface", "value": "ens160"}]},
    pod_spec={"hostNetwork": True},
)  # fmt: skip

VXLAN_POOL = kind(
    "projectcalico.org/v3", "pods", "IPPool",
    spec={"cidr": "10.244.0.0/16", "vxlanMode": "Always", "natOutgoing": True},
)  # fmt: skip
CALI_CARDS = f"""{CARDS}\
4: vxlan.calico: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 state UNKNOWN
    link/ether 66:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff
    vxlan id 4096 local 192.168.0.11 dev eth0 srcport 0 0 dstport 4789 nolearning ttl auto
    inet 10.244.1.0/32 scope global vxlan.calico
5: calimine@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP
    link/ether 52:54:00:12:34:05 brd ff:ff:ff:ff:ff:ff link-netnsid 0
"""
CALI_ROUTES = """\
192.168.0.0/24 dev eth0 scope link src 192.168.0.11
10.244.1.2 dev calimine scope link
10.244.2.0/24 via 10.244.2.0 dev vxlan.calico onlink
"""
ASKED_BY_NODE = """\
default via 172.16.0.1 dev eth1
192.168.0.0/24 dev eth0 scope link src 192.168.0.11
172.16.0.0/24 dev eth1 scope link src 172.16.0.11
10.244.2.0/24 via 192.168.0.12 dev eth0
"""
ASKED_FROM_AFAR = """\
default via 172.16.9.1 dev eth1
192.168.0.0/24 dev eth0 scope link src 192.168.0.12
172.16.9.0/24 dev eth1 scope link src 172.16.9.12
10.244.2.2 dev caliweb scope link
"""
CARDS_AFAR = f"""{CARDS.replace(".16.0.", ".16.9.").replace(".11", ".12")}\
5: caliweb@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP
    link/ether ee:ee:ee:ee:ee:ee brd ff:ff:ff:ff:ff:ff link-netnsid 0
"""
DOCKERS = f"""{CARDS_2}\
5: docker0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 state DOWN
    link/ether 02:42:ac:00:00:05 brd ff:ff:ff:ff:ff:ff
    inet 203.0.113.1/24 brd 203.0.113.255 scope global docker0
"""
DOCKER_ROUTES = """\
default via 192.168.0.1 dev eth0
192.168.0.0/24 dev eth0 scope link src 192.168.0.12
203.0.113.0/24 dev docker0 scope link src 203.0.113.1 linkdown
10.244.2.0/24 dev cni0 scope link src 10.244.2.1
"""
HIDES = """\
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -p tcp --dport 30080 -j DNAT --to-destination 10.244.2.2:8080
-A POSTROUTING ! -s 10.244.0.0/16 -d 10.244.0.0/16 -j MASQUERADE
COMMIT
"""
FLANNELD = workload(
    "DaemonSet", "kube-flannel-ds", namespace="kube-flannel", pod_spec={"hostNetwork": True},
    container={"image": "flannel/flannel:v0.22.0", "command": ["/opt/bin/flanneld"],
               "args": ["--kube-subnet-mgr"]},
)  # fmt: skip


def delegating(plugin: str) -> Manifest:
    """A network configuration in a ConfigMap."""
    written = f'{{"name": "net", "cniVersion": "0.3.1", "plugins": [{plugin}]}}'
    return kind("v1", "cni", "ConfigMap", "kube-system", data={"cni-conf.json": written})


TRACKED = """\
udp      17 27 src=203.0.113.77 dst=192.168.0.11 sport=41000 dport=8125 [UNREPLIED] \
src=10.244.1.20 dst=203.0.113.77 sport=8125 dport=41000 mark=0 use=1
"""
IPVS_CARD = """\
5: kube-ipvs0: <BROADCAST,NOARP> mtu 1500 state DOWN
    link/ether 52:54:00:12:34:05 brd ff:ff:ff:ff:ff:ff
    inet 192.168.0.200/32 scope global kube-ipvs0
"""
MUTE = "net.ipv4.ip_forward = 1\nnet.ipv4.conf.all.arp_ignore = 1\n"
TAILSCALE = """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 state UNKNOWN
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP
    link/ether 52:54:00:12:34:01 brd ff:ff:ff:ff:ff:ff
    inet 192.168.18.101/24 brd 192.168.18.255 scope global eth0
3: tailscale0: <POINTOPOINT,MULTICAST,NOARP,UP,LOWER_UP> mtu 1280 state UNKNOWN
    link/none
    inet 100.64.0.18/32 scope global tailscale0
4: cni0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1280 state UP
    link/ether 52:54:00:12:34:03 brd ff:ff:ff:ff:ff:ff
    inet 10.244.1.1/24 brd 10.244.1.255 scope global cni0
"""
TAIL_ROUTES = """\
default via 192.168.18.1 dev eth0
192.168.18.0/24 dev eth0 scope link src 192.168.18.101
10.244.1.0/24 dev cni0 scope link src 10.244.1.1
100.64.0.19 dev tailscale0
"""
OF_WEAVE = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:WEAVE-NPC - [0:0]
-A FORWARD -o weave -j WEAVE-NPC
-A FORWARD -o weave -j DROP
COMMIT
"""


def apart(text: str) -> str:
    """What stands on the first of `APART`, on the second."""
    text = text.replace("10.0.1.", "10.0.2.").replace("10.244.1.", "10.244.2.")
    return text.replace("52:54:00:12:34", "52:54:00:12:99")


GUARDED = """\
*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A PREROUTING -d 10.244.2.2/32 ! -i br-15fc2fdf8f2c -j DROP
COMMIT
"""
BY_ROUTER = """\
default via 192.168.0.1 dev eth0
192.168.0.0/24 dev eth0 scope link
10.244.2.0/26 via 192.168.0.1 dev eth0 proto bird
"""
UNOWNED = "32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n"
OF_BEFORE = "192.168.56.0/24 dev eth0\n10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink\n"
FULL = f"""{STRICT}\
net.netfilter.nf_conntrack_count = 262140
net.netfilter.nf_conntrack_max = 262144
"""
TUNNEL_END = f"""\
{CARDS_2.replace("192.168.0.", "192.168.56.")}\
5: flannel.1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 state UNKNOWN
    link/ether 5a:00:00:00:00:99 brd ff:ff:ff:ff:ff:ff
    inet 10.244.2.0/32 scope global flannel.1
    vxlan id 1 local 192.168.56.12 dev eth0 srcport 0 0 dstport 8472
"""
PLAIN = service("web", to=8080, clusterIP="10.96.7.7")
PROXIED = """\
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.0.250:3128
-A POSTROUTING -s 10.244.0.0/16 ! -d 10.244.0.0/16 -j MASQUERADE
COMMIT
"""
CARD_SHUT = "net.ipv4.ip_forward = 1\nnet.ipv4.conf.eth0.forwarding = 0\n"
ARP_SHY = "net.ipv4.ip_forward = 1\nnet.ipv4.conf.all.arp_ignore = 1\n"
BY_LVS = """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 state UNKNOWN
    inet 127.0.0.1/8 scope host lo
    inet 192.168.0.100/32 scope global lo
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP
    link/ether 52:54:00:12:34:01 brd ff:ff:ff:ff:ff:ff
    inet 192.168.0.11/24 brd 192.168.0.255 scope global eth0
"""
TABLE_52 = "0: from all lookup local\n5270: from all lookup 52\n32766: from all lookup main\n"
BY_ENS192 = """\
default via 192.168.0.1 dev ens192 proto static
192.168.0.0/24 dev ens192 proto kernel scope link src 192.168.0.11
10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1
10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink
172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1 linkdown
"""
CASES = {
    "ip_forward is off on the server's node": Told(
        manifests=ALL,
        beside=(("sysctl", "node-2", FORWARDS_NOT),),
        result="timeout", by="node-2", cause=("net.ipv4.ip_forward = 0",),
        mend="set net.ipv4.ip_forward = 1 on node-2", at="net.ipv4.ip_forward = 0",
        rule="node-state", words="does not forward packets", fix="net.ipv4.ip_forward = 1",
    ),
    "rp_filter of all devices, and a second way": Told(
        manifests=ALL,
        beside=(("sysctl", "node-2", STRICT), ("ip_addr", "node-2", CARDS_2),
                ("ip_route", "node-2", SECOND_WAY)),
        ask=("pod/client", "pod/web-0:8080"),
        result="timeout", by="node-2", cause=("rp_filter = 1 drops what arrives there",),
        at="net.ipv4.conf.all.rp_filter = 1",
    ),
    "flannel's annotations tell its tunnel": Told(
        manifests=(flannel(1, "192.168.56.11"), flannel(2, "192.168.56.12"), CLIENT, *WEB),
        beside=(("iptables", "node-2", FEW_PORTS),),
        result="timeout", by="node-2", cause=("the tunnel's outer packet (UDP 8472)",),
        mend="-A INPUT -p udp --dport 8472 -j ACCEPT", at=":INPUT DROP [0:0]",
        rule="node-state", words="UDP 8472", fix="8472",
    ),
    "flannel took the NAT'ed card of both machines": Told(
        manifests=(flannel(1, "10.0.2.15"), flannel(2, "10.0.2.15"), CLIENT, *WEB),
        result="timeout", by="wire",
        cause=("10.0.2.15, which is node-2's address by flannel's annotation public-ip",
               "as it is node-1's", "node-2 has 192.168.56.12"),
        mend="take the card that has 192.168.56.12 (--iface",
        at="flannel.alpha.coreos.com/public-ip: 10.0.2.15",
        rule="address-overlap", words="public-ip 10.0.2.15", fix="--iface",
    ),
    "flannel on a second card that the Nodes do not name": Told(
        manifests=(flannel(1, "10.9.0.11"), flannel(2, "10.9.0.12"), CLIENT, *WEB),
        result="connected",
    ),
    "a node has got another address": Told(
        manifests=(flannel(1, "192.168.56.11"), flannel(2, "192.168.56.12", "192.168.56.40"),
                   CLIENT, *WEB),
        result="timeout", cause=("192.168.56.12, which is node-2's address by flannel's annot",
                                 "node-2 has 192.168.56.40"),
        mend="start it anew", at="flannel.alpha.coreos.com/public-ip: 192.168.56.12",
        rule="address-overlap", words="the node has 192.168.56.40", fix="restart flannel's pod",
    ),
    "one node has no podCIDR": Told(
        manifests=(NODES[0], node(2), CLIENT, *WEB), result="connected",
        assumed="node node-2 has no podCIDR",
        rule="no-pod-cidr", words="no podCIDR, as other nodes have", fix="--allocate-node-cidrs",
    ),
    "firewalld's own tables": Told(
        manifests=ALL, beside=(("nft", "node-2", FIREWALLD),),
        result="unreachable", by="node-2", cause=("a rule of firewalld",),
        mend="firewall-cmd --permanent --zone=trusted --add-source=10.244.0.0/16",
        at="reject with icmpx admin-prohibited",
        rule="node-state", words="a rule of firewalld", fix="--zone=trusted",
    ),
    "firewalld and the tunnel's packets": Told(
        manifests=(flannel(1, "192.168.56.11"), flannel(2, "192.168.56.12"), CLIENT, *WEB),
        beside=(("nft", "node-2", FIREWALLD.replace("hook forward", "hook input")),),
        result="timeout", by="node-2", cause=("the tunnel's outer packet", "a rule of firewalld"),
        mend="firewall-cmd --permanent --add-port=8472/udp",
        rule="node-state", words="the tunnel's outer packet", fix="--add-port=8472/udp",
    ),
    "Docker keeps others from a container's address": Told(
        manifests=ALL, by="node-2", result="timeout",
        beside=(("iptables", "node-2", GUARDED),),
        cause=("a rule of Docker",), mend="trusted_host_interfaces=eth0",
        rule="node-state", words="a rule of Docker", fix="allow-direct-routing",
    ),
    "a port of the node's own network that is a node port": Told(
        manifests=(*NODES, pod("agent", "app=agent", hostNetwork=True, ports=[30584]), service(
            "old", "app=gone", port={"port": 80, "nodePort": 30584}, type="NodePort")),
        ask=("outside", "node/node-1:30584"), result="refused", by="node-1",
        cause=("its node port 30584 takes what is sent to pod default/agent",),
        mend="give Service old another nodePort",
        rule="host-port", words="never to this pod", fix="or another nodePort",
    ),
    "a table of nftables that somebody has written": Told(
        manifests=ALL, beside=(("nft", "node-2", OWN_TABLE),),
        result="timeout", by="node-2", cause=("chain forward (table inet site)",),
        mend="nft insert rule inet site forward ip saddr 10.244.0.0/16 accept",
        at="ip saddr 10.0.0.0/8 drop",
        rule="node-state", words="table inet site", fix="nft insert rule",
    ),
    "the same in a chain without a name": Told(
        manifests=ALL, beside=(("nft", "node-2", OWN_TABLE.replace(
            "ip saddr 10.0.0.0/8 drop", "meta l4proto tcp jump {\n ip saddr 10.0.0.0/8 drop\n }"
        )),),
        result="timeout", by="node-2", cause=("chain __chain1 (table inet site)",),
        mend="nft insert rule inet site forward ip saddr 10.244.0.0/16 accept",
        at="ip saddr 10.0.0.0/8 drop",
    ),
    "nodePortAddresses: primary, asked at the second card": Told(
        manifests=(*NODES, NODE_PORT, WEB[1], kube_proxy(nodePortAddresses=["primary"])),
        beside=(("ip_addr", "node-1", CARDS),), ask=("outside", "172.16.0.11:30080"),
        result="refused", by="node-1", cause=("nodePortAddresses says primary", "(192.168.0.11)"),
        mend="ask 192.168.0.11:30080", at="nodePortAddresses:", not_said="no address of node-1",
    ),
    "the IPv6 address of a Service, and nodes without": Told(
        manifests=(*NODES, CLIENT, BOTH_FAMILIES, WEB[1]),
        ask=("node/node-1", "[fd00:10:96::77]:80"), result="unreachable", by="node-1",
        cause=("is the IPv6 address of Service default/web, and node-1 has IPv4 only",),
        mend="ask 10.96.7.7", not_said="has IPv6 only",
    ),
    "a host in the Services' range": Told(
        manifests=(*NODES, CLIENT, *OLD_DATABASE), ask=("pod/client", "svc/db:5432"),
        result="connected", rule="endpoints-by-hand", words="10.100.5.20 is in the Services' range",
        fix="keep the Services' range",
    ),
    "kube-proxy does not run where the client is": Told(
        manifests=(*ALL, PROXY_DOWN), result="connected",
        assumed="kube-proxy-b does not run on node-1 (container main is waiting, CrashLoopBackOff",
        rule="network-daemons", words="does not run on node-1", fix="kubectl logs kube-proxy-b",
    ),
    "the pods' half of an entry does not fit": Told(
        manifests=(*ALL, space("front", "team=front"), SHOP, policy("web", "web", **lets_in(
            {"namespaceSelector": having(team="front"), "podSelector": having(app="shop")}))),
        options=CALICO, ask=("pod/front/shop", "svc/web.default:80"), result="timeout",
        cause=("both selectors have to fit", "its podSelector asks for app=shop",
               "pod front/shop has app=shops"),
        mend="write app: shops", rule="policy-selector", words="some have app=shops",
        fix="write app: shops",
    ),
    "the namespace's half of an entry does not fit": Told(
        manifests=(*ALL, space("front", "team=old"), space("new", "team=web"), SHOP,
                   policy("web", "web", **lets_in({"namespaceSelector": having(team="web"),
                                                   "podSelector": having(app="shops")}))),
        options=CALICO, ask=("pod/front/shop", "svc/web.default:80"), result="timeout",
        cause=("both selectors have to fit", "asks for team=web", "namespace front has"),
        mend="kubectl label namespace front team=web",
    ),
    "an entry that was meant to be two": Told(
        manifests=(*ALL, space("front", "team=front"), SHOP, policy("web", "web", **lets_in(
            {"namespaceSelector": having(team="front"), "podSelector": having(role="ci")}))),
        options=CALICO, ask=("pod/front/shop", "svc/web.default:80"), result="timeout",
        cause=("its podSelector asks for role=ci, and pod front/shop has app=shops",),
        mend="write the podSelector as an entry of its own (a dash before it)",
    ),
    "except takes out the pods": Told(
        manifests=(*ALL, policy("client", "client", **lets_out(
            {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "172.16.0.0/12"]}}))),
        options=CALICO, result="timeout",
        cause=("its ipBlock 0.0.0.0/0 leaves out 10.0.0.0/8, which holds 10.244.2.2",),
        mend="a podSelector (and namespaceSelector)", not_said="rewritten before",
        rule="policy-denial", words="leaves out 10.0.0.0/8", fix="beside that ipBlock",
    ),
    "a rule by the other protocol": Told(
        manifests=(*ALL, policy("web", "web", **lets_in({"podSelector": having(app="client")},
                                                        protocol="UDP"))),
        options=CALICO, result="timeout", cause=("allows port 8080 by UDP, and this is TCP",),
        mend="write protocol: TCP beside that port", not_said="not the Service's",
    ),
    "the only rule is about DNS": Told(
        manifests=(*ALL, policy("client", "client", policyTypes=["Egress"], egress=[
            {"to": [{"namespaceSelector": {}}], "ports": [{"port": 53, "protocol": "UDP"}]}])),
        options=CALICO, result="timeout", cause=("a rule about it allows 53/UDP alone",),
        mend="allow port 8080/TCP to pod default/web-0", not_said="not the Service's",
    ),
    "Egress is named, and has no rule": Told(
        manifests=(*ALL, policy("client", "client", policyTypes=["Ingress", "Egress"],
                                ingress=[{}])),
        options=CALICO, result="timeout",
        cause=("it has no egress rule: policyTypes alone denies everything",),
        mend="allow port 8080/TCP",
    ),
    "NodeLocal DNS, and egress to cluster DNS' pods": Told(
        manifests=(*ALL, *DNS, CACHE, KUBELET, FELIX, policy(
            "client", "client", policyTypes=["Egress"],
            egress=[TO_DNS, {"to": [{"podSelector": having(app="web")}]}])),
        ask=("pod/client", "web:80"), result="no-such-name",
        cause=("lets out nothing to NodeLocal DNS (169.254.20.10) on node-1", "no selector means"),
        mend="ipBlock: {cidr: 169.254.20.10/32}",
        rule="policy-denial", words="NodeLocal DNS (169.254.20.10)", fix="169.254.20.10/32",
    ),
    "the same where the block is there": Told(
        manifests=(*ALL, *DNS, CACHE, KUBELET, FELIX, policy(
            "client", "client", policyTypes=["Egress"],
            egress=[{"to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}]},
                    {"to": [{"podSelector": having(app="web")}]}])),
        ask=("pod/client", "web:80"), result="connected",
    ),
    "the API server is kept out of a webhook": Told(
        manifests=(CONTROL, NODES[1], *HOOKED,
                   policy("deny", "", "g", **lets_in(SYSTEM, port=9443))),
        options=CALICO, ask=("node/node-1", "svc/hook.g:443"), result="timeout",
        cause=("none of their labels count",), mend="ipBlock",
        rule="server-calls", words="it asks from its node's network", fix="192.168.0.11/32",
    ),
    "the API server is let in": Told(
        manifests=(CONTROL, NODES[1], *HOOKED, policy("deny", "", "g", **lets_in(
            {"ipBlock": {"cidr": "192.168.0.0/24"}}, port=9443))),
        options=CALICO, ask=("node/node-1", "svc/hook.g:443"), result="connected",
    ),
    "host-gw, and nodes of two networks": Told(
        manifests=(*APART, CLIENT, *WEB),
        beside=(("ip_addr", "node-1", CARD_APART), ("ip_route", "node-1", ROUTES_APART)),
        result="timeout", by="wire", cause=("it has no route to 10.244.2.0/24",),
        mend="Backend vxlan; host-gw needs all of them on one network",
        not_said="ip route add", rule="node-state", words="no route to 10.244.2.0/24", fix="vxlan",
    ),
    "natOutgoing of Calico's pool is off": Told(
        manifests=(*NODES, CLIENT, FELIX, IP_POOL), ask=("pod/client", "198.51.100.7:443"),
        result="timeout", by="wire", cause=("its answer is lost",),
        mend="set natOutgoing: true in Calico's IPPool default-ipv4-ippool",
        at="natOutgoing: false", not_said="--ip-masq",
    ),
    "Calico took the NAT'ed card of both machines": Told(
        manifests=(by_calico(1, "10.0.2.15/24"), by_calico(2, "10.0.2.15/24"), CLIENT, *WEB,
                   FELIX),
        result="timeout", cause=("no node has a route to 10.244.2.0/24",
                                 "10.0.2.15, which it has found for node-1 too"),
        mend="IP_AUTODETECTION_METHOD", at="projectcalico.org/IPv4Address: 10.0.2.15/24",
        rule="address-overlap", words="10.0.2.15, which it has found for node-1 too",
        fix="IP_AUTODETECTION_METHOD",
    ),
    "Calico took the bridge of containers beside Kubernetes": Told(
        manifests=(by_calico(1, "192.168.0.11/24"), by_calico(2, "172.18.0.1/16"), CLIENT, *WEB,
                   FELIX, IP_POOL),
        result="timeout", cause=("172.18.0.1, that of a bridge which node-2 has for itself",),
        mend="IP_AUTODETECTION_METHOD", at="projectcalico.org/IPv4Address: 172.18.0.1/16",
        rule="address-overlap", words="172.18.0.1", fix="kubernetes-internal-ip",
    ),
    "Calico on a second card that the Nodes do not name": Told(
        manifests=(by_calico(1, "10.9.0.1/24"), by_calico(2, "10.9.0.12/24"), CLIENT, *WEB, FELIX),
        result="connected", assumed="calico-node found 10.9.0.12 as the address of node-2",
    ),
    "externalIPs, and nobody answers for the address": Told(
        manifests=(*NODES, service("web", to=8080, externalIPs=["192.168.0.200"]), WEB[1]),
        ask=("192.168.0.50", "192.168.0.200:80"), result="unreachable", by="lan",
        cause=("it is an externalIP of Service default/web, and no device of a node has it",),
        mend="MetalLB or kube-vip announce it",
    ),
    "a policy in another namespace than its pods": Told(
        manifests=(*NODES, space("shop"), pod("client", "app=client", namespace="shop"),
                   service("web", to=8080, namespace="shop"),
                   pod("web-0", "app=web", namespace="shop", node="node-2", ports=[8080]),
                   policy("deny", "web", policyTypes=["Ingress"])),
        options=CALICO, ask=("pod/shop/client", "svc/web.shop:80"), result="connected",
        rule="policy-selector", words="those that have it are in shop", fix="write namespace: shop",
    ),
    "kube-proxy does not tolerate a node's taint": Told(
        manifests=(NODES[0], node(2, "10.244.2.0/24", taints=[TAINT]), PROXIES,
                   pod("client", node="node-2"), WEB[0], pod("web-0", "app=web", ports=[8080])),
        result="connected", assumed="no pod of kube-proxy is on node-2",
        rule="network-daemons", words="no pod of kube-proxy is on it", fix="operator: Exists",
    ),
    "flannel does not run on a node": Told(
        manifests=(*ALL, FLANNEL_DOWN), result="connected",
        assumed="the network plug-in's pod flannel-b does not run on node-2",
        rule="network-daemons", words="does not run on node-2", fix="",
    ),
    "MetalLB's pool is for another namespace": Told(
        manifests=(*NODES, *metallb(serviceAllocation={"namespaces": ["prod"]}), BALANCED, WEB[1]),
        ask=("outside", "svc/web"), result="unreachable",
        cause=("IPAddressPool pool gives nothing to Service default/web",),
        mend="add namespace default", at="serviceAllocation:",
        rule="load-balancer", words="serviceAllocation is for namespace prod", fix="add namespace",
    ),
    "MetalLB, policy Local, and the advertisement chooses another node": Told(
        manifests=(labelled(NODES[0], "rack=a"), NODES[1], *metallb()[:2], CHOSEN, LOCAL, WEB[1]),
        ask=("outside", "192.168.0.200:80"), result="unreachable", by="wire",
        cause=("the endpoints are on node-2, which L2Advertisement ads does not choose",),
        mend="externalTrafficPolicy: Cluster", at="nodeSelectors:",
        rule="load-balancer", words="does not choose", fix="externalTrafficPolicy: Cluster",
    ),
    "MetalLB, policy Local, and the speaker runs elsewhere": Told(
        manifests=(*NODES, *metallb(), LOCAL, WEB[1], SPEAKER),
        ask=("outside", "192.168.0.200:80"), result="unreachable", by="wire",
        cause=("are on node-2, where no speaker of MetalLB runs (one does on node-1)",),
        mend="let the DaemonSet speaker run on node-2", at="externalTrafficPolicy: Local",
        rule="load-balancer", words="no speaker", fix="externalTrafficPolicy: Cluster",
    ),
    "MetalLB's addresses are of no network of the nodes": Told(
        manifests=(*NODES, *metallb(addresses=["10.77.0.10-10.77.0.20"]), BALANCED, WEB[1]),
        ask=("outside", "10.77.0.10:80"), result="connected",
        rule="external-ip", words="10.77.0.10 is on none of the nodes' networks", fix="BGP",
    ),
    "MetalLB's addresses are of a node's second network, and answered by the first": Told(
        manifests=(NODES[1], *metallb(addresses=["172.16.0.200-172.16.0.210"]), BALANCED, WEB[1]),
        beside=(("ip_addr", "node-2", CARDS_2),
                ("ip_route", "node-2", f"{WAY_OUT}172.16.0.0/24 dev eth1\n{SECOND_WAY}")),
        ask=("outside", "172.16.0.200:80"), result="connected",
        assumed="node-2 answers by eth0 what came in by eth1",
    ),
    "MetalLB's addresses are of a node's second network, and rp_filter is strict": Told(
        manifests=(NODES[1], *metallb(addresses=["172.16.0.200-172.16.0.210"]), BALANCED, WEB[1]),
        beside=(("ip_addr", "node-2", CARDS_2), ("sysctl", "node-2", STRICT),
                ("ip_route", "node-2", f"{WAY_OUT}172.16.0.0/24 dev eth1\n{SECOND_WAY}")),
        ask=("outside", "172.16.0.200:80"), result="timeout", by="node-2",
        cause=("It came in by eth1",), mend="net.ipv4.conf.eth1.rp_filter = 2",
    ),
    "k3s' ServiceLB has the nodes' addresses": Told(
        manifests=(*K3S_NODES, BALANCED, WEB[1]), ask=("outside", "192.168.0.11:80"),
        result="connected",
    ),
    "k3s' ServiceLB on labelled nodes alone": Told(
        manifests=(K3S_NODES[0], ENABLED, BALANCED, WEB[1]), ask=("outside", "192.168.0.11:80"),
        result="refused", by="node-1", cause=("enablelb=true alone (node-2), and node-1 is not",),
        mend="ask 192.168.0.12:80, or kubectl label node node-1",
    ),
    "k3s' ServiceLB, policy Local, and no endpoint there": Told(
        manifests=(*K3S_NODES, LOCAL, WEB[1]), ask=("outside", "192.168.0.12:80"),
        result="connected",
    ),
    "cluster DNS' pods by another label": Told(
        manifests=(*ALL, *DNS, policy("client", "client", policyTypes=["Egress"], egress=[
            {**TO_DNS, "to": [{**SYSTEM, "podSelector": having(**{"k8s-app": "coredns"})}]}])),
        options=CALICO, ask=("pod/client", "web:80"), result="no-such-name",
        cause=("asks for k8s-app=coredns, and pod kube-system/coredns-0 has k8s-app=kube-dns",),
        mend="write k8s-app: kube-dns", rule="policy-denial", words="k8s-app=coredns",
        fix="write k8s-app: kube-dns",
    ),
    "bridge-nf-call-iptables is 0 in the node's settings": Told(
        manifests=(*NODES, pod("client", node="node-2"), *WEB),
        beside=(("sysctl", "node-2", PAST_NETFILTER),),
        result="timeout", by="default/client", cause=("never passes netfilter",),
        mend="modprobe br_netfilter", at="net.bridge.bridge-nf-call-iptables = 0",
        rule="node-state", words="never passes netfilter", fix="modprobe br_netfilter",
    ),
    "selectors mean no host outside": Told(
        manifests=(*ALL, policy("client", "client", **lets_out({"namespaceSelector": {}}))),
        options=CALICO, ask=("pod/client", "198.51.100.7:443"), result="timeout",
        cause=("its selectors mean pods, and 198.51.100.7 is none",),
        mend="ipBlock: {cidr: 198.51.100.7/32}",
    ),
    "a masquerade that hides the client from its policy": Told(
        manifests=(*ALL, policy("web", "web", **lets_in({"podSelector": having(app="client")}))),
        beside=(("iptables", "node-1", HIDDEN),), options={"policy_engine": "kube-router"},
        ask=("pod/client", "pod/web-0:8080"), result="refused", by="node-2",
        cause=("that is pod default/client, hidden on node-1 by rule 1 of chain POSTROUTING",),
        mend="spare what goes to pods (! -d 10.244.0.0/16)",
        at="-A POSTROUTING -o eth0 -j MASQUERADE", not_said="hostNetwork",
    ),
    "the pods' bridge is down": Told(
        manifests=ALL,
        beside=(("ip_addr", "node-2", CARDS_2.replace(BRIDGE_UP, BRIDGE_DOWN)),
                ("ip_route", "node-2", NO_BRIDGE)),
        result="timeout", cause=("cni0, which they hang on, is down",),
        mend="ip link set cni0 up", at=BRIDGE_DOWN, not_said="lost its address",
        rule="node-state", words="cni0", fix="ip link set cni0 up",
    ),
    "MetalLB before 0.13 has no ConfigMap": Told(
        manifests=(*NODES, *old_metallb("v0.12.1"), BALANCED, WEB[1]), ask=("outside", "svc/web"),
        result="unreachable", cause=("it reads them from ConfigMap metallb-system/config",),
        mend="write ConfigMap config in metallb-system",
        rule="load-balancer", words="there is none", fix="address-pools",
    ),
    "MetalLB since 0.13 reads no ConfigMap": Told(
        manifests=(*NODES, *old_metallb("v0.13.10", "layer2"), BALANCED, WEB[1]),
        ask=("outside", "svc/web"), result="unreachable", cause=("and no ConfigMap",),
        mend="IPAddressPool", at="config: |",
        rule="load-balancer", words="and no ConfigMap", fix="L2Advertisement",
    ),
    "MetalLB before 0.13, layer2": Told(
        manifests=(*NODES, *old_metallb("v0.9.6", "layer2"), BALANCED, WEB[1]),
        ask=("outside", "192.168.0.200:80"), result="connected",
    ),
    "MetalLB before 0.13, BGP without peers": Told(
        manifests=(*NODES, *old_metallb("v0.9.6", "bgp"), BALANCED, WEB[1]),
        ask=("outside", "192.168.0.200:80"), result="unreachable", by="wire",
        cause=("address-pool lan is announced by BGP alone", "no peers"), mend="protocol: layer2",
        at="protocol: bgp", rule="load-balancer", words="no peers", fix="name it under peers",
    ),
    "MetalLB by BGP, and no BGPPeer": Told(
        manifests=(*NODES, *metallb()[:2], BY_BGP, BALANCED, WEB[1]),
        ask=("outside", "192.168.0.200:80"), result="unreachable", by="wire",
        cause=("there is no BGPPeer",), mend="write a BGPPeer",
        rule="load-balancer", words="no BGPPeer", fix="L2Advertisement",
    ),
    "kube-vip gives no address by itself": Told(
        manifests=(*NODES, kube_vip(svc_enable="true"), BALANCED, WEB[1]),
        ask=("outside", "svc/web"), result="unreachable",
        cause=("kube-vip-cloud-provider's work",), mend="kube-vip.io/loadbalancerIPs",
        rule="load-balancer", words="gives it none", fix="kube-vip-cloud-provider",
    ),
    "kube-vip for the API server alone": Told(
        manifests=(*NODES, kube_vip(cp_enable="true"), ASKS_KUBE_VIP, WEB[1]),
        ask=("outside", "192.168.0.200:80"), result="unreachable", by="wire",
        cause=("for the API server's address alone",), mend='svc_enable: "true"',
        rule="load-balancer", words="svc_enable is not true", fix="svc_enable",
    ),
    "aws-node leaves the masquerade to a gateway": Told(
        manifests=(node(1), AWS, CLIENT), ask=("pod/client", "198.51.100.7:443"),
        result="timeout", by="wire", cause=("AWS_VPC_K8S_CNI_EXTERNALSNAT is true",),
        mend="by a NAT gateway", not_said="--ip-masq",
    ),
    "Calico's pool holds the hosts beside the nodes": Told(
        manifests=(node(1, address="192.168.50.11"), FELIX, WIDE_POOL, CLIENT),
        ask=("pod/client", "192.168.50.200:5432"), result="timeout", by="wire",
        cause=("Calico takes 192.168.50.200 for a pod", "IPPool wide"), mend="a pool apart",
        rule="address-overlap", words="is in the range of the pods", fix="move the range",
    ),
    "KUBE-FORWARD without clusterCIDR, and policy DROP": Told(
        manifests=(*NODES, NODE_PORT, WEB[1]), ask=("outside", "node/node-1:30080"),
        beside=(("iptables", "node-1", HALF_FORWARD),),
        result="timeout", by="node-1", cause=("the answer is", "KUBE-FORWARD is there and has no"),
        mend="set clusterCIDR: 10.244.0.0/16", at=":FORWARD DROP [0:0]", not_said="Docker",
        rule="node-state", words="KUBE-FORWARD", fix="clusterCIDR",
    ),
    "the ClusterIP that the manifests do not say is a dump's": Told(
        manifests=(*NODES, CLIENT, NODE_PORT, WEB[1]), result="connected",
        beside=(("iptables", "node-1", HALF_FORWARD.replace("FORWARD DROP", "FORWARD ACCEPT")),),
    ),
    "ufw denies what goes out": Told(
        manifests=(*NODES, pod("web-0", ports=[8080])),
        beside=(("iptables", "node-1", UFW_OUT),), ask=("node/node-1", "pod/web-0:8080"),
        result="timeout", by="node-1", cause=("chain OUTPUT",),
        mend="ufw allow out to 10.244.0.0/16", at="-P OUTPUT DROP",
        rule="node-state", words="chain OUTPUT", fix="ufw allow out to",
    ),
    "an entry of conntrack from before the rules": Told(
        manifests=(*ALL, *DNS), beside=(("conntrack", "node-1", BEFORE_RULES),),
        ask=("pod/client", "10.96.0.10:53/udp"), result="timeout", by="wire",
        cause=("a conntrack entry that rewrites nothing",), mend="conntrack -D -p udp --orig-dst",
        at=BEFORE_RULES.strip(),
    ),
    "CoreDNS forwards to itself": Told(
        manifests=(*ALL, DNS[0], COREDNS, CIRCLE), ask=("pod/client", "web:80"),
        result="no-such-name", cause=("10.96.0.10, which is cluster DNS itself",),
        mend="forward . /etc/resolv.conf", at="forward . 10.96.0.10",
        rule="dns-policy", words="the plugin loop", fix="forward . /etc/resolv.conf",
    ),
    "NodeLocal DNS at cluster DNS' own address, mode ipvs": Told(
        manifests=(*ALL, *DNS, CACHE, kube_proxy(mode="ipvs")), ask=("pod/client", "web:80"),
        result="no-such-name", cause=("kube-ipvs0 and needs conntrack",),
        mend="leave 169.254.20.10 alone", rule="dns-policy", words="kube-ipvs0", fix="-localip",
    ),
    "nobody does kube-proxy's work": Told(
        manifests=(*ALL, CILIUM, LEAVES_IT), result="connected",
        assumed="Cilium is told to leave Services to kube-proxy",
        rule="network-daemons", words="no pod of kube-proxy is there", fix="k8sServiceHost",
    ),
    "a node has got another address, with Calico": Told(
        manifests=(by_calico(1, "192.168.0.11/24"), moved("192.168.0.12/24", "192.168.0.40"),
                   CLIENT, *WEB, FELIX, IP_POOL),
        result="timeout", cause=("192.168.0.12, which it has no more",), mend="start it anew",
        rule="address-overlap", words="which it has no more", fix="start it anew",
    ),
    "flannel's annotation tells an old MAC": Told(
        manifests=(flannel(1, "192.168.56.11"), flannel(2, "192.168.56.12"), CLIENT, *WEB),
        beside=(("ip_addr", "node-2", TUNNEL_END),), result="timeout", by="node-2",
        cause=("5a:00:00:00:00:02 in the tunnel", "has 5a:00:00:00:00:99"),
        mend="restart the network plug-in's pod on node-2",
    ),
    "flannel found an address that nothing else shows": Told(
        manifests=(flannel(1, "10.66.0.4"), flannel(2, "192.168.56.12"), CLIENT, *WEB),
        result="connected", assumed="flanneld found 10.66.0.4 as the address of node-1",
    ),
    "a pod of a range that its node had before": Told(
        manifests=(flannel(1, "192.168.56.11"), flannel(2, "192.168.56.12"), CLIENT, WEB[0],
                   observed("web-0", "app=web", "10.244.7.6", node="node-2", ports=[8080])),
        result="connected", assumed="10.244.7.6 of pod default/web-0 is not of the range",
        rule="address-overlap", words="cni0 is left there", fix="ip link delete cni0",
    ),
    "a route of before leads what is for a node's own pod away": Told(
        manifests=(flannel(1, "192.168.56.11"), flannel(2, "192.168.56.12"), CLIENT, *WEB),
        beside=(("ip_route", "node-2", OF_BEFORE),),
        by="node-2", result="timeout",
        cause=("for its own pod default/web-0",), mend="ip route del 10.244.2.0/24",
        at="10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink",
        rule="node-state", words="left over from another node", fix="ip route del 10.244.2.0/24",
    ),
    "a route to another node's pods leads to the nodes' router": Told(
        manifests=(*ALL, FELIX, IP_POOL), by="wire", result="unreachable",
        ask=("node/node-1", "svc/web:80"), beside=(("ip_route", "node-1", BY_ROUTER),),
        cause=("192.168.0.1 is no node, and 10.244.2.0/24 are the pods of node-2",),
        mend="ip route del 10.244.2.0/26 via 192.168.0.1",
        at="10.244.2.0/26 via 192.168.0.1 dev eth0 proto bird",
        rule="node-state", words="192.168.0.1 is no node", fix="restart the network plug-in's pod",
    ),
    "no routing rule asks table local": Told(
        manifests=ALL, ask=("node/node-1", "node/node-2:9100"), by="node-2", result="unreachable",
        beside=(("ip_rule", "node-2", UNOWNED),), at="32766:\tfrom all lookup main",
        cause=("no routing rule of node-2 asks table local",),
        mend="ip rule add pref 0 from all lookup local",
    ),
    "one address for the tunnels of two nodes": Told(
        manifests=(*(tunnelled(number, "10.244.7.1") for number in (1, 2)), CLIENT, *WEB),
        result="connected", rule="address-overlap",
        words="Calico's tunnel has the address 10.244.7.1 on it and on node node-1",
        fix="take the annotation off node node-2",
    ),
    "Calico's route to a pod is gone": Told(
        manifests=(*ALL, FELIX, IP_POOL), by="node-2", result="timeout",
        beside=(("ip_route", "node-2", f"{NO_BRIDGE}blackhole 10.244.2.0/24 proto bird\n"),),
        cause=("no route to its own pod default/web-0",), mend="unmanaged-devices",
        rule="node-state", words="no route to its own pod", fix="make default/web-0 anew",
    ),
    "conntrack leads a hostPort's datagrams to a pod that is gone": Told(
        manifests=(NODES[0], observed("agent", "app=agent", "10.244.1.31", node="node-1", ports=[
            {"containerPort": 8125, "hostPort": 8125, "protocol": "UDP"}])),
        beside=(("conntrack", "node-1", TRACKED),),
        ask=("outside", "node/node-1:8125/udp"), result="connected",
        rule="conntrack-table", words="is sent on to 10.244.1.20, which it no longer has",
        fix="conntrack -D -p udp --orig-dst 192.168.0.11 --orig-port-dst 8125",
    ),
    "conntrack's entries of what goes right": Told(
        manifests=(NODES[0], observed("agent", "app=agent", "10.244.1.20", node="node-1", ports=[
            {"containerPort": 8125, "hostPort": 8125, "protocol": "UDP"}])),
        beside=(("conntrack", "node-1", TRACKED),),
        ask=("outside", "node/node-1:8125/udp"), result="connected", silent="conntrack-table",
    ),
    "conntrack's entries, and nobody has seen the pods' addresses": Told(
        manifests=(NODES[0], pod("agent", "app=agent", node="node-1", ports=[
            {"containerPort": 8125, "hostPort": 8125, "protocol": "UDP"}])),
        beside=(("conntrack", "node-1", TRACKED),),
        ask=("outside", "node/node-1:8125/udp"), result="connected", silent="conntrack-table",
    ),
    "conntrack's table is full": Told(
        manifests=ALL, result="connected", assumed="node-2's table of connections is full",
        beside=(("sysctl", "node-2", FULL),),
        rule="conntrack-table", words="262140 of 262144", fix="net.netfilter.nf_conntrack_max",
    ),
    "a router between the nodes' two networks, as both show them": Told(
        manifests=(*APART, NODE_PORT, WEB[1]),
        beside=(("ip_addr", "node-1", CARD_APART), ("ip_route", "node-1", ROUTES_APART),
                ("ip_addr", "node-2", apart(CARD_APART)),
                ("ip_route", "node-2", apart(ROUTES_APART))),
        ask=("node/node-1", "10.0.2.11:30080"), result="connected",
        rule="node-state", words="it has no route to", fix="Backend vxlan",
    ),
    "an externalIP in mode ipvs with strictARP": Told(
        manifests=(NODES[1], WEB[1], kube_proxy(mode="ipvs"),
                   service("web", to=8080, externalIPs=["192.168.0.200"])),
        beside=(("ip_addr", "node-2", CARDS_2 + IPVS_CARD), ("sysctl", "node-2", MUTE)),
        ask=("192.168.0.77", "192.168.0.200:80"), result="unreachable",
        cause=("node-2 has it, but answers for addresses of the device that is asked alone",),
        mend="strictARP: false", at="externalIPs:",
    ),
    "Tailscale reaches the node and not its pods": Told(
        manifests=(node(1, "10.244.1.0/24", address="100.64.0.18"),
                   node(2, "10.244.2.0/24", address="100.64.0.19"), CLIENT, *WEB),
        beside=(("ip_addr", "node-1", TAILSCALE), ("ip_route", "node-1", TAIL_ROUTES)),
        result="timeout", cause=("it has no route to 10.244.2.0/24",),
        mend="let tailscale0, by which node-1 reaches node-2, carry 10.244.2.0/24 too",
        rule="node-state", words="it has no route to 10.244.2.0/24", fix="--accept-routes",
    ),
    "nodes in private networks of two kinds": Told(
        manifests=(node(1, "10.244.1.0/24", address="10.200.200.7"),
                   node(2, "10.244.2.0/24", address="172.19.0.13"), CLIENT, *WEB),
        result="connected", assumed="have private addresses of two networks",
    ),
    "Weave's chain has not let in what nothing forbids": Told(
        manifests=ALL, result="timeout", by="node-2",
        beside=(("iptables", "node-2", OF_WEAVE),
                ("ip_addr", "node-2", CARDS_2.replace("cni0", "weave")),
                ("ip_route", "node-2", f"{NO_BRIDGE}10.244.2.0/24 dev weave\n")),
        cause=("a rule of Weave Net",), mend="weave-npc's log on node-2",
        rule="node-state", words="a rule of Weave Net", fix="weave-npc's log",
    ),
    "pods in their nodes' network": Told(
        manifests=(node(1, "192.168.0.0/24"), node(2, "192.168.1.0/24"), CLIENT),
        ask=("pod/client", "192.168.0.50:5432"), result="unreachable",
        cause=("goes to the wrong one of the two",), mend="podSubnet",
        rule="address-overlap", words="holds 192.168.0.11, the address of node node-1",
        fix="podSubnet",
    ),
    "flannel's pods in their nodes' network": Told(
        manifests=(ranged(1, "192.168.56.0/24"), ranged(2, "192.168.57.0/24"),
                   pod("client", "app=client", node="node-2"), service("web", to=8080),
                   pod("web-0", "app=web", node="node-1", ports=[8080])),
        result="timeout", by="node-2", cause=("into flannel.1 again",), mend="podSubnet",
        rule="address-overlap", words="holds 192.168.56.11, the address of node node-1",
        fix="podSubnet",
    ),
    "vxlan.calico is gone": Told(
        manifests=(*NODES, FELIX, VXLAN_POOL, CLIENT, *WEB), result="timeout", by="wire",
        beside=(("ip_addr", "node-1", WITHOUT_TUNNEL),
                ("ip_route", "node-1", ROUTES_WITHOUT_TUNNEL)),
        cause=("vxlan.calico, the tunnel to them, is not there",),
        mend="restart the network plug-in's pod on node-1", not_said="169.254",
        rule="node-state", words="vxlan.calico", fix="restart the network plug-in's pod",
    ),
    "Felix keeps pods from their own node": Told(
        manifests=(CONTROL, NODES[1], API, *API_SERVICE, FELIX, CLIENT),
        ask=("pod/client", "svc/kubernetes:443"), result="timeout", by="node-1",
        cause=("chain cali-wl-to-host",), mend="defaultEndpointToHostAction: Accept",
        not_said="iptables -I",
    ),
    "kube-proxy goes by a name that no Node has": Told(
        manifests=(*NODES, PORT_OF_LOCAL, WEB[1], kube_proxy(hostnameOverride="w2.example.org")),
        ask=("outside", "node/node-2:30080"), result="timeout", by="node-2",
        cause=("it goes by the name w2.example.org",), mend="--hostname-override=$(NODE_NAME)",
        at="hostnameOverride: w2.example.org",
        rule="local-policy", words="is no Node's name", fix="leave hostnameOverride empty",
    ),
    "kube-proxy's one configuration with a Node's name": Told(
        manifests=(*NODES, PORT_OF_LOCAL, WEB[1], kube_proxy(hostnameOverride="node-1")),
        ask=("outside", "node/node-2:30080"), result="connected",
    ),
    "one configuration with a Node's name, and the DaemonSet that has it": Told(
        manifests=(*NODES, PORT_OF_LOCAL, WEB[1], kube_proxy(hostnameOverride="node-1"), PROXIES),
        ask=("outside", "node/node-2:30080"), result="timeout", by="node-2",
        cause=("it goes by the name node-1",), mend="--hostname-override=$(NODE_NAME)",
        at="hostnameOverride: node-1",
        rule="local-policy", words="one name for all nodes", fix="leave hostnameOverride empty",
    ),
    "kube-proxy is told its node's address for a name": Told(
        manifests=(*NODES, PORT_OF_LOCAL, WEB[1], proxies_called("status.hostIP")),
        ask=("outside", "node/node-2:30080"), result="timeout", by="node-2",
        cause=("it goes by the name $(ITS)",), mend="--hostname-override=$(NODE_NAME)",
        at="- --hostname-override=$(ITS)",
        rule="local-policy", words="$(ITS) is no Node's name", fix="fieldRef spec.nodeName",
    ),
    "kube-proxy is told its node's name": Told(
        manifests=(*NODES, PORT_OF_LOCAL, WEB[1], proxies_called("spec.nodeName")),
        ask=("outside", "node/node-2:30080"), result="connected",
    ),
    "nodes beyond NAT and on the Internet": Told(
        manifests=(node(1, "10.244.1.0/24", address="194.100.16.1"),
                   node(2, "10.244.2.0/24", address="192.168.139.105"), CLIENT, *WEB),
        result="timeout", by="wire", cause=("194.100.16.1", "behind NAT nobody reaches it"),
        mend="--flannel-external-ip",
        rule="not-modelled", words="which the Internet does not carry", fix="--node-external-ip",
    ),
    "MetalLB in mode ipvs without strictARP": Told(
        manifests=(*NODES, *metallb(), kube_proxy(mode="ipvs"), BALANCED, WEB[1]),
        ask=("outside", "192.168.0.200:80"), result="unknown",
        rule="load-balancer", words="without strictARP", fix="ipvs.strictARP: true",
    ),
    "MetalLB beside ServiceLB": Told(
        manifests=(*K3S_NODES, *metallb(), BALANCED, WEB[1]), ask=("outside", "192.168.0.200:80"),
        result="connected", rule="load-balancer", words="ServiceLB runs beside MetalLB",
        fix="--disable servicelb",
    ),
    "NodeLocal DNS as it is published": Told(
        manifests=(*ALL, *DNS, TEMPLATE), ask=("pod/client", "web:80"), result="connected",
        rule="dns-policy", words="is a template that nobody has filled in", fix="10.96.0.10",
    ),
    "a private host that nothing names": Told(
        manifests=(*NODES, CLIENT), ask=("pod/client", "10.31.100.222:53"),
        result="unreachable", by="wire", mend="--host NAME=10.31.100.222",
    ),
    "a pod without the route that others have": Told(
        manifests=(node(1), AWS, observed("web-a", "app=web", "192.168.0.76", ports=[8080]),
                   observed("web-b", "app=web", "192.168.0.77", ports=[8080])),
        beside=(("ip_addr", "node-1", ENI_CARDS), ("ip_route", "node-1", ENI_ROUTES)),
        ask=("node/node-1", "pod/web-a:8080"), result="unreachable", by="node-1",
        cause=("node-1 has no route to pod default/web-a", "192.168.0.77 dev eni3408eb5d67f"),
        mend="delete the pod", at="192.168.0.77 dev eni3408eb5d67f scope link",
        rule="node-state", words="no route to pod default/web-a", fix="delete the pod",
    ),
    "AWS' second interface has the pod's address and its way out": Told(
        manifests=(NODES[0], AWS,
                   observed("client", "app=client", "192.168.0.77", node="node-1")),
        beside=(("ip_addr", "node-1", ENI_CARDS + ENI_SECOND), ("sysctl", "node-1", STRICT),
                ("ip_route", "node-1", f"{ENI_ROUTES}default via 192.168.0.1 dev ens6 table 2\n"),
                ("ip_rule", "node-1", ENI_RULES)),
        ask=("pod/client", "203.0.113.10:80"), result="connected",
    ),
    "rules that know no endpoint of the node's own": Told(
        manifests=(*NODES, PORT_OF_LOCAL, WEB[1]),
        beside=(("iptables", "node-2", OLD_LOCAL),), ask=("outside", "node/node-2:30080"),
        result="timeout", by="node-2", cause=("know no endpoint of its own, though one is there",),
        mend="--hostname-override", not_said="(node-2 has)",
        rule="node-state", words="though one is there", fix="--hostname-override",
    ),
    "Cilium's address blocks mean no nodes": Told(
        manifests=(CONTROL, NODES[1], API, *API_SERVICE, CILIUM, PROXIES, LEAVES_IT,
                   pod("client", "app=client", node="node-2"), TO_THE_API),
        ask=("pod/client", "svc/kubernetes:443"), result="timeout", by="node-2",
        cause=("no pods and no nodes, and that is a node",), mend="policy-cidr-match-mode: nodes",
    ),
    "the same, told to mean nodes": Told(
        manifests=(CONTROL, NODES[1], API, *API_SERVICE, CILIUM, PROXIES, kind(
            "v1", "cilium-config", "ConfigMap", "kube-system",
            data={"kube-proxy-replacement": "false", "policy-cidr-match-mode": "nodes"}),
                   pod("client", "app=client", node="node-2"), TO_THE_API),
        ask=("pod/client", "svc/kubernetes:443"), result="connected",
    ),
    "a policy takes a client outside for the node that masquerades it": Told(
        manifests=(*NODES, NODE_PORT, WEB[1],
                   policy("web", "web", **lets_in({"ipBlock": {"cidr": "203.0.113.0/24"}}))),
        options=CALICO, ask=("203.0.113.9", "node/node-1:30080"), result="timeout", by="node-2",
        cause=("seen as 192.168.0.11", "masquerades what comes from outside"),
        mend="externalTrafficPolicy: Local", not_said="hostNetwork",
    ),
}  # fmt: skip


CASES |= {
    "MetalLB's pool in another namespace than its own": Told(
        manifests=(*NODES, space("metallb-system"), METALLB, BALANCED, WEB[1],
                   kind("metallb.io/v1beta1", "pool", "IPAddressPool", "default",
                        spec={"addresses": ["192.168.0.200-192.168.0.210"]})),
        ask=("outside", "svc/web"), result="unreachable",
        cause=("IPAddressPool pool is in namespace default",), mend="namespace: metallb-system",
        rule="load-balancer", words="reads those of its own alone", fix="metallb-system",
    ),
    "traefik has port 80 of k3s' ServiceLB, wherever it is written": Told(
        manifests=(*K3S_NODES, BALANCED, WEB[1],
                   service("traefik", type="LoadBalancer", namespace="kube-system")),
        ask=("outside", "svc/web"), result="unreachable",
        cause=("for Service kube-system/traefik already",), mend="take another port",
        rule="load-balancer", words="Service kube-system/traefik already", fix="another port",
    ),
    "an IngressClass of another controller": Told(
        manifests=(*ALL, space("in"), NGINX, CLASS, INGRESS), ask=("outside", "shop.example:80"),
        result="no-such-name", cause=("is for controller k8s.io/other-nginx",),
        mend="--controller-class=k8s.io/other-nginx",
        rule="ingress-backend", words="serves those for k8s.io/ingress-nginx alone",
        fix="--controller-class=k8s.io/other-nginx",
    ),
    "an Ingress in a namespace that its controller does not watch": Told(
        manifests=(*ALL, space("in"), watching("$(POD_NAMESPACE)"), OWN_CLASS, INGRESS),
        ask=("outside", "shop.example:80"), result="no-such-name",
        cause=("looks at namespace in alone",), mend="--watch-namespace",
        rule="ingress-backend", words="and it is in default", fix="--watch-namespace",
    ),
    "an Ingress in the namespace that its controller watches": Told(
        manifests=(*ALL, space("in"), watching("default"), OWN_CLASS, INGRESS),
        ask=("outside", "shop.example:80"), result="no-such-name",
        cause=("is not in the input",), not_said="--watch-namespace",
    ),
    "an ALB that asks for node ports": Told(
        manifests=(*ALL, alb()), ask=("outside", "shop.example:80"), result="no-such-name",
        cause=("Service default/web has none",), mend="target-type: ip",
        rule="ingress-backend", words="target-type instance", fix="target-type: ip",
    ),
    "an ALB that asks pods": Told(
        manifests=(*ALL, alb(**{"alb.ingress.kubernetes.io/target-type": "ip"})),
        ask=("outside", "shop.example:80"), result="no-such-name", not_said="target-type",
    ),
    "more labels than an Ingress' wildcard has": Told(
        manifests=(*ALL, ingress("*.example.org")), ask=("outside", "a.b.example.org:80"),
        result="connected", assumed="stands for one label alone",
    ),
    "a slip in an Ingress' host": Told(
        manifests=(*ALL, ingress("shop.example")), ask=("outside", "shop.exmaple:80"),
        result="connected", assumed="has the host shop.example (",
    ),
    "hostPorts under Cilium beside kube-proxy": Told(
        manifests=(*NODES, CILIUM, PROXIES, LEAVES_IT,
                   pod("web", ports=[{"containerPort": 80, "hostPort": 8080}])),
        ask=("outside", "node/node-1:8080"), result="refused", by="node-1",
        cause=("has hostPort 8080, and Cilium opens none",), mend="cni.chainingMode: portmap",
        rule="host-port", words="Cilium opens none", fix="cni.chainingMode: portmap",
    ),
    "hostPorts under Calico without portmap": Told(
        manifests=(*NODES, FELIX, IP_POOL, delegating('{"type": "calico"}'),
                   pod("web", ports=[{"containerPort": 80, "hostPort": 8080}])),
        ask=("outside", "node/node-1:8080"), result="refused", by="node-1",
        cause=("the CNI configuration net names no plug-in",), mend="add portmap",
        rule="host-port", words="names no plug-in that opens it", fix="add portmap",
    ),
    "hostPorts under Cilium with portmap": Told(
        manifests=(*NODES, CILIUM, PROXIES, kind(
            "v1", "cilium-config", "ConfigMap", "kube-system",
            data={"kube-proxy-replacement": "false", "cni-chaining-mode": "portmap"}),
                   pod("web", ports=[{"containerPort": 80, "hostPort": 8080}])),
        ask=("outside", "node/node-1:8080"), result="connected",
    ),
    "Cilium's pool holds the nodes": Told(
        manifests=(*ALL, kind("v1", "cilium-config", "ConfigMap", "kube-system",
                              data={"cluster-pool-ipv4-cidr": "192.168.0.0/16"})),
        result="connected", rule="address-overlap", words="is in Cilium's pool for pods",
        fix="clusterPoolIPv4PodCIDRList",
    ),
    "a broker that sends its clients home": Told(
        manifests=(*NODES, CLIENT, BROKER, broker("PLAINTEXT://localhost:9092")),
        ask=("pod/client", "svc/kafka:9092"), result="connected", assumed="which is themselves",
        rule="bound-to-localhost", words="go on at localhost:9092", fix="write kafka:9092",
    ),
    "a broker whose name is short for others": Told(
        manifests=(*NODES, pod("asker", namespace="till", container={
            "env": [{"name": "BROKERS", "value": "kafka.default:9092"}]}), BROKER,
                   broker("PLAINTEXT://kafka:9092")),
        ask=("pod/till/asker", "svc/kafka.default:9092"), result="connected",
        assumed="namespace till has no Service kafka",
        rule="env-address", words="go on at kafka:9092", fix="write kafka.default.svc",
    ),
    "a broker whose name is of the cluster, asked from outside": Told(
        manifests=(*NODES, service("kafka", type="NodePort", port={
            "port": 9092, "nodePort": 30092}),
                   broker("PLAINTEXT://kafka-0.kafka.default.svc.cluster.local:9092")),
        ask=("outside", "node/node-1:30092"), result="connected",
        assumed="nobody outside the cluster resolves that",
    ),
    "two containers of an image at one port": Told(
        manifests=(*NODES, CLIENT, WEB[0], {**pod("web-0", "app=web"), "spec": {
            "containers": [{"name": "a", "image": "nginx"}, {"name": "b", "image": "nginx"}]}}),
        ask=("pod/client", "svc/web:80"), result="connected", assumed="address already in use",
        rule="container-ports", words="both open 80/TCP", fix="another port",
    ),
    "a policy that names the API server's ClusterIP": Told(
        manifests=(CONTROL, NODES[1], API, *API_SERVICE, CLIENT,
                   policy("client", "client", **lets_out({"ipBlock": {"cidr": "10.96.0.1/32"}}))),
        options=CALICO, ask=("pod/client", "svc/kubernetes:443"), result="connected",
        rule="policy-denial", words="which is rewritten before policies look", fix="6443",
    ),
    "a policy that leaves the ingress controller out": Told(
        manifests=(*ALL, space("in"), {**NGINX, "spec": {**NGINX["spec"], "hostNetwork": True}},
                   OWN_CLASS, INGRESS, policy("web", "web", **lets_in(
                       {"namespaceSelector": having(**{"kubernetes.io/metadata.name": "in"})}))),
        options=CALICO, ask=("pod/in/controller", "svc/web.default"), result="timeout",
        mend="write ipBlock: {cidr: 192.168.0.11/32}", rule="policy-denial",
        words="served by controller", fix="write ipBlock: {cidr: 192.168.0.11/32}",
    ),
    "kind publishes the port of a node on which the pod does not run": Told(
        manifests=(KIND, pod("front", node="kind-worker",
                             ports=[{"containerPort": 80, "hostPort": 80}])),
        ask=("outside", "node/kind-control-plane:80"), result="refused", by="kind-control-plane",
        cause=("kind publishes port 80 of kind-control-plane",),
        mend="kubernetes.io/hostname: kind-control-plane",
        rule="published-port", words="runs on kind-worker", fix="extraPortMappings at kind-worker",
    ),
    "a load balancer in minikube": Told(
        manifests=(labelled(NODES[0], "minikube.k8s.io/version=v1"), NODES[1], BALANCED, WEB[1]),
        ask=("outside", "svc/web:80"), result="unreachable", mend="run minikube tunnel",
        rule="load-balancer", words="<pending>", fix="run minikube tunnel",
    ),
    "a ClusterIP asked from outside, and nobody behind it": Told(
        manifests=(*NODES, NODE_PORT), ask=("outside", "svc/web:80"), result="unreachable",
        cause=("knows a way to", "Service default/web has no endpoints"), mend="node/node-1:30080",
    ),
    "a route's host": Told(
        manifests=(*ALL, kind("gateway.networking.k8s.io/v1", "shop", "HTTPRoute", spec={
            "hostnames": ["shop.example"], "rules": [{"backendRefs": [{"name": "we"}]}]})),
        ask=("outside", "shop.example:80"), result="no-such-name",
        cause=("is a host of HTTPRoute default/shop", "behind it there is no Service default/we"),
    ),
    "flannel without a tunnel, and nodes that are perhaps no neighbours": Told(
        manifests=(node(1, "10.244.1.0/24", address="10.0.1.11"),
                   node(2, "10.244.2.0/24", address="10.0.2.12"), CLIENT, *WEB,
                   kind("v1", "kube-flannel-cfg", "ConfigMap", "kube-flannel", data={
                       "net-conf.json": '{"Network": "10.244.0.0/16", "Backend": '
                                        '{"Type": "host-gw"}}'})),
        result="connected", assumed="are perhaps in two subnets",
        rule="not-modelled", words="host-gw needs all nodes in one", fix="DirectRouting",
    ),
    "a controller that waits for PROXY protocol": Told(
        manifests=(*NODES, CLIENT, service("front", "", status={
            "loadBalancer": {"ingress": [{"ip": "198.51.100.7"}]}}, type="LoadBalancer"),
                   pod("front", "app=front", ports=[80], container={
                       "image": NGINX["spec"]["containers"][0]["image"],
                       "args": ["--configmap=$(POD_NAMESPACE)/front"]}),
                   kind("v1", "front", "ConfigMap", data={"use-proxy-protocol": "true"})),
        ask=("pod/client", "198.51.100.7:80"), result="connected", assumed="use-proxy-protocol",
    ),
    "words for gunicorn in its variable": Told(
        manifests=(*NODES, CLIENT, WEB[0], pod("web-0", "app=web", ports=[8080], container={
            "env": [{"name": "GUNICORN_CMD_ARGS", "value": "--bind=127.0.0.1:8080"}]})),
        result="refused", by="default/web-0", mend="let it bind",
        rule="bound-to-localhost", words="binds port 8080 to 127.0.0.1", fix="let it bind",
    ),
    "peers below another name than the governing Service's": Told(
        manifests=(*NODES, service("zk-headless", "app=zk", 2888, clusterIP="None"), workload(
            "StatefulSet", "zk", "app=zk", container={
                "env": [{"name": "ZOO_SERVERS", "value": "server.1=zk-0.zk-hs:2888:3888;2181"}]},
            serviceName="zk-headless")),
        ask=("pod/zk-0", "zk-0.zk-hs:2888"), result="no-such-name", mend="zk-0.zk-headless",
        rule="env-address", words="leads to zk-0.zk-hs", fix="write zk-0.zk-headless",
    ),
    "a peer in another namespace": Told(
        manifests=(*NODES, service("zk", port=2888, clusterIP="None", namespace="data"), workload(
            "StatefulSet", "zk", "app=zk", namespace="data", serviceName="zk"),
                   pod("client", container={"env": [{"name": "ZK_HOST", "value": "zk-0.zk"}]})),
        ask=("pod/client", "zk-0.zk:2888"), result="no-such-name", mend="zk-0.zk.data",
        rule="env-address", words="is in namespace data", fix="write zk-0.zk.data",
    ),
    "Traefik, and a Service of another namespace": Told(
        manifests=(*NODES, space("a"), space("b"), pod("traefik", "app=traefik", namespace="a",
                   ports=[8000], container={"image": "traefik:v3.1",
                                            "args": ["--providers.kubernetescrd"]}),
                   service("web", namespace="b"), pod("web", "app=web", namespace="b", ports=[80]),
                   kind("traefik.io/v1alpha1", "shop", "IngressRoute", "a", spec={
                       "routes": [{"match": "Host(`shop.example`)", "services": [
                           {"name": "web", "namespace": "b", "port": 80}]}]})),
        ask=("pod/a/traefik", "svc/web.b:80"), result="connected",
        rule="ingress-backend", words="Traefik takes none of another namespace",
        fix="allowCrossNamespace=true",
    ),
    "a policy about a server on its node's network": Told(
        manifests=(*NODES, CLIENT, service("web"), pod("web-0", "app=web", node="node-2",
                   ports=[80], hostNetwork=True), policy("web", "web", policyTypes=["Ingress"])),
        options=CALICO, result="connected", assumed="where no policy holds",
    ),
    "a webhook in GKE, at a port of its own": Told(
        manifests=(labelled(NODES[0], "cloud.google.com/gke-nodepool=a"), NODES[1], *HOOKED,
                   service("shop")),
        ask=("outside", "svc/shop:80"), result="timeout", cause=("nobody outside knows a way to",),
        not_said="martian", rule="server-calls", words="reaches 443 and 10250 alone",
        fix="a firewall rule",
    ),
    "two load balancers that ask MetalLB for one address": Told(
        manifests=(*NODES, *metallb(), *(
            service(name, "app=web", to=8080, type="LoadBalancer", head={
                "annotations": {"metallb.io/loadBalancerIPs": "192.168.0.201"}})
            for name in ("first", "second")), WEB[1]),
        ask=("outside", "svc/second:80"), result="unreachable",
        cause=("is that of Service default/first",), mend="metallb.io/allow-shared-ip",
        rule="load-balancer", words="is that of Service default/first", fix="allow-shared-ip",
    ),
    "plain HTTP to a back end that expects TLS": Told(
        manifests=(*NODES, *TLS, OWN_CLASS, INGRESS), ask=("outside", "shop.example:80"),
        result="no-such-name", cause=("speaks plain HTTP to port 80",),
        mend="ingress.kubernetes.io/backend-protocol: HTTPS",
        rule="ingress-backend", words="expects TLS", fix="backend-protocol: HTTPS",
    ),
    "TLS to a back end that speaks plain HTTP": Told(
        manifests=(*NODES, service("web", port={"name": "http", "port": 80}), WEB[1], OWN_CLASS,
                   ingress("shop.example", {f"{OF_NGINX}backend-protocol": "https"},
                           ingressClassName="nginx")),
        ask=("outside", "shop.example:80"), result="no-such-name",
        cause=("speaks TLS to port 80", "answers plain HTTP"), mend="take annotation",
        rule="ingress-backend", words="answers plain HTTP", fix="take annotation",
    ),
    "an annotation of another controller's": Told(
        manifests=(*NODES, *TLS, NGINX_ORG, ingress(
            "shop.example", {f"{OF_NGINX}backend-protocol": "HTTPS"},
            ingressClassName="nginx")),
        ask=("outside", "shop.example:80"), result="no-such-name",
        cause=("is another controller's annotation",), mend="nginx.org/ssl-services: web",
        rule="ingress-backend", words="another controller's", fix="nginx.org/ssl-services: web",
    ),
    "a controller that passes no TLS through": Told(
        manifests=(*NODES, *TLS, space("in"), NGINX, OWN_CLASS, ingress(
            "shop.example", {f"{OF_NGINX}ssl-passthrough": "true"},
            ingressClassName="nginx")),
        ask=("outside", "shop.example:443"), result="no-such-name",
        cause=("without --enable-ssl-passthrough",), mend="--enable-ssl-passthrough",
        rule="ingress-backend", words="passed through", fix="--enable-ssl-passthrough",
    ),
    "a middleware without its namespace": Told(
        manifests=(*ALL, kind("traefik.io/v1alpha1", "strip", "Middleware", spec={}),
                   ingress("shop.example", {f"{OF_ROUTER}middlewares": "strip@kubernetescrd"})),
        ask=("outside", "shop.example:80"), result="no-such-name",
        cause=("knows that as default-strip@kubernetescrd",), mend="write default-strip@",
        rule="ingress-backend", words="drops the route", fix="write default-strip@kubernetescrd",
    ),
    "an entry point that Traefik has not": Told(
        manifests=(*ALL, TRAEFIK, ingress("shop.example", {f"{OF_ROUTER}entrypoints": "https"})),
        ask=("outside", "shop.example:80"), result="no-such-name",
        cause=("no entry point https",), mend="name one of web",
        rule="ingress-backend", words="its arguments define web", fix="name one of web",
    ),
    "a route that no listener takes": Told(
        manifests=(*ALL, kind("gateway.networking.k8s.io/v1", "front", "Gateway", spec={
            "listeners": [{"name": "a", "port": 80, "protocol": "TCP"}]}),
                   kind("gateway.networking.k8s.io/v1", "shop", "HTTPRoute", spec={
            "parentRefs": [{"name": "front"}], "hostnames": ["shop.example"],
            "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]})),
        ask=("outside", "shop.example:80"), result="no-such-name",
        cause=("no listener takes it", "takes TCPRoute, not HTTPRoute"), mend="another listener",
        rule="route-parent", words="not HTTPRoute", fix="another listener",
    ),
    "the same where the Gateway has an address": Told(
        manifests=(*ALL, service("front", status={
            "loadBalancer": {"ingress": [{"ip": "198.51.100.7"}]}}, type="LoadBalancer"),
                   pod("front", "app=front", ports=[80]),
                   kind("gateway.networking.k8s.io/v1", "front", "Gateway", "edge", spec={
            "listeners": [{"name": "a", "port": 80, "protocol": "HTTP"}]}, status={
            "addresses": [{"type": "IPAddress", "value": "198.51.100.7"}]}),
                   kind("gateway.networking.k8s.io/v1", "shop", "HTTPRoute", spec={
            "parentRefs": [{"name": "front", "namespace": "edge"}], "hostnames": ["shop.example"],
            "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]})),
        ask=("outside", "shop.example:80"), result="connected", assumed="no listener takes it",
        rule="route-parent", words="of its own namespace edge only", fix="from: All",
    ),
    "a probe of a port that is bound to localhost": Told(
        manifests=(*NODES, CLIENT, WEB[0], own_metrics("--metrics-bind-address=127.0.0.1:9090")),
        result="refused", cause=("readinessProbe of container main asks port 9090", "127.0.0.1"),
        mend="let it bind to 0.0.0.0",
        rule="no-endpoints", words="binds it to 127.0.0.1",
    ),
    "a probe of a port that is bound to every address": Told(
        manifests=(*NODES, CLIENT, WEB[0], own_metrics("--metrics-bind-address=0.0.0.0:9090")),
        result="connected",
    ),
    "a probe of a port that a proxy beside may answer": Told(
        manifests=(*NODES, CLIENT, WEB[0],
                   own_metrics("--metrics-listen=localhost:9090", beside=9090)),
        result="connected",
    ),
    **{
        f"a plain probe of a server with TLS, {by}": by_plain_http(said, by, port=port, beside=more)
        for by, said, port, more in (
            ("SERVER_SSL_ENABLED says so", {"env": [
                {"name": "SERVER_SSL_ENABLED", "value": "true"}]}, 8443, 0),
            ("GF_SERVER_PROTOCOL says so", {"env": [
                {"name": "GF_SERVER_PROTOCOL", "value": "https"}]}, 3000, 9094),
            ("KONG_STATUS_LISTEN says so", {"env": [
                {"name": "KONG_STATUS_LISTEN", "value": "0.0.0.0:8100 http2 ssl"}]}, 8100, 8000),
            ("--tls-cert-file and --tls-private-key-file say so", {"args": [
                "--tls-cert-file=/a/tls.crt", "--tls-private-key-file", "/a/tls.key"]}, 8443, 0),
            ("image oryd/hydra:v1.9.2 does", {
                "image": "oryd/hydra:v1.9.2", "args": ["serve", "all"]}, 4445, 4444),
            ("kibana.yml of ConfigMap default/told says so", {"data": {
                "kibana.yml": "server.name: a\nserver.ssl.enabled: true\n"}}, 5601, 0),
            ("zitadel.yaml of ConfigMap default/told says so", {"data": {
                "zitadel.yaml": "TLS:\n  # own\n  Enabled: true\n"}}, 8080, 0),
            ("site.conf of ConfigMap told says so", {"data": {"site.conf":
                "server {\n  listen 9443 http2 ssl;\n  ssl_certificate /a;\n}\n"}}, 9443, 8080),
        )
    },
    **{
        f"a probe that is answered, {name}": Told(
            manifests=secured(said, port=8080, beside=more, scheme=scheme), result="connected")
        for name, said, more, scheme in (
            ("by HTTPS", {"env": [{"name": "SERVER_SSL_ENABLED", "value": "true"}]}, 0, "HTTPS"),
            ("without TLS", {"env": [{"name": "SERVER_SSL_ENABLED", "value": "false"}]}, 0, ""),
            ("at one port of two", {"env": [
                {"name": "SERVER_SSL_ENABLED", "value": "true"}]}, 9090, ""),
            ("at a port that an option opens beside", {"args": [
                "--tls-cert=/a", "--tls-key=/b", "--health-port=8443"]}, 0, ""),
        )
    },
    "a probe by HTTPS of what a controller answers by HTTP": Told(
        manifests=(*NODES, CLIENT, WEB[0], pod("web-0", "app=web", ports=[8080], container={
            "image": "web:1", "args": ["--health-probe-bind-address=:8443"],
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8443, "scheme": "HTTPS"}}})),
        result="refused", cause=("has it answered by plain HTTP",), mend="write scheme: HTTP, or",
        rule="probe-port", words="has it answered by plain HTTP", fix="write scheme: HTTP, or",
    ),
    "a search domain that answers for every name": Told(
        manifests=(*NODES, searching("192-168-0-12.nip.io"), *WEB),
        ask=("pod/client", "api.github.com:443"), result="refused", by="node-2",
        cause=("192-168-0-12.nip.io of dnsConfig.searches is asked before it",),
        mend="end the name in a dot", at="dnsConfig:",
        rule="dns-policy", words="answers for every name", fix="take 192-168-0-12.nip.io out",
    ),
    "the full name of a Service, which a search domain takes": Told(
        manifests=(*NODES, searching("192.168.0.12.nip.io"), *WEB),
        ask=("pod/client", "web.default.svc.cluster.local:80"), result="refused", by="node-2",
        cause=("has fewer than 5 dots",), mend="end the name in a dot",
    ),
    "a name that ends in a dot beside such a search domain": Told(
        manifests=(*NODES, searching("192.168.0.12.nip.io"), *WEB),
        ask=("pod/client", "web.default.svc.cluster.local.:80"), result="connected",
    ),
    "a search domain that may answer for every name": Told(
        manifests=(*NODES, searching("corp.example.com"), *WEB),
        ask=("pod/client", "api.github.com:443"), result="connected",
        assumed="a wildcard there (*.corp.example.com) would answer",
    ),
    "a client outside of a mesh that takes mutual TLS alone": Told(
        manifests=(*NODES, *MESH, MUTUAL_TLS, pod("client", container={
            "env": [{"name": "WEB", "value": "http://web.mesh"}]})),
        ask=("pod/client", "svc/web.mesh:80"), result="connected",
        assumed="PeerAuthentication istio-system/default (STRICT)",
        rule="mesh-denial", words="reset at the first data", fix="istio-injection=enabled",
    ),
    "a client that is certainly outside of such a mesh": Told(
        manifests=(*NODES, space("default"), *MESH, MUTUAL_TLS, CLIENT),
        ask=("pod/client", "svc/web.mesh:80"), result="refused", by="mesh/web-0",
        cause=("reset at the first data", "PeerAuthentication istio-system/default (STRICT)"),
        mend="istio-injection=enabled", at="spec:",
    ),
    "a port that the sidecar leaves to its pod": Told(
        manifests=(*NODES, space("default"), *MESH[:2], left_alone(MESH[2]), MUTUAL_TLS, CLIENT),
        ask=("pod/client", "svc/web.mesh:80"), result="connected",
    ),
    "a client in such a mesh": Told(
        manifests=(*NODES, *MESH, MUTUAL_TLS, pod("client", namespace="mesh")),
        ask=("pod/mesh/client", "svc/web.mesh:80"), result="connected",
    ),
    "nobody outside of a cluster has a sidecar": Told(
        manifests=(*NODES, *MESH[:1], *MESH[2:], MUTUAL_TLS,
                   service("web", namespace="mesh", type="NodePort")),
        ask=("node/node-1", "svc/web.mesh:80"), result="refused", by="mesh/web-0",
        cause=("who asks has none that speaks it",), mend="ingress gateway",
    ),
    "a pod's own address in a mesh that takes mutual TLS alone": Told(
        manifests=(*NODES, *MESH, MUTUAL_TLS, pod("client", namespace="mesh")),
        ask=("pod/mesh/client", "pod/mesh/web-0:80"), result="refused",
        cause=("a pod's own address is no host",),
    ),
    "a virtual address that Calico took for a node's": Told(
        manifests=(by_calico(1, "192.168.0.11/24"), moved("192.168.0.99/32", "192.168.0.12"),
                   CLIENT, *WEB, FELIX, IP_POOL),
        result="timeout", cause=("192.168.0.99, a virtual one",), mend="kubernetes-internal-ip",
        rule="address-overlap", words="a virtual one", fix="kubernetes-internal-ip",
    ),
    "an advertisement of nodes without a speaker": Told(
        manifests=(*NODES, *metallb()[:2], kind(
            "metallb.io/v1beta1", "ads", "L2Advertisement", "metallb-system", spec={
                "nodeSelectors": [having(**{"kubernetes.io/hostname": "node-2"})]}),
                   {**METALLB, "spec": {**METALLB["spec"], "nodeName": "node-1"}}, BALANCED,
                   WEB[1]),
        ask=("outside", "192.168.0.200:80"), result="unreachable",
        cause=("chooses node-2, where no speaker of MetalLB runs",), mend="let the DaemonSet",
        rule="load-balancer", words="where no speaker", fix="let the DaemonSet",
    ),
    "an advertisement on devices that the node has not": Told(
        manifests=(*NODES, *metallb()[:2], kind(
            "metallb.io/v1beta1", "ads", "L2Advertisement", "metallb-system", spec={
                "interfaces": ["eno1"]}), BALANCED, WEB[1]),
        ask=("outside", "192.168.0.200:80"), result="connected",
        assumed="is announced on eno1 alone",
    ),
    "a VirtualService whose Gateway is in another namespace": Told(
        manifests=(*ALL, space("mesh"), GATEWAY, virtual_service("front")),
        ask=("outside", "shop.example:80"), result="no-such-name",
        cause=("it is in namespace mesh",), mend="write mesh/front",
        rule="ingress-backend", words="there is no Gateway default/front", fix="write mesh/front",
    ),
    "a destination that is no host name": Told(
        manifests=(*ALL, space("mesh"), GATEWAY, virtual_service("mesh/front", "default/web")),
        ask=("outside", "shop.example:80"), result="no-such-name",
        cause=("is a host of VirtualService default/shop",),
        rule="ingress-backend", words="is no host name", fix="write web.default.svc.cluster.local",
    ),
    "a label that kind's file gives no node": Told(
        manifests=(KIND, service("front", "app=front"), workload(
            "Deployment", "front", "app=front", pod_spec={
                "nodeSelector": {"ingress-ready": "true"}})),
        ask=("node/kind-worker", "svc/front:80"), result="refused",
        cause=("is Pending",), mend="no node has ingress-ready=true",
        rule="unschedulable", words="stays Pending", fix="kubectl label node NODE ingress-ready",
    ),
    "an address and a pool that MetalLB is asked for, not of it": Told(
        manifests=(*NODES, *metallb(), kind(
            "metallb.io/v1beta1", "other", "IPAddressPool", "metallb-system",
            spec={"addresses": ["192.168.0.220/30"]}),
                   service("web", to=8080, type="LoadBalancer", head={
            "annotations": {"metallb.io/loadBalancerIPs": "192.168.0.220",
                            "metallb.io/address-pool": "pool"}}), WEB[1]),
        ask=("outside", "192.168.0.220:80"), result="unreachable",
        cause=("which is not of IPAddressPool pool",), mend="take the annotation",
        rule="load-balancer", words="which is not of IPAddressPool pool", fix="take the annotation",
    ),
    "an annotation that MetalLB does not know, and an address of nobody": Told(
        manifests=(*NODES, *metallb(), service("web", to=8080, type="LoadBalancer", head={
            "annotations": {"metallb.io/pool-name": "pool"}}), WEB[1]),
        ask=("outside", "192.168.0.205:80"), result="unreachable",
        cause=("MetalLB has given it to no Service",), mend="metallb.io/loadBalancerIPs",
        rule="load-balancer", words="knows no annotation", fix="write metallb.io/address-pool",
    ),
    "addresses of MetalLB's ConfigMap that it cannot read": Told(
        manifests=(*NODES, *by_config_map("192.168.0.254"), BALANCED, WEB[1]),
        ask=("outside", "svc/web:80"), result="unreachable",
        cause=("are neither a prefix nor a range",), mend="write 192.168.0.254/32",
        rule="load-balancer", words="are neither a prefix", fix="192.168.0.254/32",
    ),
    "a ConfigMap that MetalLB does not read": Told(
        manifests=(*NODES, *by_config_map("192.168.0.200/30", "metallb-config"), BALANCED, WEB[1]),
        ask=("outside", "svc/web:80"), result="unreachable",
        cause=("reads its pools from ConfigMap metallb-system/config",), mend="call that ConfigMap",
        rule="load-balancer", words="they stand in", fix="--config=metallb-config",
    ),
    "kube-proxy's metrics, asked from a pod": Told(
        manifests=(NODES[0], CLIENT, workload(
            "DaemonSet", "kube-proxy", "k8s-app=kube-proxy", namespace="kube-system",
            container={"image": "registry.k8s.io/kube-proxy:v1.33.0"},
            pod_spec={"hostNetwork": True}), service(
                "kube-proxy", "k8s-app=kube-proxy", 10249, clusterIP="None",
                namespace="kube-system")),
        ask=("pod/client", "svc/kube-proxy.kube-system:10249"), result="refused", by="node-1",
        cause=("binds port 10249 to 127.0.0.1",), mend="metricsBindAddress: 0.0.0.0:10249",
        rule="bound-to-localhost", words="binds port 10249 to", fix="metricsBindAddress",
    ),
    "a policy without a namespace, and no pods in the default one": Told(
        manifests=(*NODES, space("shop"), pod("client", namespace="shop"),
                   service("web", namespace="shop"),
                   pod("web-0", "app=web", namespace="shop", ports=[80]),
                   policy("deny", "", policyTypes=["Ingress"])),
        ask=("pod/shop/client", "svc/web.shop:80"), options=CALICO, result="connected",
        rule="policy-selector", words="those of shop are not meant", fix="write its namespace",
    ),
    "a middleware of another namespace": Told(
        manifests=(*ALL, space("a"), TRAEFIK, kind("traefik.io/v1alpha1", "auth", "Middleware", "a",
                                                   spec={}),
                   kind("traefik.io/v1alpha1", "shop", "IngressRoute", spec={"routes": [
                       {"match": "Host(`shop.example`) && PathPrefix(`/`)",
                        "middlewares": [{"name": "auth", "namespace": "a"}],
                        "services": [{"name": "web", "port": 80}]}]})),
        ask=("outside", "shop.example:80"), result="no-such-name",
        cause=("a host of IngressRoute", "of another namespace"), mend="allowCrossNamespace=true",
        rule="ingress-backend", words="middleware auth is of namespace a", fix="put the Middleware",
    ),
    "a client without an identity in the mesh": Told(
        manifests=(*NODES, *MESH, ALLOWS, pod("client", container={
            "env": [{"name": "WEB", "value": "http://web.mesh"}]})),
        ask=("pod/client", "svc/web.mesh:80"), result="connected",
        assumed="which only mutual TLS proves",
        rule="mesh-denial", words="does not let pod default/client in", fix="istio-injection",
    ),
    "a client that no AuthorizationPolicy means": Told(
        manifests=(*NODES, *MESH, ALLOWS, pod("client", namespace="mesh", container={
            "env": [{"name": "WEB", "value": "http://web"}]})),
        ask=("pod/mesh/client", "svc/web.mesh:80"), result="denied", by="mesh/web-0",
        cause=("does not let pod mesh/client in",), at="rules:",
        mend="add principals: [cluster.local/ns/mesh/sa/default]",
        rule="mesh-denial", words="does not let pod mesh/client in", fix="namespaces: [mesh]",
    ),
    "a port that ingress-nginx is not told to open": Told(
        manifests=(*NODES, *streams("--configmap=$(POD_NAMESPACE)/x")),
        ask=("node/node-1", "svc/front:5432"), result="refused",
        cause=("started without --tcp-services-configmap",), mend="=default/tcp",
        rule="target-port-number", words="opens port 5432 for nobody", fix="=default/tcp",
    ),
    "a port that ingress-nginx opens, and its Service has not": Told(
        manifests=(*NODES, *streams("--tcp-services-configmap=$(POD_NAMESPACE)/tcp", 80)),
        ask=("node/node-1", "svc/front:5432"), result="unreachable",
        mend="add port 5432 to Service front",
        rule="ingress-backend", words="no Service in front of it has that port",
        fix="add port 5432",
    ),
    "a port that ingress-nginx opens": Told(
        manifests=(*NODES, *streams("--tcp-services-configmap=$(POD_NAMESPACE)/tcp")),
        ask=("node/node-1", "svc/front:5432"), result="connected",
    ),
    "a name that cluster DNS rewrites to nothing": Told(
        manifests=(*ALL, DNS[0], COREDNS, rewriting("web.svc.cluster.local")),
        ask=("pod/client", "shop.example:80"), result="no-such-name",
        cause=("rewrites shop.example to web.svc.cluster.local",),
        mend="web.default.svc.cluster.local",
        at="rewrite name shop.example web.svc.cluster.local",
        rule="env-address", words="leads to web.svc.cluster.local", fix="write web.default",
    ),
    "a name that cluster DNS rewrites": Told(
        manifests=(*ALL, DNS[0], COREDNS, rewriting("web.default.svc.cluster.local")),
        ask=("pod/client", "shop.example:80"), result="connected",
    ),
    "a DestinationRule that asks for mutual TLS where no sidecar is": Told(
        manifests=(*NODES, *MESH[:1], pod("client", namespace="mesh", container={
            "env": [{"name": "WEB", "value": "http://web.default"}]}), *WEB,
                   speaking("*.default.svc.cluster.local", "ISTIO_MUTUAL")),
        ask=("pod/mesh/client", "svc/web.default:80"), result="connected",
        assumed="default/web-0 has no sidecar that takes it",
        rule="mesh-denial", words="speak Istio's mutual TLS", fix="write mode: DISABLE",
    ),
    "a subset that no DestinationRule has, from inside the mesh": Told(
        manifests=(*NODES, *spoken("http", "acme/own:1", 8080), leading_to("v1")),
        ask=("pod/mesh/client", ASKED), result="not-served",
        mend="a DestinationRule with subset v1",
        cause=("has the client's sidecar answer 503",), rule="ingress-backend",
        words="has a subset v1", fix="with subset v1",
    ),
    "a port called grpc- of a server of HTTP/1.1": Told(
        manifests=(*NODES, *spoken("grpc", "nginx:1.27", 80)), ask=("pod/mesh/client", ASKED),
        result="refused", cause=("speak HTTP/2 to it",), mend="name it http",
        rule="mesh-denial", words="says grpc", fix="name it http",
    ),
    "a port called http- of a database": Told(
        manifests=(*NODES, *spoken("http-db", "redis:7", 6379)), ask=("pod/mesh/client", ASKED),
        result="refused", cause=("a protocol of its own",), mend="name it redis-db",
        rule="mesh-denial", words="says http", fix="appProtocol: redis",
    ),
    "a port called grpc-https": Told(
        manifests=(*NODES, *spoken("grpc-https", "acme/own:1", 14250)),
        ask=("pod/mesh/client", ASKED), result="refused", cause=("its name says https too",),
        rule="mesh-denial", words="says grpc", fix="begin in https-",
    ),
    "a port called tcp- of a database": Told(
        manifests=(*NODES, *spoken("tcp-db", "redis:7", 6379)), ask=("pod/mesh/client", ASKED),
        result="connected",
    ),
    "a DestinationRule without mutual TLS where nothing else is taken": Told(
        manifests=(*NODES, *MESH, MUTUAL_TLS, pod("client", namespace="mesh", container={
            "env": [{"name": "WEB", "value": "http://web"}]}), speaking("web", "DISABLE")),
        ask=("pod/mesh/client", "svc/web.mesh:80"), result="refused",
        cause=("speak no mutual TLS of Istio's",), at="mode: DISABLE",
        rule="mesh-denial", words="take nothing else", fix="ISTIO_MUTUAL",
    ),
    "a back end of gRPC": Told(
        manifests=(*NODES, service("web", port={"name": "grpc", "port": 80}, to=8080), WEB[1],
                   OWN_CLASS, INGRESS),
        ask=("outside", "shop.example:443"), result="no-such-name",
        cause=("speaks HTTP/1.1 to port 80",), mend="backend-protocol: GRPC",
        rule="ingress-backend", words="gRPC", fix="backend-protocol: GRPC",
    ),
    "an Ingress without a class before NGINX's controller": Told(
        manifests=(*ALL, ingress("shop.example"), pod("nginx", container={
            "image": "nginx/nginx-ingress:3.6.1"})),
        ask=("outside", "shop.example:80"), result="no-such-name",
        cause=("names no class",), mend="ingressClassName: nginx",
        rule="ingress-backend", words="those of class nginx alone", fix="ingressClassName: nginx",
    ),
    "a client whom kube-proxy takes for a stranger, and a policy": Told(
        manifests=(node(1, address="10.9.1.11"), node(2, address="10.9.1.12"), CLIENT, *WEB, FELIX,
                   kind("projectcalico.org/v3", "pool", "IPPool", spec={
                       "cidr": "192.168.0.0/16", "ipipMode": "Always"}),
                   kube_proxy(clusterCIDR="10.244.0.0/16"),
                   policy("web", "web", **lets_in({"podSelector": having(app="client")}))),
        result="timeout", cause=("takes the pod for a stranger",),
        mend="set clusterCIDR: 192.168.0.0/16",
        rule="address-overlap", words="takes pods for strangers", fix="set clusterCIDR",
    ),
    "kube-vip that keeps to its class": Told(
        manifests=(*NODES, pod("vip", namespace="kube-system", hostNetwork=True, container={
            "image": "ghcr.io/kube-vip/kube-vip:v0.8.9", "env": [
                {"name": "svc_enable", "value": "true"},
                {"name": "lb_class_only", "value": "true"},
                {"name": "lb_class_name", "value": "example.org/vip"}]}),
                   service("web", to=8080, type="LoadBalancer", head={
                       "annotations": {"kube-vip.io/loadbalancerIPs": "192.168.0.240"}}), WEB[1]),
        ask=("outside", "192.168.0.240:80"), result="unreachable",
        cause=("of loadBalancerClass example.org/vip alone",), mend="example.org/vip",
        rule="load-balancer", words="lb_class_only", fix="loadBalancerClass: example.org/vip",
    ),
    "a pool for no Service": Told(
        manifests=(*NODES, *metallb(serviceAllocation={}), BALANCED, WEB[1]),
        ask=("outside", "svc/web:80"), result="unreachable", cause=("chooses none",),
        mend="add namespace default", at="serviceAllocation: {}",
        rule="load-balancer", words="for no Service at all", fix="add namespace default",
    ),
    "a pool that the manifests themselves use up": Told(
        manifests=(*NODES, *metallb(addresses=["192.168.0.240/32"]), BALANCED, WEB[1],
                   service("web2", "app=web", to=8080, type="LoadBalancer")),
        ask=("outside", "svc/web2:80"), result="unreachable", cause=("is used up (",),
        mend="allow-shared-ip", rule="load-balancer", words="192.168.0.240: default/web",
        fix="widen the addresses",
    ),
    "a pool of Cilium's for other labels": Told(
        manifests=(*NODES, WEB[1], BALANCED, cilium_pool(
            serviceSelector={"matchLabels": {"pool": "blue"}})),
        ask=("outside", "svc/web:80"), result="unreachable",
        cause=("the serviceSelector of blue does not fit",), mend="labels that the selector",
        rule="load-balancer", words="does not fit its labels", fix="mend the selector",
    ),
    "an address of Cilium's that nothing announces": Told(
        manifests=(*NODES, WEB[1], BALANCED, cilium_pool()),
        ask=("outside", "192.168.0.240:80"), result="unreachable",
        cause=("nothing announces it",), mend="loadBalancerIPs: true",
        rule="load-balancer", words="no CiliumL2AnnouncementPolicy", fix="CiliumBGPClusterConfig",
    ),
    "an address of Cilium's that its nodes answer ARP for": Told(
        manifests=(*NODES, WEB[1], BALANCED, cilium_pool(),
                   kind("cilium.io/v2alpha1", "all", "CiliumL2AnnouncementPolicy", None,
                        spec={"loadBalancerIPs": True})),
        ask=("outside", "192.168.0.240:80"), result="connected",
    ),
    "a load balancer for AWS' controller": Told(
        manifests=(*NODES, WEB[1], of_aws("type", "external")),
        ask=("outside", "svc/web:80"), result="unreachable",
        cause=("leaves it to the AWS Load Balancer Controller",), mend="load-balancer-type: nlb",
        rule="load-balancer", words="which no manifest has", fix="run aws-load-balancer-contr",
    ),
    "what AWS' own provider does not read": Told(
        manifests=(*NODES, WEB[1], of_aws("private-ipv4-addresses", "10.0.0.5")),
        ask=("outside", "svc/web:80"), result="unreachable",
        cause=("does not read aws-load-balancer-private-ipv4",), mend="-type: external",
        rule="load-balancer", words="does not read", fix="nlb-target-type",
    ),
    "AWS' controller is there": Told(
        manifests=(*NODES, WEB[1], of_aws("type", "external"), pod("lbc", container={
            "image": "public.ecr.aws/eks/aws-load-balancer-controller:v2.8.1"})),
        ask=("outside", "svc/web:80"), result="unreachable", not_said="no manifest has",
        rule="load-balancer", words="<pending>", fix="nothing in a cloud",
    ),
    "hosts without fallthrough has the last word": Told(
        manifests=(*ALL, corefile("hosts {\n192.168.0.9 git.corp\n}")),
        ask=("pod/client", "www.example.com:443"), result="no-such-name",
        cause=("has no fallthrough",), mend="write fallthrough",
        rule="dns-policy", words="no fallthrough", fix="last line of its block",
    ),
    "hosts with fallthrough": Told(
        manifests=(*ALL, corefile("hosts {\n192.168.0.9 git.corp\nfallthrough\n}")),
        ask=("pod/client", "www.example.com:443"), result="connected",
    ),
    "a name that the Corefile has": Told(
        manifests=(*ALL, corefile("hosts {\n192.168.0.9 git.corp\n}")),
        ask=("pod/client", "git.corp:443"), result="connected",
        rule="dns-policy", words="no fallthrough",
    ),
    "the API server advertises an address of another network": Told(
        manifests=(CONTROL, NODES[1], CLIENT, service("kubernetes", None, 443), {
            "apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "kubernetes"},
            "subsets": [{"addresses": [{"ip": "10.0.2.15"}], "ports": [{"port": 6443}]}]}),
        ask=("pod/client", "svc/kubernetes:443"), result="unreachable",
        cause=("the address of no node",), mend="--advertise-address",
        rule="endpoints-by-hand", words="the API server runs on node-1",
    ),
    "a node by its name": Told(
        manifests=(*NODES, pod("m", container={
            "image": "registry.k8s.io/metrics-server/metrics-server:v0.6.4"})),
        ask=("pod/m", "node-2:10250"), result="no-such-name",
        cause=("node-2 is a node",), mend="192.168.0.12",
        rule="dns-policy", words="knows Services, no nodes", fix="-types=InternalIP",
    ),
    "a node mounts from a Service's name": Told(
        manifests=(*ALL, kind("v1", "data", "PersistentVolume", spec={
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"],
            "nfs": {"server": "web.default.svc.cluster.local", "path": "/"}})),
        ask=("node/node-1", "web.default.svc.cluster.local:80"), result="no-such-name",
        cause=("does not ask cluster DNS",), mend="ClusterIP",
        rule="dns-policy", words="mounts volumes", fix="fixed clusterIP",
    ),
    "a Corefile that asks nobody": Told(
        manifests=(*ALL, corefile("errors", forward="")),
        ask=("pod/client", "www.example.com:443"), result="no-such-name",
        cause=("no plugin forward",), mend="write forward .",
        rule="dns-policy", words="asks nobody", fix="forward . /etc/resolv.conf",
    ),
    "a Service is in a Corefile that asks nobody": Told(
        manifests=(*ALL, corefile("errors", forward="")),
        ask=("pod/client", "web:80"), result="connected",
    ),
    "a node that the plug-in's DaemonSet leaves out": Told(
        manifests=(labelled(NODES[0], "arch=amd64"), NODES[1], CLIENT, *WEB, workload(
            "DaemonSet", "kube-flannel-ds", "app=flannel", namespace="kube-system",
            container={"image": "quay.io/coreos/flannel:v0.12.0"},
            pod_spec={"hostNetwork": True, "nodeSelector": {"arch": "amd64"}})),
        result="connected", assumed="no pod of the network plug-in is on node-2",
        rule="network-daemons", words="no pod gets a network there", fix="nodeSelector",
    ),
    "a Service for one pod of a StatefulSet of another name": Told(
        manifests=(*NODES, CLIENT, service("web", "statefulset.kubernetes.io/pod-name=web-1"),
                   pod("back-1", "statefulset.kubernetes.io/pod-name=back-1", ports=[80])),
        result="refused", cause=("there is pod back-1",), mend="pod-name: back-1",
        rule="no-endpoints", words="no StatefulSet is called web",
    ),
    "nginx that listens by IPv4": Told(
        manifests=(DUAL, *nginx("listen 80;"), CLIENT), result="refused",
        cause=("ConfigMap default/web says so", "IPv4 alone"), mend="bind to ::",
        rule="bound-to-localhost", words="IPv4 alone",
    ),
    "nginx that listens by both": Told(
        manifests=(DUAL, *nginx("listen 80; # all\nlisten [::]:80;"), CLIENT),
        result="connected",
    ),
    "a node without a default route asks a Service": Told(
        manifests=ALL, ask=("node/node-1", "svc/web:80"),
        beside=(("ip_route", "node-1", ONE_WAY),),
        result="unreachable", cause=("not even a default route",), mend="ip route add default",
        rule="node-state", words="knows no way", fix="or a default route",
    ),
    "a VPN takes the pods' network": Told(
        manifests=ALL,
        beside=(("ip_route", "node-1", f"10.244.0.0/16 dev tun0\n{WAY_OUT}{ONE_WAY}"),
                ("ip_addr", "node-1", f"{CARDS}{TUNNEL}")),
        result="unknown", cause=("a VPN's device", "10.244.0.0/16 dev tun0"),
        mend="ip route add 10.244.2.0/24", at="10.244.0.0/16 dev tun0",
        rule="node-state", words="a VPN's device",
    ),
    "routes alone, of a card with another name": Told(
        manifests=ALL, beside=(("ip_route", "node-1", BY_ENS192),),
        ask=("pod/client", "198.51.100.7:443"), result="connected",
    ),
    "routes alone, and Docker's network is the asked one": Told(
        manifests=ALL, beside=(("ip_route", "node-1", BY_ENS192),),
        ask=("pod/client", "172.17.40.9:5432"), result="unreachable", by="node-1",
        cause=("on docker0", "Docker's network overlaps"), mend='"bip"',
        at="172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1 linkdown",
    ),
    "a VPN's table is asked before the main one": Told(
        manifests=ALL,
        beside=(("ip_route", "node-1", f"{BY_ENS192}10.244.2.0/24 dev tailscale0 table 52\n"),
                ("ip_rule", "node-1", TABLE_52)),
        result="unknown", by="node-1", cause=("of table 52", "ip rule 5270"),
        mend="--accept-routes=false", at="10.244.2.0/24 dev tailscale0 table 52",
        rule="node-state", words="before the main one",
    ),
    "a VPN's table in front of main takes what is for pods": Told(
        manifests=ALL,
        beside=(("ip_route", "node-1", EXIT_NODE), ("ip_rule", "node-1", BEFORE_MAIN),
                ("ip_addr", "node-1", f"{CARDS}{TUNNEL.replace('tun0', 'tailscale0')}")),
        result="unknown", by="node-1",
        cause=("into tailscale0", "of table 52: ip rule 5270 asks that table before the main one"),
        mend="ip rule add to 10.244.0.0/16 lookup main priority 5269",
        at="default dev tailscale0 table 52",
        rule="node-state", words="ip rule 5270 asks", fix="priority 5269",
    ),
    "a node by way of which one direction goes": Told(
        manifests=(*THREE, CLIENT, *WEB), options={"cni": "bridge"},
        beside=(("ip_route", "node-1", AROUND),), result="timeout", by="node-3",
        cause=("node-3 sees this direction alone", "10.244.2.0/24 via 192.168.0.13 dev eth0"),
        mend="on node-1: ip route replace 10.244.2.0/24 via 192.168.0.12",
        at="10.244.2.0/24 via 192.168.0.13 dev eth0",
        rule="node-state", words="and the questions go past it", fix="nf_conntrack_tcp_be_liberal",
    ),
    "an Event of a pod without a network": Told(
        manifests=(*NODES, CLIENT, WEB[0], CREATING, *BRIDGE_OF_BEFORE), result="refused",
        cause=('"cni0" already has an IP address different from 10.244.2.1/24',),
        mend="on node-2, ip link delete cni0", not_said="subnet.env",
        rule="no-endpoints", words="already has an IP address", fix="ip link delete cni0",
    ),
    "a client's own port that is a node port, in mode ipvs": Told(
        manifests=(CONTROL, NODES[1], APISERVER, kube_proxy(mode="ipvs"), WEB[1],
                   service("web", to=8080, type="NodePort", ports=[
                       {"port": 80, "targetPort": 8080, "nodePort": 42117}])),
        ask=("node/node-2", "node/node-1:7443"), source_port=42117, result="unknown", by="node-2",
        cause=("own port 42117 is a node port of Service default/web", "IPVS of node-2 takes"),
        mend="net.ipv4.ip_local_reserved_ports",
        rule="ephemeral-node-port", words="42117", fix="below 32768",
    ),
    "a port that the API server is told": Told(
        manifests=(CONTROL, NODES[1], APISERVER, kube_proxy(mode="ipvs")),
        ask=("node/node-2", "node/node-1:7443"), result="connected", silent="ephemeral-node-port",
    ),
    "the API servers' address is a Service's, in mode ipvs": Told(
        manifests=(*NODES, WEB[1], PROXY_OF_VIP,
                   service("web", to=8080, externalIPs=["192.168.0.100"])),
        ask=("node/node-2", "192.168.0.100:8443"), result="refused", by="node-2",
        cause=("has 192.168.0.100 on kube-ipvs0 of every node", "keepalived"),
        mend="an address that nobody else has",
        rule="external-ip", words="the nodes reach the API server at it (ConfigMap kube-system/",
    ),
    "a private host, which ip-masq-agent spares": Told(
        manifests=(*NODES, CLIENT, MASQ_AGENT, MASQ_CONFIG), options={"cni": "gke-ptp"},
        ask=("pod/client", "10.200.5.10:5432"), result="timeout", by="wire",
        cause=("It left node-1 with the pod's own address", "of chain IP-MASQ"),
        mend="take that range out of nonMasqueradeCIDRs",
    ),
    "cloned machines: one MAC address for both tunnels": Told(
        manifests=(told_tunnel(1), told_tunnel(2, mac=1), CLIENT, *WEB),
        result="timeout", by="node-2", cause=("a packet of its own that has come round",),
        mend="a machine-id of its own", rule="address-overlap", words="as that of node-1 has",
    ),
    "flanneld began with another VNI": Told(
        manifests=(told_tunnel(1), told_tunnel(2, vni=4096), CLIENT, *WEB),
        result="timeout", by="node-2", cause=("flannel.4096 of node-2 has VNI 4096",),
        mend="Backend.VNI", rule="address-overlap", words="VNI 4096, that of node-1 has 1",
    ),
    "keepalived has the address on a node without an endpoint": Told(
        manifests=(*NODES, WEB[1], service("web", to=8080, type="LoadBalancer",
                   externalTrafficPolicy="Local",
                   status={"loadBalancer": {"ingress": [{"ip": "192.168.0.200"}]}})),
        beside=(("ip_addr", "node-1", VIP_CARD),), ask=("outside", "192.168.0.200:80"),
        result="timeout", by="node-1", cause=("node-1 has no endpoint of it (node-2 has)",),
        mend="run one of its pods on node-1 too", at="externalTrafficPolicy: Local",
    ),
    "the network plug-in's masquerade is gone": Told(
        manifests=ALL, ask=("pod/client", "outside:443"),
        beside=(("iptables", "node-1", NO_MASQUERADE),), result="timeout", by="wire",
        cause=("Nothing that POSTROUTING of node-1", "iptables -F -t nat"),
        mend="restart the network plug-in's pod on node-1", at=":POSTROUTING ACCEPT [0:0]",
        rule="node-state", words="somebody has emptied the table",
    ),
    "a host in the Services' range, in mode nftables": Told(
        manifests=(*NODES, CLIENT, SUBNETS, kube_proxy(mode="nftables")),
        hosts={"db": "10.100.5.20"}, ask=("pod/client", "10.100.5.20:5432"),
        result="timeout", by="node-1", cause=("db has 10.100.5.20, in 10.96.0.0/12",),
        mend="another ServiceCIDR",
    ),
    "Docker's bridge in the Services' range": Told(
        manifests=(*ALL, BY_DOCKER), beside=(("ip_addr", "node-1", DOCKER_CARD),),
        result="connected", rule="address-overlap",
        words="docker0 of node-1 has 172.17.0.1/16, in the Services' range", fix="serviceSubnet",
    ),
    "a pod's macvlan address, asked by its own node": Told(
        manifests=(*NODES, told_of(WEB[1], "k8s.v1.cni.cncf.io/network-status",
                   '[{"name": "a", "default": true, "ips": ["10.244.2.2"]},'
                   ' {"name": "default/lan", "interface": "net1", "ips": ["192.168.0.77"]}]')),
        ask=("node/node-2", "192.168.0.77:80"), result="connected",
        assumed="every host but its own node, node-2, and the pods whose packets leave by that, as",
    ),
    "a pod with security groups of its own": Told(
        manifests=(*NODES, told_of(WEB[1], "vpc.amazonaws.com/pod-eni", "[]")),
        ask=("node/node-2", "pod/web-0:8080"), result="connected",
        assumed='aws-node\'s init container has DISABLE_TCP_EARLY_DEMUX: "true"',
    ),
    "IPv6 is not forwarded": Told(
        manifests=(DUAL, *nginx("listen [::]:80;"), CLIENT),
        beside=(("sysctl", "node-1", NO_IPV6),),
        result="timeout", by="node-1", cause=("net.ipv6.conf.all.forwarding = 0",),
        mend="set net.ipv6.conf.all.forwarding = 1", at="net.ipv6.conf.all.forwarding = 0",
        rule="node-state", words="does not forward packets",
    ),
    "a firewall keeps BGP out": Told(
        manifests=(*ALL, FELIX, pool("Never")), beside=(("iptables", "node-2", FEW_PORTS),),
        result="connected", assumed="node-1 does not reach node-2:179",
        rule="node-state", words="BGP, by which calico-node learns", fix="--dport 179",
    ),
    "a firewall keeps the API server from the kubelet": Told(
        manifests=(CONTROL, *ALL[1:]), beside=(("iptables", "node-2", FEW_PORTS),),
        ask=("node/node-1", "node/node-2:10250"), result="timeout",
        cause=("policy DROP of chain INPUT",), mend="--dport 10250",
        rule="node-state", words="kubectl logs and exec",
    ),
    "a stub domain at nobody's address": Told(
        manifests=(*ALL, corefile("errors", more="consul {\n    forward . 10.96.77.7\n}\n")),
        ask=("pod/client", "db.service.consul:5432"), result="no-such-name",
        cause=("asks 10.96.77.7 for names of consul",), mend="fixed clusterIP",
    ),
    "a stub domain elsewhere": Told(
        manifests=(*ALL, corefile("errors", more="default {\n    forward . 10.1.0.9\n}\n")),
        ask=("pod/client", "db.service.default:5432"), result="connected",
    ),
    "a name with ndots dots in Alpine": Told(
        manifests=(*NODES, *WEB, pod("client", container={"image": "node:20-alpine"}, dnsConfig={
            "options": [{"name": "ndots", "value": "1"}]})),
        ask=("pod/client", "web.default:80"), result="no-such-name",
        cause=("musl",), mend="ask web.default.svc.cluster.local",
    ),
    "a name with ndots dots elsewhere": Told(
        manifests=(*NODES, *WEB, pod("client", container={"image": "node:20-slim"}, dnsConfig={
            "options": [{"name": "ndots", "value": "1"}]})),
        ask=("pod/client", "web.default:80"), result="connected",
    ),
    "a policy beside it is refused": Told(
        manifests=(*ALL, policy("none", "", policyTypes=["Ingress"]),
                   policy("some", "web", ingress=[{"ports": [{"port": "8080"}]}])),
        options=CALICO, result="timeout", problems=1,
        cause=("NetworkPolicy some beside it is refused",), mend="at least one letter",
        rule="policy-denial", words="is refused by the API server",
    ),
    "a policy's label is the workload's alone": Told(
        manifests=(*NODES, *WEB, labelled(workload("Deployment", "client", "app=client"), "a=b"),
                   policy("web", "web", **lets_in({"podSelector": having(a="b")}))),
        ask=("deploy/client", "svc/web:80"), options=CALICO, result="timeout",
        cause=("Deployment client itself is labelled a=b",), mend="a: b into spec.template",
        rule="policy-denial", words="its pods are not",
    ),
    "a node port in a cloud": Told(
        manifests=(*of_cloud("gce"), service(
            "web", port={"port": 80, "nodePort": 30080}, to=8080, type="NodePort"), WEB[1]),
        ask=("outside", "node/node-1:30080"), result="connected",
        assumed="Google's firewall",
    ),
    "a port that kind publishes": Told(
        manifests=({"apiVersion": "kind.x-k8s.io/v1alpha4", "kind": "Cluster", "nodes": [
            {"role": "control-plane", "extraPortMappings": [
                {"containerPort": 30080, "hostPort": 8080}]}]},
            service("web", port={"port": 80, "nodePort": 30080}, type="NodePort"),
            workload("Deployment", "web", "app=web", container={"image": "nginx"})),
        ask=("outside", "localhost:8080"), result="connected",
    ),
    "Cilium does not know the API server": Told(
        manifests=(*ALL, kind("v1", "cilium-config", "ConfigMap", "kube-system",
                              data={"kube-proxy-replacement": "true"}),
                   workload("DaemonSet", "cilium", "k8s-app=cilium", namespace="kube-system",
                            container={"image": "quay.io/cilium/cilium:v1.15.3"})),
        ask=("pod/client", "pod/web-0:8080"), result="connected",
        rule="network-daemons", words="to which nobody leads", fix="k8sServiceHost",
    ),
    "cluster DNS at another port of its pods": Told(
        manifests=(*ALL, service("kube-dns", "k8s-app=kube-dns", {"port": 53, "protocol": "UDP"},
                                 5353, namespace="kube-system", clusterIP="10.96.0.10"),
                   pod("coredns-0", "k8s-app=kube-dns", namespace="kube-system", node="node-2",
                       ports=[{"containerPort": 5353, "protocol": "UDP"}]),
                   policy("out", "client", policyTypes=["Egress"], egress=[
                       TO_DNS, {"to": [{"podSelector": having(app="web")}]}])),
        ask=("pod/client", "web:80"), options=CALICO, result="no-such-name",
        cause=("port 5353/UDP",), mend="5353",
    ),
    "a node port that the server refuses": Told(
        manifests=(*NODES, WEB[1], service(
            "web", port={"port": 80, "nodePort": 8080}, type="NodePort")),
        ask=("outside", "node/node-1:8080"), result="refused", problems=1,
        cause=("Service web is refused and left out",), mend="take one from 30000",
    ),
    "a host by hand in the pods' range": Told(
        manifests=(*NODES, CLIENT, service("db", None, 5432), {
            "apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "db"},
            "subsets": [{"addresses": [{"ip": "10.244.50.10"}], "ports": [{"port": 5432}]}]}),
        ask=("pod/client", "svc/db:5432"), result="timeout",
        cause=("in the pods' range (10.244.0.0/16, assumed)",), mend="keep the pods' range",
        rule="endpoints-by-hand", words="in the pods' range",
    ),
    "kube-vip on a card that nodes have not": Told(
        manifests=(*NODES, WEB[1], balanced(service("web", to=8080, type="LoadBalancer"),
                                            {"ip": "192.168.0.240"}), VIP),
        ask=("outside", "192.168.0.240:80"), result="connected",
        assumed="announced on ens160 alone",
    ),
    "ARP in a cloud": Told(
        manifests=(*of_cloud("digitalocean"), WEB[1], balanced(
            service("web", to=8080, type="LoadBalancer"), {"ip": "192.168.0.240"}), VIP),
        ask=("outside", "192.168.0.240:80"), result="timeout", by="wire",
        cause=("whose network answers ARP itself",), mend="own load balancer",
        rule="load-balancer", words="whose network answers ARP itself", fix="own load balancer",
    ),
    "kube-vip's ranges are another namespace's": Told(
        manifests=(*NODES, WEB[1], VIP, service("web", to=8080, type="LoadBalancer"),
                   workload("Deployment", "kube-vip-cloud-provider", "app=kvcp", container={
                       "image": "ghcr.io/kube-vip/kube-vip-cloud-provider:v0.0.12"}),
                   kind("v1", "kubevip", "ConfigMap", "kube-system",
                        data={"range-dev": "192.168.0.240-192.168.0.250"})),
        ask=("outside", "svc/web:80"), result="unreachable",
        cause=("no addresses for namespace default",), mend="write range-global",
        rule="load-balancer", words="no addresses for namespace default", fix="range-default",
    ),
    "a host outside in the pods' range": Told(
        manifests=(*NODES, CLIENT), ask=("pod/client", "10.244.50.10:5432"), result="timeout",
        mend="no node has such pods",
    ),
    "a webhook's url with a Service's name": Told(
        manifests=(*HOOKED[:3], *NODES, CLIENT, kind(
            "admissionregistration.k8s.io/v1", "guard", "ValidatingWebhookConfiguration",
            webhooks=[{"name": "a.guard.example", "admissionReviewVersions": ["v1"],
                       "sideEffects": "None", "clientConfig": {"url": "https://hook.g.svc/x"}}])),
        ask=("node/node-1", "hook.g.svc:443"), result="no-such-name",
        cause=("does not ask cluster DNS",),
        rule="server-calls", words="name of Service g/hook", fix="clientConfig.service",
    ),
    "a load balancer inside the cloud": Told(
        manifests=(*of_cloud("azure"), WEB[1], balanced(
            service("web", to=8080, type="LoadBalancer"), {"ip": "192.168.0.99"},
            **{"azure-load-balancer-internal": "true"})),
        ask=("outside", "192.168.0.99:80"), result="connected",
        assumed="a load balancer inside the cloud's network",
    ),
    "a policy, asked by the load balancer's address": Told(
        manifests=(*NODES, CLIENT, WEB[1], balanced(
            service("web", to=8080, type="LoadBalancer"), {"ip": "198.51.100.20"}),
            policy("web", "web", **lets_in({"podSelector": having(app="client")}))),
        ask=("pod/client", "198.51.100.20:80"), options={"policy_engine": "kube-router"},
        result="refused", cause=("masqueraded on node-1",), mend="by its own name from inside",
    ),
    "the Service of a StatefulSet is refused": Told(
        manifests=(*NODES, CLIENT, service("db", port=5432, clusterIP="none"), workload(
            "StatefulSet", "db", "app=db", serviceName="db")),
        ask=("pod/client", "db-0.db:5432"), result="no-such-name", problems=1,
        cause=("'none' is no IP address",),
        rule="governing-service", words="'none' is no IP address",
    ),
    "a node port that kind does not publish": Told(
        manifests=({"apiVersion": "kind.x-k8s.io/v1alpha4", "kind": "Cluster",
                    "nodes": [{"role": "control-plane"}]},
                   service("web", port={"port": 80, "nodePort": 30080}, type="NodePort"),
                   workload("Deployment", "web", "app=web", container={"image": "nginx"})),
        ask=("outside", "localhost:30080"), result="connected",
        assumed="kind publishes no port 30080",
    ),
    "an address that no Service has, asked by a node": Told(
        manifests=(*NODES, service("db", port=5432)),
        ask=("node/node-1", "10.106.156.167:5432"), result="unreachable",
        mend="ask Service db by its name",
    ),
    "a pod asks itself in kubenet": Told(
        manifests=ALL, ask=("pod/web-0", "svc/web:80"), options={"cni": "kubenet"},
        result="connected",
    ),
    "IPIP in Azure": Told(
        manifests=(*of_cloud("azure"), CLIENT, *WEB, FELIX, pool("Always")),
        result="timeout", by="wire", cause=("Azure's network drops IPIP",),
        mend="vxlanMode: Always", at="ipipMode: Always",
        rule="not-modelled", words="drops IPIP", fix="vxlanMode: Always",
    ),
    "no tunnel in a subnet of AWS": Told(
        manifests=(*of_cloud("aws"), CLIENT, *WEB, FELIX, pool("CrossSubnet")),
        result="connected", assumed="source/destination check is off",
        rule="not-modelled", words="puts no tunnel", fix="vxlanMode: Always",
    ),
    "Azure's probe at ingress-nginx": Told(
        manifests=(*of_cloud("azure"), probed(), CONTROLLER), ask=("outside", "20.73.10.11:80"),
        result="timeout", by="wire", cause=("answers 404",), mend="request-path: /healthz",
        rule="load-balancer", words="no node counts as healthy", fix="request-path: /healthz",
    ),
    "Azure's probe where nginx answers": Told(
        manifests=(*of_cloud("azure"), CONTROLLER,
                   probed("azure-load-balancer-health-probe-request-path", "/healthz")),
        ask=("outside", "20.73.10.11:80"), result="connected", not_said="404",
    ),
    "a load balancer that ends TLS, to the controller's own TLS port": Told(
        manifests=(*NODES, CONTROLLER, ENTRY, ended("do-loadbalancer-certificate-id", 443)),
        ask=("outside", "https://shop.example/"), result="not-served", at="targetPort: 443",
        cause=("ingress-nginx answers 400", "ends TLS itself"), mend="write targetPort: 80",
        rule="load-balancer", words="in plain to the controller's TLS port", fix="targetPort: 80",
    ),
    "the same to its plain port": Told(
        manifests=(*NODES, CONTROLLER, ENTRY, ended("do-loadbalancer-certificate-id", 80)),
        ask=("outside", "https://shop.example/"), result="not-served", cause=("answers 503",),
        not_said="ends TLS",
    ),
    "PROXY protocol, which the controller is not told to expect": Told(
        manifests=(*NODES, READS_HEADERS, ENTRY, ended("aws-load-balancer-proxy-protocol", 443),
                   kind("v1", "front", "ConfigMap", data={"use-gzip": "true"})),
        ask=("outside", "http://shop.example/"), result="not-served", cause=("answers 400",),
        mend="use-proxy-protocol", rule="load-balancer", words="header", fix="ConfigMap",
    ),
    "PROXY protocol, and a pod that comes past the load balancer": Told(
        manifests=(*NODES, CLIENT, READS_HEADERS, ENTRY, ended("x", 443),
                   kind("v1", "front", "ConfigMap", data={"use-proxy-protocol": "true"})),
        ask=("pod/client", "http://shop.example/"), result="not-served",
        at="use-proxy-protocol: 'true'",
        cause=("answers 400", "broken header"), mend="ask the Service behind it",
    ),
    "what Google's load balancer asks, beside a probe that is no HTTP": Told(
        manifests=(*of_cloud("gce"), ENTRY, service("shop", to=8080), probing({"tcpSocket": {}})),
        ask=("outside", "http://shop.example/"), result="no-such-name", at="tcpSocket:",
        cause=("for / and wants 200",), mend="write a BackendConfig",
        rule="ingress-backend", words="they count as dead", fix="an httpGet of port 8080",
    ),
    "what Google's load balancer asks, beside a probe by HTTP": Told(
        manifests=(*of_cloud("gce"), ENTRY, service("shop", to=8080),
                   probing({"httpGet": {"path": "/healthy"}})),
        ask=("outside", "http://shop.example/"), result="no-such-name", not_said="wants 200",
    ),
    "a pod asks its own NLB": Told(
        manifests=(*NODES, CLIENT, WEB[1], named_balancer("nlb")),
        ask=("pod/client", "x.elb.amazonaws.com:80"), result="no-such-name",
        cause=("keeps the client's address",), mend="ask Service web by its own name",
    ),
    "a proxy for everybody takes Services too": Told(
        manifests=(*NODES, CLIENT, WEB[1], PLAIN), beside=(("iptables", "node-1", PROXIED),),
        result="connected", assumed="it is not Service default/web that answers: rule 1 of chain",
    ),
    "the same, and it is not masqueraded": Told(
        manifests=(*NODES, CLIENT, WEB[1], PLAIN),
        beside=(("iptables", "node-1", PROXIED.replace("! -d 10.244.0.0/16", "-d 10.8.0.0/16")),),
        result="timeout", cause=("leads 10.96.7.7:80 to 192.168.0.250:3128, from where",),
        mend="let it spare the addresses of pods and Services", at=PROXIED.splitlines()[3],
    ),
    "one device does not forward": Told(
        manifests=ALL, beside=(("sysctl", "node-2", CARD_SHUT),), result="timeout", by="node-2",
        cause=("comes in by eth0", "net.ipv4.conf.eth0.forwarding = 0"),
        mend="set net.ipv4.conf.eth0.forwarding = 1", at="net.ipv4.conf.eth0.forwarding = 0",
        rule="node-state", words="does not forward what comes in by eth0",
    ),
    "an address on lo, as behind LVS": Told(
        manifests=NODES, ask=("node/node-2", "192.168.0.100:80"),
        beside=(("ip_addr", "node-1", BY_LVS),
                ("sysctl", "node-1", ARP_SHY)),
        result="unreachable", cause=("node-1 has it on lo", "arp_ignore"), mend="ip addr add",
    ),
    "a listener of a Gateway without a route": Told(
        manifests=(*NODES, gateway("192.168.0.240")), ask=("outside", "192.168.0.240:5432"),
        result="unreachable", cause=("the address of Gateway default/gw", "has no route"),
        mend="write a TCPRoute with parentRefs: [{name: gw, sectionName: pg}]",
    ),
    "a route that names a listener that is not there": Told(
        manifests=(*NODES, gateway("20.73.10.11"), tcp_route("postgres")),
        ask=("outside", "20.73.10.11:5432"), result="timeout",
        cause=("the address of Gateway default/gw", "has no listener postgres"),
        mend="write sectionName: pg", rule="route-parent", words="has no listener postgres",
    ),
    "another port of a Gateway": Told(
        manifests=(*NODES, gateway("192.168.0.240"), tcp_route("pg")),
        ask=("outside", "192.168.0.240:5433"), result="unreachable",
        cause=("no listener at port 5433 (it has 5432)",), mend="ask one of those",
    ),
    "a Gateway whose controller is not in the input": Told(
        manifests=(*NODES, CLIENT, gateway("20.73.10.11"), tcp_route("pg")),
        ask=("pod/client", "20.73.10.11:5432"), result="connected",
        assumed="the address of Gateway default/gw (its status), and the Service of its controller",
    ),
    "a pod asks its own NLB, whose targets are pods": Told(
        manifests=(*NODES, CLIENT, WEB[1], named_balancer("external", **{
            "aws-load-balancer-nlb-target-type": "ip",
            "aws-load-balancer-target-group-attributes": "preserve_client_ip.enabled=true"})),
        ask=("pod/client", "x.elb.amazonaws.com:80"), result="no-such-name",
        cause=("chooses the pod that asks",), mend="preserve_client_ip.enabled=false",
    ),
    "a pod is asked by a node port": Told(
        manifests=(*NODES, CLIENT, WEB[1], NODE_PORT), ask=("pod/client", "pod/web-0:30080"),
        result="refused", cause=("it is the nodePort of Service default/web",), mend="ask for 8080",
    ),
    "a cloud's load balancer to node ports that are not there": Told(
        manifests=(*of_cloud("aws"), portless({"ip": "20.73.10.11"}), WEB[1]),
        ask=("outside", "20.73.10.11:80"), result="timeout", cause=("sends to the nodes' ports",),
        rule="load-balancer", words="sends to the nodes' ports", fix="nlb-target-type: ip",
    ),
    "the same, asked by its name": Told(
        manifests=(*of_cloud("aws"), portless({"hostname": "x.elb.amazonaws.com"}), WEB[1]),
        ask=("outside", "x.elb.amazonaws.com:80"), result="no-such-name",
        cause=("sends to the nodes' ports",), mend="NodePorts: false away",
    ),
    "a load balancer of AWS whose targets are pods": Told(
        manifests=(*of_cloud("aws"), WEB[1],
                   portless({"ip": "20.73.10.11"}, **{"aws-load-balancer-nlb-target-type": "ip"})),
        ask=("outside", "20.73.10.11:80"), result="connected", not_said="nodes' ports",
    ),
    "a pool of Calico for other nodes": Told(
        manifests=(labelled(NODES[0], "zone=a"), NODES[1], CLIENT, *WEB,
                   pool("Never", nodeSelector="!has(none) && zone == 'a'")),
        result="refused", cause=("addresses to pods of node-2: pods is for",), mend="label node-2",
        rule="unschedulable", words="addresses to pods of node-2", fix="label node-2",
    ),
    "a pool of Calico that is closed": Told(
        manifests=(*NODES, pool("Never", disabled=True), *WEB), ask=("node/node-1", "svc/web:80"),
        result="refused", cause=("pods has disabled: true",), mend="take disabled: true out",
        at="disabled: true", rule="unschedulable", fix="take disabled: true out",
    ),
    "a pool of Calico beside a closed one": Told(
        manifests=(*NODES, pool("Never", "old", disabled=True), pool("Never"), CLIENT, *WEB),
        result="connected",
    ),
    "a selector with a label too many, of a value that another has": Told(
        manifests=(*NODES, CLIENT, service("web", "app=web,tier=web", to=8080),
                   workload("Deployment", "web", replicas=1, ports=[8080])),
        result="refused", mend="write no tier in the selector", not_said="app: web instead",
        rule="no-endpoints", fix="no tier",
    ),
    "a controller whose health probes are answered elsewhere": Told(
        manifests=(*NODES, CLIENT, WEB[0], pod("web-0", "app=web", ports=[8080, 8081], container={
            "args": ["--health-probe-bind-address=:9090"],
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8081}}})),
        result="refused", cause=("has it answered on 9090",), mend="write port: 9090",
        rule="probe-port", words="has it answered on 9090", fix="write port: 9090",
    ),
    "a readiness probe beside the declared port": Told(
        manifests=(*NODES, CLIENT, WEB[0], pod("web-0", "app=web", ports=[8080], container={
            "readinessProbe": {"tcpSocket": {"port": 8081}}})),
        result="connected", assumed="Else write port: 8080",
        rule="never-ready", words="8080 is declared", fix="write port: 8080",
    ),
    "the API server at a pod's own localhost": Told(
        manifests=(*NODES, pod("client", container={"args": ["--master=https://127.0.0.1:6443"]})),
        ask=("pod/client", "127.0.0.1:6443"), result="refused",
        mend="ask kubernetes.default.svc:443",
        rule="env-address", words="the API server does", fix="kubernetes.default.svc:443",
    ),
    "a public name below a top level that is a namespace too": Told(
        manifests=(
            *NODES,
            pod("client", container={"env": [{"name": "URL", "value": "https://go.dev:443"}]}),
            pod("d", namespace="dev"),
        ),
        ask=("pod/client", "go.dev:443"), result="connected",
    ),
    "a name of a country whose code is a namespace too": Told(
        manifests=(*NODES, CLIENT, service("db", namespace="de"), pod("db-0", namespace="de")),
        ask=("pod/client", "www.example.de:443"), result="connected",
    ),
    "a Service misspelt in a namespace called as a country is": Told(
        manifests=(*NODES, CLIENT, service("backend", namespace="de")),
        ask=("pod/client", "backnd.de:80"), result="no-such-name", mend="backend.de",
    ),
    "a public name below a top level that is a headless Service too": Told(
        manifests=(*NODES, CLIENT, service("app", clusterIP="None"), pod("app-0", "app=app")),
        ask=("pod/client", "example.app:443"), result="connected",
    ),
    "an alias to a public name whose first label is its own": Told(
        manifests=(*NODES, CLIENT,
                   service("go", None, None, type="ExternalName", externalName="go.dev")),
        ask=("pod/client", "go:443"), result="connected",
    ),
    "a pod that a headless Service has not, below a public top level": Told(
        manifests=(*NODES, CLIENT, service("app", clusterIP="None"), pod("app-0", "app=app")),
        ask=("pod/client", "app-7.app:443"), result="no-such-name", cause=("hostname app-7",),
    ),
    "a Service misspelt below a public top level": Told(
        manifests=(*NODES, CLIENT, service("frontend", namespace="dev")),
        ask=("pod/client", "fronted.dev:80"), result="no-such-name",
        mend="did you mean frontend.dev?",
    ),
    "a load balancer's address that nobody announces, and its ClusterIP": Told(
        manifests=(*NODES, *metallb()[:2], BALANCED, WEB[1]),
        ask=("outside", "svc/web:80"), result="unreachable",
        cause=("and nobody answers for 192.168.0.200",), not_said="ask 192.168.0.200",
    ),
    "a Gateway for pods that there are none of": Told(
        manifests=(*ALL, *PROXY, chosen("ingressgateway"), virtual_service("front")),
        ask=("outside", "shop.example:80"), result="not-served", at="",
        mend="write istio: ingress into the selector of Gateway front",
        rule="ingress-backend", words="is for pods istio=ingressgateway",
        fix="write istio: ingress",
    ),
    "a Gateway whose port is the node port": Told(
        manifests=(*ALL, PROXY[1], service("proxy", "app=proxy", {"port": 80, "nodePort": 30080},
                   type="LoadBalancer", status=BALANCER), opens(30080), virtual_service("front")),
        ask=("outside", "http://shop.example/"), result="refused", cause=("none for pod",),
        mend="write a server with port.number: 80",
        rule="ingress-backend", words="30080 is the node port", fix="write port.number: 80",
    ),
    "a gateway that may open no port below 1024": Told(
        manifests=(*ALL, *UNPRIVILEGED, opens(80), virtual_service("front")),
        ask=("outside", "http://shop.example/"), result="refused",
        cause=("it skips ports below 1024",), mend="targetPort: 8080",
        rule="ingress-backend", words="ISTIO_META_UNPRIVILEGED_POD", fix="targetPort: 8080",
    ),
    "a gateway behind two Services, one of which has no port of the Gateway's": Told(
        manifests=(*ALL, UNPRIVILEGED[1], opens(80), service("proxy", to=8080),
                   service("other", "istio=ingress", 15021), virtual_service("front")),
        result="connected", silent="ingress-backend",
    ),
    "a Gateway for those that there are": Told(
        manifests=(*ALL, *PROXY, chosen("ingress"), virtual_service("front")),
        ask=("outside", "http://shop.example/"), result="connected",
    ),
    "a route that Traefik serves at another entry point": Told(
        manifests=(*ALL, service("front", to=8000, type="LoadBalancer", status=BALANCER),
                   pod("front", "app=front", ports=[8000], container=TRAEFIK_CRD),
                   kind("traefik.io/v1alpha1", "shop", "IngressRoute", spec={
                       "entryPoints": ["websecure"], "routes": [{"match": "Host(`shop.example`)",
                       "services": [{"name": "web", "port": 80}]}]})),
        ask=("outside", "shop.example:80"), result="not-served",
        cause=("Traefik answers 404", "is served at entry point websecure"),
    ),
    "a selector beside a Service's spec": Told(
        manifests=(*NODES, CLIENT, {**service("web", None), "selector": {"app": "web"}}, WEB[1]),
        result="refused", cause=("one stands outside of its spec",), mend="indent selector",
        at="selector:", rule="no-selector", fix="indent selector",
    ),
    "a Service's name in hostAliases": Told(
        manifests=(*NODES, service("db"), pod("client", hostAliases=[
            {"ip": "10.0.0.5", "hostnames": ["db"]}])),
        ask=("pod/client", "db:80"), result="unreachable", mend="take db out of hostAliases",
        rule="dns-policy", words="which is not that Service's", fix="take db out of hostAliases",
    ),
    "a proxy that knows no Services": Told(
        manifests=(*ALL[:2], *WEB, pod("client", container={"env": [
            {"name": "HTTP_PROXY", "value": "http://me:very@secret@proxy.example:3128"},
            {"name": "no_proxy", "value": "localhost,.example"},
            {"name": "WEB_URL", "value": "http://web.default.svc/x"}]})),
        ask=("pod/client", "web.default.svc:80"), result="connected", not_said="secret",
        assumed="goes to proxy.example instead", rule="env-address",
        words="no_proxy holds no end of that name", fix="add .svc,.cluster.local to NO_PROXY",
    ),
    "a proxy that is spared": Told(
        manifests=(*ALL[:2], *WEB, pod("client", container={"env": [
            {"name": "http_proxy", "value": "proxy.example:3128"},
            {"name": "NO_PROXY", "value": "10.0.0.0/8, .svc"},
            {"name": "WEB_URL", "value": "http://web.default.svc/x"}]})),
        ask=("pod/client", "web.default.svc:80"), result="connected",
    ),
    "a value with quotes inside": Told(
        manifests=(*NODES, *WEB, pod("client", container={"env": [
            {"name": "WEB_URL", "value": "'http://web:80'"}]})),
        result="connected", rule="env-address", words="begins and ends in '",
        fix="without the quotes",
    ),
    "an image that has left its registry": Told(
        manifests=(*NODES, CLIENT, WEB[0], pod("web-0", "app=web", ports=[8080], container={
            "image": "bitnami/etcd:3.5.9"})),
        result="connected", assumed="bitnamilegacy/etcd:3.5.9", rule="never-ready",
        words="off Docker Hub", fix="bitnamilegacy/etcd:3.5.9",
    ),
    "a kubeadm without podSubnet, and flannel": Told(
        manifests=({"apiVersion": "kubeadm.k8s.io/v1beta3", "kind": "ClusterConfiguration",
                    "networking": {"serviceSubnet": "10.96.0.0/12"}},
                   node(1), node(2), CLIENT, *WEB, workload(
                       "DaemonSet", "flannel", "app=flannel", namespace="kube-system",
                       container={"image": "flannel/flannel:v0.25.5"},
                       pod_spec={"hostNetwork": True})),
        result="connected", assumed="by a kubeadm without podSubnet",
        rule="no-pod-cidr", words="it has no podSubnet", fix="podSubnet",
    ),
    "a pattern as a path of type Prefix": Told(
        manifests=(*ALL, service("front", to=80, type="LoadBalancer", status=BALANCER),
                   pod("front", "app=front", ports=[80], container={
                       "image": "registry.k8s.io/ingress-nginx/controller:v1.12.1"}),
                   kind("networking.k8s.io/v1", "nginx", "IngressClass",
                        spec={"controller": "k8s.io/ingress-nginx"}),
                   kind("networking.k8s.io/v1", "shop", "Ingress", spec={
                       "ingressClassName": "nginx", "rules": [{
                           "host": "shop.example", "http": {"paths": [{
                               "path": "/a(/|$)(.*)", "pathType": "Prefix", "backend": {"service": {
                                   "name": "web", "port": {"number": 80}}}}]}}]})),
        ask=("outside", "shop.example:80"), result="not-served",
        mend="write pathType: ImplementationSpecific", rule="ingress-backend",
        words="is no path to pathType Prefix", fix="ImplementationSpecific",
    ),
    "a host and its paths as two rules": Told(
        manifests=(*ALL, kind("networking.k8s.io/v1", "shop", "Ingress", spec={"rules": [
            {"host": "shop.example"}, {"http": {"paths": [{
                "path": "/", "pathType": "Prefix", "backend": {"service": {
                    "name": "web", "port": {"number": 80}}}}]}}]})),
        ask=("outside", "shop.example:80"), result="no-such-name",
        cause=("the host has no paths",), mend="take the - in front of http away",
        rule="ingress-backend", words="are two rules", fix="take the - in front of http away",
    ),
    "a policy's port is the node port": Told(
        manifests=(*NODES, service("web", "app=web", {
            "port": 80, "targetPort": 8080, "nodePort": 30644}, type="NodePort"), WEB[1], policy(
                "in", "web", ingress=[{"ports": [{"port": 30644}]}])),
        options=CALICO, ask=("outside", "node/node-2:30644"), result="timeout",
        cause=("the port of the pod itself counts, 8080",), mend="write port: 8080",
    ),
    "DNS pods that are labelled otherwise": Told(
        manifests=(*ALL[:2], pod("client", "app=client"), *WEB, {
            **DNS[0], "spec": {**DNS[0]["spec"], "selector": {"k8s-app": "coredns"}}}, pod(
                "coredns", "k8s-app=coredns", namespace="kube-system"), policy(
                "out", "client", policyTypes=["Egress"], egress=[{"to": [{
                    "namespaceSelector": {}, "podSelector": {
                        "matchLabels": {"k8s-app": "kube-dns"}}}]}])),
        options=CALICO, ask=("pod/client", "web:80"), result="no-such-name",
        cause=("pod kube-system/coredns has k8s-app=coredns",),
        mend="write k8s-app: coredns", rule="policy-denial", words="no name resolves",
    ),
    "an init container that waits for nobody's name": Told(
        manifests=(*NODES, CLIENT, service("web"), pod("web-0", "app=web", ports=[80],
                   initContainers=[{"name": "wait", "image": "busybox:1.28", "command": [
                       "sh", "-c", "until nslookup billing; do sleep 2; done"]}])),
        result="connected", assumed="waits for billing", rule="never-ready",
        words="no Service default/billing", fix="make Service billing",
    ),
    "a file of Elasticsearch's without network.host": Told(
        manifests=(*NODES, CLIENT, service("web", to=9200), kind(
            "v1", "es", "ConfigMap", data={"elasticsearch.yml": "cluster.name: a\nnode.name: b\n"}),
            pod("web-0", "app=web", ports=[9200], volumes=[
                {"name": "es", "configMap": {"name": "es"}}], container={
                    "image": "elasticsearch:7.17.22", "env": [
                        {"name": "discovery.type", "value": "single-node"}],
                    "volumeMounts": [{
                        "name": "es", "subPath": "elasticsearch.yml", "mountPath":
                        "/usr/share/elasticsearch/config/elasticsearch.yml"}]})),
        result="refused", cause=("leaves out network.host",), mend="write network.host: 0.0.0.0",
        rule="bound-to-localhost", words="leaves out network.host", fix="network.host: 0.0.0.0",
    ),
    "FastCGI's port that a Service has not": Told(
        manifests=(*ALL, kind("v1", "site", "ConfigMap", data={
            "default.conf": "location / {\n  fastcgi_pass web:9000;\n}\n"})),
        result="connected", rule="env-address", words="leads to port 9000 of Service default/web",
        fix="write port 80",
    ),
    "an argument of the kubelet's is no name of kube-proxy's": Told(
        manifests=(*NODES, PORT_OF_LOCAL, WEB[1], kube_proxy(hostnameOverride="w2.example.org"),
                   pod("agent", container={"args": ["--hostname-override=x"]})),
        ask=("outside", "node/node-2:30080"), result="timeout", by="node-2",
        cause=("it goes by the name w2.example.org",),
    ),
    "NodeLocal DNS, and an engine that only the option names": Told(
        manifests=(*ALL, *DNS, CACHE, KUBELET, policy(
            "client", "client", policyTypes=["Egress"],
            egress=[TO_DNS, {"to": [{"podSelector": having(app="web")}]}])),
        options=CALICO, ask=("pod/client", "web:80"), result="no-such-name",
        cause=("lets out nothing to NodeLocal DNS (169.254.20.10)",),
        rule="policy-denial", words="NodeLocal DNS (169.254.20.10)", fix="169.254.20.10/32",
    ),
    "a policy has the node's address, and the API server asks by a tunnel": Told(
        manifests=(CONTROL, NODES[1], FELIX, VXLAN_POOL, *HOOKED, policy("deny", "", "g", **lets_in(
            {"ipBlock": {"cidr": "192.168.0.11/32"}}, port=9443))),
        ask=("node/node-1", "svc/hook.g:443"), result="timeout", by="node-2",
        cause=("the address of vxlan.calico on node-1", "not its own (192.168.0.11)"),
        mend="and so of each node that asks",
        rule="server-calls", words="the address of vxlan.calico on node-1", fix="each node",
    ),
    "masqueradeAll hides the pod that a policy means": Told(
        manifests=(*ALL, kube_proxy(iptables={"masqueradeAll": True}),
                   policy("web", "web", **lets_in({"podSelector": having(app="client")}))),
        options=CALICO, result="timeout", cause=("kube-proxy's masqueradeAll is true",),
        mend="set masqueradeAll: false", at="masqueradeAll: true",
        rule="source-address", words="lets in nothing from 192.168.0.11", fix="masqueradeAll: fal",
    ),
    "Calico's cables by other names, longer than its tunnel": Told(
        manifests=(*ALL, FELIX, VXLAN_POOL, delegating('{"type": "calico", "mtu": 1500}')),
        size=3000,
        beside=(("ip_addr", "node-1", CALI_CARDS), ("ip_route", "node-1", CALI_ROUTES)),
        result="connected", assumed="1500 bytes do not fit through vxlan.calico of node-1",
        rule="mtu", words="pod default/client sends packets of 1500 bytes", fix="an mtu of 1450",
    ),
    "a node asks from the card of its default route, and kube-proxy knows no pods": Told(
        manifests=(*ALL, FELIX, kube_proxy(clusterCIDR="")), ask=("node/node-1", "svc/web:80"),
        beside=(("ip_addr", "node-1", CARDS.replace("12:34", "12:35")),
                ("ip_route", "node-1", ASKED_BY_NODE),
                ("ip_addr", "node-2", CARDS_AFAR),
                ("ip_route", "node-2", ASKED_FROM_AFAR), ("sysctl", "node-2", STRICT)),
        result="timeout", by="node-2",
        cause=("rp_filter = 1", "172.16.0.11 is node-1's address on the card", "no clusterCIDR"),
        mend="set clusterCIDR: 10.244.0.0/16", at="clusterCIDR: ''",
    ),
    "Services beside the pods in one range of 16 bits": Told(
        manifests=(node(1, "10.233.64.0/24"), node(2, "10.233.65.0/24"), CLIENT, WEB[1],
                   kube_proxy(clusterCIDR="10.233.64.0/18"),
                   service("web", to=8080, clusterIP="10.233.12.4")),
        result="connected",
    ),
    "the client's network is Docker's on the node": Told(
        manifests=(*NODES, NODE_PORT, WEB[1]), ask=("outside", "node/node-2:30080"),
        beside=(("ip_addr", "node-2", DOCKERS), ("ip_route", "node-2", DOCKER_ROUTES)),
        result="timeout", by="node-2",
        cause=("its answer is lost", "Docker's network overlaps"), mend='"bip"',
        at="203.0.113.0/24 dev docker0 scope link src 203.0.113.1 linkdown",
        not_said="ip link set docker0 up",
    ),
    "what leaves the VPC is hidden": Told(
        manifests=(NODES[0], CLIENT, workload(
            "DaemonSet", "aws-node", namespace="kube-system", pod_spec={"hostNetwork": True},
            container={"image": "amazon-k8s-cni:v1.15.1",
                       "env": [{"name": "AWS_VPC_K8S_CNI_EXTERNALSNAT", "value": "false"}]})),
        ask=("pod/client", "198.51.100.7:443"), result="connected",
        cause=("unless AWS_VPC_K8S_CNI_EXTERNALSNAT is true", "situation.yaml:"),
    ),
    "a rule of the pod's own node hides the client": Told(
        manifests=(*NODES, NODE_PORT, WEB[1]), ask=("outside", "node/node-2:30080"),
        beside=(("iptables", "node-2", HIDES),), result="connected",
        cause=("It need not", "put -d 10.244.2.0/24 -j RETURN in front"),
    ),
    "flanneld without --ip-masq, and its delegate does not either": Told(
        manifests=(*NODES, CLIENT, FLANNELD,
                   delegating('{"type": "flannel", "delegate": {"isDefaultGateway": true,'
                              ' "ipMasq": false}}')),
        ask=("pod/client", "198.51.100.7:443"), result="timeout", by="wire",
        cause=("flanneld runs without --ip-masq",), mend="write --ip-masq into its args",
        at="- name: main",
    ),
    "flannel's Network is not the pods'": Told(
        manifests=(node(1, "172.27.0.0/24"), CLIENT, kind(
            "v1", "canal-config", "ConfigMap", "kube-system", data={
                "net-conf.json": '{"Network": "10.42.0.0/16", "Backend": {"Type": "vxlan"}}'})),
        ask=("pod/client", "198.51.100.7:443"), result="timeout", by="wire",
        cause=("flannel masquerades its own Network 10.42.0.0/16",), mend="as Network into",
        rule="address-overlap", words="is not in flannel's Network", fix="net-conf.json",
    ),
    "hairpin mode is off in a ConfigMap": Told(
        manifests=(NODES[0], delegating('{"type": "bridge", "isDefaultGateway": true}'),
                   service("web", to=8080), pod("web-0", "app=web", ports=[8080])),
        ask=("pod/web-0", "svc/web:80"), result="timeout", cause=("hairpin mode of",),
        rule="hairpin", words="hairpin mode", fix="hairpinMode: true",
    ),
}  # fmt: skip


def world_of(folder: Path, case: Told) -> World:
    given: dict[str, Any] = dict(case.options or {})
    for option, name, text in case.beside:
        dump = folder / f"{name}-{option}.txt"
        dump.write_text(text, encoding="utf-8")
        given.setdefault(option, {})[name] = str(dump)
    file = write(folder, case.manifests)
    hosts = {name: OutsideHost(name=name, address=Address.parse(at))
             for name, at in (case.hosts or {}).items()}  # fmt: skip
    made = build_world([str(file)], ClusterOptions(hosts=hosts), NodeOptions(**given))
    assert len(made.problems) == case.problems, [one.render() for one in made.problems]
    return made


@pytest.mark.parametrize("name", CASES)
def test_walk_and_check_tell_it(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    made = world_of(tmp_path, case)
    port = case.source_port
    trace = walk(made, parse_request(made, *case.ask, source_port=port, data_bytes=case.size))
    done = trace.outcome
    told = f"{done.reason} | {done.advice}"
    assert done.result.value == case.result, told
    assert not case.by or done.decided_at == case.by
    assert all(words in done.reason for words in case.cause), told
    assert case.mend in done.advice, told
    assert not case.not_said or case.not_said not in told
    assert case.assumed in " ".join(trace.assumptions)
    if case.at:
        assert done.origin is not None
        assert done.origin.place is not None
        lines = Path(done.origin.place.file).read_text(encoding="utf-8").splitlines()
        assert lines[done.origin.place.line - 1].strip() == case.at
    findings = list(check(made))
    assert case.silent not in {one.rule for one in findings}
    if not case.rule:
        errors = [one for one in findings if one.severity.value == "error"]
        assert not errors or case.result != "connected", errors
        return
    said = [(one.rule, one.why, one.fix) for one in findings]
    assert any(r == case.rule and case.words in w and case.fix in f for r, w, f in said), said
