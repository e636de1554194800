"""What kube-proxy makes of the service ports on one node, whatever engine it writes to."""

from __future__ import annotations

from k8stui.nodes.kubeproxy.everywhere import Everywhere
from k8stui.nodes.kubeproxy.port_plan import PortPlan
from k8stui.nodes.kubeproxy.settings import ProxySettings


class Plans:
    """The plan of each service port, made when somebody first looks at it."""

    def __init__(self, everywhere: Everywhere, settings: ProxySettings) -> None:
        self.everywhere = everywhere
        """What is the same on all nodes."""
        self.settings = settings
        self._plans: dict[str, PortPlan] = {}

    @property
    def planned(self) -> int:
        """How many service ports somebody has looked at."""
        return len(self._plans)

    def plan(self, name: str) -> PortPlan:
        """What becomes of the service port `name` on this node.

        Raises:
            KeyError: there is no such service port in this family.

        """
        plan = self._plans.get(name)
        if plan is None:
            here = self.settings
            plan = self._plans[name] = self.everywhere.plan(name, here.node_name, here.zone)
        return plan
