"""What leads to a Service without being a packet: routes of gateways, and a pod's own localhost."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from manifests_of import Manifest, kind, pod, service, workload, write

from k8stui.check import check
from k8stui.walk.world import build_world

_API = "gateway.networking.k8s.io/v1"
WEB = (
    service("web", to=8080, namespace="apps"),
    pod("web-0", "app=web", ports=[8080], namespace="apps"),
)
DB = (service("db", port=5432), pod("db-0", "app=db", ports=[5432]))


def route(**backend: Any) -> Manifest:
    return kind(_API, "site", "HTTPRoute", spec={"rules": [{"backendRefs": [backend]}]})


def grant(namespace: str = "apps", *, to: str = "", asker: str = "default") -> Manifest:
    wanted = {"group": "", "kind": "Service", **({"name": to} if to else {})}
    who = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": asker}
    return kind(
        "gateway.networking.k8s.io/v1beta1", "in", "ReferenceGrant", namespace,
        spec={"from": [who], "to": [wanted]},
    )  # fmt: skip


def virtual(host: str, port: int | None = None, part: str = "http") -> Manifest:
    there: dict[str, Any] = {"host": host, **({"port": {"number": port}} if port else {})}
    return kind(
        "networking.istio.io/v1", "r", "VirtualService", "apps",
        spec={"hosts": [host], part: [{"route": [{"destination": there}]}]},
    )  # fmt: skip


def told(*env: tuple[str, str], ports: tuple[int, ...] = (3000,), **spec: Any) -> Manifest:
    given = [{"name": name, "value": value} for name, value in env]
    return pod("app-0", "app=app", ports=ports, container={"env": given}, **spec)


_TO_APPS = route(name="web", namespace="apps", port=80)
_WITHOUT = "no ReferenceGrant there lets"
CASES: dict[str, tuple[tuple[Manifest, ...], str, str]] = {
    "no grant": ((*WEB, _TO_APPS), _WITHOUT, "ReferenceGrant into namespace apps"),
    "a grant": ((*WEB, _TO_APPS, grant()), "", ""),
    "a grant for that Service": ((*WEB, _TO_APPS, grant(to="web")), "", ""),
    "a grant for another Service": ((*WEB, _TO_APPS, grant(to="shop")), _WITHOUT, "web"),
    "a grant for another namespace": ((*WEB, _TO_APPS, grant(asker="edge")), _WITHOUT, "web"),
    "a grant in the wrong namespace": ((*WEB, _TO_APPS, grant("default")), _WITHOUT, "web"),
    "a VirtualService": ((*WEB, virtual("web", 80)), "", ""),
    "in full": ((*WEB, virtual("web.apps.svc.cluster.local", 80)), "", ""),
    "in another namespace by its short name": (
        (service("web", to=8080), virtual("web")),
        "no Service apps/web; it is in namespace default",
        "write web.default.svc.cluster.local"),
    "misspelt": ((*WEB, virtual("wbe")), "no Service apps/wbe", "write web"),
    "the pod's port": ((*WEB, virtual("web", 8080, "tcp")), "has no port 8080", "port 80"),
    "a host of the world": ((*WEB, virtual("api.example.org", 443)), "", ""),
    "localhost of a browser": (
        (*DB, told(("CORS_ORIGIN", "http://localhost:5432"))), "", ""),
    "localhost": ((*DB, told(("DB_HOST", "localhost"), ("DB_PORT", "5432"))),
                  "leads to localhost:5432, the pod itself", "write db"),
    "localhost in a URL": ((*DB, told(("DB_URL", "postgres://u@127.0.0.1:5432/x"))),
                           "leads to 127.0.0.1:5432", "write db"),
    "its own port": ((*DB, told(("DB_HOST", "localhost"), ("DB_PORT", "5432"), ports=(5432,))),
                     "", ""),
    "a proxy beside it": ((*DB, told(("DB_URL", "postgres://u@localhost:5432/x"),
                                     containers=[{"name": "a", "image": "x"},
                                                 {"name": "b", "image": "y"}])), "", ""),
    "where it listens itself": ((*DB, told(("LISTEN_ADDR", "localhost:5432"))), "", ""),
    "a port of nobody": ((*DB, told(("CACHE_URL", "redis://localhost:6379"))), "", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_led_elsewhere(name: str, tmp_path: Path) -> None:
    manifests, words, mend = CASES[name]
    found = [
        one
        for one in check(build_world([str(write(tmp_path, manifests))]))
        if one.rule in {"ingress-backend", "env-address"}
    ]
    if not words:
        assert not found
        return
    (one,) = found
    assert words in one.why
    assert mend in one.fix


def traefik(**backend: Any) -> Manifest:
    return kind(
        "traefik.io/v1alpha1", "site", "IngressRoute",
        spec={"routes": [{"match": "PathPrefix(`/`)", "services": [backend]}]},
    )  # fmt: skip


def istio(what: str, name: str, namespace: str | None = None, **spec: Any) -> Manifest:
    return kind("networking.istio.io/v1", name, what, namespace, spec=spec)


def told_by(text: str, key: str = "app.conf") -> tuple[Manifest, ...]:
    """A file that a pod mounts; a value of one line is its env."""
    return kind("v1", "settings", "ConfigMap", data={key: text}), pod(
        "reader", container={"envFrom": [{"configMapRef": {"name": "settings"}}]}
    )


def beside(*words: str, port: int = 8080) -> Manifest:
    """A proxy and what it proxies, in one pod."""
    return pod("two", containers=[
        {"name": "proxy", "image": "x", "args": list(words), "ports": [{"containerPort": 4180}]},
        {"name": "app", "image": "registry.example/app:1", "ports": [{"containerPort": port}]},
    ])  # fmt: skip


def secret(text: str) -> Manifest:
    return kind("v1", "login", "Secret", data={"host": b64encode(text.encode()).decode()})


_BY_SECRET = pod("app-0", "app=app", container={"env": [
    {"name": "DB_HOST", "valueFrom": {"secretKeyRef": {"name": "login", "key": "host"}}},
]})  # fmt: skip
SHORT = (service("web", to=8080), pod("web-0", "app=web", ports=[8080]))
_SUBSETS = [{"name": "v1", "labels": {"version": "1"}}, {"name": "v2", "labels": {"version": "2"}}]
_RULE = istio("DestinationRule", "web", host="web", subsets=_SUBSETS)
_VERSIONED = (service("web", "app=web"), pod("web-0", "app=web,version=1", ports=[80]))


def to_subset(name: str) -> Manifest:
    there = {"destination": {"host": "web", "subset": name}}
    return istio("VirtualService", "r", hosts=["web"], http=[{"route": [there]}])


_EDGE = istio("Gateway", "edge", "infra", selector={"istio": "edge"}, servers=[])
_BY_EDGE = {"hosts": ["shop.example.org"], "http": []}
CASES_2: dict[str, tuple[tuple[Manifest, ...], str, str]] = {
    "a backend without a port": ((*WEB, route(name="web", namespace="apps"), grant()),
                                 "it names no port of Service apps/web", "write port: 80"),
    "Traefik": ((*SHORT, traefik(name="web", port=80)), "", ""),
    "Traefik, the pod's port": ((*SHORT, traefik(name="web", port=8080)), "has no port 8080", "80"),
    "Traefik, misspelt": ((*SHORT, traefik(name="wbe", port=80)), "no Service default/wbe", "web"),
    "a subset": ((*_VERSIONED, _RULE, to_subset("v1")), "", ""),
    "a subset without pods": ((*_VERSIONED, _RULE, to_subset("v2")), "has no pod", "version"),
    "a subset that nobody names": ((*_VERSIONED, _RULE, to_subset("v3")), "has a subset v3", "v"),
    "no Gateway of that name here": (
        (_EDGE, istio("VirtualService", "r", "apps", gateways=["edge"], **_BY_EDGE),
         pod("gate", "istio=edge")),
        "no Gateway apps/edge; it is in namespace infra", "write infra/edge"),
    "a Gateway by its full name": (
        (_EDGE, istio("VirtualService", "r", "apps", gateways=["infra/edge"], **_BY_EDGE),
         pod("gate", "istio=edge")), "", ""),
    "a Gateway that nobody serves": (
        (_EDGE, pod("gate", "istio=edge-gateway")), "no pod has istio=edge", "istio: edge-gateway"),
    "a URL's port in a file": (
        (*SHORT, *told_by("a = 1\nproxy_pass http://web:8080/;\n")), "leads to port 8080", "80"),
    "an upstream's port in a file": (
        (*SHORT, *told_by("upstream a {\n  server web:8080;\n}\n")), "leads to port 8080", "80"),
    "another word with a number in a file": ((*SHORT, *told_by("a = 1\nname web:8080\n")), "", ""),
    "a line feed behind a host": (
        (*SHORT, *told_by("web\n", "WEB_HOST")), "WEB_HOST of container main ends in a line feed",
        "write |-"),
    "a line feed behind a text": ((*SHORT, *told_by("web\n", "MOTTO")), "", ""),
    "a line feed in a Secret": (
        (*SHORT, secret("web\n"), _BY_SECRET), "ends in a line feed (Secret login)", "echo -n"),
    "a Secret without one": ((*SHORT, secret("web"), _BY_SECRET), "", ""),
    "a blank behind a URL": (
        (*SHORT, told(("WEB_URL", "http://web "))), "ends in a blank", "leave"),
    "a neighbour's port": ((beside("--upstream=http://127.0.0.1:8080"),), "", ""),
    "nobody's port in the pod": (
        (beside("--upstream=http://127.0.0.1:3000"),), "no container listens on 3000", "8080"),
    "where the proxy itself listens": ((beside("--listen-address=127.0.0.1:9000"),), "", ""),
    "an option and its words": (
        (*DB, pod("c", container={"args": ["run", "--db-host", "dbs", "--port", "5432"]})),
        "leads to dbs", "write db"),
    "a replica's master by another word": (
        (service("kv-master", port=6379), pod("kv", "app=kv-master", ports=[6379]),
         pod("c", container={"args": ["--replicaof", "kv-primary", "6379"]})),
        "no Service default/kv-primary", "write kv-master"),
    "a shorter name of the namespace": (
        (service("db", port=5432, namespace="production"),
         pod("db-0", "app=db", namespace="production", ports=[5432]),
         told(("DB_URL", "postgres://u@db.prod.svc.cluster.local:5432/x"))),
        "no Service prod/db", "write db.production"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES_2)
def test_led_by_others(name: str, tmp_path: Path) -> None:
    manifests, words, mend = CASES_2[name]
    found = [
        one
        for one in check(build_world([str(write(tmp_path, manifests))]))
        if one.rule in {"ingress-backend", "env-address"}
    ]
    assert bool(found) is bool(words), found
    for one in found:
        assert words in one.why
        assert mend in one.fix


def test_the_node_by_its_address_and_a_port_that_nobody_opens(tmp_path: Path) -> None:
    """status.hostIP leads to the node: the DaemonSet's pods have to open a hostPort there."""
    agent = workload("DaemonSet", "agent", ports=[8126])
    asks = {"name": "DD_AGENT_HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}
    port = {"name": "DD_TRACE_AGENT_PORT", "value": "8126"}
    app = pod("app", container={"env": [asks, port]})
    (one,) = check(build_world([str(write(tmp_path, (agent, app)))]))
    assert "DD_AGENT_HOST of container main is the node's address" in one.why
    assert "write hostPort: 8126" in one.fix
    open_ = workload("DaemonSet", "agent", ports=[{"containerPort": 8126, "hostPort": 8126}])
    assert not [
        one
        for one in check(build_world([str(write(tmp_path, (open_, app)))]))
        if one.rule == "env-address"
    ]
