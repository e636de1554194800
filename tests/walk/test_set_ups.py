"""How a cluster is set up, and what that keeps from being answered: said by walk and check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from manifests_of import Manifest, kind, node, pod, service, workload, write
from walk.test_reported import NODES, WEB, asking
from walk.test_told_by_both import Both, judge_both

from k8stui.check import Severity, check
from k8stui.cluster.options import ClusterOptions
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world

KUBELET: Manifest = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
}
COREFILE = """# zones
.:53 {
    errors
    health {
       lameduck 5s
    }
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
    }
    forward . /etc/resolv.conf
}
"""


def config(name: str, namespace: str | None = None, **data: str) -> Manifest:
    return kind("v1", name, "ConfigMap", namespace, data=data)


def name_server(corefile: str = COREFILE, replicas: int = 1) -> tuple[Manifest, ...]:
    """CoreDNS as kubeadm installs it."""
    both = [{"name": f"dns-{p.lower()}", "port": 53, "protocol": p} for p in ("UDP", "TCP")]
    return (
        service("kube-dns", "k8s-app=kube-dns", namespace="kube-system", clusterIP="10.96.0.10",
                ports=both),
        workload(
            "Deployment", "coredns", "k8s-app=kube-dns", namespace="kube-system",
            replicas=replicas,
            container={
                "args": ["-conf", "/etc/coredns/Corefile"],
                "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}],
            },
            ports=[{"containerPort": 53, "protocol": p} for p in ("UDP", "TCP")],
            pod_spec={"volumes": [{"name": "config", "configMap": {"name": "coredns"}}]},
        ),
        config("coredns", "kube-system", Corefile=corefile),
    )  # fmt: skip


def named(*manifests: Manifest, **more: Any) -> Any:
    return asking("web:80", *NODES, service("web", to=8080), WEB, *manifests, **more)


NAMES = {
    "all is well": Both(
        walked=named(*name_server(), KUBELET | {"clusterDNS": ["10.96.0.10"],
                                                "clusterDomain": "cluster.local"},
                     result="connected"),
    ),
    "the Corefile alone says the domain": Both(
        walked=named(*name_server(COREFILE.replace("cluster.local", "shop.example")),
                     result="connected"),
    ),
    "a Corefile that takes in others is not judged": Both(
        walked=named(*name_server(COREFILE.replace(".:53", ".:1053") + "import /etc/more/*\n"),
                     result="connected"),
    ),
    "the kubelet's file names another server": Both(
        walked=named(*name_server(), KUBELET | {"clusterDNS": ["10.43.0.10"]},
                     result="no-such-name", cause="the kubelet's clusterDNS is 10.43.0.10",
                     mend="write 10.96.0.10 into clusterDNS", at="clusterDNS:"),
        rule="dns-policy", words="10.43.0.10, the address of no name server", mend="10.96.0.10",
    ),
    "the kubelet's file names a cache that nobody runs": Both(
        walked=named(*name_server(), KUBELET | {"clusterDNS": ["169.254.20.10"]},
                     result="no-such-name", cause="clusterDNS is 169.254.20.10",
                     mend="or run NodeLocal DNS, which has it", at="clusterDNS:"),
        rule="dns-policy", words="169.254.20.10", mend="NodeLocal DNS",
    ),
    "the kubelet's domain is not the one that is served": Both(
        walked=named(*name_server(), KUBELET | {"clusterDomain": "shop.example"},
                     result="no-such-name",
                     cause="the kubelet's clusterDomain is shop.example, which every pod has in "
                     "its search list, and cluster DNS serves cluster.local",
                     mend="write clusterDomain: cluster.local", at="clusterDomain: shop.example"),
        rule="dns-policy", words="cluster DNS serves cluster.local", mend="cluster.local",
    ),
    "the full name resolves in spite of the kubelet's domain": Both(
        walked=asking("web.default.svc.cluster.local:80", *NODES, service("web", to=8080), WEB,
                      *name_server(), KUBELET | {"clusterDomain": "shop.example"},
                      result="connected"),
        rule="dns-policy", words="cluster DNS serves cluster.local", mend="cluster.local",
    ),
    "CoreDNS listens elsewhere": Both(
        walked=named(*name_server(COREFILE.replace(".:53", ".:1053")),
                     result="no-such-name", cause="CoreDNS listens on port 1053 (Corefile), "
                     "Service kube-dns leads to 53", mend="write targetPort: 1053",
                     at=".:1053 {"),
        rule="dns-policy", words="listens on port 1053", mend="targetPort: 1053",
    ),
    "CoreDNS listens elsewhere, for a zone of its own too": Both(
        walked=named(*name_server(COREFILE.replace(".:53", ".:1053")
                                  + "example.org:1053 {\n  forward . 192.0.2.53\n}\n"),
                     result="no-such-name", cause="CoreDNS listens on port 1053 (Corefile), "
                     "Service kube-dns leads to 53", mend="write targetPort: 1053",
                     at=".:1053 {"),
        rule="dns-policy", words="listens on port 1053", mend="targetPort: 1053",
    ),
    "CoreDNS knows no Services": Both(
        walked=named(*name_server(".:53 {\n  errors\n  forward . /etc/resolv.conf\n}\n"),
                     result="no-such-name", cause="has no plugin kubernetes",
                     mend="write kubernetes cluster.local", at=".:53 {"),
        rule="dns-policy", words="no plugin kubernetes", mend="write kubernetes cluster.local",
    ),
    "cluster DNS has no UDP port": Both(
        walked=named(service("kube-dns", "k8s-app=kube-dns", port=53, namespace="kube-system",
                             clusterIP="10.96.0.10"), *name_server()[1:],
                     result="no-such-name", cause="Service kube-dns has no port 53/UDP",
                     mend="add a port 53 with protocol: UDP"),
        rule="dns-policy", words="no port 53/UDP", mend="protocol: UDP",
    ),
    "cluster DNS has no replicas": Both(
        walked=named(*name_server(replicas=0), result="no-such-name",
                     cause="Deployment coredns, whose pods it selects, has replicas: 0",
                     mend="kubectl scale deployment/coredns"),
        rule="no-endpoints", words="Deployment kube-system/coredns", mend="--replicas=1",
        at="selector:",
    ),
}  # fmt: skip


def running(*command: str, port: int = 8000, **env: str) -> Any:
    """A pod that runs a command, and a Service in front of it."""
    container: dict[str, Any] = {"command": list(command)}
    if env:
        container["env"] = [{"name": name, "value": value} for name, value in env.items()]
    return (
        *NODES,
        service("web", to=port),
        pod("web-0", "app=web", ports=[port], container=container),
    )


def reading(text: str, key: str, port: int, **more: Any) -> tuple[Manifest, ...]:
    """A pod that mounts a ConfigMap of one file, and a Service in front of it."""
    return (
        *NODES,
        config("files", **{key: text}),
        service("web", to=port),
        pod("web-0", "app=web", ports=[port],
            volumes=[{"name": "files", "configMap": {"name": "files"}}],
            container={"volumeMounts": [{"name": "files", "mountPath": "/etc/files"}], **more}),
    )  # fmt: skip


def for_itself(*manifests: Manifest, mend: str, by: str, at: str = "") -> Both:
    return Both(
        walked=asking("svc/web", *manifests, result="refused", cause=f"to 127.0.0.1 ({by}",
                      mend=mend, at=at),
        rule="bound-to-localhost", words=by, mend=mend,
    )  # fmt: skip


def for_all(*manifests: Manifest) -> Both:
    return Both(walked=asking("svc/web", *manifests, result="connected"))


LISTENING = {
    "gunicorn is told nothing": for_itself(
        *running("gunicorn", "-w", "4", "shop.wsgi"), by="gunicorn does unless told otherwise",
        mend="--bind 0.0.0.0:8000"),
    "gunicorn in a script": for_itself(
        *running("sh", "-c", "python manage.py migrate && exec gunicorn shop.wsgi"),
        by="gunicorn does", mend="--bind 0.0.0.0:8000"),
    "gunicorn is told": for_all(*running("gunicorn", "-b", ":8000", "shop.wsgi")),
    "gunicorn is told by env": for_all(*running("gunicorn", "a", GUNICORN_CMD_ARGS="--bind :8000")),
    "gunicorn listens everywhere where there is PORT": for_all(
        *running("gunicorn", "a", PORT="8000")),
    "gunicorn reads a file": for_all(*running("gunicorn", "-c", "/etc/g.py", "shop.wsgi")),
    "gunicorn is installed, and something else runs": for_all(
        *running("sh", "-c", "pip install gunicorn && python serve.py")),
    "flask on another port": for_itself(
        *running("flask", "run", "--port=5005", port=5005), by="flask run does",
        mend="--host 0.0.0.0"),
    "Django's own server with a port only": for_itself(
        *running("python", "manage.py", "runserver", "8000"), by="manage.py runserver does",
        mend="runserver 0.0.0.0:8000"),
    "Django's own server for all": for_all(
        *running("python", "manage.py", "runserver", "0.0.0.0:8000")),
    "ASP.NET by its URL": for_itself(
        *running("dotnet", "shop.dll", port=5000, ASPNETCORE_URLS="http://localhost:5000"),
        by="its command, args or env say so", mend="let it bind to 0.0.0.0"),
    "ASP.NET for all": for_all(
        *running("dotnet", "shop.dll", port=5000, ASPNETCORE_URLS="http://+:5000")),
    "Spring by SERVER_ADDRESS": for_itself(
        *running("java", "-jar", "a.jar", port=8080, SERVER_ADDRESS="127.0.0.1"),
        by="its command, args or env say so", mend="let it bind to 0.0.0.0"),
    "a server's address that is another's": for_all(
        *running("java", "-jar", "a.jar", port=8080, SERVER_ADDRESS="localhost:5555")),
    "elasticsearch.yml": for_itself(
        *reading("cluster.name: a\nnetwork.host: 127.0.0.1\n", "elasticsearch.yml", 9200),
        by="ConfigMap default/files says so", mend="let it bind to 0.0.0.0"),
    "FLASK_RUN_PORT": Both(
        walked=asking("svc/web", *running("flask", "run", "--host=0.0.0.0", port=5000,
                                          FLASK_RUN_PORT="8080"),
                      result="refused", cause="FLASK_RUN_PORT tells container main",
                      mend="targetPort 8080"),
        rule="told-port", words="to listen on 8080", mend="8080",
    ),
    "postgres by a setting": for_itself(
        *running("postgres", "-c", "listen_addresses=localhost", port=5432),
        by="its command, args or env say so", mend="let it bind to 0.0.0.0"),
    "redis.conf": for_itself(
        *reading("port 6379\nbind 127.0.0.1 -::1\n", "redis.conf", 6379),
        by="ConfigMap default/files", mend="bind to 0.0.0.0", at="bind 127.0.0.1 -::1"),
    "redis.conf for all": for_all(*reading("bind * -::*\nport 6379\n", "redis.conf", 6379)),
    "my.cnf": for_itself(
        *reading("[mysqld]\nbind-address = 127.0.0.1\n", "my.cnf", 3306),
        by="ConfigMap default/files", mend="bind to 0.0.0.0", at="bind-address = 127.0.0.1"),
    "postgresql.conf": for_itself(
        *reading("listen_addresses = 'localhost'\nmax_connections = 9\n", "pg.conf", 5432),
        by="ConfigMap default/files", mend="bind to 0.0.0.0"),
    "a commented line": for_all(*reading("# bind 127.0.0.1\nport 6379\n", "redis.conf", 6379)),
    "another port is for the pod itself": for_all(
        *reading("server {\n  listen 127.0.0.1:81;\n}\nserver {\n  listen 80;\n}\n",
                 "site.conf", 80)),
    "nginx listens elsewhere": Both(
        walked=asking("svc/web", *reading("server {\n  listen 8081;\n}\n", "default.conf", 80),
                      result="refused", cause="to listen on 8081",
                      mend="containerPort and targetPort 8081", at="listen 8081;"),
        rule="told-port", words="listen on 8081", mend="targetPort 8081",
    ),
    "nginx takes in other files": for_all(
        *reading("http {\n  include conf.d/*.conf;\n  server {\n    listen 8081;\n  }\n}\n",
                 "nginx.conf", 80)),
    "HAProxy listens elsewhere": Both(
        walked=asking("svc/web", *reading("frontend a\n  bind *:8080\n  default_backend b\n",
                                          "haproxy.cfg", 80),
                      result="refused", cause="to listen on 8080", mend="targetPort 8080",
                      at="bind *:8080"),
        rule="told-port", words="listen on 8080", mend="targetPort 8080",
    ),
    "Spring's own port": Both(
        walked=asking("svc/web",
                      *reading("spring:\n  name: a\nserver:\n  a: b\n  port: 9000\n",
                               "application.yaml", 8080),
                      result="refused", cause="to listen on 9000", mend="targetPort 9000",
                      at="port: 9000"),
        rule="told-port", words="listen on 9000", mend="9000",
    ),
}  # fmt: skip


def pool(*addresses: str, **spec: Any) -> Manifest:
    return kind("metallb.io/v1beta1", "lan", "IPAddressPool", "metallb-system",
                spec={"addresses": list(addresses), **spec})  # fmt: skip


def advertisement(**spec: Any) -> Manifest:
    return kind("metallb.io/v1beta1", "all", "L2Advertisement", "metallb-system", spec=spec)


def balanced(name: str = "web", *, given: str = "", **more: Any) -> Manifest:
    if given:
        more["status"] = {"loadBalancer": {"ingress": [{"ip": given}]}}
    return service(name, "app=web", to=8080, type="LoadBalancer", **more)


EXCLUDED = node(1)
EXCLUDED["metadata"]["labels"] = {"node.kubernetes.io/exclude-from-external-load-balancers": ""}
RANGE = "192.168.0.240-192.168.0.250"


def from_outside(to: str, *manifests: Manifest, words: str, mend: str, at: str = "",
                 **more: Any) -> Both:  # fmt: skip
    return Both(
        walked=asking(to, *manifests, WEB, source="outside", result="unreachable", cause=words,
                      mend=mend, at=at, **more),
        rule="load-balancer", words=words, mend=mend,
    )  # fmt: skip


BALANCERS = {
    "MetalLB announces it": Both(
        walked=asking("192.168.0.240:80", *NODES, balanced(given="192.168.0.240"), WEB,
                      pool(RANGE), advertisement(), source="outside", result="connected"),
    ),
    "MetalLB answers a host beside the nodes": Both(
        walked=asking("192.168.0.240:80", *NODES, balanced(given="192.168.0.240"), WEB,
                      pool(RANGE), advertisement(), source="192.168.0.77", result="connected"),
    ),
    "somebody answers for what a load balancer was given": Both(
        walked=asking("192.168.0.240:80", *NODES, WEB,
                      balanced(given="192.168.0.240", externalTrafficPolicy="Local"),
                      source="192.168.0.77", result="connected"),
    ),
    "no advertisement": from_outside(
        "192.168.0.240:80", *NODES, balanced(given="192.168.0.240"), pool(RANGE),
        words="no L2Advertisement and no BGPAdvertisement is for IPAddressPool lan",
        mend="write an L2Advertisement"),
    "the advertisement is for another pool": from_outside(
        "192.168.0.240:80", *NODES, balanced(given="192.168.0.240"), pool(RANGE),
        advertisement(ipAddressPools=["wan"]),
        words="is for IPAddressPool lan", mend="ipAddressPools: [lan]"),
    "the advertisement chooses no node": from_outside(
        "192.168.0.240:80", *NODES, balanced(given="192.168.0.240"), pool(RANGE),
        advertisement(nodeSelectors=[{"matchLabels": {"rack": "a"}}]),
        words="no node has the labels that L2Advertisement all asks for",
        mend="mend its nodeSelectors", at="nodeSelectors:"),
    "the only node is a control plane": from_outside(
        "192.168.0.240:80", EXCLUDED, balanced(given="192.168.0.240"), pool(RANGE),
        advertisement(), words="exclude-from-external-load-balancers",
        mend="--ignore-exclude-lb"),
    "an address that no pool has": from_outside(
        "svc/web", *NODES, balanced(loadBalancerIP="10.1.2.3"), pool(RANGE), advertisement(),
        words="10.1.2.3 that it asks for is in no pool", mend=RANGE,
        at="loadBalancerIP: 10.1.2.3"),
    "a pool that is not there": from_outside(
        "svc/web", *NODES,
        balanced(head={"annotations": {"metallb.io/address-pool": "wan"}}), pool(RANGE),
        advertisement(), words="asks for address pool wan, and there is lan", mend="write lan"),
    "a pool that gives only what is asked for": from_outside(
        "svc/web", *NODES, balanced(), pool(RANGE, autoAssign=False), advertisement(),
        words="no pool gives addresses unasked", mend="metallb.io/address-pool: lan"),
    "a pool that is used up": from_outside(
        "svc/web", *NODES, balanced("first", given="192.168.0.240"), balanced(),
        pool("192.168.0.240/32"), advertisement(),
        words="is used up (192.168.0.240: default/first)", mend="widen the addresses"),
    "a pool that holds a node": Both(
        walked=asking("svc/web", *NODES, balanced(), WEB, pool("192.168.0.10-192.168.0.20"),
                      advertisement(), result="connected"),
        rule="external-ip", words="it holds 192.168.0.11, node node-1's own address",
        mend="take the nodes' addresses out", at="addresses:",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BALANCERS)
def test_balancers(name: str, tmp_path: Path) -> None:
    judge_both(tmp_path, BALANCERS[name])


def test_a_second_load_balancer_of_one_port_on_k3s(tmp_path: Path) -> None:
    file = write(tmp_path, (*NODES, balanced("first"), balanced("second"), WEB))
    made = build_world([str(file)], ClusterOptions(distribution="k3s"))
    found = walk(made, parse_request(made, "outside", "svc/second")).outcome
    assert "opens port 80 on every node for Service default/first" in found.reason
    (told,) = [one for one in check(made) if one.severity is Severity.WARNING]
    assert told.subject == "Service default/second"


@pytest.mark.parametrize("name", LISTENING)
def test_listening(name: str, tmp_path: Path) -> None:
    judge_both(tmp_path, LISTENING[name])


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str, tmp_path: Path) -> None:
    judge_both(tmp_path, NAMES[name])
