"""``k8stui collect``: the script in real namespaces, and the nodes reached by a made-up kubectl."""

from __future__ import annotations

import gzip
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from k8stui.cli import cli
from k8stui.collect.run import CollectError, NodeAccess, collect, nodes_of
from k8stui.collect.script import script
from k8stui.kernel.exchange import Result
from k8stui.nodes.state.collected import CollectedNode
from k8stui.nodes.state.stream import sections
from k8stui.walk.request import parse_request
from k8stui.walk.walk import walks
from k8stui.walk.world import build_world

NEW = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
"""New namespaces: nothing of this machine is touched."""

OBJECTS = """\
apiVersion: v1
kind: Node
metadata: {name: alone}
status: {addresses: [{type: InternalIP, address: 192.0.2.10}]}
---
apiVersion: v1
kind: Pod
metadata: {name: asker}
spec: {nodeName: alone, containers: [{name: c, image: i}]}
status: {phase: Running, podIP: 10.50.0.2, podIPs: [{ip: 10.50.0.2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: server}
spec: {nodeName: alone, containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}
status: {phase: Running, podIP: 10.50.0.3, podIPs: [{ip: 10.50.0.3}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.96.7.7, selector: {a: b}, ports: [{port: 8000, targetPort: 80}]}
"""

LAB = """\
set -e
mount -t tmpfs none /run
ip link set lo up
ip link add eth0 type veth peer name wire
ip link set eth0 up; ip link set wire up
ip addr add 192.0.2.10/24 dev eth0
ip route add default via 192.0.2.1
sysctl -qw net.ipv4.ip_forward=1
n=2
for pod in one two; do
  ip netns add cni-$pod
  ip link add v$pod type veth peer name eth0 netns cni-$pod
  ip link set v$pod up
  sysctl -qw net.ipv4.conf.v$pod.proxy_arp=1 net.ipv4.neigh.v$pod.proxy_delay=0
  ip route add 10.50.0.$n dev v$pod
  ip -n cni-$pod link set lo up
  ip -n cni-$pod link set eth0 up
  ip -n cni-$pod addr add 10.50.0.$n/32 dev eth0
  ip -n cni-$pod route add 169.254.1.1 dev eth0
  ip -n cni-$pod route add default via 169.254.1.1
  n=$((n + 1))
done
if [ "$2" = nft ]; then
  nft -f - <<'END'
table ip own {
  map services {
    type ipv4_addr . inet_proto . inet_service : verdict
    elements = { 10.96.7.7 . tcp . 8000 : goto web }
  }
  chain web {
    meta mark set meta mark | 0x10
    meta l4proto tcp dnat to numgen random mod 1 map { 0 : 10.50.0.3 . 80 }
  }
  chain into {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr . meta l4proto . th dport vmap @services
  }
  chain out {
    type nat hook postrouting priority srcnat; policy accept;
    meta mark & 0x10 == 0x10 ct status dnat snat to 192.0.2.10
  }
  chain through {
    type filter hook forward priority filter; policy drop;
    ct state established accept
    ip daddr { 10.50.0.2-10.50.0.9 } tcp dport 80 ct state new accept
  }
}
END
else
  nat="iptables -t nat -A"
  $nat PREROUTING -d 10.96.7.7 -p tcp --dport 8000 -j DNAT --to-destination 10.50.0.3:80
  $nat POSTROUTING -d 10.50.0.3 -p tcp --dport 80 -j SNAT --to-source 192.0.2.10
fi
ip netns exec cni-two python3 -c '
import socket
s = socket.create_server(("", 80))
while True:
    c, who = s.accept()
    c.sendall(who[0].encode())
    c.close()
' &
trap "kill $!" EXIT
ip netns exec cni-one python3 -c '
import socket, time
for _ in range(100):
    try:
        print("heard", socket.create_connection(("10.96.7.7", 8000), 2).recv(99).decode())
        break
    except ConnectionRefusedError:
        time.sleep(0.02)
'
COLLECT_NAMED_ONLY=1 sh "$1"
"""


