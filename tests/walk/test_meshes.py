"""What Istio's and Linkerd's proxies make of connections: one cluster of several meshes."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.walk.request import parse_request
from k8stui.walk.walk import walk
from k8stui.walk.world import World, build_world

_WORLD = Path(__file__).parent / "meshes"
# Who asks, whom; the outcome; words of the cause; of the mend; of the line where it stands.
ASKED = """
out/client api.closed:8080 | denied | lets in who proves an identity | inject=enabled | closed
lin/client api.closed:8080 | connected | |
lin/skipping api.closed:8080 | denied | has its own proxy passed by | out of that annotation |
lin/client bare.lin:8080 | denied | no authorization is for it | an AuthorizationPolicy | spec:
lin/client ledger.lin:9000 | denied | whose identity is default.lin. | add default.lin. | identities
out/client ledger.lin:9000 | denied | has no Linkerd proxy | annotate namespace out | identities
lin/client nats.lin:4222 | connected | 10 s late | opaque-ports: "4222" | 4222
lin/client told.lin:4222 | connected | | |
out/client told.lin:4222 | connected | opaque ports of pod lin/told | annotate the pods |
lin/client mysql.lin:3306 | connected | '3307' takes the place | opaque-ports: "3306" | 3306
ist/client db.ist:3307 | timeout | both wait, no greeting | appProtocol: tcp | name: db
ist/client tcp.ist:3307 | connected | | |
out/client tcp.ist:3307 | timeout | (PERMISSIVE) and waits | excludeInboundPorts: "3306" | tcp-db
ist/client web.ist:80 | not-served | is port 9080 of ist/web | number: 80 | 9080
out/client web.ist:80 | connected | | |
ist/client half.ist:8081 | refused | leaves port 8081 to the pod | mode: DISABLE | excludeInbound
ist/client store.strict:80 | connected | | |
ist/passing store.strict:80 | refused | has its own proxy passed by | out of that annotation | spec:
strict/client port.strict:8088 | refused | speak no mutual TLS of Istio's | ISTIO_MUTUAL | DISABLE
ist/early/migrate store.strict:80 | refused | has turned what it sends | runAsUser: 1337 | migrate
scoped/client own.scoped:80 | connected | | |
scoped/client store.strict:80 | refused | among the hosts of its egress | add strict/* | hosts:
scoped/client 203.0.113.7:443 | connected | | |
scoped/client 203.0.113.7:444 | refused | has no port 444 | add port 444 | known.example
scoped/client 203.0.113.8:443 | refused | no ServiceEntry of the input | write a ServiceEntry | mode
scoped/client 203.0.113.9:443 | refused | reads plain HTTP there | protocol: TLS | plain
lin/client named.deny:8080 | denied | its port grpc is the name of no | port: 8080 in | port: grpc
lin/client label.deny:8080 | denied | app=lable, which no pod has | app: label | spec:
out/client net.deny:8080 | denied | does not have the address | 10.244.0.0/16 | networks:
ist/client sql.ist:3306 | refused | is TCP, which shows none | take methods, paths | rules:
lin/client route.lin:8080 | denied | which is not there | that there is (ledger) | legder
lin/client probed.lin:8080 | refused | the probes of pod lin/probed at port 8080 | HTTPRoute | spec:
lin/opted ledger.lin:9000 | denied | has no Linkerd proxy | disabled stands at | identities
ist/client api.outside.io:80 | not-served | nor a host of any | ServiceEntry | outside
ist/client short.ist:80 | not-served | of namespace strict | host: short.ist.svc | host: short
out/client ported.strict:81 | refused | where the pods' own is meant, 8081 | 8081 there | portLevel
strict/client ported.strict:81 | denied | and 81 is the Service's | ports: ["8081"] | rules:
ist/client vault.ist:8200 | connected | | |
out/client vault.ist:8200 | denied | denies it to pod out/client | take what means it | rules:
strict/client vault.ist:8200 | denied | denies it to pod strict/client | take what | rules:
out/client echo.amb:8080 | refused | asks for what only HTTP | a waypoint |
out/aside-1 ledger.lin:9000 | denied | stands at the Deployment itself | move that | identities
labelled/client ledger.lin:9000 | denied | as a label, and Linkerd reads | annotate | identities
ist/client home.strict:80 | refused | is for '.' alone | at Service home |
strict/client home.strict:80 | connected | | |
scoped/client web.ist:80 | refused | but at port 9080 | take port out | hosts
ist/client roach.ist:26257 | refused | cockroach of pod ist/roach | tcp-cockroach | grpc
ist/client spiffe.ist:80 | denied | begins in spiffe:// | write cluster.local/ns | rules:
ist/client foreign.ist:80 | connected | | |
ist/client gated.ist:80 | connected | does not heed it | |
amb/client blind.amb:80 | connected | denies by what only HTTP shows | |
amb/client blind.amb:80 | connected | goes by no waypoint | |
lin/client nameless.lin:80 | refused | finds no control plane by name | ClusterFirst | dnsPolicy
lin/client galera.lin:4567 | connected | | |
ist/client two.outside.io:5432 | connected | one listener for both | |
ist/nginx store.strict:80 | refused | a pod's own address is no host | service-upstream | spec:
amb/client way.amb:3000 | refused | has its identity there | sa/waypoint | rules:
amb/client echo.amb:8080 | refused | asks for what only HTTP shows | make a waypoint | rules:
"""


@pytest.fixture(scope="module")
def world() -> World:
    return build_world([str(_WORLD)])


def test_what_proxies_make_of_a_connection(world: World) -> None:
    lines = (_WORLD / "all.yaml").read_text(encoding="utf-8").splitlines()
    wrong = []
    for row in ASKED.strip().splitlines():
        asked, result, cause, mend, at, *_ = [*map(str.strip, row.split("|")), ""]
        client, to = asked.split()
        whole = f"svc/{to}" if to[0].isalpha() and ".io" not in to else to
        trace = walk(world, parse_request(world, f"pod/{client}", whole))
        done, notes = trace.outcome, " ".join(trace.assumptions)
        place = done.origin.place if done.origin is not None else None
        line = lines[place.line - 1] if place is not None and at else ""
        told = done.result.value, f"{done.reason} {notes}", done.advice, line
        if result != told[0] or cause not in told[1] or mend not in told[2] or at not in line:
            wrong.append(f"{row}: {told}")
        if not cause and done.advice:
            wrong.append(f"{row}: {told}")
    assert not wrong, "\n".join(wrong)
