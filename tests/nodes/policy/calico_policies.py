"""Random policies of Calico's own, for clusters of `reach.test_brute_force`."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Manifest = dict[str, Any]

SELECTORS = st.sampled_from(
    [
        "all()",
        "app == 'ant'",
        "has(tier) && app != 'bee'",
        "app in {'bee', 'wasp'} || tier starts with 'o'",
        "!has(tier)",
        "projectcalico.org/namespace == 'pond'",
        "kind == 'range'",
    ]
)
NETS = st.lists(
    st.sampled_from(["10.244.0.0/16", "10.244.1.0/24", "10.244.2.3", "0.0.0.0/0", "fd00::/8"]),
    min_size=1,
    max_size=2,
)
PORTS = st.lists(
    st.sampled_from([8080, "8000:8090", "http", 53, 8081]), min_size=1, max_size=3, unique=True
)
SIDES = st.fixed_dictionaries(
    {},
    optional={
        "selector": SELECTORS,
        "notSelector": SELECTORS,
        "namespaceSelector": st.sampled_from(["wet == 'yes'", "all()", "global()"]),
        "nets": NETS,
        "notNets": NETS,
        "serviceAccounts": st.sampled_from([{"names": ["default"]}, {"selector": "x == 'y'"}]),
    },
)
ACTIONS = st.sampled_from(["Allow", "Allow", "Deny", "Pass", "Log"])
RULES = st.one_of(
    st.fixed_dictionaries({"action": ACTIONS}, optional={"source": SIDES, "destination": SIDES}),
    st.builds(
        lambda action, protocol, source, destination, ports: {
            "action": action,
            "protocol": protocol,
            "source": source,
            "destination": destination | ports,
        },
        ACTIONS,
        st.sampled_from(["TCP", "UDP", 6]),
        SIDES,
        SIDES,
        st.fixed_dictionaries({}, optional={"ports": PORTS, "notPorts": PORTS}),
    ),
    st.just({"action": "Deny", "notProtocol": "TCP"}),
    st.just({"action": "Deny", "protocol": "ICMP", "icmp": {"type": 8}}),
)
SPECS = st.fixed_dictionaries(
    {"selector": SELECTORS, "tier": st.sampled_from(["default", "default", "first", "last"])},
    optional={
        "order": st.sampled_from([10, 1000, 1500.5]),
        "types": st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
        "ingress": st.lists(RULES, max_size=3),
        "egress": st.lists(RULES, max_size=2),
    },
)
OWN = st.lists(st.tuples(st.sampled_from(["", "meadow", "pond"]), SPECS), max_size=3)


def of_calico(kind: str, name: str, namespace: str = "", **spec: Any) -> Manifest:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    version = "projectcalico.org/v3"
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def objects(own: list[tuple[str, Manifest]]) -> list[Manifest]:
    """The policies, their tiers and a set of networks."""
    ranges = of_calico("GlobalNetworkSet", "ranges", nets=["10.244.2.0/24", "192.168.0.0/24"])
    ranges["metadata"]["labels"] = {"kind": "range"}
    found = [
        of_calico("Tier", "first", order=5, defaultAction="Pass"),
        of_calico("Tier", "last", order=2_000_000),
        ranges,
    ]
    for number, (namespace, spec) in enumerate(own):
        kind = "NetworkPolicy" if namespace else "GlobalNetworkPolicy"
        found.append(of_calico(kind, f"{spec['tier']}.o{number}", namespace, **spec))
    return found
