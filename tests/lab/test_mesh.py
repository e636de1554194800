"""A mesh's redirections, with the user that a proxy runs as: where connections go, and whence.

Run in namespaces of root's own: a user namespace knows no user of that number (xt_owner_mt_check).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from k8stui.export.rules import save_lines
from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Connect, Result
from k8stui.kernel.packet import Protocol
from k8stui.kernel.simulate import connect
from k8stui.walk.world import build_world

ISTIO = (
    "{name: istio-init, image: 'istio/proxyv2:1.24.0', args: [istio-iptables, -p, '15001', -z, "
    "'15006', -u, '1337', -m, REDIRECT, -i, '*', -x, '', -b, '*', -d, '15090,15021,15020']}"
)
LINKERD = (
    "{name: linkerd-init, image: 'cr.l5d.io/linkerd/proxy-init:v2.4.1', args: "
    "[--incoming-proxy-port, '4143', --outgoing-proxy-port, '4140', --proxy-uid, '2102', "
    "--inbound-ports-to-ignore, '4190,4191', --outbound-ports-to-ignore, '4567', --ipv6=false]}"
)
PODS = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  nodeName: node-1
  initContainers: [INIT]
  containers: [{name: app, image: nginx, ports: [{containerPort: 80}, {containerPort: 15021}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: plain}
spec: {nodeName: node-1, containers: [{name: app, image: nginx, ports: [{containerPort: 80}]}]}
"""
WEB, PLAIN = "10.244.1.2", "10.244.1.3"
_INSIDE = """
import ctypes, json, os, select, socket, struct, subprocess, sys, time
told = json.load(open(sys.argv[1]))
libc = ctypes.CDLL(None, use_errno=True)
def sh(text, *inside):
    subprocess.run([*inside, "sh", "-ec", text], check=True)
sh("ip link set lo up; ip link add eth0 type veth peer name far")
home = open("/proc/self/ns/net")
other = subprocess.Popen(["unshare", "--net", "sleep", "60"])
name = f"/proc/{other.pid}/ns/net"
while os.stat(name).st_ino == os.fstat(home.fileno()).st_ino:
    time.sleep(0.01)
away = open(name)
def enter(space):
    libc.setns(space.fileno(), 0)
def made(uid):
    libc.setfsuid(uid)
    one = socket.socket()
    libc.setfsuid(0)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return one
sh(f"ip link set far netns {other.pid}; ip link set eth0 up; ip addr add WEB/24 dev eth0")
enter(away)
sh("ip link set lo up; ip link set far up; ip addr add PLAIN/24 dev far")
listening = {}
def listen(where, port, uid):
    one = made(uid)
    one.bind(("", port)); one.listen()
    listening[one] = where
listen("plain", 80, 0)
enter(home)
subprocess.run(["iptables-restore"], input=told["rules"], text=True, check=True)
for port in told["ports"]:
    listen("web", port, told["uid"])
for port in (80, 15021):
    listen("web", port, 0)
heard = []
for where, uid, source, address, port in told["asked"]:
    enter(away if where == "plain" else home)
    asker = made(uid)
    if source:
        asker.bind((source, 0))
    asker.setblocking(False)
    asker.connect_ex((address, port))
    ready, _, _ = select.select(list(listening), [], [], 3)
    if not ready:
        heard.append(None)
        continue
    peer, seen = ready[0].accept()
    mine = peer.getsockname()[1]
    meant = None
    if mine in told["ports"]:
        raw = peer.getsockopt(socket.SOL_IP, 80, 16)
        meant = [socket.inet_ntoa(raw[4:8]), struct.unpack("!H", raw[2:4])[0]]
    heard.append([listening[ready[0]], mine, seen[0], meant])
    peer.close(); asker.close()
other.kill()
print(json.dumps(heard))
""".replace("WEB", WEB).replace("PLAIN", PLAIN)


@pytest.mark.parametrize(
    ("init", "uid", "ports", "own"),
    [(ISTIO, 1337, (15001, 15006), "127.0.0.6"), (LINKERD, 2102, (4140, 4143), "")],
    ids=["istio", "linkerd"],
)
def test_where_a_mesh_turns_connections(
    tmp_path: Path, init: str, uid: int, ports: tuple[int, int], own: str
) -> None:
    if os.geteuid():
        pytest.skip("not root: another user's sockets cannot be made")
    (tmp_path / "pods.yaml").write_text(PODS.replace("INIT", init))
    network = build_world([str(tmp_path)]).network
    rules = "".join(f"{line}\n" for line in save_lines(network["default/web"].rulesets[4], None))
    asked = [
        ("plain", 0, "", WEB, 80),
        ("plain", 0, "", WEB, 15021),
        ("web", 0, "", PLAIN, 80),
        ("web", uid, "", PLAIN, 80),
        ("web", 0, "", WEB, 80),
        ("web", uid, "", WEB, 80),
        ("web", uid, own, WEB, 80),
    ]
    told = {"rules": rules, "uid": uid, "ports": ports, "asked": asked}
    (tmp_path / "told.json").write_text(json.dumps(told))
    words = ["unshare", "--net", sys.executable, "-c", _INSIDE, str(tmp_path / "told.json")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    if "unshare failed" in done.stderr or "owner" in done.stderr:
        pytest.skip(f"not here: {done.stderr}")
    assert not done.returncode, done.stderr
    for (where, user, source, address, port), heard in zip(
        asked, json.loads(done.stdout), strict=True
    ):
        request = Connect(
            namespace=f"default/{where}",
            destination=Address.parse(address),
            port=port,
            protocol=Protocol.TCP,
            source=Address.parse(source) if source else None,
            uid=user,
        )
        felt = connect(network, request).felt
        assert felt.result is Result.CONNECTED
        found = [felt.server, felt.server_port, str(felt.source_seen)]
        meant = [address, port] if felt.server_port in ports else None
        assert [*found, meant] == [f"default/{heard[0]}", *heard[1:]], (where, user, source, port)
