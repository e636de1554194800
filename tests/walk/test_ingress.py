"""Behind an ingress controller: its own connection to a pod, and what it answers itself."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from k8stui.kernel.simulate import connect
from k8stui.kernel.step import StepKind
from k8stui.nodes.options import NodeOptions
from k8stui.walk.ingress import Onward, onward
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walk, walks
from k8stui.walk.world import build_world

CLUSTER = """\
apiVersion: v1
kind: Pod
metadata: {name: web-a, labels: {app: web}}
spec: {containers: [{name: web, image: web, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web-b, labels: {app: web}}
spec: {containers: [{name: web, image: web, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  rules:
    - host: shop.acme.com
      http:
        paths:
          - {path: /api, pathType: Exact, backend: {service: {name: web, port: {number: 80}}}}
          - {path: /old, pathType: Prefix, backend: {service: {name: nobody, port: {number: 80}}}}
          - {path: /odd, pathType: Prefix, backend: {service: {name: web, port: {number: 81}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: more}
spec:
  rules:
    - host: shop.acme.com
      http:
        paths: [{path: /web, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]
---
apiVersion: v1
kind: Pod
metadata: {name: front, labels: {app: front}}
spec:
  containers:
    - {name: front, image: k8s.io/ingress-nginx/controller:v1, ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {type: LoadBalancer, selector: {app: front}, ports: [{port: 80}]}
status: {loadBalancer: {ingress: [{ip: 203.0.113.7}]}}
"""
DENIES = """\
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}
"""


def asked(folder: Path, text: str, url: str) -> list[Trace]:
    file = folder / "all.yaml"
    file.write_text(text)
    world = build_world([str(file)], node_options=NodeOptions(cni="calico"))
    request = parse_request(world, "outside", url)
    assert parse_request(world, "outside", request.destination) == request
    return list(walks(world, request))


@pytest.mark.parametrize("path", ["/api", "/web", "/web/more?q=1", "//web", "/%77eb"])
def test_the_controller_asks_a_pod_itself(tmp_path: Path, path: str) -> None:
    """The first Ingress' path, and that of another one for the same host."""
    found = asked(tmp_path, CLUSTER, f"http://shop.acme.com{path}")
    assert sum(one.probability for one in found) == 1
    pods = {name for one in found for name in (one.outcome.server_pod, *one.alike)}
    assert pods == {"default/web-a", "default/web-b"}
    for one in found:
        assert one.outcome.result == "connected"
        assert "sees default/front" in one.outcome.reason
        assert [step.number for step in one.steps] == list(range(1, len(one.steps) + 1))
        (proxy,) = (hop for hop, step in one.placed if step.kind is StepKind.PROXY)
        assert proxy.namespace == "default/front"


@pytest.mark.parametrize(
    ("path", "said", "mend", "line"),
    [
        ("/", "404: no path of Ingress default/shop takes /", "write a path for /", "name: web,"),
        ("/api/x", "takes /api/x; it has /api (Exact)", "pathType: Prefix for /api", "name: web,"),
        ("/webs", "404: no path", "ask one of those", "name: web,"),
        ("/old/x", "503: behind /old of Ingress default/shop: behind it", "", "app: nobody"),
        ("/odd", "503: behind /odd of Ingress default/shop", "write port 80", "number: 81"),
    ],
)
def test_what_it_answers_itself(tmp_path: Path, path: str, said: str, mend: str, line: str) -> None:
    (found,) = asked(tmp_path, CLUSTER, f"http://shop.acme.com{path}")
    done = found.outcome
    assert (done.result, done.errno, done.decided_at) == ("not-served", None, "default/front")
    assert done.reason.startswith("connected, but ingress-nginx answers ")
    assert said in done.reason
    assert mend in done.advice
    assert done.origin is not None
    assert done.origin.place is not None
    assert line in CLUSTER.splitlines()[done.origin.place.line - 1]


@pytest.mark.parametrize(
    ("text", "said", "seconds"),
    [
        (CLUSTER.replace("containerPort: 8080", "containerPort: 8081"), "answers 502", 0),
        (CLUSTER + DENIES, "answers 504", 10),
        ((CLUSTER + DENIES).replace("ingress-nginx/controller", "traefik"), "answers 504", 30),
    ],
    ids=["refused", "denied", "denied, and Traefik"],
)
def test_its_own_connection_fails(tmp_path: Path, text: str, said: str, seconds: int) -> None:
    """ingress-nginx gives up after 5 s with each of two; Traefik after 30 s with one."""
    for found in asked(tmp_path, text, "http://shop.acme.com/api"):
        done = found.outcome
        assert done.result == "not-served"
        assert said in done.reason
        assert round(done.seconds) == seconds
        assert done.step is not None
        assert done.step <= len(found.steps)


def test_it_tries_another_endpoint(tmp_path: Path) -> None:
    """proxy-next-upstream: who asks never hears of the one that refuses. Traefik does not try."""
    one_closed = CLUSTER.replace("containerPort: 8080", "containerPort: 8081", 1)
    found = asked(tmp_path, one_closed, "http://shop.acme.com/api")
    assert [each.outcome.result for each in found] == ["connected"] * 2
    assert {each.outcome.server_pod for each in found} == {"default/web-b"}
    assert "tries 10.244" in " ".join(step.text for each in found for step in each.steps)
    traefik = one_closed.replace("ingress-nginx/controller", "traefik")
    fares = {
        each.outcome.result: each.probability
        for each in asked(tmp_path, traefik, "http://shop.acme.com/api")
    }
    assert fares == {"connected": Fraction(1, 2), "not-served": Fraction(1, 2)}


def test_what_the_client_says_goes_on_too(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(CLUSTER)
    world = build_world([str(file)])
    asks = parse_request(world, "outside", "http://shop.acme.com/api", data_bytes=700)
    assert asks.connect is not None
    exchange = connect(world.network, asks.connect)
    found = onward(world.cluster, asks, world.cluster.pods["default/front"], exchange)
    assert isinstance(found, Onward)
    assert found.request.connect is not None
    assert found.request.connect.data_bytes == 700


def test_nobody_said_which_path(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(CLUSTER)
    world = build_world([str(file)])
    found = walk(world, parse_request(world, "outside", "shop.acme.com:80"))
    assert found.outcome.result == "connected"
    assert any("its first path, for none was asked" in step.text for step in found.steps)


def test_the_backend_of_an_ingress_takes_the_rest(tmp_path: Path) -> None:
    text = CLUSTER.replace(
        "spec:\n  rules",
        "spec:\n  defaultBackend: {service: {name: web, port: {number: 80}}}\n  rules",
        1,
    )
    for found in asked(tmp_path, text, "http://shop.acme.com/whatever"):
        assert found.outcome.result == "connected"


WILD = """\
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: wild}
spec:
  rules:
    - host: "*.acme.com"
      http:
        paths:
          - {path: /any, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
"""


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        (CLUSTER.replace("ingress-nginx/controller", "traefik"), "/webs", "The pod sees"),
        (CLUSTER.replace("/web, pathType: Prefix", "/web, pathType: ImplementationSpecific"),
         "/webs", "The pod sees"),
        (CLUSTER.replace("{name: more}", "{name: more, annotations: "
                         "{nginx.ingress.kubernetes.io/use-regex: 'true'}}"),
         "/webs", "The pod sees"),
        (CLUSTER + WILD, "/any", "answers 404: no path of Ingress default/shop"),
        (CLUSTER.replace("ingress-nginx/controller", "traefik"), "/old", "answers 404 (503"),
    ],
    ids=["Traefik", "ImplementationSpecific", "use-regex", "wildcard", "nobody, and Traefik"],
)  # fmt: skip
def test_controllers_differ(tmp_path: Path, text: str, path: str, said: str) -> None:
    """Traefik's PathPrefix is one of letters; who has the host's own name needs no wildcard."""
    assert said in asked(tmp_path, text, f"http://shop.acme.com{path}")[0].outcome.reason
