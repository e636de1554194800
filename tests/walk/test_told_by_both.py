"""What people ask, told by the walk and by the check alike: outcome, cause, place and mend.

Where only a client's question shows the mistake, the check is silent, and `checked` is empty.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from manifests_of import Manifest, kind, node, observed, pod, service, workload, write
from walk.test_reported import DB, NODES, WEB, Reported, asking, judge

from k8stui.check import Severity, check
from k8stui.record import record
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world


@record(kw_only=True)
class Both:
    """A situation, and the words of one finding of the check about it."""

    walked: Reported
    rule: str = ""
    """Empty: nothing of the input alone shows it."""
    words: str = ""
    mend: str = ""
    at: str = ""
    """The line that the finding stands at, where it is another than the walk's."""


def env(**values: str) -> dict[str, Any]:
    return {"env": [{"name": name, "value": value} for name, value in values.items()]}


def policy(name: str, app: str, namespace: str | None = None, **spec: Any) -> Manifest:
    chosen = {"podSelector": {"matchLabels": {"app": app}}}
    return kind("networking.k8s.io/v1", name, "NetworkPolicy", namespace, spec={**chosen, **spec})


def claim(storage_class: str) -> Manifest:
    wanted = {"storageClassName": storage_class, "resources": {"requests": {"storage": "1Gi"}}}
    return kind("v1", "data", "PersistentVolumeClaim",
                spec={**wanted, "accessModes": ["ReadWriteOnce"]})  # fmt: skip


