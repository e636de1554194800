"""Behind an ingress controller: its own connection to a pod, and what it answers itself."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from k8stui.kernel.exchange import Result
from k8stui.kernel.simulate import connect
from k8stui.kernel.step import StepKind
from k8stui.nodes.options import NodeOptions
from k8stui.walk.clients import arrivals
from k8stui.walk.comparisons import Kind, table
from k8stui.walk.error import RequestError
from k8stui.walk.ingress import Onward, onward
from k8stui.walk.offers import first_offer, offers
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walk, walks
from k8stui.walk.ways import ways
from k8stui.walk.world import build_world, sample

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
        ("/old/x", "503: /old of Ingress default/shop: behind it", "", "app: nobody"),
        ("/odd", "503: /odd of Ingress default/shop", "write port 80", "number: 81"),
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
    shared = onward(world.cluster, asks, world.cluster.pods["default/front"], exchange)
    assert shared is not None
    ((_, found),) = shared
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


def route(api: str, spec: str, name: str = "more", told: str = "") -> str:
    version, _, kind = api.rpartition("/")
    return (
        f"---\napiVersion: {version}\nkind: {kind}\n"
        f"metadata: {{name: {name}, annotations: {{{told}}}}}\nspec: {spec}\n"
    )


def ingress(host: str, service: str, told: str = "", path: str = "/") -> str:
    backend = f"{{service: {{name: {service}, port: {{number: 80}}}}}}"
    rule = f"{{{host}http: {{paths: [{{path: {path}, pathType: Prefix, backend: {backend}}}]}}}}"
    return route("networking.k8s.io/v1/Ingress", f"{{rules: [{rule}]}}", f"to-{service}", told)


BASE = (
    CLUSTER[: CLUSTER.index("---\napiVersion: networking")]
    + "---\n"
    + CLUSTER[CLUSTER.index("apiVersion: v1\nkind: Pod\nmetadata: {name: front") :]
)
TRAEFIK = BASE.replace("k8s.io/ingress-nginx/controller:v1", "traefik:v3")
BY_ARGUMENTS = TRAEFIK.replace(
    "name: front, image", "name: front, args: [--entrypoints.web.address=:80], image"
)
ISTIO = BASE.replace(
    "image: k8s.io/ingress-nginx/controller:v1", "image: istio/proxyv2:1.22, args: [proxy, router]"
)
CANARY = "nginx.ingress.kubernetes.io/canary"
SHARED = f"{CANARY}: 'true', {CANARY}-weight: '25'"
VIRTUAL, HTTP = "networking.istio.io/v1/VirtualService", "gateway.networking.k8s.io/v1/HTTPRoute"
ORIGINATES = route(
    "networking.istio.io/v1/DestinationRule",
    "{host: web, trafficPolicy: {portLevelSettings: [{port: {number: 443}, tls: {mode: SIMPLE}}]}}",
    "web",
)
ROUTE = "traefik.io/v1alpha1/IngressRoute"
TO_ALL = (
    "{{routes: [{{kind: Rule, match: Host(`shop.acme.com`), services: [{{name: {}, port: 80}}], "
    "priority: {}}}]}}"
)
TO_API = TO_ALL.replace("com`)", "com`) && PathPrefix(`/api`)")
ALIAS = route("v1/Service", "{type: ExternalName, externalName: web.acme.com}", "alias")
TO_WEB = "route: [{destination: {host: web}}]"


def of_tls(text: str) -> str:
    text = text.replace("port: 80, targetPort: 8080", "name: https, port: 443, targetPort: 8443")
    return text.replace("containerPort: 8080", "containerPort: 8443")


def virtual(hosts: str, http: str, name: str = "more") -> str:
    return route(VIRTUAL, f"{{hosts: [{hosts}], gateways: [gw], http: [{http}]}}", name)


@pytest.mark.parametrize(
    ("text", "url", "said"),
    [
        (BASE + ingress("", "web"), "http://203.0.113.7/", "The pod sees"),
        (BASE + ingress("host: shop.acme.com, ", "web"), "http://203.0.113.7/",
         "404: no Ingress that it serves has host 203.0.113.7; there is shop.acme.com"),
        (BASE + ingress("host: shop.acme.com, ", "web"), "203.0.113.7:80", "The pod sees"),
        (BASE + ingress("", "web") + ingress("host: shop.acme.com, ", "nobody", path="/a"),
         "http://shop.acme.com/b", "Ingress default/to-web does (/), but it is for host *"),
        (TRAEFIK + ingress("", "web") + ingress("host: shop.acme.com, ", "nobody", path="/a"),
         "http://shop.acme.com/b", "The pod sees"),
        (BY_ARGUMENTS + ingress("host: shop.acme.com, ", "web"), "https://shop.acme.com:80/",
         "answers 404: Ingress default/to-web is for plain HTTP"),
        (BY_ARGUMENTS + ingress("host: shop.acme.com, ", "web",
                                "traefik.ingress.kubernetes.io/router.tls: 'true'"),
         "http://shop.acme.com/", "is for TLS alone, as it says"),
        ((BY_ARGUMENTS + ingress("host: shop.acme.com, ", "web")).replace(
            "port: 80, targetPort: 8080", "port: 443, targetPort: 8080").replace(
            "number: 80", "number: 443"), "http://shop.acme.com/",
         "answers 500: Traefik speaks TLS to port 443 of Service default/web"),
        (BASE + ingress("host: shop.acme.com, ", "web", SHARED), "http://shop.acme.com/",
         "404: it is a canary (its annotation), and there is no other Ingress"),
        (ISTIO + virtual("shop.acme.com", "{match: [{uri: {prefix: /a}}], " + TO_WEB + "}"),
         "http://shop.acme.com/ab", "Istio's gateway made the connection itself"),
        (ISTIO + virtual("shop.acme.com", "{match: [{uri: {prefix: /a}}], " + TO_WEB + "}")
         + virtual("'*'", "{" + TO_WEB + "}", "any"), "http://shop.acme.com/b",
         "VirtualService default/any does (/), but it is for host *"),
        (ISTIO + virtual("shop.acme.com", "{route: [{destination: {host: web, subset: v1}}]}"),
         "http://shop.acme.com/", "answers 503: no DestinationRule for default/web has a subset"),
        (of_tls(ISTIO + virtual("shop.acme.com", "{" + TO_WEB + "}")), "http://shop.acme.com/",
         "answers 400 or 503: the gateway speaks plain HTTP to port 443 of Service default/web"),
        (of_tls(ISTIO + virtual("shop.acme.com", "{" + TO_WEB + "}") + ORIGINATES),
         "http://shop.acme.com/",
         "Istio's gateway made the connection itself"),
        (ISTIO + virtual("shop.acme.com", "{match: [{uri: {exact: /}}], redirect: {uri: /a}}, {"
                         + TO_WEB + "}"), "http://shop.acme.com/", "The pod sees node"),
        (ISTIO + route(HTTP, "{hostnames: [shop.acme.com], rules: [{matches: [{path: {type: Exact, "
                       "value: /a}}], backendRefs: [{name: web, port: 80}]}]}"),
         "http://shop.acme.com/a/b", "no path of HTTPRoute default/more takes /a/b"),
        (BASE.replace("{app: front}}\nspec:", "{app: front}}\nspec:\n  hostNetwork: true")
         + ingress("", "web"), "http://203.0.113.7/", "ingress-nginx made the connection itself"),
        (BY_ARGUMENTS + route(ROUTE, TO_API.format("nobody", 1), "api") + route(ROUTE,
         TO_ALL.format("web", 2), "all"), "http://shop.acme.com/api", "The pod sees"),
        (BY_ARGUMENTS + route(ROUTE, TO_API.format("web", 0), "api") + route(ROUTE,
         TO_ALL.format("nobody", 0), "all"), "http://shop.acme.com/api", "The pod sees"),
        (TRAEFIK + ingress("host: shop.acme.com, ", "alias") + ALIAS, "http://shop.acme.com/",
         "The pod sees"),
        (TRAEFIK + ingress("host: shop.acme.com, ", "alias").replace("number: 80", "name: http")
         + ALIAS, "http://shop.acme.com/", "names port http of Service default/alias"),
    ],
    ids=["any host", "no such host", "no HTTP is asked", "another's path, nginx",
         "another's path, Traefik", "TLS to a plain router", "plain HTTP to one of TLS",
         "TLS by the port",
         "a canary alone", "a gateway", "the narrowest host alone", "no such subset",
         "plain to a port of TLS", "TLS by a DestinationRule",
         "a redirect is not read", "a route", "of the node's network", "priorities, Traefik",
         "the longest rule, Traefik", "an alias has no ports", "an alias's port by name"],
)  # fmt: skip
def test_hosts_and_routes(tmp_path: Path, text: str, url: str, said: str) -> None:
    """The narrowest host's own routes count, but with Traefik; a gateway takes what fits first."""
    assert said in asked(tmp_path, text, url)[0].outcome.reason


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (BASE + ingress("host: shop.acme.com, ", "web")
         + ingress("host: shop.acme.com, ", "nobody", SHARED), Fraction(1, 4)),
        (BASE + ingress("host: shop.acme.com, ", "web")
         + ingress("host: shop.acme.com, ", "gone", SHARED, "/other")
         + ingress("host: shop.acme.com, ", "nobody", SHARED), Fraction(1, 4)),
        (ISTIO + route(HTTP, "{hostnames: [shop.acme.com], rules: [{matches: [{path: {value: /}}, "
                       "{path: {value: /}, method: GET}], backendRefs: [{name: nobody, port: 80}, "
                       "{name: web, port: 80}]}]}"), Fraction(1, 2)),
        (ISTIO + route(HTTP, "{hostnames: [shop.acme.com], rules: [{backendRefs: [{name: web, "
                       "port: 80, weight: 2}, {name: nobody, port: 80}]}]}"), Fraction(1, 3)),
        (ISTIO + virtual("shop.acme.com", "{route: [{destination: {host: web}, weight: 1}, "
                         "{destination: {host: nobody}, weight: -1}, "
                         "{destination: {host: nobody}}]}"), 0),
        (BY_ARGUMENTS + route("traefik.io/v1alpha1/IngressRoute", "{routes: [{kind: Rule, match: "
                              "Host(`shop.acme.com`), services: [{name: web, port: 80}, "
                              "{name: nobody, port: 80, weight: 0}]}]}"), 0),
    ],
    ids=["a canary", "the second canary", "two matches", "weights", "none is 0, Istio",
         "0, Traefik"],
)  # fmt: skip
def test_back_ends_share_what_is_asked(tmp_path: Path, text: str, part: Fraction) -> None:
    found = asked(tmp_path, text, "http://shop.acme.com/")
    assert sum(one.probability for one in found) == 1
    assert [one.probability for one in found if "503" in one.outcome.reason] == [part] * bool(part)


