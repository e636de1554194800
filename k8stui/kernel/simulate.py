"""One request through a network and back: the whole kernel, put together.

Pure and deterministic: a virtual clock, an event queue, no randomness. Only namespaces that a
packet reaches are looked up in the network.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from math import inf

from k8stui.kernel import bridge, device, icmp, ip, ipip, multipath, neighbour, netfilter, vxlan
from k8stui.kernel.address import is_link_local, is_multicast, is_zero
from k8stui.kernel.client import Client, Phase, Speak, result_of
from k8stui.kernel.context import first_way
from k8stui.kernel.events import EventQueue, expiry
from k8stui.kernel.exchange import SAME_SOCKET, Choose, Connect, Exchange, Felt, Result
from k8stui.kernel.fib import Ports
from k8stui.kernel.header import ECHO, WITH_PORTS
from k8stui.kernel.host import Host, Simulation, Stack
from k8stui.kernel.journal import Journal
from k8stui.kernel.namespace import LinkKind, Network, Sysctls
from k8stui.kernel.packet import Protocol
from k8stui.kernel.routing import Fate, route_line
from k8stui.kernel.skb import Skb
from k8stui.kernel.sockets import SocketTable
from k8stui.kernel.step import Direction, RouteCause, SocketCause, StepKind

MAX_EVENTS = 50_000
"""A network in which frames circle for ever is stopped here. An honest walk comes near only when it
floods thousands of ports."""
UDP_PATIENCE_SECONDS = 5.0
"""Nothing ends a wait for a datagram but the program itself: 5 s is what a resolver waits
(resolv.conf(5), timeout)."""
PING_PATIENCE_SECONDS = 10.0
"""``ping -c 1`` waits so long when nothing comes (iputils MAXWAIT)."""
DATA_PATIENCE_SECONDS = 924.6
"""tcp_retries2 15 from an RTO of 200 ms (Documentation/networking/ip-sysctl.rst)."""

_ETHERNET_MTU_BYTES = 1500
ENDLESS = "frames circle for ever"
"""Why a walk has come to no end."""

_ENDS = (StepKind.DROP, StepKind.REJECT, StepKind.UNKNOWN)


def connect(
    network: Network,
    request: Connect,
    choose: Choose | None = None,
    *,
    until_answered: bool = False,
    speak: Speak | None = None,
    linger_seconds: float = 0.0,
) -> Exchange:
    """Send one request and follow it until the client knows, or gives up.

    `choose` decides where chance does; without it every random rule matches, which is the first
    endpoint. What `Connect.earlier` asks for happens before, and is not part of the exchange.
    `until_answered` ends it when the client knows: a connection's last ACK, a third of
    the work, is not sent. `speak` is asked what a client says once it is connected that
    `Connect.data_bytes` lets say nothing. `linger_seconds`: for how long timers still go on after
    that.

    Raises:
        KeyError: the network has no namespace of the request's name.

    """
    journal = Journal()
    endpoints = SocketTable()
    simulation = Simulation(
        network=network if request.formerly is None else request.formerly,
        stack=_stack(endpoints),
        events=EventQueue(),
        journal=journal,
        choose=first_way,
        hosts={},
        asker=(request.namespace, request.uid),
    )
    host = simulation.host(request.namespace)
    if host is None:
        raise KeyError(request.namespace)
    for turn in range(request.earlier):
        run = _Run(simulation, endpoints, host, request, turn)
        run.start()
        run.loop(until_answered=False)
        simulation.next_request(run.client.seconds, request.pause_seconds)
        if turn == 0 and request.formerly is not None:
            simulation.change(network)
            host = simulation.host(request.namespace)
            if host is None:
                raise KeyError(request.namespace)
    simulation.choose = choose or first_way
    run = _Run(simulation, endpoints, host, request, request.earlier, speak=speak)
    run.start()
    run.loop(until_answered=until_answered, linger_seconds=linger_seconds)
    return run.exchange()


def _stack(endpoints: SocketTable) -> Stack:
    def udp(host: Host, skb: Skb) -> None:
        if not vxlan.receive(host, skb):
            endpoints.udp(host, skb)

    return Stack(
        start_xmit={
            LinkKind.VETH: device.veth_xmit,
            LinkKind.LOOPBACK: device.loopback_xmit,
            LinkKind.BRIDGE: bridge.xmit,
            LinkKind.VXLAN: vxlan.xmit,
            LinkKind.IPIP: ipip.xmit,
        },
        bridge_frame=bridge.handle_frame,
        receive_ip=ip.receive,
        receive_arp=neighbour.receive,
        icmp_error=icmp.send_error,
        reject=icmp.reject,
        local_out=ip.local_out,
        protocols={
            Protocol.TCP: endpoints.tcp,
            Protocol.UDP: udp,
            Protocol.SCTP: endpoints.sctp,
            Protocol.ICMP: endpoints.icmp,
            Protocol.IPIP: ipip.receive,
            Protocol.ICMPV6: endpoints.icmp,
        },
        registrations=netfilter.registrations,
    )


def syn_delays(sysctls: Sysctls) -> tuple[float, ...]:
    """Seconds from each SYN to the next, and from the last to ETIMEDOUT.

    tcp_syn_linear_timeouts repeats at one second each do not count as retries
    (net/ipv4/tcp_timer.c tcp_retransmit_timer).
    """
    linear = (1.0,) * sysctls.tcp_syn_linear_timeouts
    return linear + tuple(float(1 << n) for n in range(sysctls.tcp_syn_retries + 1))


class _Run:
    """One request while it is simulated."""

    __slots__ = (
        "client",
        "decision",
        "delays",
        "endpoints",
        "host",
        "pending",
        "request",
        "simulation",
    )

    def __init__(
        self,
        simulation: Simulation,
        endpoints: SocketTable,
        host: Host,
        request: Connect,
        turn: int,
        *,
        speak: Speak | None = None,
    ) -> None:
        self.simulation = simulation
        self.endpoints = endpoints
        self.host = host
        self.request = request
        self.delays = syn_delays(host.namespace.sysctls)
        destination = request.destination
        if is_zero(destination):
            destination = host.routing.outgoing(destination).next_hop or destination
        ports = Ports(request.protocol)
        if request.protocol in WITH_PORTS:
            ports = Ports(request.protocol, request.port_of(turn), request.port)
        self.decision = multipath.outgoing(host, destination, request.source, ports=ports)
        before = endpoints.client
        # A new connection has a socket of its own.
        self.pending = before.pending if before and request.protocol in SAME_SOCKET else None
        self.client = Client(
            host,
            request.protocol,
            address=request.source or self.decision.source or destination,
            port=request.port_of(turn),
            remote=destination,
            remote_port=request.port,
            own_mtu_bytes=host.path_mtu(
                destination, host.mtu(self.decision) or _ETHERNET_MTU_BYTES
            ),
            data_bytes=request.data_bytes,
            speak=speak,
            unconnected=request.unconnected and request.protocol is Protocol.UDP,
        )
        endpoints.client = self.client

    def start(self) -> None:
        """connect() or the first send(): the route decides, then the first packet leaves."""
        if self.pending is not None:
            self.client.hear_pending(self.pending)
            return
        if self._fails_at_once():
            return
        repeats = self.request.protocol in (Protocol.TCP, Protocol.SCTP)
        if repeats:
            self._wait(0)
        errno = self.client.ask(self.decision)
        # connect() does not mind what became of the first SYN (tcp_connect), nor the send() of an
        # IPv6 ping of what it sends (net/ipv6/ping.c ping_v6_sendmsg): both wait for an answer.
        minds = not repeats and self.request.protocol is not Protocol.ICMPV6
        if errno is not None and minds:
            # REJECT has sent its error already; the step that refused lies before that.
            steps = self.simulation.journal.steps
            step = max(n for n, one in enumerate(steps) if one.kind in _ENDS)
            text = f"send() fails: {steps[step].text}"
            self.client.feel(result_of(errno), errno, self.host.name, text, step)

    def _fails_at_once(self) -> bool:
        decision, remote = self.decision, self.client.remote
        errno = decision.error if decision.fate is Fate.ERROR else None
        is_tcp = self.request.protocol is Protocol.TCP
        route = decision.route
        if errno is None and decision.fate is Fate.BROADCAST:
            # tcp_v4_connect; a UDP socket without SO_BROADCAST (ip4_datagram_connect).
            errno = "ENETUNREACH" if is_tcp else "EACCES"
        if errno is None and is_tcp and is_multicast(remote):
            errno = "ENETUNREACH"
        if remote.version == 6 and is_link_local(remote):
            errno = "EINVAL"  # by which device? (tcp_v6_connect, ip6_datagram_connect)
        if errno is None:
            return False
        text = route_line(route) if route else f"no route to {remote}"
        if decision.fate is Fate.BROADCAST:
            text = f"{remote} is a broadcast address: " + (
                "TCP connects to one host" if is_tcp else "the socket has to allow it, SO_BROADCAST"
            )
        probe = Skb(self.client.question(), self.simulation.journal.number(), Direction.FORWARD)
        step = self.simulation.journal.step(
            self.host.name,
            probe,
            StepKind.ROUTE,
            text,
            cause=RouteCause(route=route, rule=decision.rule),
            device=decision.device or None,
        )
        self.client.feel(result_of(errno), errno, self.host.name, f"connect(): {text}", step)
        return True

    def _wait(self, sent: int) -> None:
        self.simulation.events.timer(self.delays[sent], partial(self._again, sent + 1))

    def _again(self, sent: int) -> None:
        """The retransmission timer of the SYN."""
        if self.client.phase is not Phase.WAITING:
            return
        is_over = not len(self.simulation.events) and not self.client.asks_again
        if sent >= len(self.delays) or is_over:
            # Nothing is under way and nobody asks for a neighbour any more: all further repeats
            # end as the first one did.
            self._give_up(sent)
            return
        self.client.asks_again = False
        self._wait(sent)
        self.client.ask(self.decision)

    def _give_up(self, sent: int) -> None:
        now = self.simulation.events.now
        for delay in self.delays[sent:]:
            now = expiry(now, delay)
        if self.client.give_up():
            self.client.seconds = float(round(now))
        else:
            self._lost("ETIMEDOUT", float(round(now)))

    def _lost(self, errno: str | None, seconds: float) -> None:
        step = self._lost_at()
        if step is None:
            reason, place = "no answer comes", self.host.name
        else:
            decided = self.simulation.journal.steps[step]
            reason, place = decided.text, decided.namespace
        self.client.feel(Result.TIMEOUT, errno, place, reason, step)
        self.client.seconds = seconds

    def _lost_at(self) -> int | None:
        """The step that explains best why no answer came."""
        journal = self.simulation.journal
        # Once connected, only what became of the data counts.
        after = self.client.established_at or 0
        lost = next((index for index in journal.losses if index >= after), None)
        if lost is not None:
            return lost
        for index, step in enumerate(journal.steps[after:], start=after):
            # Somebody sent an error, but it did not get back.
            if step.kind in _ENDS:
                return index
            # No program or kernel at the far end takes what is in the tunnel.
            if step.cause == SocketCause(socket=None) and step.before.vni is not None:
                return index
        for namespace, skb, name, mac in journal.others[:1]:
            text = f"{mac} is not the address of {name}: the frame is not looked at"
            journal.loss(namespace, skb, text, device=name)
            return journal.losses[0]
        return None

    def loop(self, *, until_answered: bool, linger_seconds: float = 0.0) -> None:
        """Let everything happen, in order."""
        events, client = self.simulation.events, self.client
        until = inf
        for _ in range(MAX_EVENTS):
            if self.simulation.cannot is not None:
                last = len(self.simulation.journal.steps) - 1
                place = self.simulation.journal.steps[last].namespace
                client.phase = Phase.WAITING
                client.feel(Result.UNKNOWN, None, place, self.simulation.cannot, last)
                return
            is_waiting = client.phase is not Phase.DONE
            if not is_waiting and linger_seconds and until == inf:
                until = events.now + linger_seconds
            action = events.next(timers=is_waiting or until < inf, until=until)
            if action is None or (until_answered and not is_waiting):
                break
            action()
        else:
            client.feel(Result.TIMEOUT, None, self.host.name, ENDLESS, None)
        if client.phase is Phase.TALKING:
            self._lost(client.late_errno, DATA_PATIENCE_SECONDS)
        elif client.phase is Phase.WAITING:
            is_ping = self.request.protocol in ECHO
            self._lost(None, PING_PATIENCE_SECONDS if is_ping else UDP_PATIENCE_SECONDS)

    def exchange(self) -> Exchange:
        """Everything that happened."""
        journal, client, simulation = self.simulation.journal, self.client, self.simulation
        probability = Fraction(1)
        for fork in journal.forks:
            probability *= fork.way.share
        server = client.server
        return Exchange(
            steps=tuple(journal.steps),
            captures=tuple(journal.captures),
            conntrack={
                name: lines
                for name, host in simulation.hosts.items()
                if (lines := host.conntrack.lines(simulation.events.now))
            },
            felt=Felt(
                result=client.result,
                errno=client.errno,
                seconds=client.seconds,
                decided_at=client.decided_at,
                reason=client.reason,
                server=server.namespace if server else None,
                server_address=server.address if server else None,
                server_port=server.port if server and self.request.protocol not in ECHO else None,
                source_seen=server.source if server else None,
                source_port_seen=server.source_port if server else None,
                established=client.established_at is not None,
                deciding_step=client.deciding_step,
            ),
            forks=tuple(journal.forks),
            probability=probability,
            learned={
                name: tuple(host.neighbours_learned.values())
                for name, host in simulation.hosts.items()
                if host.neighbours_learned
            },
        )