def _has(*words: str) -> bool:
    try:
        return not subprocess.run(words, capture_output=True, check=False, timeout=20).returncode
    except (OSError, subprocess.TimeoutExpired):
        return False


@pytest.fixture(scope="module", params=["iptables", "nft"])
def printed(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> str:
    """What the script writes in a lab: two pods on cables of their own, a Service by hand."""
    engine = str(request.param)
    asks = {"iptables": ["iptables", "-t", "nat", "-S"], "nft": ["nft", "add", "table", "ip", "t"]}
    if not _has(*NEW, *asks[engine]):
        pytest.skip(f"no user namespaces with {engine} here")
    folder = tmp_path_factory.mktemp("collect")
    (folder / "collect.sh").write_text(script())
    (folder / "lab.sh").write_text(LAB)
    done = subprocess.run(
        [*NEW, "sh", str(folder / "lab.sh"), str(folder / "collect.sh"), engine],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    return done.stdout


def test_what_the_script_wrote_is_walked_as_the_packets_went(printed: str, tmp_path: Path) -> None:
    heard, _, stream = printed.partition("\n")
    (tmp_path / "nodes").mkdir()
    (tmp_path / "cluster.yaml").write_text(OBJECTS)
    (tmp_path / "nodes" / "alone.txt").write_text(stream)
    world = build_world([str(tmp_path)])
    (trace,) = walks(world, parse_request(world, "pod/asker", "svc/web:8000"))
    end = trace.outcome
    assert end.result is Result.CONNECTED
    assert heard == f"heard {end.source_seen_by_server}" == "heard 192.0.2.10"
    assert (end.server_pod, end.server_port) == ("default/server", 80)
    (direct,) = walks(world, parse_request(world, "pod/server", "pod/asker:80"))
    assert direct.outcome.result is Result.REFUSED  # nobody was seen to listen there
    (other,) = walks(world, parse_request(world, "pod/server", "pod/asker:81"))
    has_policy = "policy drop" in stream
    assert other.outcome.result is (Result.TIMEOUT if has_policy else Result.REFUSED)


def test_what_busybox_shows_is_walked_and_what_it_hides_is_said(tmp_path: Path) -> None:
    """The same namespaces, by BusyBox 1.35's applets: an ``ip rule add not from`` among them."""
    text = Path(__file__).with_name("busybox.txt").read_text()
    (tmp_path / "nodes").mkdir()
    (tmp_path / "cluster.yaml").write_text(OBJECTS)
    (tmp_path / "nodes" / "alone.txt").write_text(text)
    world = build_world([str(tmp_path)])
    (trace,) = walks(world, parse_request(world, "pod/asker", "svc/web:8000"))
    assert trace.outcome.result is Result.CONNECTED
    assert str(trace.outcome.source_seen_by_server) == "192.0.2.10"
    assert "BusyBox's ip does not show all of its ip rule 10 (not, " in trace.outcome.reason
    seen = CollectedNode(str(tmp_path / "nodes" / "alone.txt"))
    assert [one.half_seen == () for one in (seen, *seen.pods.values())] == [False, True, True]


def test_every_section_is_read(printed: str, tmp_path: Path) -> None:
    file = tmp_path / "alone.txt"
    file.write_text(printed.partition("\n")[2])
    node = CollectedNode(str(file))
    assert set(node.pods) == {"cni-one", "cni-two"}
    assert node.cables["node", "vone"] == ("cni-one", "eth0")
    assert node.sysctls is not None
    assert node.sysctls.proxy_arp["vtwo"]
    for space in (node, *node.pods.values()):
        for part in (space.interfaces, space.routes, space.policy_rules, space.sysctls):
            assert part
        assert space.neighbours is not None
        assert space.fdb is not None
        assert space.sockets is not None
        assert 4 in space.rulesets


def test_the_script_is_plain_and_only_reads() -> None:
    text = "\n".join(line for line in script().splitlines() if not line.startswith("#"))
    assert "sysctl -w" not in text
    for word in (" -A ", " -I ", " add ", " del ", " set ", "/etc", "mktemp", "> /", ">/proc"):
        assert word not in text.replace(">/dev/null", "")
    assert subprocess.run(["sh", "-n"], input=script(), text=True, check=False).returncode == 0


def test_print_script() -> None:
    done = CliRunner().invoke(cli, ["collect", "--print-script", "--conntrack"])
    assert done.stdout.startswith("#!/bin/sh\nCOLLECT_CONNTRACK=1\n")


KUBECTL = """\
#!/bin/sh
echo "$@" >> "$CALLS"
case "$*" in
*"get nodes --output=name"*) printf 'node/%s\\n' ${NODE:-a b c} ;;
*"get nodes,"*) echo '{"kind": "List", "apiVersion": "v1", "items": []}' ;;
*get*) ;;
*debug*node/a*)
  cat > /dev/null
  echo "Creating debugging pod node-debugger-a-x with container debugger on node a."
  printf '@ node hostname\\na\\n@ node sysctl\\nnet/ipv4/ip_forward=1\\n@ node end\\n' ;;
*debug*node/b*) echo 'error: pods "x" is forbidden' >&2; exit 1 ;;
*debug*node/c*)
  echo "Creating debugging pod node-debugger-c-x with container debugger on node c."
  echo 'Warning: container debugger: Back-off pulling image "busybox"' >&2
  printf '@ node hostname\\nc\\n'; exec sleep 30 ;;
*debug*node/half*) printf '@ node sysctl\\nnet/a=1\\n@ cni-x ip -j addr\\n['; exit 1 ;;
*debug*node/slow*) sleep 30 ;;
*debug*node/f*) echo "$FORGED" ;;
*delete*-c-*) echo "error: no right to delete" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """A kubectl of our own first in PATH; what it was called with."""
    folder = tmp_path / "bin"
    folder.mkdir()
    tool = folder / "kubectl"
    tool.write_text(KUBECTL)
    tool.chmod(0o755)
    log = tmp_path / "calls"
    monkeypatch.setenv("CALLS", str(log))
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return lambda: log.read_text().splitlines()


def test_all_nodes_by_kubectl(calls: Callable[[], list[str]], tmp_path: Path) -> None:
    """One is written, one forbidden, one never ends: each is told, and both pods are deleted."""
    out = tmp_path / "out"
    words = ["collect", "--context", "here", "--patience", "1", "-o", str(out)]
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert done.return_value == 1
    assert f"{out}/nodes/a.txt.gz" in done.stdout
    assert 'b: error: pods "x" is forbidden' in done.stderr
    pulling = 'container debugger: Back-off pulling image "busybox"'
    assert f"c: no end after 1 s (--patience): {pulling}" in done.stderr
    assert "c: pod node-debugger-c-x is still there (error: no right to delete)" in done.stderr
    assert ": kubectl --context=here delete pod node-debugger-c-x" in done.stderr
    assert [file.name for file in sorted((out / "nodes").iterdir())] == ["a.txt.gz"]
    text = gzip.decompress((out / "nodes" / "a.txt.gz").read_bytes())
    assert text == b"@ node hostname\na\n@ node sysctl\nnet/ipv4/ip_forward=1\n"
    assert (out / "cluster.json.gz").exists()
    asked = calls()
    assert any("delete pod node-debugger-a-x" in one for one in asked)
    assert not any("secret" in one.lower() for one in asked)
    assert all(one.startswith("--context=here ") for one in asked)


def test_no_pod_is_deleted_but_the_own_one(
    calls: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a node prints may look like what kubectl says."""
    monkeypatch.setenv("FORGED", "Creating debugging pod --all with container x on node f.")
    list(collect(["f"], "true", NodeAccess(context="here")))
    assert not any("delete" in one for one in calls())


def test_a_namespace_of_any_name_is_entered_and_told_apart(tmp_path: Path) -> None:
    """A name is one word of a command line; none is taken for the node or for two words."""
    if not _has(*NEW, "ip", "link"):
        pytest.skip("no user namespaces here")
    (tmp_path / "collect.sh").write_text(script())
    lab = """
        mount -t tmpfs none /run; ip link set lo up
        for name in node "odd touch" "*"; do
          ip netns add "$name"; ip -n "$name" addr add 10.0.0.1 dev lo
        done
        COLLECT_NAMED_ONLY=1 sh "$1"
    """
    done = subprocess.run(
        [*NEW, "sh", "-c", lab, "sh", str(tmp_path / "collect.sh")],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
    )
    found = sections(done.stdout, "x")
    assert [name.rstrip("0123456789") for name in found] == ["node", "net-", "net-", "net-"]
    addresses = [told["ip -j -d addr show"].text for told in found.values()]
    assert ["10.0.0.1" in text for text in addresses] == [False, True, True, True]
    assert all("net/ipv4/ip_forward" in told["sysctl"].text for told in found.values())
    assert sorted(file.name for file in tmp_path.iterdir()) == ["collect.sh"]


@pytest.mark.usefixtures("calls")
def test_what_breaks_off_in_a_pod_is_nothing() -> None:
    (found,) = collect(["half"], "true", NodeAccess(context="here"))
    assert (found.text, found.failure) == (b"", "status 1, and no end was written")


@pytest.mark.usefixtures("calls")
def test_patience_ends_though_a_child_of_kubectl_lives_on() -> None:
    """A plug-in that logs in holds its pipes longer than it."""
    begun = time.monotonic()
    (found,) = collect(["slow"], "true", NodeAccess(context="here", patience_seconds=1))
    assert found.failure == "no end after 1 s (--patience)"
    assert time.monotonic() - begun < 20


def test_the_script_says_that_it_is_done(printed: str) -> None:
    assert printed.endswith("\n@ node end\n")


@pytest.mark.parametrize("name", ["../../x", "/x", "-x", ".x", "a/b", "a b", "a\x1b[2J", ""])
def test_a_name_is_checked_before_anything_runs(
    name: str, calls: Callable[[], list[str]], tmp_path: Path
) -> None:
    """It becomes a word of a command line and the name of a file."""
    words = ["collect", "--context", "here", "-o", str(tmp_path / "out"), f"--node={name}"]
    with pytest.raises(CollectError, match="no name of a node"):
        CliRunner().invoke(cli, words, standalone_mode=False, catch_exceptions=False)
    with pytest.raises(FileNotFoundError):
        calls()


def test_so_is_what_the_server_calls_a_node(
    calls: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE", "../../x")
    with pytest.raises(CollectError, match=r"no name of a node: '\.\./\.\./x'"):
        nodes_of("here")
    assert len(calls()) == 1


def test_a_node_is_asked_once(calls: Callable[[], list[str]], tmp_path: Path) -> None:
    words = ["collect", "--context", "here", "-o", str(tmp_path / "out"), *("--node", "a") * 2]
    CliRunner().invoke(cli, words, standalone_mode=False, catch_exceptions=False)
    assert sum("debug" in one for one in calls()) == 2  # made, and deleted


def test_without_a_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    (found,) = collect(["n"], "true", NodeAccess(ssh=True))
    assert found.failure == "ssh cannot be started: No such file or directory"


@pytest.mark.parametrize(
    ("words", "said"),
    [([], "-o DIR"), (["-o", "x"], "--context NAME"), (["-o", "x", "--ssh"], "--context NAME")],
)
def test_what_has_to_be_said(words: list[str], said: str) -> None:
    done = CliRunner().invoke(cli, ["collect", *words])
    assert done.exit_code == 2
    assert said in done.output
