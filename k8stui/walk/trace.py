"""Request, Trace, Hop, Step, Outcome: the shape of every walk.

Trace → Hop → Step is the shape of Batfish's traces. `Step` here is the kernel's step with what
Kubernetes knows about it: the sentence and the origin.
"""

from __future__ import annotations

from fractions import Fraction

from k8stui.kernel.address import Address
from k8stui.kernel.exchange import Connect, Result
from k8stui.kernel.packet import Packet, Protocol
from k8stui.kernel.step import Cause, Direction, Fork, Hook, StepKind
from k8stui.origin import Origin
from k8stui.record import record
from k8stui.walk.port import cut


@record(kw_only=True)
class Request:
    """Who asks whom, resolved against a cluster."""

    source: str
    """Canonical: ``pod/default/client-1``, ``node/node-1``, ``outside``, an address."""
    destination: str
    """Canonical: ``svc/default/frontend:80``, ``node/node-1:30080``, an address, a name."""
    protocol: Protocol
    connect: Connect | None
    """What the client's kernel is asked to do; None when the name does not resolve."""
    alternatives: tuple[Connect, ...] = ()
    """What the client may ask instead, as likely as `connect`: the other addresses that DNS gives
    for a headless Service (CoreDNS plugin/loadbalance shuffles them)."""
    names: tuple[str, ...] = ()
    """How the destination became an address, in sentences (steps of kind resolve)."""
    service: str | None = None
    """``namespace/name`` of the Service asked for, where it is one."""
    looked_up: bool = False
    """The client knows the endpoints of `service`, and asks one itself."""
    origin: Origin | None = None
    """Origin of the destination's address."""

    @property
    def host(self) -> str:
        """The name or address that is asked, or who else, without scheme, port and path."""
        return cut(self.destination).host

    @property
    def scheme(self) -> str:
        """``http`` or ``https`` of a URL; empty: none is asked."""
        return cut(self.destination).scheme

    @property
    def path(self) -> str | None:
        """What is asked of a host by HTTP; None: nobody said."""
        written = cut(self.destination)
        return written.path if written.scheme else None


@record(kw_only=True)
class TraceStep:
    """One decision in a hop."""

    number: int
    """1-based over the whole trace."""
    kind: StepKind
    device: str | None
    hook: Hook | None
    cause: Cause | None
    origin: Origin | None
    before: Packet | None
    after: Packet | None
    """None only for a resolve step, before there is a packet."""
    text: str
    """A sentence that a person could say on stage."""
    detail: str = ""
    """The proof under it: the rule's, route's or entry's text as Linux prints it."""


@record(kw_only=True)
class Hop:
    """The packet's stay in one network namespace (or on the wire), in one direction."""

    direction: Direction
    namespace: str
    """A node's name, ``NAMESPACE/POD``, ``outside`` or ``wire``."""
    steps: tuple[TraceStep, ...]


@record(kw_only=True)
class Outcome:
    """What the client feels, and where it was decided."""

    result: Result
    errno: str | None
    seconds: float
    decided_at: str
    reason: str
    server_pod: str | None
    """``namespace/name``; None when the server is no pod."""
    server_address: Address | None
    server_port: int | None
    source_seen_by_server: Address | None
    origin: Origin | None
    """Where the cause stands: the field of a manifest, the line of a dump. When connected: what
    says that somebody listens; assumed where nobody declared it."""
    step: int | None
    """Number of the step that decided."""
    advice: str = ""
    """What would mend it, in one sentence; empty when connected or unknown."""


@record(kw_only=True)
class Trace:
    """One branch of a walk, there and back."""

    request: Request
    hops: tuple[Hop, ...]
    outcome: Outcome
    probability: Fraction
    forks: tuple[Fork, ...] = ()
    assumptions: tuple[str, ...] = ()
    """What the whole walk rests on, in sentences with FILE:LINE: a network plug-in that stands for
    one that is not modelled."""
    unenforced: str = ""
    """It arrives, and this is what policies have against it that nobody enforces, in a sentence."""
    branch: int = 1
    """1-based number of this branch in the order of `walks`."""
    alike: tuple[str, ...] = ()
    """Further servers for which this branch stands: ``namespace/name`` of pods, or addresses. What
    happens differs in nothing but their address; `probability` is that of all."""

    @property
    def steps(self) -> tuple[TraceStep, ...]:
        return tuple(step for hop in self.hops for step in hop.steps)

    @property
    def placed(self) -> tuple[tuple[Hop, TraceStep], ...]:
        """Each step, with the hop that it is in."""
        return tuple((hop, step) for hop in self.hops for step in hop.steps)
