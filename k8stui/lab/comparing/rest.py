"""What TCP sends behind the first segment of its data: the walk has that one, and no other.

A kernel that is told of a smaller MTU cuts the segment in two, and the rest may arrive where the
first part does not.
"""

from __future__ import annotations

from k8stui.kernel.packet import TcpFlags
from k8stui.lab.plan import Seen, Sight

_SEQUENCES = 1 << 32


def without_rest(seen: Seen) -> Seen:
    """What was seen, with the first segments of data alone."""
    firsts = {
        (one.sequence + 1) % _SEQUENCES
        for one in map(_inside, seen["frames"])
        if one.flags & TcpFlags.SYN
    }

    def stays(sight: Sight) -> bool:
        one = _inside(sight)
        return not one.flags & TcpFlags.PSH or one.sequence in firsts

    passed = {
        name: [one for one in told if stays(one["header"])] for name, told in seen["passed"].items()
    }
    return {**seen, "frames": list(filter(stays, seen["frames"])), "passed": passed}


def _inside(sight: Sight) -> Sight:
    """What is in a tunnel's packet, or in an error; else the packet itself."""
    return sight if sight.inner is None else _inside(sight.inner)
