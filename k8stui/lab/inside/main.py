"""The lab's own process: reads a plan, builds it, asks, prints what the kernel did.

Started by `k8stui.lab.run`; nothing here may be called in a process that does anything else, since
it leaves the host's network namespace. Each plan has a child of its own: what one has built, and
what it has learned, is gone before the next. Python's own files may be out of reach behind
`_retire`: no module is imported there, and no codec but UTF-8 is asked for.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from k8stui.lab.errors import LabError
from k8stui.lab.inside.build import build
from k8stui.lab.inside.capture import Sniffer, stamped_socket
from k8stui.lab.inside.confine import confine, leave_host
from k8stui.lab.inside.namespaces import HeldNamespace, die_with_parent
from k8stui.lab.inside.servers import LabServer
from k8stui.lab.inside.talk import LabClient, converse, count, give_up
from k8stui.lab.inside.trace import Watch
from k8stui.lab.plan import NOWHERE, ClientPlan, Failure, Plan, Seen, Tools


def main() -> None:
    """A plan on each line of stdin, `Seen` or `Failure` on each of stdout, all as JSON.

    It ends when stdin does, with the program that asks.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent answers for it
    is_confined = False
    for line in sys.stdin:
        plan: Plan = json.loads(line)
        try:
            if not is_confined:
                _retire(plan["tools"])
                is_confined = True
        except LabError as error:
            _tell(_failure(error))
            return
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            _answer(plan, parent)
        _, status = os.waitpid(child, 0)
        if status:
            sys.exit(1)


def _retire(tools: Tools) -> None:
    leave_host()
    programs = (
        tools["ip"],
        tools["bridge"],
        tools["ipset"],
        *tools["restore"].values(),
        tools["nft"],
    )
    confine(filter(None, programs))


def _answer(plan: Plan, parent: int) -> NoReturn:
    """Be the process in which one lab is built. It leaves nothing behind."""
    status = 1
    try:
        die_with_parent(parent)
        try:
            _tell(experiment(plan))
        except LabError as error:
            _tell(_failure(error))
        status = 0
    except Exception:  # noqa: BLE001 - told by the last line
        traceback.print_exc()
    finally:
        os._exit(status)


def _failure(error: LabError) -> Failure:
    return Failure(impossible=f"{error}\n{error.hint}" if error.hint else str(error))


def _tell(answer: Seen | Failure) -> None:
    sys.stdout.write(f"{json.dumps(answer, default=asdict)}\n")
    sys.stdout.flush()


def experiment(plan: Plan) -> Seen:
    """Build, ask, look.

    Raises:
        LabError: something cannot be built here.

    """
    started = time.monotonic()
    clock = stamped_socket()
    spaces = [HeldNamespace.new() for _ in plan["spaces"]]
    left_out = build(plan, spaces)
    servers = []
    for space, planned in zip(spaces, plan["spaces"], strict=True):
        space.enter()
        servers += [
            LabServer(planned["name"], listener, plan["asker"]["data_bytes"])
            for listener in planned["listeners"]
        ]
    built = time.monotonic() - started
    spaces[plan["asker"]["space"]].enter()
    if plan["asker"]["tries"]:
        counted = count(plan["asker"], servers)
        return Seen(
            errno="", answered=False, seconds=0.0, served=[], frames=[], left_out=left_out,
            build_seconds=built, earlier_seconds=0.0, conntrack={}, passed={}, counted=counted,
        )  # fmt: skip
    began = time.monotonic()
    client = _after_the_earlier(plan["asker"], servers)
    captures = []
    for space, planned in zip(spaces, plan["spaces"], strict=True):
        if planned["name"] != NOWHERE:
            space.enter()
            captures.append(Sniffer(planned))
    watches = _watches(plan, spaces)
    looking = [watch for _, watch in watches]
    earlier_seconds = time.monotonic() - began
    served, seconds = converse(client, servers, looking)
    frames = [frame for capture in captures for frame in capture.frames()]
    clock.close()
    tracked = {}
    for space, planned in zip(spaces, plan["spaces"], strict=True):
        if planned["name"] != NOWHERE:
            space.enter()
            tracked[planned["name"]] = _tracked()
    passed = {}
    for number, watch in watches:
        spaces[number].enter()
        told = watch.passed()
        name = plan["spaces"][number]["name"]
        if watch.untold:
            left_out.append(f"{name}: {watch.untold}")
        else:
            passed[name] = told
    give_up(client, servers)
    return Seen(
        errno=errno.errorcode.get(client.errno, str(client.errno)) if client.errno else "",
        answered=client.answered,
        seconds=seconds,
        served=served,
        frames=frames,
        left_out=left_out,
        build_seconds=built,
        earlier_seconds=earlier_seconds,
        conntrack=tracked,
        passed=passed,
        counted=[],
    )


def _after_the_earlier(asker: ClientPlan, servers: list[LabServer]) -> LabClient:
    """The client when it has asked as often as it shall; connections that it got stay open."""
    open_still = []
    client = None
    for port, patience in zip(asker["earlier"], asker["earlier_patience_seconds"], strict=True):
        if client is None or client.is_tcp:
            client = LabClient(asker, port)
            open_still.append(client)
        client.forget()
        converse(client, servers, patience_seconds=patience)
        if client.errno and client.is_tcp:
            # A program closes what has failed. An error that came while connect() held the socket
            # ends the call only, and its SYN would be sent again (tcp_v4_err).
            client.hang_up()
        client.acknowledge()  # else it would be seen as one of the next connection's
        time.sleep(asker["pause_seconds"])
    if client is None or client.is_tcp:
        client = LabClient(asker)
    client.forget()
    client.earlier = open_still
    return client


def _watches(plan: Plan, spaces: list[HeldNamespace]) -> list[tuple[int, Watch]]:
    """One for each namespace that has rules; none where they are not nf_tables'."""
    if not plan["tools"]["tells_rules"]:
        return []
    found = []
    for number, planned in enumerate(plan["spaces"]):
        if any("\n-A " in text for text in planned["rules"].values()):
            spaces[number].enter()
            found.append((number, Watch(planned)))
    return found


def _tracked() -> list[str]:
    """Connections that this namespace tracks; a kernel without the file shows none."""
    try:
        return Path("/proc/net/nf_conntrack").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
