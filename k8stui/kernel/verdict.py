"""What a chain can decide about a packet, NAT included. What it then means is the caller's."""

from __future__ import annotations

from k8stui.kernel.address import Address, Prefix
from k8stui.kernel.step import RuleCause
from k8stui.record import record

AddressRange = tuple[Address, Address]
"""First and last address."""
PortRange = tuple[int, int]
"""First and last port."""


@record()
class Accept:
    """ACCEPT by a rule, or by policy (then `Traversal.cause.rule` is None)."""


@record()
class Drop:
    """DROP by a rule or by policy."""


@record()
class Reject:
    """REJECT: the packet goes, an error goes back (docs/facts/outcomes.md, REJECT)."""

    with_: str
    """As in ``--reject-with``: ``icmp-port-unreachable``, ``tcp-reset``, ``icmp6-…``."""


@record()
class Dnat:
    """DNAT --to-destination."""

    addresses: AddressRange | None
    """None: only the port changes."""
    ports: PortRange | None = None
    """None: the port stays."""
    random: bool = False
    persistent: bool = False
    base_port: int | None = None
    """``:first-last/base``: the n-th port after base becomes the n-th of `ports`."""


@record()
class Snat:
    """SNAT --to-source."""

    addresses: AddressRange | None
    ports: PortRange | None = None
    random: bool = False
    persistent: bool = False
    random_fully: bool = False


@record()
class Masquerade:
    """MASQUERADE: the primary address of the device that the packet leaves by."""

    ports: PortRange | None = None
    random: bool = False
    random_fully: bool = False


@record()
class Redirect:
    """REDIRECT: to the incoming device's address, in OUTPUT to loopback (nf_nat_redirect.c)."""

    ports: PortRange | None = None
    random: bool = False


@record()
class Netmap:
    """NETMAP: network part replaced, of the source in POSTROUTING and INPUT, else destination."""

    prefix: Prefix


@record()
class CannotEvaluate:
    """A rule that may or may not match, or does something that is not modelled. Ends the walk."""

    cause: RuleCause
    what: str
    """The part that is not understood, in words: ``match -m u32 --u32 0=1``."""


Verdict = Accept | Drop | Reject | Dnat | Snat | Masquerade | Redirect | Netmap | CannotEvaluate