def test_equal_routes_have_places_of_their_own(tmp_path: Path) -> None:
    to = "{destination: {host: web}, weight: 1}"
    (tmp_path / "a.yaml").write_text(
        ISTIO + virtual("shop.acme.com", f"{{route: [{to.replace('1', '0')}, {to}, {to}]}}")
    )
    (found,) = build_world([str(tmp_path)]).cluster.entrances
    first, second = (int(str(one.origin.place).rpartition(":")[2]) for one in found.paths)
    assert second - first == len(f"{to}, ")


CLASSES = route("networking.k8s.io/v1/IngressClass", "{controller: k8s.io/ingress-nginx}", "nginx")
CLASSES += route("networking.k8s.io/v1/IngressClass", "{controller: acme.com/own}", "own")
REWRITES = "nginx.ingress.kubernetes.io/rewrite-target: /"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nginx", "The pod sees"),
        ("own", "is for controller acme.com/own, and this one serves those for k8s.io/"),
        ("none", "answers 404: the IngressClass of Ingress default/to-web is not there"),
    ],
)
def test_classes(tmp_path: Path, name: str, said: str) -> None:
    made = ingress("host: shop.acme.com, ", "web").replace(
        "spec: {", f"spec: {{ingressClassName: {name}, ", 1
    )
    assert said in asked(tmp_path, BASE + CLASSES + made, "http://shop.acme.com/")[0].outcome.reason


