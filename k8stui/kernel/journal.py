"""What a walk leaves behind: steps, captures, forks, and which step lost the packet."""

from __future__ import annotations

from k8stui.kernel.header import changed
from k8stui.kernel.packet import Packet
from k8stui.kernel.skb import Skb
from k8stui.kernel.step import Capture, Cause, Fork, Hook, Step, StepKind


class Journal:
    """Grows while a request is simulated."""

    __slots__ = ("captures", "forks", "losses", "others", "packets", "steps")

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.captures: list[Capture] = []
        self.forks: list[Fork] = []
        self.losses: list[int] = []
        """Steps at which a packet ended without an answer, in order."""
        self.others: list[tuple[str, Skb, str, str]] = []
        """Frames for another station's MAC address: every flood makes some, so they become a step
        only when nothing else explains what was lost."""
        self.packets = 0

    def number(self) -> int:
        """The number of the next packet that a kernel or socket sends."""
        self.packets += 1
        return self.packets

    def step(
        self,
        namespace: str,
        skb: Skb,
        kind: StepKind,
        text: str,
        *,
        cause: Cause | None = None,
        device: str | None = None,
        hook: Hook | None = None,
        before: Packet | None = None,
    ) -> int:
        """Write down one decision; the packet after it is `skb.packet`. Returns its index."""
        self.steps.append(
            Step(
                kind=kind,
                namespace=namespace,
                direction=skb.direction,
                packet_number=skb.number,
                device=device or skb.device,
                hook=hook,
                cause=cause,
                before=before if before is not None else skb.packet,
                after=skb.packet,
                text=text,
            )
        )
        return len(self.steps) - 1

    def last(self) -> int:
        """Index of the latest step."""
        return len(self.steps) - 1

    def loss(
        self,
        namespace: str,
        skb: Skb,
        text: str,
        *,
        cause: Cause | None = None,
        device: str | None = None,
        hook: Hook | None = None,
    ) -> None:
        """Write down that the packet ends here, in silence."""
        index = self.step(
            namespace, skb, StepKind.DROP, text, cause=cause, device=device, hook=hook
        )
        self.losses.append(index)

    def other_host(self, namespace: str, skb: Skb, device: str, mac: str) -> None:
        """A frame that is not for this station (PACKET_OTHERHOST) is not looked at."""
        self.others.append((namespace, skb, device, mac))

    def capture(
        self, namespace: str, skb: Skb, device: str, now_seconds: float, *, incoming: bool
    ) -> None:
        """What tcpdump on the device sees; the mark is no part of a packet on the wire."""
        packet = skb.packet if not skb.packet.mark else changed(skb.packet, mark=0)
        self.captures.append(
            Capture(
                namespace=namespace,
                device=device,
                incoming=incoming,
                direction=skb.direction,
                arp=skb.arp,
                packet=packet,
                time_seconds=now_seconds,
            )
        )
