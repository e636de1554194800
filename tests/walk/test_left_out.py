"""What the walk says of objects that the server refuses, and of tables that a dump leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest
from manifests_of import Manifest, kind, pod, service, write

from k8stui.cluster.options import ClusterOptions
from k8stui.nodes.options import NodeOptions
from k8stui.walk.error import RequestError
from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome
from k8stui.walk.walk import walk
from k8stui.walk.world import build_world

ASKER = pod("asker", node="node-2")
WEB = pod("web-0", "app=web", ports=[8080])
LOOPBACK = [{"addresses": [{"ip": "127.0.0.1"}], "ports": [{"port": 5432}]}]
SLICE = kind(
    "discovery.k8s.io/v1", "db-1", "EndpointSlice", addressType="IPv4",
    ports=[{"port": 5432}], endpoints=[{"addresses": ["169.254.0.5"]}],
)  # fmt: skip
ONLY_FILTER = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"


def felt(folder: Path, to: str, *manifests: Manifest, rules: str = "") -> Outcome:
    file = write(folder, [*manifests, ASKER])
    dumps = {}
    if rules:
        (folder / "node-2.save").write_text(rules, encoding="utf-8")
        dumps = {"node-2": str(folder / "node-2.save")}
    made = build_world([str(file)], ClusterOptions(), NodeOptions(iptables=dumps))
    return walk(made, parse_request(made, "pod/asker", to)).outcome


@pytest.mark.parametrize(
    ("to", "manifests", "cause", "mend_and_field"),
    [
        (
            "db:3306",
            [service("db", None, None, type="ExternalName", externalName="db.example.org:3306")],
            "Service db is refused and left out",
            ("write externalName: db.example.org", "spec.externalName"),
        ),
        (
            "svc/db",
            [service("db", None, 5432), kind("v1", "db", "Endpoints", subsets=LOOPBACK)],
            "Endpoints db is refused and left out",
            ("mend subsets[0].addresses[0].ip", "subsets[0].addresses[0].ip"),
        ),
        (
            "svc/db", [service("db", None, 5432), SLICE],
            "EndpointSlice db-1 is refused and left out",
            ("mend endpoints[0].addresses[0]", "endpoints[0].addresses[0]"),
        ),
    ],
)  # fmt: skip
def test_what_is_refused_is_told_to_who_asks_for_it(
    to: str, manifests: list[Manifest], cause: str, mend_and_field: tuple[str, str], tmp_path: Path
) -> None:
    mend, field = mend_and_field
    found = felt(tmp_path, to, *manifests)
    assert cause in found.reason
    assert mend in found.advice
    assert found.origin is not None
    assert found.origin.place is not None
    assert found.origin.place.field == field


def test_a_refused_service_is_told_to_who_names_it(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"situation\.yaml:\d+:\d+: Service web is refused"):
        felt(tmp_path, "svc/web", WEB, service("web", ports=[{"port": 80}, {"port": 443}]))


def test_nobody_else_s_refusal_is_told(tmp_path: Path) -> None:
    refused = service("db", None, None, type="ExternalName", externalName="db.example.org:3306")
    assert "refused" not in felt(tmp_path, "dbx:3306", refused).reason


@pytest.mark.parametrize("longer", ["dbx", "db-old"])
def test_a_refused_slice_of_a_service_of_a_longer_name_is_not_told(
    longer: str, tmp_path: Path
) -> None:
    named = {**SLICE, "metadata": {"name": f"{longer}-1"}}
    found = felt(tmp_path, "svc/db", service("db", None, 5432), service(longer, None, 5432), named)
    assert "has no endpoints" in found.reason
    assert "refused" not in found.reason


def test_a_dump_without_nat_tells_nothing_of_services(tmp_path: Path) -> None:
    found = felt(tmp_path, "svc/web", WEB, service("web", to=8080), rules=ONLY_FILTER)
    assert "its dump has no table nat, where kube-proxy's rules stand" in found.reason
    assert "iptables-save without -t" in found.advice


def test_a_dump_with_nat_shows_that_kube_proxy_wrote_nothing(tmp_path: Path) -> None:
    nat = ONLY_FILTER.replace("filter", "nat").replace("FORWARD", "PREROUTING")
    found = felt(tmp_path, "svc/web", WEB, service("web", to=8080), rules=ONLY_FILTER + nat)
    assert "kube-proxy has not written it there" in found.reason