@pytest.mark.parametrize(
    ("told", "path", "said"),
    [
        (REWRITES, "/api", "asks it for / and not for /api/items (rewrite-target)"),
        (f"{REWRITES}$2", '"/api(/|$)(.*)"', "made the connection itself, and sees"),
        ("", '"/api(/|$)(.*)"', "takes /api/items; it has /api(/|$)(.*), which it takes to"),
    ],
    ids=["rewritten", "with groups", "to the letter"],
)
def test_what_the_back_end_is_asked_for(tmp_path: Path, told: str, path: str, said: str) -> None:
    made = ingress("host: shop.acme.com, ", "web", told, path)
    (found, *_) = asked(tmp_path, BASE + made, "http://shop.acme.com/api/items")
    assert said in found.outcome.reason


def test_the_hosts_that_lead_to_a_service_are_ways_to_it() -> None:
    """Those of which the input knows the address, and who has it; the screen opens on the first."""
    world = build_world([str(sample("ingress"))])
    asked = [one.request.destination for one in offers(world, "default/api")]
    assert asked[-1] == "http://shop.example:80/api"
    first = first_offer(world)
    assert first is not None
    assert (first.request.source, first.request.destination) == (
        "outside",
        "http://shop.example:80/",
    )
    assert [one.outcome.result for one in walks(world, first.request)] == [Result.CONNECTED] * 2
    last = ways(world, "default/api").rows[-1]
    assert last.name == "http://shop.example/api"
    assert [cell.chance for cell in last.cells if cell is not None] == [1] * 3
    shown = walk(world, first.request)
    assert table(world, shown, Kind.WAYS).rows[-1].name == "http://shop.example/"
    assert [row.name for row in table(world, shown, Kind.ENTRIES).rows]
    with pytest.raises(RequestError) as error:
        list(arrivals(world, "default/api"))
    assert "Ingress default/shop leads to it, by http://shop.example/api" in str(error.value.hint)
    bare = build_world([str(sample("ingress") / "shop.yaml")])
    assert not any("http" in one.label for one in offers(bare, "default/api"))


@pytest.mark.parametrize("weight", ["9" * 5000, "²", "-1"], ids=["long", "squared", "minus"])
def test_a_backend_for_the_rest_and_a_weight_that_is_none(tmp_path: Path, weight: str) -> None:
    """Each path of a rule has its own part; what stands for the rest has none in it."""
    shop = (sample("ingress") / "shop.yaml").read_text()
    file = tmp_path / "shop.yaml"
    nginx = "nginx.ingress.kubernetes.io/canary"
    told = f'{{{nginx}: "true", {nginx}-weight: "{weight}"}}'
    other = shop.split("---")[0].replace("name: shop", f"name: c\n  annotations: {told}")
    rest = "  defaultBackend: {service: {name: api, port: {number: 80}}}\n  rules:"
    file.write_text(f"{shop.replace('  rules:', rest, 1)}\n---\n{other}")
    world = build_world([str(sample("ingress") / "controller.yaml"), str(file)])
    request = parse_request(world, "outside", "http://shop.example/")
    found = list(walks(world, request))
    assert {one.outcome.server_pod for one in found} == {"default/web-1", "default/web-2"}
