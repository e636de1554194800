"""What leads to a Service without being a packet: routes of gateways, and a pod's own localhost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from manifests_of import Manifest, kind, pod, service, write

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
