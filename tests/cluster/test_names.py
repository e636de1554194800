"""DNS and environment as a container sees them (docs/facts/control-plane.md section 9)."""

from __future__ import annotations

import pytest
from cluster.objects import cluster, deployment, service

from k8stui.cluster.model import Cluster, Pod
from k8stui.cluster.names import ResolutionKind, candidates, resolve, service_environment

INPUT = (
    deployment("client")
    + deployment("on-node", more="hostNetwork: true")
    + deployment("dns-on-node", more="hostNetwork: true\n      dnsPolicy: ClusterFirstWithHostNet")
    + deployment("db", 2, kind="StatefulSet").replace("replicas", "serviceName: db\n  replicas")
    + deployment("far", namespace="prod")
    + service("db", "clusterIP: None, ports: [{port: 5432}]")
    + service("web", "clusterIP: 10.96.0.7, ports: [{name: http, port: 80, targetPort: 8080}]")
    + service("empty", "clusterIP: None, ports: [{port: 80}]")
    + service("far", "clusterIP: 10.96.0.8, ports: [{port: 80}]", namespace="prod")
    + service("alias", "type: ExternalName, externalName: db.example.com, ports: []").replace(
        "selector: {app: alias}, ", ""
    )
    + service("number", "type: ExternalName, externalName: 192.0.2.5")
    + service("loop", "type: ExternalName, externalName: loop.default.svc.cluster.local")
    + service("gone", "type: ExternalName, externalName: x.prod.svc.cluster.local")
    + service("inner", "type: ExternalName, externalName: far.prod.svc.cluster.local")
)


@pytest.fixture(scope="module")
def made() -> Cluster:
    return cluster(INPUT)


def pod(made: Cluster, name: str) -> Pod:
    return next(p for p in made.pods.values() if p.name.startswith(name))


@pytest.mark.parametrize(
    ("name", "kind", "addresses"),
    [
        ("web", "cluster IP", ["10.96.0.7"]),
        ("web.default", "cluster IP", ["10.96.0.7"]),
        ("web.default.svc", "cluster IP", ["10.96.0.7"]),
        ("web.default.svc.cluster.local", "cluster IP", ["10.96.0.7"]),
        ("web.default.svc.cluster.local.", "cluster IP", ["10.96.0.7"]),
        ("WEB", "cluster IP", ["10.96.0.7"]),
        ("far.prod", "cluster IP", ["10.96.0.8"]),
        ("far", "unknown", []),
        ("db", "headless", ["db-0", "db-1"]),
        ("db-1.db", "endpoint", ["db-1"]),
        ("db-2.db", "unknown", []),
        ("empty", "unknown", []),
        ("alias", "external", []),
        ("inner", "cluster IP", ["10.96.0.8"]),
        ("number", "unknown", []),
        ("loop", "unknown", []),
        ("gone", "unknown", []),
        ("10-9-8-7.default.pod.cluster.local", "pod", ["10.9.8.7"]),
        ("10.9.8.7", "address", ["10.9.8.7"]),
        ("example.com", "outside", []),
        ("nothing.prod", "unknown", []),
        ("web.default.svc.cluster.example", "unknown", []),
        ("client-1", "unknown", []),
    ],
)
def test_resolve(made: Cluster, name: str, kind: str, addresses: list[str]) -> None:
    found = resolve(made, name, pod(made, "client"))
    assert found.kind == ResolutionKind(kind)
    expected = [
        str(made.pods[f"default/{a}"].addresses[0]) if a.startswith("db") else a for a in addresses
    ]
    assert [str(address) for address in found.addresses] == expected
    assert found.is_resolved or found.reason


def test_dashed_address_of_an_endpoint_without_hostname() -> None:
    text = INPUT + service("client", "clusterIP: None, ports: [{port: 80}]")
    other = cluster(text)
    address = str(pod(other, "client").addresses[0])
    found = resolve(other, f"{address.replace('.', '-')}.client", pod(other, "client"))
    assert [str(a) for a in found.addresses] == [address]


@pytest.mark.parametrize(
    ("client", "resolves"), [("client", True), ("on-node", False), ("dns-on-node", True)]
)
def test_host_network_and_dns_policy(made: Cluster, client: str, resolves: bool) -> None:
    found = resolve(made, "web", pod(made, client))
    assert found.is_resolved is resolves
    if not resolves:
        assert "hostNetwork" in found.reason


def test_search_order(made: Cluster) -> None:
    client = pod(made, "client")
    assert list(candidates(made, "a.b", client)) == [
        "a.b.default.svc.cluster.local",
        "a.b.svc.cluster.local",
        "a.b.cluster.local",
        "a.b",
    ]
    assert next(candidates(made, "a.b.c.d.e.f", client)) == "a.b.c.d.e.f"
    assert resolve(made, "far.prod", client).tried == (
        "far.prod.default.svc.cluster.local",
        "far.prod.svc.cluster.local",
    )