HTTP: dict[str, Any] = {"containerPort": 80}
STORE = kind("storage.k8s.io/v1", "fast", "StorageClass", provisioner="disk.example")
CLAIMED = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
TWO_FAMILIES: Manifest = {
    "apiVersion": "kubeadm.k8s.io/v1beta3",
    "kind": "ClusterConfiguration",
    "networking": {
        "podSubnet": "10.244.0.0/16,fd00:10:244::/56",
        "serviceSubnet": "10.96.0.0/16,fd00:10:96::/112",
    },
}
CALICO = workload(
    "DaemonSet", "calico-node", "k8s-app=calico-node", namespace="kube-system",
    container={"image": "calico/node:v3.30.0"}, pod_spec={"hostNetwork": True},
)  # fmt: skip
RANGED = (node(1, "10.244.1.0/24"), node(2, "10.244.2.0/24"))
OLD_A = observed("a", "", "10.85.0.3")
OLD_B = observed("b", "", "10.85.0.4", node="node-2")
LOST = node(1)
LOST["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]
DOWN = node(2, "10.9.2.0/24", unschedulable=True)
TAINTED = node(1, "10.9.1.0/24", taints=[{"key": "gpu", "value": "yes", "effect": "NoSchedule"}])

CASES = {
    "PORT in env": Both(
        walked=asking(
            "svc/web", service("web", to=8080),
            pod("web-0", "app=web", ports=[8080], container=env(PORT="3000")),
            result="refused", by="default/web-0", cause="PORT tells container main",
            mend="write PORT: 8080", at="value: '3000'",
        ),
        rule="told-port", words="to listen on 3000", mend="write PORT: 8080",
    ),
    "an address in env": Both(
        walked=asking(
            "svc/web", service("web", to=8080),
            pod("web-0", "app=web", ports=[8080], container=env(LISTEN_ADDR="0.0.0.0:3000")),
            result="refused", by="default/web-0", cause="LISTEN_ADDR tells container main",
            mend="write LISTEN_ADDR: 0.0.0.0:8080", at="value: 0.0.0.0:3000",
        ),
        rule="told-port", words="to listen on 3000", mend="write LISTEN_ADDR: 0.0.0.0:8080",
    ),
    "a client's value has the name without the prefix that a kustomization gave": Both(
        walked=asking(
            "postgres:5432", DB, service("dev-postgres", "app=db", port=5432),
            pod("shop", "app=shop", container=env(A="b", DB_URL="postgres://u@postgres:5432/a")),
            source="pod/shop", result="no-such-name", mend="did you mean dev-postgres?",
            at="value: postgres://u@postgres:5432/a",
        ),
        rule="env-address", words="leads to postgres", mend="write dev-postgres",
    ),
    "a client's value has another port": Both(
        walked=asking(
            "svc/db:5433", DB, service("db", port=5432),
            pod("shop", "app=shop", container=env(DB_URL="postgres://u@db.default:5433/a")),
            source="pod/shop", result="unreachable", cause="has no port 5433/TCP",
            at="value: postgres://u@db.default:5433/a",
        ),
        rule="env-address", words="5433",
    ),
    "a Service's own variable where a number has to be": Both(
        walked=asking(
            "svc/web", service("web", to=8000),
            pod("web-0", "app=web", ports=[8000],
                container={"args": ["--port", "$(WEB_PORT)"]}),
            result="refused", cause="where $(WEB_PORT) is written a number has to be",
            mend="enableServiceLinks: false",
        ),
        rule="no-endpoints", words="gets WEB_PORT=tcp://", mend="enableServiceLinks: false",
    ),
    "that Service's variable of its port alone": Both(
        walked=asking(
            "svc/web", service("web", to=8000),
            pod("web-0", "app=web", ports=[8000],
                container={"args": ["--port", "$(WEB_SERVICE_PORT)"]}),
            result="connected",
        ),
    ),
    "a node that is not Ready, and its pods' last word is that they are": Both(
        walked=asking(
            "svc/web", NODES[1], LOST, service("web"),
            observed("web-0", "app=web", "10.244.1.5", ports=[80]), result="connected",
        ),
        rule="node-state", words="it is not Ready, and web-0 on it count as ready",
        mend="kubectl describe node node-1", at="conditions:",
    ),
    "a clusterIP in the range of its node's pods": Both(
        walked=asking(
            "svc/web", *RANGED, service("web", clusterIP="10.244.2.77"),
            pod("web-0", "app=web", ports=[80]),
            result="unreachable", cause="in 10.244.2.0/24, the pods' range of node-2",
            mend="take clusterIP out of Service web", at="clusterIP: 10.244.2.77",
        ),
        rule="address-overlap", words="a pod may be given it", mend="take clusterIP out",
    ),
    "a clusterIP that is a node's address": Both(
        walked=asking(
            "svc/web", *RANGED, service("web", clusterIP="192.168.0.11"),
            pod("web-0", "app=web", ports=[80]), result="connected",
        ),
        rule="address-overlap", words="is the address of node node-1", mend="take clusterIP out",
        at="clusterIP: 192.168.0.11",
    ),
    "cluster DNS without a TCP port": Both(
        walked=asking(
            "svc/kube-dns.kube-system:53/udp",
            service("kube-dns", "k8s-app=kube-dns", namespace="kube-system",
                    ports=[{"port": 53, "protocol": "UDP"}]),
            pod("dns", "k8s-app=kube-dns", namespace="kube-system",
                ports=[{"containerPort": 53, "protocol": "UDP"}]),
            result="connected",
        ),
        rule="dns-policy", words="it has no TCP port 53", mend="name: dns-tcp", at="ports:",
    ),
    "consul is told where its peers come alone": Both(
        walked=asking(
            "svc/web", service("web", to=8500),
            pod("web-0", "app=web", ports=[8500], container={
                "command": ["consul", "agent", "-server", "-bind=0.0.0.0"]}),
            result="refused", cause="binds port 8500 to 127.0.0.1", mend="-client 0.0.0.0",
        ),
        rule="bound-to-localhost", words="binds port 8500", mend="-client 0.0.0.0",
    ),
    "minio's console is at the Service's own number": Both(
        walked=asking(
            "svc/web", service("web", port=9001, to=9090),
            pod("web-0", "app=web", ports=[9000], container={
                "image": "minio/minio", "args": ["server", "/d", "--console-address", ":9001"]}),
            result="refused", mend="write targetPort: 9001 instead of 9090",
        ),
        rule="told-port", words="leads to 9090", mend="write targetPort: 9001",
    ),
    "an argument that tells another port, behind an APIService": Both(
        walked=asking(
            "svc/web", service("web", port=443),
            kind("apiregistration.k8s.io/v1", "v1.web.example", "APIService", spec={
                "group": "web.example", "version": "v1", "groupPriorityMinimum": 1,
                "versionPriority": 1, "service": {"name": "web", "namespace": "default"}}),
            pod("web-0", "app=web", ports=[4443], container={"args": ["--secure-port=4443"]}),
            result="refused", by="default/web-0", cause="leads to pods that declare 4443, not 443",
            mend="write targetPort: 4443",
        ),
        rule="target-port-number", words="4443 is declared", mend="write targetPort: 4443",
    ),
    "ports of the same names have other numbers": Both(
        walked=asking(
            "svc/web:81", service("web", ports=[
                {"name": "web", "port": 80, "targetPort": 5080},
                {"name": "rpc", "port": 81, "targetPort": 5081}]),
            pod("web-0", "app=web", ports=[{"name": "web", "containerPort": 6080},
                                           {"name": "rpc", "containerPort": 6081}]),
            source="pod/asker", result="refused", cause="leads to pods that declare 6080, 6081",
        ),
        rule="target-port-number", words="port 81 leads to 5081", mend="write targetPort: 6081",
    ),
    "a port that leads to another than that of its own name": Both(
        walked=asking(
            "svc/web:81", service("web", ports=[
                {"name": "blue", "port": 80}, {"name": "green", "port": 81, "targetPort": 80}]),
            pod("web-0", "app=web", ports=[{"name": "blue", "containerPort": 80},
                                           {"name": "green", "containerPort": 81}]),
            result="connected",
        ),
        rule="target-port-number", words="declares 81 by that very name",
        mend="write targetPort: 81",
    ),
    "one label that two Services have, and the pods of neither": Both(
        walked=asking(
            "svc/back", service("front", "app=web,part=all"), service("back", "app=web,part=all"),
            workload("Deployment", "front", "app=web,part=front", ports=[80]),
            workload("Deployment", "back", "app=web,part=back", ports=[80]),
            result="refused", cause="pod back-1 has part=back, not all",
            mend="write part: back instead of all",
        ),
        rule="no-endpoints", words="pod back-1 has part=back", mend="write part: back",
    ),
    "the beginning of a Service's name, in a URL with a password": Both(
        walked=asking(
            "shop-mq:5672", service("shop-mq-ha", port=5672),
            service("shop-mq-ha-headless", "app=shop-mq-ha", port=5672, clusterIP="None"),
            pod("mq-0", "app=shop-mq-ha", ports=[5672]),
            kind("v1", "shop", "ConfigMap", data={
                "shop.py": "import os\nBROKER = 'amqp://me:x@shop-mq:5672//'\n"}),
            result="no-such-name", cause="no Service is called shop-mq",
            mend="did you mean shop-mq-ha?",
        ),
        rule="env-address", words="there is no Service default/shop-mq", mend="write shop-mq-ha",
    ),
    "the end of a Service's name, which is its container's": Both(
        walked=asking(
            "shop-mq:5672", service("prod-shop-mq", port=5672),
            pod("mq-0", "app=prod-shop-mq", ports=[5672], container={"name": "shop-mq"}),
            pod("shop", container=env(BROKER_HOST="shop-mq:5672")),
            result="no-such-name", cause="no Service is called shop-mq",
            mend="did you mean prod-shop-mq?",
        ),
        rule="env-address", words="there is no Service default/shop-mq", mend="write prod-shop-mq",
    ),
    "a pod of a Deployment, by its own name": Both(
        walked=asking(
            "ring-1.ring:7000", service("ring", port=7000, clusterIP="None"),
            workload("Deployment", "ring", ports=[7000], pod_spec={"subdomain": "ring"}),
            result="no-such-name", cause="pod default/ring-1 has no hostname, and so no name below",
            mend="ask ring, which is every ready pod's", at="subdomain: ring",
        ),
    ),
    "a host that ping is told, in the node's own network": Both(
        walked=asking(
            "db:5432", service("db", port=5432), pod("db-0", "app=db", ports=[5432]),
            pod("tool", hostNetwork=True, container={"args": ["ping", "-c", "3", "db"]}),
            source="pod/tool", result="no-such-name", cause="hostNetwork with dnsPolicy",
            mend="write dnsPolicy: ClusterFirstWithHostNet",
        ),
        rule="dns-policy", words="args leads to db, a name of Service default/db",
        mend="write dnsPolicy: ClusterFirstWithHostNet",
    ),
    "another port than the Service's, in a file": Both(
        walked=asking(
            "svc/web:5555", service("web", port=4317), pod("web-0", "app=web", ports=[4317]),
            kind("v1", "agent", "ConfigMap", data={
                "agent.yaml": "otlp:\n  endpoint: web:5555\n"}),
            result="unreachable", cause="has no port 5555/TCP", mend="ask for port 4317",
        ),
        rule="env-address", words="leads to port 5555 of Service default/web",
        mend="write port 4317", at="endpoint: web:5555",
    ),
    "a probe of the Service's port": Both(
        walked=asking(
            "svc/web", service("web", to=8080),
            pod("web-0", "app=web", ports=[8080], container={
                "readinessProbe": {"httpGet": {"path": "/ready", "port": 80}}}),
            result="refused", cause="asks port 80, which is that of Service web",
            mend="write port: 8080", at="httpGet:",
        ),
        rule="no-endpoints", words="which is that of Service web", mend="write port: 8080",
    ),
    "an address of one's own in a file": Both(
        walked=asking(
            "svc/web", service("web", to=8080),
            kind("v1", "told", "ConfigMap", data={
                "web.toml": "address = '127.0.0.1:8080'\n# its own\n"}),
            pod("web-0", "app=web", ports=[8080], container={
                "volumeMounts": [{"name": "told", "mountPath": "/etc/web"}]},
                volumes=[{"name": "told", "configMap": {"name": "told"}}]),
            result="refused", by="default/web-0", cause="binds port 8080 to 127.0.0.1",
            mend="let it bind to 0.0.0.0",
        ),
        rule="bound-to-localhost", words="binds port 8080 to 127.0.0.1", mend="bind to 0.0.0.0",
    ),
    "no selector, and a workload of its name": Both(
        walked=asking(
            "svc/web", service("web", None), pod("web-0", "app=web", ports=[80]),
            workload("Deployment", "web", "app=web,tier=front", ports=[80]),
            result="refused", cause="it has no selector",
            mend="give it a selector (app=web,tier=front), or",
        ),
        rule="no-selector", words="has no selector", mend="a selector (app=web,tier=front)",
    ),
    "PORT in env, and nothing declared": Both(
        walked=asking(
            "svc/web", service("web", to=8080), pod("web-0", "app=web", container=env(PORT="3000")),
            result="refused", cause="so nothing listens on port 8080", at="value: '3000'",
        ),
        rule="told-port", words="to listen on 3000",
    ),
    "PORT in env, and a probe that asks the other": Both(
        walked=asking(
            "svc/web", service("web", to=8080),
            pod("web-0", "app=web", ports=[8080], container={
                **env(PORT="3000"), "readinessProbe": {"tcpSocket": {"port": 8080}}}),
            result="connected",
        ),
    ),
    "a headless Service's port": Both(
        walked=asking(
            "svc/web", service("web", to=8080, clusterIP="None"), WEB,
            result="refused", by="default/web-0", cause="nobody translates port 80 to targetPort",
            mend="ask for port 8080", at="targetPort: 8080",
        ),
        rule="headless-port", words="nobody translates port 80 to 8080", mend="ask for port 8080",
    ),
    "endpoints with another Service's address": Both(
        walked=asking(
            "svc/alias", service("web", to=8080, clusterIP="10.96.7.7"), WEB,
            service("alias", None),
            kind("v1", "alias", "Endpoints",
                 subsets=[{"addresses": [{"ip": "10.96.7.7"}], "ports": [{"port": 80}]}]),
            result="unreachable", cause="the ClusterIP of Service default/web: kube-proxy rewrites",
            mend="make alias an ExternalName", at="ip: 10.96.7.7",
        ),
        rule="endpoints-by-hand", words="the ClusterIP of Service default/web",
        mend="make alias an ExternalName",
    ),
    "Endpoints of another name": Both(
        walked=asking(
            "svc/db", service("db", None, 5432),
            kind("v1", "db-outside", "Endpoints",
                 subsets=[{"addresses": [{"ip": "203.0.113.9"}], "ports": [{"port": 5432}]}]),
            result="refused", cause="no Endpoints has its name; there is Endpoints db-outside",
            mend="name that db",
        ),
        rule="no-selector", words="there is Endpoints db-outside", mend="name that db",
    ),
    "a hostPort on the other node": Both(
        walked=Reported(
            manifests=(*NODES, pod("gate-0", ports=[{"containerPort": 80, "hostPort": 8080}])),
            ask=("outside", "node/node-2:8080"), result="refused", by="node-2",
            cause="is open only on the node where the pod runs: node-1, not node-2",
            mend="run it on every node (DaemonSet)", at="containerPort: 80",
        ),
        rule="host-port", words="not on node-2", mend="run them on every node (DaemonSet)",
    ),
    "a hostPort on one address": Both(
        walked=Reported(
            manifests=(*NODES, pod("gate-0", ports=[
                {"containerPort": 80, "hostPort": 8080, "hostIP": "127.0.0.1"}])),
            ask=("outside", "node/node-1:8080"), result="refused", by="node-1",
            cause="is open on 127.0.0.1 only (hostIP)", mend="leave hostIP out",
        ),
        rule="host-port", words="on 127.0.0.1 only (hostIP)",
    ),
    "a policy's port is the Service's": Both(
        walked=asking(
            "svc/web", CALICO, service("web", to=8080), WEB, pod("asker-2", "app=asker",
            container=env(WEB_URL="http://web/")),
            policy("to-web", "web", ingress=[
                {"from": [{"podSelector": {"matchLabels": {"app": "asker"}}}],
                 "ports": [{"port": 80}]}]),
            source="pod/asker-2", result="timeout", cause="the port of the pod itself counts, 8080",
            mend="write port: 8080, protocol: TCP in the ports of ingress",
        ),
        rule="policy-denial", words="the port of the pod itself counts, 8080",
        mend="write port: 8080",
    ),
    "an address of another node's range": Both(
        walked=Reported(
            manifests=(*RANGED, observed("a", "", "10.244.1.5"),
                       observed("b", "", "10.244.1.66", node="node-2")),
            ask=("pod/a", "pod/b:80"), result="unreachable",
            cause="pod default/b is on node-2, and its address 10.244.1.66 is of the range of",
            mend="make it anew",
        ),
    ),
    "two pods of one address": Both(
        walked=Reported(
            manifests=(*RANGED, observed("a", "", "10.244.1.5"), service("b", "app=b"),
                       observed("b", "app=b", "10.244.1.5", node="node-2")),
            ask=("pod/a", "svc/b"), result="timeout",
            cause="pods default/a and default/b have the same address, 10.244.1.5",
            mend="delete one of them",
        ),
        rule="address-overlap", words="has its address 10.244.1.5 too", mend="given out twice",
    ),
    "two nodes of one range, asked by a Service": Both(
        walked=Reported(
            manifests=(node(1, "10.244.1.0/24"), node(2, "10.244.1.0/24"),
                       observed("a", "", "10.244.1.5"), service("b", "app=b"),
                       observed("b", "app=b", "10.244.1.6", node="node-2")),
            ask=("pod/a", "svc/b"), result="timeout",
            cause="is the network of the pods of node-1 and of the pods of node-2 at once",
            mend="a network of their own",
        ),
        rule="address-overlap", words="overlaps 10.244.1.0/24", mend="a range of its own",
    ),
    "the address of a pod that has ended": Both(
        walked=Reported(
            manifests=(*RANGED, observed("a", "", "10.244.1.5"),
                       observed("b", "", "10.244.2.6", node="node-2", phase="Failed")),
            ask=("pod/a", "10.244.2.6:80"), result="timeout",
            cause="pod default/b, which had 10.244.2.6, has ended (Failed",
            mend="ask the Service in front of the pods",
        ),
    ),
    "a node port of a Service that is another proxy's": Both(
        walked=asking(
            "node/node-1:30080", *NODES, WEB, service(
                "web", type="NodePort",
                ports=[{"port": 80, "targetPort": 8080, "nodePort": 30080}],
                head={"labels": {"service.kubernetes.io/service-proxy-name": "mine"}}),
            source="outside", result="refused", cause="kube-proxy leaves it to mine",
            mend="take the label off",
        ),
    ),
    "localhost of a node, by a node port whose targetPort nobody has": Both(
        walked=asking(
            "localhost:30080", *NODES, pod("web-0", "app=web", ports=[8080]), service(
                "web", type="NodePort",
                ports=[{"port": 80, "targetPort": 8081, "nodePort": 30080}]),
            source="node/node-1", result="refused",
            cause="leads to pods that declare 8080, not 8081", mend="write targetPort: 8080",
        ),
        rule="target-port-number", words="8080 is declared", mend="write targetPort: 8080",
    ),
    "a namespace without its label, beside a rule for all of the own": Both(
        walked=asking(
            "web:80", kind("v1", "kube-system", "Namespace"), service("web", to=8080), WEB,
            pod("shop", "app=shop"), policy("out", "shop", policyTypes=["Egress"], egress=[
                {"to": [{"podSelector": {}}]},
                {"to": [{"namespaceSelector": {"matchLabels": {"name": "kube-system"}}}],
                 "ports": [{"port": 53, "protocol": "UDP"}]}]),
            source="pod/shop", result="no-such-name",
            cause="a namespaceSelector asks for name=kube-system",
            mend="write kubernetes.io/metadata.name: kube-system",
        ),
        rule="policy-denial", words="a namespaceSelector asks for name=kube-system",
        mend="write kubernetes.io/metadata.name: kube-system",
    ),
    "a policy where nothing says who enforces it": Both(
        walked=asking(
            "svc/web", service("web", to=8080), WEB,
            policy("closed", "web", policyTypes=["Ingress"]),
            result="timeout", cause="lets in nothing from pod default/asker",
        ),
        rule="network-policy", words="nothing in the input says who enforces closed",
        mend="--policy-engine",
    ),
    "everything is denied where cluster DNS is, which the input lacks": Both(
        walked=asking(
            "web:80", service("web", to=8080), WEB,
            kind("networking.k8s.io/v1", "closed", "NetworkPolicy", "kube-system",
                 spec={"podSelector": {}, "policyTypes": ["Ingress"]}),
            result="no-such-name", cause="selects pod kube-system/coredns and lets in nothing",
        ),
        rule="policy-denial", words="no name resolves in pod default/", mend="port 53/UDP",
    ),
    "a StatefulSet names no Service, and a headless one has its pods": Both(
        walked=asking(
            "db-0.db:5432", service("db-peers", "app=db", 5432, clusterIP="None"),
            workload("StatefulSet", "db", serviceName="db"),
            result="no-such-name", cause="no headless Service has that name",
            mend="serviceName: db-peers), the headless Service that selects the pod, and ask "
            "db-0.db-peers",
        ),
        rule="governing-service", words="there is no Service default/db",
        mend="write serviceName: db-peers",
    ),
    "a host with its port, beside the port": Both(
        walked=asking(
            "svc/store:5432", service("store", "app=db", 5432), DB,
            pod("shop", "app=shop", container=env(DB_HOST="store:5432", DB_PORT="5432")),
            result="connected",
        ),
        rule="env-address", words="looks for the name store:5432", mend="write DB_HOST: store",
    ),
    "a policy's peer is in another namespace": Both(
        walked=Reported(
            manifests=(CALICO, service("db", None, 5432), service("store", "app=db", 5432), DB,
                       pod("probe", "app=probe", namespace="watch"),
                       policy("to-db", "db", ingress=[
                           {"from": [{"podSelector": {"matchLabels": {"app": "probe"}}}]}])),
            ask=("pod/watch/probe", "svc/store.default:5432"), result="timeout",
            cause="without namespaceSelector means pods of default only",
            mend="write namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: watch}}",
        ),
        rule="policy-denial", words="without namespaceSelector",
    ),
    "a namespace without the label that the policy asks for": Both(
        walked=Reported(
            manifests=(CALICO, kind("v1", "watch", "Namespace", spec={}), service("db", port=5432),
                       DB, pod("probe", "app=probe", namespace="watch"),
                       policy("to-db", "db", ingress=[
                           {"from": [{"namespaceSelector": {"matchLabels": {"name": "watch"}}}]}])),
            ask=("pod/watch/probe", "svc/db.default:5432"), result="timeout",
            cause="asks for name=watch, and namespace watch has kubernetes.io/metadata.name=watch",
            mend="or kubectl label namespace watch name=watch",
        ),
        rule="policy-denial", words="asks for name=watch",
    ),
    "a policy that shuts DNS out": Both(
        walked=asking(
            "db:5432", CALICO, service("db", port=5432), DB,
            pod("shop", "app=shop", container=env(DB_URL="postgres://db:5432/a")),
            policy("only-db", "shop", policyTypes=["Egress"], egress=[
                {"to": [{"podSelector": {"matchLabels": {"app": "db"}}}]}]),
            source="pod/shop", result="no-such-name", cause="lets out nothing to cluster DNS",
            mend="allow port 53/UDP to cluster DNS",
        ),
        rule="policy-denial", words="lets out nothing to cluster DNS",
        mend="allow port 53/UDP to cluster DNS",
    ),
    "an ipBlock with a Service's address": Both(
        walked=asking(
            "svc/db", CALICO, service("db", port=5432, clusterIP="10.96.0.50"), DB,
            pod("shop", "app=shop"),
            policy("to-db", "shop", policyTypes=["Egress"], egress=[
                {"to": [{"ipBlock": {"cidr": "10.96.0.50/32"}}]}]),
            source="pod/shop", result="timeout", cause="rewritten before policies look",
            mend="write a podSelector",
        ),
        rule="policy-denial", words="rewritten before policies look",
    ),
    "an ipBlock of clients that are masqueraded": Both(
        walked=Reported(
            manifests=(CALICO, *NODES, WEB,
                       service("web", to=8080, type="NodePort", ports=[
                           {"port": 80, "targetPort": 8080, "nodePort": 30080}]),
                       policy("to-web", "web", ingress=[
                           {"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}])),
            ask=("outside", "node/node-2:30080"), result="timeout",
            cause="seen as 192.168.0.12: node-2 masquerades what comes from outside",
            mend="set externalTrafficPolicy: Local in Service web",
        ),
        rule="policy-denial", words="which comes by node port 30080 of node-2",
        mend="set externalTrafficPolicy: Local in Service web",
    ),
    "clients from outside that no rule is about, whoever they are seen as": Both(
        walked=Reported(
            manifests=(CALICO, *NODES, WEB,
                       service("web", to=8080, type="NodePort", ports=[
                           {"port": 80, "targetPort": 8080, "nodePort": 30080}]),
                       policy("to-web", "web", ingress=[
                           {"from": [{"podSelector": {"matchLabels": {"app": "shop"}}}]}])),
            ask=("outside", "node/node-2:30080"), result="timeout",
            cause="seen as 192.168.0.12: node-2 masquerades what comes from outside",
            mend="name the clients by an ipBlock in ingress of NetworkPolicy default/to-web, and "
            "set externalTrafficPolicy: Local in Service web",
        ),
    ),
    "the name of a Service of another namespace": Both(
        walked=asking(
            "db:5432", service("db", port=5432, namespace="data"),
            pod("db", "app=db", ports=[5432], namespace="data"),
            pod("shop", container=env(DB_URL="postgres://db:5432/a")),
            result="no-such-name", cause="the one in data is called db.data",
            mend="did you mean db.data?",
        ),
        rule="env-address", words="there is no Service default/db", mend="write db.data",
    ),
    "a namespace's name in a full name": Both(
        walked=asking(
            "db.dta.svc.cluster.local:5432", service("db", port=5432, namespace="data"),
            pod("db", "app=db", ports=[5432], namespace="data"),
            pod("shop", container=env(DB_HOST="db.dta.svc.cluster.local")),
            result="no-such-name", cause="there is no Service db in namespace dta",
            mend="did you mean db.data?",
        ),
        rule="env-address", words="there is no Service dta/db", mend="write db.data",
    ),
    "namespace default in a full name, as a template has it": Both(
        walked=asking(
            "db.default.svc.cluster.local:5432", service("db", port=5432, namespace="data"),
            pod("db", "app=db", ports=[5432], namespace="data"),
            pod("shop", namespace="data",
                container=env(DB_HOST="db.default.svc.cluster.local")),
            source="pod/data/shop", result="no-such-name",
            cause="there is no Service db in namespace default", mend="did you mean db?",
        ),
        rule="env-address", words="there is no Service default/db", mend="write db.data",
    ),
    "another domain than the cluster's, in a file": Both(
        walked=asking(
            "db.default.svc.cluster.local:5432",
            {"apiVersion": "kubeadm.k8s.io/v1beta3", "kind": "ClusterConfiguration",
             "networking": {"dnsDomain": "corp.example"}},
            service("db", port=5432), pod("db", "app=db", ports=[5432]),
            kind("v1", "shop", "ConfigMap", data={
                "shop.xml": "<db>\n<host>db.default.svc.cluster.local</host>\n</db>\n"}),
            result="no-such-name", cause="this cluster's domain is corp.example, not cluster.local",
            mend="ask db.default.svc.corp.example, or only db.default",
        ),
        rule="env-address", words="domain is corp.example, not cluster.local",
        mend="or only db.default",
    ),
    "a pod of a Deployment by a number": Both(
        walked=asking(
            "db-main-0.dbs.default.svc.cluster.local:5432", service("dbs", "tier=db", port=5432,
                                                                   clusterIP="None"),
            service("db-main", port=5432),
            workload("Deployment", "db-main", "tier=db,app=db-main", ports=[5432]),
            workload("StatefulSet", "db-copy", "tier=db,app=db-copy", ports=[5432],
                     serviceName="dbs",
                     container=env(MAIN_HOST="db-main-0.dbs.default.svc.cluster.local",
                                   OWN_HOST="db-copy-0.dbs.default.svc.cluster.local")),
            result="no-such-name", cause="db-main is a Deployment: its pods have no names of their",
            mend="ask db-main, or make db-main a StatefulSet",
        ),
        rule="env-address", words="db-main is a Deployment", mend="ask db-main",
    ),
    "pods in a namespace of their own": Both(
        walked=Reported(
            manifests=(service("web", to=8080, namespace="shop"),
                       service("cart", namespace="shop"),
                       workload("Deployment", "web", ports=[8080], namespace="shp"),
                       pod("buyer", namespace="shop")),
            ask=("pod/shop/buyer", "svc/web.shop"), result="refused",
            cause="pod web-1 has these labels, but is in namespace shp",
            mend="put Deployment web into namespace shop",
        ),
        rule="no-endpoints", words="but is in namespace shp", mend="into one namespace (shop?)",
    ),
    "a pod that a StatefulSet has not": Both(
        walked=asking(
            "ring-3.ring:7000", service("ring", port=7000, clusterIP="None"),
            workload("StatefulSet", "ring", ports=[7000], replicas=2, serviceName="ring"),
            result="no-such-name", cause="StatefulSet ring has 2 replicas (ring-0, ring-1)",
            mend="ask ring-0.ring or ring-1.ring, or scale StatefulSet ring up",
        ),
    ),
    "a StatefulSet that names another Service": Both(
        walked=asking(
            "ring-0.ring:7000", service("ring", port=7000, clusterIP="None"),
            workload("StatefulSet", "ring", ports=[7000], replicas=1, serviceName="circle"),
            result="no-such-name", cause="its subdomain is circle", mend="serviceName: ring",
            at="serviceName: circle",
        ),
        rule="governing-service", words="there is no Service default/circle",
        mend="write serviceName: ring",
    ),
    "labels of the Deployment, not of its pods": Both(
        walked=asking(
            "svc/web", service("web", "app=web,track=one"),
            workload("Deployment", "web", "app=web", ports=[80], own="app=web,track=one"),
            result="refused", cause="Deployment web itself is labelled so",
            mend="write app=web in the selector", at="selector:",
        ),
        rule="no-endpoints", words="Deployment web itself is labelled so",
        mend="write app=web in the selector",
    ),
    "two workloads, of which one has the port": Both(
        walked=asking(
            "svc/web", service("web", to=8080), workload("Deployment", "late", "app=web",
            ports=[9090]), workload("Deployment", "web", ports=[8080], replicas=1),
            result="refused", cause="selects pods of several workloads: web-1 declares 8080",
            mend="give the pods of web a label of their own", at="selector:",
        ),
        rule="mixed-pods", words="web-1 declares 8080, but not late-1",
        mend="give the pods of web a label of their own",
    ),
    "a nodeSelector that no node has": Both(
        walked=asking(
            "svc/web", *NODES, service("web"),
            pod("web-0", "app=web", node=None, ports=[80], nodeSelector={"disk": "fast"}),
            result="refused", cause="didn't match Pod's node affinity/selector",
            mend="label a node", at="nodeSelector:",
        ),
        rule="no-endpoints", words="didn't match Pod's node affinity/selector", mend="label a node",
        at="selector:",
    ),
    "taints and cordoned nodes": Both(
        walked=asking(
            "svc/web", TAINTED, DOWN, service("web"),
            pod("web-0", "app=web", node=None, ports=[80]),
            result="refused", cause="untolerated taint",
            mend="give the pod a toleration for the taint",
        ),
        rule="no-endpoints", words="untolerated taint", mend="kubectl uncordon",
    ),
    "a readiness gate that nobody sets": Both(
        walked=asking(
            "svc/web", *NODES, service("web"),
            pod("web-0", "app=web", ports=[80], readinessGates=[{"conditionType": "x.org/y"}]),
            result="refused", cause="readinessGates", mend="install the controller",
        ),
        rule="no-endpoints", words="none of the pods that it selects is ready",
        mend="install the controller",
    ),
    "an SCTP port that is TCP": Both(
        walked=asking(
            "svc/bell", service("bell", port={"port": 9000, "protocol": "SCTP"}),
            pod("bell-0", "app=bell", ports=[9000]),
            result="unreachable", cause="leads to 9000/SCTP, and pod default/bell-0 declares 9000",
            mend="write protocol: TCP", at="protocol: SCTP",
        ),
        rule="target-port-protocol", words="port 9000 is SCTP", mend="write protocol: TCP",
    ),
    "0.0.0.0 is IPv4 alone": Both(
        walked=asking(
            "svc/bell", TWO_FAMILIES, service("bell", ipFamilies=["IPv6"]),
            pod("bell-0", "app=bell", ports=[80], container={"args": ["--bind=0.0.0.0:80"]}),
            result="refused", by="default/bell-0", cause="binds port 80 to 0.0.0.0",
            mend="let it bind to ::", at="name: main",
        ),
        rule="bound-to-localhost", words="which is IPv4 alone", mend="let it bind to ::",
    ),
    "an address of both families": Both(
        walked=asking(
            "svc/bell", TWO_FAMILIES, service("bell", ipFamilies=["IPv6"]),
            pod("bell-0", "app=bell", ports=[80], container={"args": ["--bind=[::]:80"]}),
            result="connected",
        ),
    ),
    "a hostPort twice, and no scheduler looks": Both(
        walked=asking(
            "svc/late", service("late"),
            *(pod(name, f"app={name}", ports=[{"containerPort": 80, "hostPort": 8080}])
              for name in ("early", "late")),
            result="refused", cause="Predicate NodePorts failed", mend="leave nodeName out",
        ),
        rule="no-endpoints", words="pod default/late is Failed", mend="take another hostPort",
        at="selector:",
    ),
    "a hostPort twice, of two protocols": Both(
        walked=asking(
            "svc/late", service("late"),
            *(pod(name, f"app={name}", ports=(
                {"containerPort": 80, "hostPort": 8080, "protocol": protocol}, HTTP))
              for name, protocol in (("early", "SCTP"), ("late", "UDP"))),
            result="connected",
        ),
    ),
    "pods on the bridge that CRI-O brings along": Both(
        walked=Reported(
            manifests=(node(1), node(2), OLD_A, OLD_B), ask=("pod/a", "pod/b:80"),
            result="unreachable", cause="CRI-O brings along (100-crio-bridge.conflist)",
            mend="give the nodes a network plug-in",
        ),
        rule="address-overlap", words="CRI-O's own bridge, without a network plug-in",
        mend="take /etc/cni/net.d/100-crio-bridge.conflist away",
    ),
    "a pod of before the network plug-in": Both(
        walked=Reported(
            manifests=(*RANGED, observed("a", "", "10.244.1.3"), OLD_B,
                       observed("c", "", "10.244.2.3", node="node-2")),
            ask=("pod/a", "pod/b:80"), result="unreachable",
            cause="pod default/b has an address of CRI-O's own bridge (10.85.0.0/16)",
            mend="kubectl -n default delete pod b",
        ),
        rule="address-overlap", words="its address 10.85.0.4 is of CRI-O's own bridge",
        mend="kubectl -n default delete pod b",
    ),
    "a cluster whose pods are meant to be there": Both(
        walked=Reported(
            manifests=(node(1, "10.85.1.0/24"), node(2, "10.85.2.0/24"),
                       observed("a", "", "10.85.1.3"),
                       observed("b", "", "10.85.2.3", node="node-2")),
            ask=("pod/a", "pod/b:80"), result="connected",
        ),
    ),
    "a node that is not Ready": Both(
        walked=asking(
            "svc/web", NODES[1], LOST, service("web"),
            observed("web-0", "app=web", "10.244.1.5", ready=False, ports=[80]),
            result="refused", cause="is on node node-1, which is not Ready",
            mend="kubectl describe node node-1", at="conditions:",
        ),
        rule="no-endpoints", words="which is not Ready", mend="kubectl describe node node-1",
        at="selector:",
    ),
    "an evicted pod": Both(
        walked=asking(
            "svc/web", *NODES, service("web"),
            {**(gone := observed("web-0", "app=web", "10.244.1.5", phase="Failed", ready=False)),
             "status": {**gone["status"], "reason": "Evicted", "message": "low on memory"}},
            result="refused", cause="is Failed: Evicted, low on memory",
            mend="ask for it in resources.requests",
        ),
        rule="no-endpoints", words="Evicted, low on memory", mend="resources.requests",
        at="selector:",
    ),
    "a claim of a misspelt class": Both(
        walked=asking(
            "svc/db", STORE, claim("fats"), service("db", port=5432),
            pod("db-0", "app=db", node=None, ports=[5432], volumes=[CLAIMED]),
            result="refused", cause="data asks for StorageClass fats; there is fast",
            mend="give the claim a StorageClass that there is", at="storageClassName: fats",
        ),
        rule="no-endpoints", words="StorageClass fats", mend="give the claim", at="selector:",
    ),
    "a probe's port of a name that no port has": Both(
        walked=asking(
            "svc/web", service("web", to=8080),
            pod("web-0", "app=web", ports=[{"name": "http", "containerPort": 8080}],
                container={"readinessProbe": {"tcpSocket": {"port": "htp"}}}),
            result="refused", cause="asks port htp, and no port of that container is called so",
            mend="write port: http", at="port: htp",
        ),
        rule="probe-port", words="asks port htp, and no port of that container is called so",
        mend="write port: http",
    ),
    "a liveness probe's port of a name that no port has": Both(
        walked=asking(
            "svc/web", service("web", to=8080),
            pod("web-0", "app=web", ports=[{"name": "http", "containerPort": 8080}],
                container={"livenessProbe": {"tcpSocket": {"port": "htp"}}}),
            result="connected",
        ),
        rule="probe-port", words="it is never asked", mend="write port: http",
        at="port: htp",
    ),
    "a policy's port of a name that no port has": Both(
        walked=asking(
            "svc/web", CALICO, service("web", to=8080),
            pod("web-0", "app=web", ports=[{"name": "http", "containerPort": 8080}]),
            policy("to-web", "web", ingress=[{"ports": [{"port": "web"}]}]),
            result="timeout", cause="port web is the name of none of the pod's ports: it has http",
            mend="write port: http in the ports of ingress",
        ),
        rule="policy-denial", words="it has http (8080)", mend="write port: http",
    ),
    "an alias of a Service without svc": Both(
        walked=asking(
            "old:5432", DB, service("db", port=5432),
            service("old", None, None, type="ExternalName",
                    externalName="db.default.cluster.local"),
            result="no-such-name", cause="which is no name of the cluster",
            mend="write externalName: db.default.svc.cluster.local",
            at="externalName: db.default.cluster.local",
        ),
        rule="external-name", words="those of Services end in .svc.cluster.local",
        mend="write db.default.svc.cluster.local",
    ),
    "a claim of a class that the input does not show": Both(
        walked=asking(
            "svc/db", STORE, claim("archive"), service("db", port=5432),
            pod("db-0", "app=db", node=None, ports=[5432], volumes=[CLAIMED]),
            result="connected",
        ),
    ),
    "Spring's port in a ConfigMap, and no container declares any": Both(
        walked=asking(
            "svc/web", service("web", to=8080),
            kind("v1", "app", "ConfigMap", data={"application.properties": "server.port=8081\n"}),
            pod("web-0", "app=web", container={"volumeMounts": [
                {"name": "c", "mountPath": "/app/config"}]},
                volumes=[{"name": "c", "configMap": {"name": "app"}}]),
            result="refused", by="default/web-0", cause="to listen on 8081",
            mend="write containerPort and targetPort 8081",
        ),
        rule="told-port", words="to listen on 8081", mend="targetPort 8081",
    ),
    "PostgreSQL with a file of its own that says nothing of addresses": Both(
        walked=asking(
            "svc/db", service("db", port=5432),
            kind("v1", "pg", "ConfigMap", data={
                "postgresql.conf": "max_connections = 9\n# listen_addresses = '*'\n"}),
            pod("db-0", "app=db", ports=[5432], container={
                "image": "postgres:15", "args": ["-c", "config_file=/etc/pg/postgresql.conf"],
                "env": [{"name": "POSTGRES_PASSWORD", "value": "x"}],
                "volumeMounts": [{"name": "c", "mountPath": "/etc/pg"}]},
                volumes=[{"name": "c", "configMap": {"name": "pg"}}]),
            result="refused", by="default/db-0", cause="leaves out listen_addresses",
            mend="write listen_addresses = '*'",
        ),
        rule="bound-to-localhost", words="leaves out listen_addresses", mend="listen_addresses",
    ),
    "a port that the image does not open, and nobody declares": Both(
        walked=asking(
            "svc/console", service("console", "app=minio", port=9090),
            pod("minio-0", "app=minio", ports=[9000], container={
                "image": "minio/minio:RELEASE.2023-11-20T22-40-07Z",
                "args": ["server", "/data", "--console-address", ":9001"]}),
            result="refused", by="default/minio-0", cause="listens on 9000, 9001, as image",
            mend='by --console-address ":9090"',
        ),
        rule="told-port", words="9000, 9001", mend='--console-address ":9090"',
    ),
    "a probe by plain HTTP of a port called https": Both(
        walked=asking(
            "svc/web", service("web", port=443, to="https"),
            pod("web-0", "app=web", ports=[{"name": "https", "containerPort": 8443}],
                container={"readinessProbe": {"httpGet": {"path": "/", "port": "https"}}}),
            result="refused", cause="asks port https by plain HTTP", mend="write scheme: HTTPS",
        ),
        rule="probe-port", words="asks port https by plain HTTP", mend="scheme: HTTPS",
    ),
    "a port that a pod opens behind a Service that lacks it": Both(
        walked=Reported(
            manifests=(*NODES, service("jenkins", port=8080),
                       pod("jenkins-0", "app=jenkins", ports=[8080, 50000]),
                       pod("agent", "app=agent", container=env(JENKINS_TUNNEL="jenkins:50000"))),
            ask=("pod/agent", "jenkins:50000"), result="unreachable", cause="has no port 50000",
            mend="add port 50000 to Service jenkins",
        ),
        rule="env-address", words="leads to port 50000", mend="add port 50000 to Service jenkins",
        at="value: jenkins:50000",
    ),
}  # fmt: skip


def test_a_node_port_of_a_service_that_is_refused(tmp_path: Path) -> None:
    """Whatever it is refused for."""
    wrong = service(
        "web", type="NodePort", clusterIP="None", ports=[{"port": 80, "nodePort": 30080}]
    )
    made = build_world([str(write(tmp_path, (*NODES, wrong)))])
    found = walk(made, parse_request(made, "outside", "node/node-1:30080")).outcome
    assert "Service web is refused and left out: spec.clusterIPs[0] may not be" in found.reason
    assert "write type: ClusterIP" in found.advice


@pytest.mark.parametrize("name", CASES)
def test_told_by_both(name: str, tmp_path: Path) -> None:
    judge_both(tmp_path, CASES[name])


def judge_both(tmp_path: Path, case: Both) -> None:
    made = judge(tmp_path, case.walked)
    file = tmp_path / "situation.yaml"
    lines = [line.strip().removeprefix("- ") for line in file.read_text().splitlines()]
    found = [one for one in check(made) if one.rule == (case.rule or one.rule)]
    if not case.rule:
        assert all(one.severity is Severity.INFO for one in found), found
        return
    one = next(one for one in found if case.words in one.why)
    assert case.mend in one.fix
    assert one.place is not None
    at = case.at or case.walked.at
    assert not at or lines[one.place.line - 1] in (at, case.walked.at), lines[one.place.line - 1]
