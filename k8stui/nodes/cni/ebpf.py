"""Plug-ins that move packets by eBPF programs on devices: those programs, where nobody listed them.

A node without bpftool does not tell; the devices' own names do. Source: Cilium pkg/datapath/loader
(attaches cil_from_container at each lxc device, cil_to_host and cil_from_host at cilium_host,
cil_from_overlay and cil_to_overlay at cilium_vxlan and cilium_geneve), Documentation/network/
ebpf/lifeofapacket.rst.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from k8stui.kernel.namespace import Interface

_SIGN = "cilium_host"
"""The device that is on every node of Cilium's, whatever it was told."""
_USUAL: Mapping[str, tuple[str, str]] = {
    "lxc": ("cil_from_container (Cilium's)", ""),
    "cilium_host": ("cil_to_host (Cilium's)", "cil_from_host (Cilium's)"),
    "cilium_net": ("cil_to_host (Cilium's)", ""),
    "cilium_vxlan": ("cil_from_overlay (Cilium's)", "cil_to_overlay (Cilium's)"),
    "cilium_geneve": ("cil_from_overlay (Cilium's)", "cil_to_overlay (Cilium's)"),
}
"""By the beginning of the device's name: what has the packets that come in, and that leave."""


def usual_programs(devices: Sequence[Interface]) -> Iterator[Interface]:
    """The devices with the programs that are always on them."""
    if not any(one.name == _SIGN for one in devices):
        yield from devices
        return
    for one in devices:
        found = next((two for name, two in _USUAL.items() if one.name.startswith(name)), None)
        yield one if found is None else replace(one, program_in=found[0], program_out=found[1])
