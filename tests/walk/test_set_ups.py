"""How a cluster is set up, and what that keeps from being answered: said by walk and check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from manifests_of import Manifest, kind, service, workload
from walk.test_reported import NODES, WEB, asking
from walk.test_told_by_both import Both, judge_both

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
    "CoreDNS knows no Services": Both(
        walked=named(*name_server(".:53 {\n  errors\n  forward . /etc/resolv.conf\n}\n"),
                     result="no-such-name", cause="has no plugin kubernetes",
                     mend="write kubernetes cluster.local", at=".:53 {"),
        rule="dns-policy", words="no plugin kubernetes", mend="write kubernetes cluster.local",
    ),
    "cluster DNS has no replicas": Both(
        walked=named(*name_server(replicas=0), result="no-such-name",
                     cause="Deployment coredns, whose pods it selects, has replicas: 0",
                     mend="kubectl scale deployment/coredns"),
        rule="no-endpoints", words="Deployment kube-system/coredns", mend="--replicas=1",
        at="selector:",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str, tmp_path: Path) -> None:
    judge_both(tmp_path, NAMES[name])
