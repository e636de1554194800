"""One thing of a healthy node is broken at a time: the walk names it, and what mends it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import truth

from k8stui.walk.request import parse_request
from k8stui.walk.trace import Outcome
from k8stui.walk.walk import walks
from k8stui.walk.world import build_world

_NODES = Path(__file__).parent.parent / "lab-nodes"
_CABLE, _DEVICE = "vetha7a3e029", "02:99:99:99:99:99"
Edit = Callable[[str], str]


def record(command: str, change: Callable[[dict[str, Any]], Any], **which: str) -> Edit:
    """Change those entries of a command's JSON; what comes to nothing is taken out."""

    def edit(text: str) -> str:
        head = f"@ node {command}\n"
        before, _, rest = text.partition(head)
        line, _, after = rest.partition("\n")
        kept, met = [], 0
        for one in json.loads(line):
            fits = all(str(one.get(key)) == value for key, value in which.items())
            met += fits
            kept.append(change(one) if fits else one)
        assert met, which
        return f"{before}{head}{json.dumps([one for one in kept if one])}\n{after}"

    return edit


def gone(_: dict[str, Any]) -> None:
    """It is not there."""


def having(**values: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda one: one | values


def down(one: dict[str, Any]) -> dict[str, Any]:
    flags = [flag for flag in one["flags"] if flag not in ("UP", "LOWER_UP")]
    return one | {"flags": flags, "operstate": "DOWN"}


def loose(one: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if key != "master"}


def vni(number: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def change(one: dict[str, Any]) -> dict[str, Any]:
        one["linkinfo"]["info_data"]["id"] = number
        return one

    return change


def without(*starts: str) -> Edit:
    """Rules are gone."""

    def edit(text: str) -> str:
        lines = text.splitlines()
        kept = [one for one in lines if not one.startswith(starts)]
        assert len(kept) < len(lines), starts
        return "\n".join(kept) + "\n"

    return edit


def written(old: str, new: str = "") -> Edit:
    """Another text in nftables' listing, the first time that it stands there."""

    def edit(text: str) -> str:
        before, found, after = text.partition(old)
        assert found, old
        return before + new + after

    return edit


ADDR, ROUTE = "ip -j -d addr show", "ip -j -4 route show table all"
NEIGH, FDB, RULE = "ip -j neigh show", "bridge -j fdb show", "ip -j -4 rule show"
TO_DB, OUT = ("pod/client", "svc/db:80"), ("pod/client", "203.0.113.10:443")
IN, OF_NODE = ("outside", "node/n1:30080"), ("node/n1", "svc/db:80")
CASES: dict[str, tuple[str, Edit, tuple[str, str], str, str]] = {
    "the node's end of a cable is down": (
        "flannel-vxlan", record(ADDR, down, ifname=_CABLE), TO_DB,
        f"{_CABLE} of n1, the node's end of pod default/client's cable, is down",
        f"ip link set {_CABLE} up",
    ),
    "it hangs on no bridge": (
        "flannel-vxlan", record(ADDR, loose, ifname=_CABLE), TO_DB,
        "hangs on no bridge, and the pod's gateway is cni0", f"{_CABLE} master cni0",
    ),
    "Calico's is down, and its route went with it": (
        "calico", record(ADDR, down, ifname="calia7a3e029a7b"), ("pod/db", "pod/client:8080"),
        "calia7a3e029a7b of n1, the node's end", "ip link set calia7a3e029a7b up",
    ),
    "Calico's route to a pod is gone": (
        "calico", record(ROUTE, gone, dst="10.244.1.3"), ("pod/db", "pod/web-1:8080"),
        "it has no route to its own pod default/web-1", "ip route add 10.244.1.3 dev cali",
    ),
    "a neighbour's MAC is another's": (
        "flannel-vxlan", record(NEIGH, having(lladdr=_DEVICE), dst="10.244.1.2"), TO_DB,
        f"n1 sends the answer for 10.244.1.2 to {_DEVICE}", "ip neigh replace 10.244.1.2",
    ),
    "the tunnel's neighbour is gone": (
        "flannel-vxlan", record(NEIGH, gone, dst="10.244.2.0"), TO_DB,
        "n1 has no neighbour 10.244.2.0 on flannel.1", "nud permanent",
    ),
    "the tunnel does not know where a MAC is": (
        "flannel-vxlan", record(FDB, gone, ifname="flannel.1", dst="192.168.0.12"), TO_DB,
        "flannel.1 of n1 has no entry for", "bridge fdb append",
    ),
    "the tunnel's route names a next hop that nobody is": (
        "flannel-vxlan", record(ROUTE, having(gateway="10.244.2.99"), dst="10.244.2.0/24"), TO_DB,
        "leads to 10.244.2.99, which nobody has: flannel.1 of n2 has 10.244.2.0",
        "via 10.244.2.0 dev flannel.1",
    ),
    "the tunnel's ends are of two networks": (
        "flannel-vxlan", record(ADDR, vni(77), ifname="flannel.1"), TO_DB,
        "comes in n1's tunnel of VNI 77, and flannel.1 of n2 has VNI 1", "Backend.VNI",
    ),
    "the tunnel has no way to its far end": (
        "flannel-vxlan",
        record(ROUTE, lambda one: {"type": "blackhole", "dst": one["dst"], "flags": []},
               dst="192.168.0.0/24"),
        TO_DB, "n1 has only blackhole 192.168.0.0/24 to 192.168.0.12", "a route to the nodes'",
    ),
    "no default route": (
        "flannel-vxlan", record(ROUTE, gone, dst="default"), OF_NODE,
        "n1 has no route to 10.96.5.5, not even a default route", "dev eth0",
    ),
    "nobody asks table main": (
        "calico", record(RULE, gone, table="main"), TO_DB,
        "no routing rule of n1 asks table main", "ip rule add pref 32766",
    ),
    "what masquerades pods is not led to": (
        "flannel-vxlan", without('-A POSTROUTING -m comment --comment "flanneld masq"'), OUT,
        "chain FLANNEL-POSTRTG is there on n1", "restart what writes it on n1 (flannel)",
    ),
    "what comes from outside is not marked": (
        "calico",
        without('-A KUBE-EXT-2KHWPRMFJERXUJE3 -m comment --comment "masquerade traffic'), IN,
        "KUBE-EXT-2KHWPRMFJERXUJE3 on n1 has no rule that marks what comes from outside",
        "restart kube-proxy on n1",
    ),
    "nobody jumps to kube-proxy's services": (
        "nftables", written("\t\tjump services\n"), TO_DB,
        "chain services is there, but nat-prerouting does not jump to it",
        "find out who changes nat-prerouting",
    ),
    "kube-proxy's chain does not look into its map": (
        "nftables", written("\t\tip daddr . meta l4proto . th dport vmap @service-ips\n"), TO_DB,
        "chain services does not look into map service-ips", "restart kube-proxy on n1",
    ),
    "an address without an element": (
        "nftables", written("10.96.5.5 . tcp . 80 :", "10.96.5.9 . tcp . 80 :"), TO_DB,
        "map service-ips of n1's table ip kube-proxy has no element for 10.96.5.5, port 80",
        "look whether kube-proxy runs on n1",
    ),
    "a node's address without an element": (
        "nftables", written("elements = { 192.168.0.11 }", "elements = { 192.168.0.19 }"), IN,
        "set nodeport-ips of n1's table ip kube-proxy has no element for node port 30080",
        "rules --diff",
    ),
    "a chain that leads on to no endpoint": (
        "nftables", written("\t\tgoto service-L26PKNIO-default/db/tcp/\n"), IN,
        "chain external-L26PKNIO-default/db/tcp/, to which it is sent, leads on to no endpoint",
        "find out who changes external-L26PKNIO-default/db/tcp/",
    ),
    "what nftables marks is not masqueraded": (
        "nftables", written("\t\tjump masquerading\n"), IN,
        "marks it on n1, but masquerading masquerades nothing there", "restart kube-proxy on n1",
    ),
    "nothing to masquerade with": (
        "calico", record(ADDR, having(addr_info=[]), ifname="eth0"), OUT,
        "eth0 has no address to put in", "give eth0 of n1 its address again",
    ),
}  # fmt: skip


def answered(folder: Path, plugin: str, asked: tuple[str, str], edit: Edit) -> Outcome:
    source = _NODES / plugin
    (folder / "nodes").mkdir()
    shutil.copy(source / "cluster.yaml", folder)
    for name in ("n1", "n2"):
        text = truth.read(source / "nodes" / f"{name}.txt")
        assert text is not None
        (folder / "nodes" / f"{name}.txt").write_text(edit(text) if name == "n1" else text)
    world = build_world([str(folder)])
    return next(walks(world, parse_request(world, *asked))).outcome


@pytest.mark.parametrize("name", CASES)
def test_what_is_broken_is_named(name: str, tmp_path: Path) -> None:
    plugin, edit, asked, cause, mend = CASES[name]
    found = answered(tmp_path, plugin, asked, edit)
    assert cause in found.reason, found.reason
    assert mend in found.advice, found.advice
    assert found.origin is not None
    assert re.search(r"nodes/n[12]\.txt", found.origin.where)


@pytest.mark.parametrize("plugin", ["flannel-vxlan", "calico", "nftables"])
@pytest.mark.parametrize("asked", [TO_DB, OUT, IN, OF_NODE])
def test_nothing_is_broken_before(plugin: str, asked: tuple[str, str], tmp_path: Path) -> None:
    assert answered(tmp_path, plugin, asked, str).result.value == "connected"