def test_reasons_help(made: Cluster) -> None:
    client = pod(made, "client")
    assert "far.prod" in resolve(made, "far", client).reason
    assert "is a pod" in resolve(made, "client-1", client).reason
    assert "no ready endpoint" in resolve(made, "empty", client).reason


def test_environment(made: Cluster) -> None:
    found = service_environment(made, pod(made, "client"))
    assert {key: value for key, value in found.items() if key.startswith("WEB_")} == {
        "WEB_SERVICE_HOST": "10.96.0.7",
        "WEB_SERVICE_PORT": "80",
        "WEB_SERVICE_PORT_HTTP": "80",
        "WEB_PORT": "tcp://10.96.0.7:80",
        "WEB_PORT_80_TCP": "tcp://10.96.0.7:80",
        "WEB_PORT_80_TCP_PROTO": "tcp",
        "WEB_PORT_80_TCP_PORT": "80",
        "WEB_PORT_80_TCP_ADDR": "10.96.0.7",
    }
    assert found["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert not any(key.startswith(("DB_", "ALIAS_", "FAR_")) for key in found)
    elsewhere = service_environment(made, pod(made, "far"))
    assert elsewhere["FAR_SERVICE_HOST"] == "10.96.0.8"
    assert elsewhere["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert "WEB_SERVICE_HOST" not in elsewhere


def test_environment_without_service_links() -> None:
    text = deployment("a", more="enableServiceLinks: false") + service("a")
    made = cluster(text)
    assert {key.split("_")[0] for key in service_environment(made, pod(made, "a"))} == {
        "KUBERNETES"
    }


DNS = """
---
apiVersion: v1
kind: Pod
metadata: {{name: own, namespace: team}}
spec: {{dnsPolicy: {policy}, dnsConfig: {{{config}}}, containers: [{{name: c, image: i}}]}}
"""
OWN = {
    "appended": (
        "ClusterFirst",
        "searches: [example.com, svc.cluster.local], options: [{name: ndots, value: '2'}]",
        "web.default",
        [
            "web.default.team.svc.cluster.local",
            "web.default.svc.cluster.local",
            "web.default.cluster.local",
            "web.default.example.com",
            "web.default",
        ],
    ),
    "few dots": (
        "ClusterFirst",
        "options: [{name: ndots, value: '1'}]",
        "web.default",
        [
            "web.default",
            "web.default.team.svc.cluster.local",
            "web.default.svc.cluster.local",
            "web.default.cluster.local",
        ],
    ),
    "nothing else": (
        "None",
        "nameservers: [10.96.0.10], searches: [default.svc.cluster.local]",
        "web",
        ["web.default.svc.cluster.local", "web"],
    ),
}


@pytest.mark.parametrize("name", OWN)
def test_a_pods_own_dns_configuration(name: str) -> None:
    policy, config, asked, wanted = OWN[name]
    made = cluster(service("web") + DNS.format(policy=policy, config=config))
    own = made.pods["team/own"]
    assert list(candidates(made, asked, own)) == wanted
    assert resolve(made, asked, own).is_resolved


PUBLIC = {
    "app.10.0.0.5.nip.io": "10.0.0.5",
    "web-10-0-0-5.nip.io": "10.0.0.5",
    "A.0A000005.nip.io": "10.0.0.5",
    "www.2001-db8--7.sslip.io": "2001:db8::7",
    "shop.localtest.me": "127.0.0.1",
    "shop.10.0.0.5.traefik.me": "10.0.0.5",
    "shop.traefik.me": "127.0.0.1",
    "nip.io": "",
    "www.nip.io": "",
    "10.0.0.500.nip.io": "",
    "10.0.0.5.snip.io": "",
}


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_that_says_its_address(name: str) -> None:
    made = cluster(service("web") + DNS.format(policy="Default", config=""))
    found = [resolve(made, f"{name}.", None), resolve(made, name, made.pods["team/own"])]
    assert [", ".join(map(str, one.addresses)) for one in found] == [PUBLIC[name]] * 2


def test_a_nameserver_elsewhere_knows_no_service() -> None:
    text = DNS.format(policy="None", config="nameservers: [192.0.2.53]")
    made = cluster(service("web") + text)
    found = resolve(made, "web.default.svc.cluster.local", made.pods["team/own"])
    assert not found.is_resolved
    assert "dnsPolicy None" in found.reason


def test_a_service_called_kubernetes_stands_for_the_other() -> None:
    """kubelet_pods.go getServiceEnvVarMap: the pod's own namespace comes first."""
    text = service("kubernetes", "clusterIP: 10.96.9.9, ports: [{port: 80}]", namespace="team")
    made = cluster(text + DNS.format(policy="Default", config=""))
    found = service_environment(made, made.pods["team/own"])
    assert found["KUBERNETES_SERVICE_HOST"] == "10.96.9.9"
    assert "KUBERNETES_PORT_443_TCP" not in found
