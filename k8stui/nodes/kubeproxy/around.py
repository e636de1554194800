"""What a kube-proxy finds around it beside the API: its node's kernel and addresses."""

from __future__ import annotations

from collections.abc import Sequence

from k8stui.kernel.address import Address
from k8stui.nodes.kubeproxy.everywhere import Everywhere
from k8stui.record import record


@record(kw_only=True)
class Around:
    """Of one node; the defaults are for somebody who looks at rules alone."""

    nfacct: bool = True
    """The kernel has netfilter accounting."""
    local_addresses: Sequence[Address] | None = None
    """All addresses on the node's interfaces, where nodePortAddresses needs more than the Node's
    own."""
    everywhere: Everywhere | None = None
    """What the kube-proxies of other nodes of the cluster have worked out."""
