"""More of what people report: each was written down, with its cause, before a walk was asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from manifests_of import Manifest, kind, node, observed, pod, service, workload, write

from k8stui.cluster.options import ClusterOptions
from k8stui.nodes.options import NodeOptions
from k8stui.record import record
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world


@record(kw_only=True)
class Met:
    manifests: tuple[Manifest, ...]
    ask: tuple[str, str]
    result: str = ""
    why: str = ""
    mend: str = ""
    at: str = ""
    refused: str = ""
    """What is said of the object that the API server refuses."""
    options: dict[str, Any] | None = None


ASKER = pod("asker", node="node-2")
NODES = (node(1), node(2))
WEB = pod("web-0", "app=web", ports=[8080])
ENFORCED: dict[str, Any] = {"policy_engine": "calico"}


def asked(to: str, *manifests: Manifest, source: str = "pod/asker", **more: Any) -> Met:
    return Met(manifests=(*manifests, ASKER), ask=(source, to), **more)


def policy(name: str, pods: Any, namespace: str | None = None, **spec: Any) -> Manifest:
    return kind(
        "networking.k8s.io/v1", name, "NetworkPolicy", namespace, spec={"podSelector": pods, **spec}
    )


def app(name: str) -> dict[str, Any]:
    return {"matchLabels": {"app": name}}


CONTROL = node(1)
CONTROL["metadata"]["labels"] = {"node-role.kubernetes.io/control-plane": ""}


def dual(number: int) -> Manifest:
    made = node(number, f"10.244.{number}.0/24", f"fd00:10:{number}::/64")
    made["status"]["addresses"].append({"type": "InternalIP", "address": f"fd00:192::1{number}"})
    return made


def dns(selector: str = "k8s-app=kube-dns", **more: Any) -> tuple[Manifest, ...]:
    ports = [{"name": "dns", "port": 53, "protocol": "UDP", **more}]
    return (
        service("kube-dns", selector, namespace="kube-system", clusterIP="10.96.0.10", ports=ports),
        pod(
            "coredns-0",
            "k8s-app=kube-dns",
            namespace="kube-system",
            ports=[{"name": "dns-udp", "containerPort": 53, "protocol": "UDP"}],
        ),
    )


SITUATIONS = {
    # kubernetes/kubernetes #38061 and many: the selector of kube-dns fits none of its pods
    "another Service has taken cluster DNS' address": asked(
        "web:80",
        *NODES,
        service("typha", None, 5473, namespace="kube-system", clusterIP="10.96.0.10"),
        *dns(),
        service("web", to=8080),
        WEB,
        result="no-such-name",
        why="10.96.0.10, which Service kube-system/typha has already",
        mend="delete that one and make it again after kube-dns",
        at="clusterIP: 10.96.0.10",
        refused="which Service kube-system/typha has already",
    ),
    "the selector of kube-dns fits no pod": asked(
        "web:80",
        *dns("k8s-app=coredns"),
        service("web", to=8080),
        WEB,
        result="no-such-name",
        why="pod coredns-0 has k8s-app=kube-dns, not coredns",
        mend="write k8s-app: kube-dns",
        at="selector:",
    ),
    "kube-dns leads to a port name that the pods have not": asked(
        "web:80",
        *dns(targetPort="dns"),
        service("web", to=8080),
        WEB,
        result="no-such-name",
        why="declares a port named dns for UDP",
        mend="write targetPort: dns-udp",
        at="targetPort: dns",
    ),
    "a policy lets nobody in to cluster DNS": asked(
        "web:80",
        *dns(),
        service("web", to=8080),
        WEB,
        policy("closed", {}, "kube-system", policyTypes=["Ingress"]),
        options=ENFORCED,
        result="no-such-name",
        why="kube-system/closed selects pod kube-system/coredns-0 and lets in nothing from pod",
        mend="port 53/UDP in ingress of NetworkPolicy closed",
    ),
    "kubelet's clusterDNS is another address": asked(
        "web:80",
        *dns(),
        service("web", to=8080),
        WEB,
        kind(
            "v1",
            "kubelet-config",
            "ConfigMap",
            "kube-system",
            data={
                "kubelet": "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
                "clusterDNS:\n- 10.96.0.11\n"
            },
        ),
        result="no-such-name",
        why="clusterDNS is 10.96.0.11, the address of no name server",
        mend="write 10.96.0.10 into clusterDNS",
    ),
    "dnsPolicy None with a wrong nameserver": asked(
        "web.default.svc.cluster.local:80",
        *dns(),
        service("web", to=8080),
        WEB,
        pod("own", node="node-2", dnsPolicy="None", dnsConfig={"nameservers": ["10.96.0.100"]}),
        source="pod/own",
        result="no-such-name",
        why="dnsConfig names the nameserver 10.96.0.100",
        mend="write 10.96.0.10 into dnsConfig",
        at="dnsConfig:",
    ),
    "egress lets out DNS by TCP alone: no protocol is TCP": asked(
        "web:80",
        *dns(),
        service("web", to=8080),
        WEB,
        policy(
            "out",
            {},
            policyTypes=["Egress"],
            egress=[
                {"to": [{"namespaceSelector": {}}], "ports": [{"port": 53}]},
                {"to": [{"podSelector": app("web")}]},
            ],
        ),
        options=ENFORCED,
        result="no-such-name",
        why="53/UDP",
        mend="protocol: UDP",
    ),
    "egress names the API server's virtual address": asked(
        "kubernetes.default.svc:443",
        *NODES,
        service("kubernetes", None, {"name": "https", "port": 443}, 6443, clusterIP="10.96.0.1"),
        kind(
            "discovery.k8s.io/v1",
            "kubernetes",
            "EndpointSlice",
            addressType="IPv4",
            metadata={"name": "kubernetes", "labels": {"kubernetes.io/service-name": "kubernetes"}},
            ports=[{"name": "https", "port": 6443}],
            endpoints=[{"addresses": ["192.168.0.11"]}],
        ),
        policy(
            "out",
            {},
            policyTypes=["Egress"],
            egress=[
                {"to": [{"ipBlock": {"cidr": "10.96.0.1/32"}}]},
                {"ports": [{"port": 53, "protocol": "UDP"}]},
            ],
        ),
        options=ENFORCED,
        result="timeout",
        why="an ipBlock holds 10.96.0.1, the address of a Service",
        mend="{cidr: 192.168.0.11/32} and port 6443",
    ),
    "egress names the virtual address of a database outside": asked(
        "svc/stock",
        *NODES,
        service("stock", None, 5432, clusterIP="10.96.3.3"),
        kind(
            "discovery.k8s.io/v1",
            "stock-1",
            "EndpointSlice",
            addressType="IPv4",
            metadata={"name": "stock-1", "labels": {"kubernetes.io/service-name": "stock"}},
            ports=[{"port": 5432}],
            endpoints=[{"addresses": ["198.51.100.9"]}],
        ),
        policy(
            "out",
            {},
            policyTypes=["Egress"],
            egress=[{"to": [{"ipBlock": {"cidr": "10.96.3.3/32"}}]}],
        ),
        options=ENFORCED,
        result="timeout",
        why="an ipBlock holds 10.96.3.3",
        mend="{cidr: 198.51.100.9/32} and port 5432",
    ),
    "a controller on its node's network and a policy by namespace": asked(
        "svc/web.shop",
        kind("v1", "gate", "Namespace"),
        kind("v1", "shop", "Namespace"),
        *NODES,
        pod("edge", "app=edge", node="node-2", namespace="gate", hostNetwork=True),
        service("web", to=8080, namespace="shop"),
        pod("web-0", "app=web", ports=[8080], namespace="shop"),
        policy(
            "from-gate",
            app("web"),
            "shop",
            ingress=[
                {
                    "from": [
                        {
                            "namespaceSelector": {
                                "matchLabels": {"kubernetes.io/metadata.name": "gate"}
                            }
                        }
                    ]
                }
            ],
        ),
        options=ENFORCED,
        source="pod/gate/edge",
        result="timeout",
        why="a node's address, which pods of hostNetwork have too",
        mend="write ipBlock: {cidr: 192.168.0.12/32} (all: 0.0.0.0/0), in ingress of NetworkPolicy "
        "from-gate, and so each node",
    ),
    "a pod's name below a Service of another namespace": asked(
        "db-0.db:5432",
        service("db", "app=db", 5432, clusterIP="None", namespace="stock"),
        workload(
            "StatefulSet", "db", replicas=1, ports=[5432], serviceName="db", namespace="stock"
        ),
        result="no-such-name",
        why="the one in stock has db-0",
        mend="ask db-0.db.stock",
    ),
    "the name of a container of the own pod": asked(
        "cache:6379",
        pod(
            "shop",
            node="node-1",
            containers=[
                {"name": "shop", "image": "x"},
                {"name": "cache", "image": "redis", "ports": [{"containerPort": 6379}]},
            ],
        ),
        source="pod/shop",
        result="no-such-name",
        why="cache is a container of pod default/shop itself",
        mend="ask localhost:6379",
    ),
    "Docker's name for its host": asked(
        "host.docker.internal:5432",
        source="pod/asker",
        result="no-such-name",
        why="Docker's name for the machine",
        mend="192.168.0.12 is node-2's",
    ),
    "hostAliases hold the address of yesterday": asked(
        "db:5432",
        service("db", "app=db", 5432, clusterIP="10.96.4.4"),
        pod("db-0", "app=db", ports=[5432]),
        pod("old", node="node-2", hostAliases=[{"ip": "10.96.4.5", "hostnames": ["db"]}]),
        source="pod/old",
        result="unreachable",
        why="hostAliases",
        mend="hostAliases",
    ),
    "an alias of a short name": asked(
        "db:5432",
        service("db", None, None, type="ExternalName", externalName="db.stock"),
        service("db", "app=db", 5432, namespace="stock"),
        pod("db-0", "app=db", ports=[5432], namespace="stock"),
        result="no-such-name",
        why="no search list is added",
        mend="externalName: db.stock.svc.cluster.local",
        at="externalName: db.stock",
    ),
    "matchLabels in a Service": asked(
        "svc/web",
        {
            **service("web", to=8080),
            "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "ports": [{"port": 80, "targetPort": 8080}],
            },
        },
        WEB,
        refused="spec.selector.matchLabels needs a text, this is a mapping",
    ),
    "a number in quotation marks as targetPort": asked(
        "svc/web", service("web", to="8080"), WEB, refused="a port's name needs at least one letter"
    ),
    "a number in quotation marks as port": asked(
        "svc/web",
        service("web", port={"port": "80", "targetPort": 8080}),
        WEB,
        refused="the quotes make it a text",
    ),
    "a label that YAML takes for a truth": asked(
        "svc/web",
        service("web", to=8080),
        {**WEB, "metadata": {"name": "web-0", "labels": {"app": "web", "public": True}}},
        refused="metadata.labels.public needs a text; without quotes this is true",
    ),
    "a headless Service with node ports": asked(
        "svc/web",
        service("web", to=8080, clusterIP="None", type="NodePort"),
        WEB,
        refused="may not be None when type is NodePort",
    ),
    "a port in externalName": asked(
        "db:5432",
        service("db", None, None, type="ExternalName", externalName="db.example.com:5432"),
        refused="'db.example.com:5432' is no DNS name",
    ),
    "an endpoint on loopback": asked(
        "svc/db",
        service("db", None, 5432),
        kind(
            "v1",
            "db",
            "Endpoints",
            subsets=[{"addresses": [{"ip": "127.0.0.1"}], "ports": [{"port": 5432}]}],
        ),
        refused="127.0.0.1 is a loopback address",
    ),
    "an empty selector": asked(
        "svc/web",
        {
            **service("web", to=8080),
            "spec": {"selector": {}, "ports": [{"port": 80, "targetPort": 8080}]},
        },
        WEB,
        result="refused",
        why="it has no selector",
        mend="give it a selector",
        at="selector: {}",
    ),
    "a slice without ports": asked(
        "svc/db",
        service("db", None, 5432),
        kind(
            "discovery.k8s.io/v1",
            "db-1",
            "EndpointSlice",
            addressType="IPv4",
            metadata={"name": "db-1", "labels": {"kubernetes.io/service-name": "db"}},
            ports=[],
            endpoints=[{"addresses": ["198.51.100.9"]}],
        ),
        result="refused",
        why="have no ports",
        mend="write ports: [{port: 5432, protocol: TCP}]",
    ),
    "one Service for one pod that there is not": asked(
        "svc/db-3",
        service("db-3", "statefulset.kubernetes.io/pod-name=db-3", 5432),
        workload("StatefulSet", "db", replicas=3, ports=[5432], serviceName="db"),
        service("db", "app=db", 5432, clusterIP="None"),
        result="refused",
        why="asks for pod db-3, and StatefulSet db has 3 replicas (db-0, db-1, db-2)",
        mend="scale StatefulSet db up",
        at="selector:",
    ),
    "the hash of an old ReplicaSet in the selector": asked(
        "svc/web",
        service("web", "app=web,pod-template-hash=5d4f6c7b8", to=8080),
        workload("Deployment", "web", replicas=1, ports=[8080]),
        result="refused",
        why="which a controller gives anew",
        mend="take pod-template-hash out of the selector",
        at="selector:",
    ),
    "the pods stay without a node: taints": asked(
        "svc/web",
        node(1, taints=[{"key": "disk", "value": "old", "effect": "NoSchedule"}]),
        node(2, taints=[{"key": "disk", "value": "old", "effect": "NoSchedule"}]),
        service("web", to=8080),
        workload("Deployment", "web", replicas=1, ports=[8080]),
        result="refused",
        why="untolerated taint",
        mend="a toleration for the taint",
    ),
    "the network of the pod is not there yet": asked(
        "svc/web",
        service("web", to=8080),
        {
            **observed("web-0", "app=web", "10.244.1.5", ready=False, ports=[8080]),
            "status": {
                "phase": "Pending",
                "conditions": [{"type": "Ready", "status": "False"}],
                "containerStatuses": [
                    {
                        "name": "main",
                        "ready": False,
                        "restartCount": 0,
                        "image": "x",
                        "imageID": "",
                        "state": {"waiting": {"reason": "ContainerCreating"}},
                    }
                ],
            },
        },
        result="refused",
        why="main is waiting, ContainerCreating",
        mend="kubectl describe pod web-0",
    ),
    "node port, policy Local, asked by a pod": asked(
        "192.168.0.12:30080",
        *NODES,
        pod("web-0", "app=web", ports=[8080]),
        service(
            "web",
            ports=[{"port": 80, "targetPort": 8080, "nodePort": 30080}],
            type="NodePort",
            externalTrafficPolicy="Local",
        ),
        kind(
            "kubeadm.k8s.io/v1beta3",
            "",
            "ClusterConfiguration",
            networking={"podSubnet": "10.244.0.0/16"},
        ),
        result="connected",
    ),
    "node port, policy Local, asked by the node itself": asked(
        "192.168.0.12:30080",
        *NODES,
        pod("web-0", "app=web", ports=[8080]),
        service(
            "web",
            ports=[{"port": 80, "targetPort": 8080, "nodePort": 30080}],
            type="NodePort",
            externalTrafficPolicy="Local",
        ),
        source="node/node-2",
        result="connected",
    ),
    "source ranges of the other family only": asked(
        "198.51.100.61:80",
        *NODES,
        pod("web-0", "app=web", ports=[8080]),
        service(
            "web",
            to=8080,
            type="LoadBalancer",
            loadBalancerSourceRanges=["2001:db8::/32"],
            status={"loadBalancer": {"ingress": [{"ip": "198.51.100.61"}]}},
        ),
        source="outside",
        result="connected",
    ),
    "hostPort of the number of a node port": asked(
        "node/node-1:30080",
        *NODES,
        pod("web-0", "app=web", node="node-2", ports=[8080]),
        pod(
            "agent", "app=agent", node="node-1", ports=[{"containerPort": 9000, "hostPort": 30080}]
        ),
        service(
            "web", ports=[{"port": 80, "targetPort": 8080, "nodePort": 30080}], type="NodePort"
        ),
        source="outside",
        result="connected",
    ),
    "a server that listens for IPv4 alone, asked by IPv6": asked(
        "svc/web",
        dual(1),
        dual(2),
        service("web", to=8080, ipFamilies=["IPv6"], ipFamilyPolicy="SingleStack"),
        pod("web-0", "app=web", ports=[8080], container={"args": ["--listen=0.0.0.0:8080"]}),
        kind(
            "kubeadm.k8s.io/v1beta3",
            "",
            "ClusterConfiguration",
            networking={
                "podSubnet": "10.244.0.0/16,fd00:10::/56",
                "serviceSubnet": "10.96.0.0/16,fd00:96::/112",
            },
        ),
        result="refused",
        why="which is IPv4 alone: IPv6 is refused",
        mend="bind to ::",
    ),
    "a pod of a Service that is not headless, by its name": asked(
        "db-0.db:5432",
        service("db", "app=db", 5432),
        workload("StatefulSet", "db", replicas=1, ports=[5432], serviceName="db"),
        result="connected",
    ),
    "ping of a virtual address": asked(
        "svc/web/icmp",
        service("web", to=8080),
        WEB,
        result="unreachable",
        why="a ping is for none",
        mend="ask a port of the Service, svc/web:80",
    ),
    "egress to a name's address, and the policy asks for a port of the Service": asked(
        "svc/web",
        *NODES,
        service("web", "app=web", 80, 8080),
        WEB,
        policy(
            "out",
            {},
            policyTypes=["Egress"],
            egress=[{"to": [{"podSelector": app("web")}], "ports": [{"port": 80}]}],
        ),
        options=ENFORCED,
        result="timeout",
        why="8080",
        mend="port: 8080",
    ),
    "a label of the namespace that only its file had": asked(
        "svc/web.shop",
        kind("v1", "shop", "Namespace"),
        *NODES,
        service("web", to=8080, namespace="shop"),
        pod("web-0", "app=web", ports=[8080], namespace="shop"),
        policy(
            "team",
            app("web"),
            "shop",
            ingress=[{"from": [{"namespaceSelector": {"matchLabels": {"team": "sales"}}}]}],
        ),
        options=ENFORCED,
        result="timeout",
        why="its namespaceSelector team=sales fits no namespace",
        mend="kubectl label namespace default team=sales",
    ),
    "an endpoint of the API server on no node": asked(
        "kubernetes.default:443",
        CONTROL,
        node(2),
        service("kubernetes", None, {"name": "https", "port": 443}, 6443, clusterIP="10.96.0.1"),
        kind(
            "v1",
            "kubernetes",
            "Endpoints",
            subsets=[
                {"addresses": [{"ip": "192.168.0.99"}], "ports": [{"name": "https", "port": 6443}]}
            ],
        ),
        result="unreachable",
        why="192.168.0.99, the address of no node: the API server runs on node-1 (192.168.0.11)",
        mend="--advertise-address",
        at="ip: 192.168.0.99",
    ),
    "a Service asked in capital letters": asked(
        "WEB:80", service("web", to=8080), WEB, result="connected"
    ),
    "the Service's port in the name of the container's port": asked(
        "svc/web",
        service("web", to="http-web"),
        pod("web-0", "app=web", ports=[{"name": "web-http", "containerPort": 8080}]),
        result="refused",
        why="http-web",
        mend="web-http",
        at="targetPort: http-web",
    ),
    "a named port with another protocol": asked(
        "svc/names/udp",
        service(
            "names", "app=names", ports=[{"port": 5353, "targetPort": "dns", "protocol": "UDP"}]
        ),
        pod("n-0", "app=names", ports=[{"name": "dns", "containerPort": 5353}]),
        result="refused",
        why="UDP",
        mend="protocol",
    ),
    "two Services, one name of a pod's port, one pod by hand without it": asked(
        "svc/web",
        service("web", to="http"),
        pod(
            "web-0",
            "app=web",
            ports=[{"name": "http", "containerPort": 8080}],
            status={"phase": "Failed"},
        ),
        pod("web-1", "app=web", ports=[8080]),
        result="refused",
        why="no container of pod web-1 declares a port named http",
        mend="",
    ),
    "proxied headers: server sees the node's address": asked(
        "node/node-2:30080",
        *NODES,
        pod("web-0", "app=web", ports=[8080]),
        service(
            "web", ports=[{"port": 80, "targetPort": 8080, "nodePort": 30080}], type="NodePort"
        ),
        source="outside",
        result="connected",
    ),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_met(name: str, tmp_path: Path) -> None:
    case = SITUATIONS[name]
    file = write(tmp_path, case.manifests)
    made = build_world([str(file)], ClusterOptions(), NodeOptions(**(case.options or {})))
    said = [problem.render() for problem in made.problems]
    if case.refused:
        assert any(case.refused in each for each in said), said
        return
    assert not said
    found = walk(made, parse_request(made, *case.ask)).outcome
    told = f"{found.reason} | {found.advice}"
    assert found.result.value == case.result, told
    assert case.why in found.reason, told
    assert case.mend in found.advice, told
    if case.at:
        assert found.origin is not None
        assert found.origin.place is not None
        lines = file.read_text(encoding="utf-8").splitlines()
        assert lines[found.origin.place.line - 1].strip().removeprefix("- ") == case.at
