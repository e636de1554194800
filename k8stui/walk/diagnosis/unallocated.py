"""kube-proxy in mode nftables turns away what still goes to a Service's address behind DNAT.

pkg/proxy/nftables/proxier.go (cluster-ips-check): a cluster IP on a port that its Service has not
is rejected; then what goes into a ServiceCIDR is dropped, an endpoint that lies there as well.
"""

from __future__ import annotations

from k8stui.kernel.header import ECHO
from k8stui.kernel.step import RuleCause, StepKind
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.served import not_of_the_service, not_served
from k8stui.walk.reason import origin_of

_CHAIN = "cluster-ips-check"


def no_such_cluster_ip(case: Case) -> Diagnosis | None:
    """Recognise both rules of the chain."""
    step, rule = case.decided, case.rule
    if step is None or rule is None or not rule.is_nft or rule.chain.name != _CHAIN:
        return None
    if step.kind is StepKind.REJECT:
        return _no_port(case)
    if step.kind is not StepKind.DROP or rule.rule is None:
        return None
    target, cidr = step.before.dst, _range(rule)
    if case.rewritten is not None and case.service is not None:
        return Diagnosis(
            f"the endpoint {target} of Service {case.service.key} lies in {cidr}, the range of "
            "Services, and kube-proxy in mode nftables drops behind DNAT what goes there and is "
            "no Service's (in iptables mode it passes)",
            "give the pods a range of their own, outside of every ServiceCIDR",
            origin_of(rule),
        )
    host = next((one for one in case.cluster.hosts.values() if one.address == target), None)
    if host is not None:
        return Diagnosis(
            f"{host.name} has {target}, in {cidr}, which is the range of Services: kube-proxy in "
            "mode nftables drops what goes to an address of it that no Service has (in iptables "
            "mode it goes where the routes lead)",
            "give Services a range apart from the networks of hosts that are asked (another "
            "ServiceCIDR; kubeadm: serviceSubnet), or ask that host by another address",
            origin_of(rule),
        )
    return Diagnosis(
        f"no Service has the address {target}: it lies in {cidr}, the range of Services, and "
        "kube-proxy in mode nftables drops what goes to one that nobody has (in iptables mode it "
        "goes where the routes lead)",
        "ask the address of a Service: its name, or what kubectl get services shows",
        origin_of(rule),
    )


def _no_port(case: Case) -> Diagnosis | None:
    found = not_of_the_service(case)
    if found is None:  # it has that port: the rules before have not rewritten it
        return not_served(case)
    connect = case.request.connect
    how = "a ping" if connect is not None and connect.protocol in ECHO else "any other port"
    return Diagnosis(
        f"{found.reason}; kube-proxy in mode nftables rejects {how} at a cluster IP, so that the "
        "client knows at once (in iptables mode it goes where the routes lead)",
        found.advice,
        found.origin,
    )


def _range(rule: RuleCause) -> str:
    """The ranges that the rule speaks of."""
    assert rule.rule is not None
    return rule.rule.text.partition(" daddr ")[2].partition(" drop")[0]
