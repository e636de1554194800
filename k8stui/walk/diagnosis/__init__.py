"""Why a request failed and what would mend it.

It starts from the step that decided and from what decided it: each sort of cause has its own
questions, and each question follows the packet back to where the reason stands: the mark that is
missing, the policy, the route, the field of a manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from k8stui.kernel.step import (
    BridgeCause,
    DeviceCause,
    JudgeCause,
    NeighbourCause,
    RouteCause,
    RuleCause,
    SocketCause,
    StepKind,
    SysctlCause,
)
from k8stui.walk.diagnosis.aliases import by_another_name
from k8stui.walk.diagnosis.answers import foreign_answer, other_address
from k8stui.walk.diagnosis.balancers import nobody_announces
from k8stui.walk.diagnosis.bridge import bridged_reply, hairpin_off
from k8stui.walk.diagnosis.case import Case, Diagnosis
from k8stui.walk.diagnosis.devices import node_cut_off, stopped_by_device, too_long_for_route
from k8stui.walk.diagnosis.endpoints import no_endpoints
from k8stui.walk.diagnosis.evaluate import cannot_evaluate
from k8stui.walk.diagnosis.firewall import dropped_by_rule
from k8stui.walk.diagnosis.foreign_source import foreign_source
from k8stui.walk.diagnosis.gateways import wrong_gateway
from k8stui.walk.diagnosis.ipvs import bound_here
from k8stui.walk.diagnosis.link_layer import (
    loose_cable,
    other_tunnel,
    tunnel_without_neighbour,
    wrong_neighbour,
)
from k8stui.walk.diagnosis.listening import nothing_listens
from k8stui.walk.diagnosis.local_policy import no_local_endpoint
from k8stui.walk.diagnosis.neighbours import nobody_answers
from k8stui.walk.diagnosis.one_direction import one_direction_only
from k8stui.walk.diagnosis.other_networks import taken_for_a_neighbour
from k8stui.walk.diagnosis.other_rewriting import sent_elsewhere
from k8stui.walk.diagnosis.outdated import outdated_rules
from k8stui.walk.diagnosis.overlapping import overlapping_networks, two_pods_of_one_address
from k8stui.walk.diagnosis.policy import (
    denied_by_judge,
    dropped_by_calico,
    rejected_by_policy,
)
from k8stui.walk.diagnosis.routes import (
    before_any_rule,
    martian_source,
    no_route,
    no_routing_rule,
    own_pod_elsewhere,
)
from k8stui.walk.diagnosis.same_address import one_address_for_two
from k8stui.walk.diagnosis.served import not_of_the_service, not_served, other_family
from k8stui.walk.diagnosis.source_ranges import outside_the_source_ranges
from k8stui.walk.diagnosis.stale import stale_entry, untranslated_entry
from k8stui.walk.diagnosis.stale_rules import left_mapping, old_target
from k8stui.walk.diagnosis.sysctls import decided_by_sysctl
from k8stui.walk.diagnosis.tunnels import (
    found_elsewhere,
    tunnel_by_another_mac,
    tunnel_down,
    tunnel_elsewhere,
    tunnel_end_missing,
    tunnel_without_a_way,
)
from k8stui.walk.diagnosis.unallocated import no_such_cluster_ip

_Way = Callable[[Case], Diagnosis | None]

_BY_CAUSE: Mapping[type, tuple[_Way, ...]] = {
    RuleCause: (
        no_routing_rule,
        rejected_by_policy,
        dropped_by_calico,
        outside_the_source_ranges,
        no_local_endpoint,
        no_such_cluster_ip,
        no_endpoints,
        foreign_answer,
        outdated_rules,
        two_pods_of_one_address,
        overlapping_networks,
        one_direction_only,
        dropped_by_rule,
    ),
    RouteCause: (
        no_routing_rule,
        nobody_announces,
        outside_the_source_ranges,
        stale_entry,
        untranslated_entry,
        tunnel_elsewhere,
        found_elsewhere,
        other_family,
        before_any_rule,
        overlapping_networks,
        foreign_source,
        not_of_the_service,
        martian_source,
        one_address_for_two,
        not_served,
        node_cut_off,
        tunnel_down,
        old_target,
        left_mapping,
        sent_elsewhere,
        too_long_for_route,
        own_pod_elsewhere,
        loose_cable,
        no_route,
    ),
    NeighbourCause: (
        no_routing_rule,
        loose_cable,
        nobody_announces,
        stale_entry,
        untranslated_entry,
        tunnel_elsewhere,
        overlapping_networks,
        one_address_for_two,
        not_served,
        node_cut_off,
        old_target,
        left_mapping,
        sent_elsewhere,
        taken_for_a_neighbour,
        own_pod_elsewhere,
        tunnel_without_neighbour,
        nobody_answers,
    ),
    SocketCause: (
        tunnel_elsewhere,
        bridged_reply,
        foreign_answer,
        other_address,
        tunnel_end_missing,
        bound_here,
        not_served,
        sent_elsewhere,
        nothing_listens,
    ),
    SysctlCause: (wrong_gateway, decided_by_sysctl),
    JudgeCause: (denied_by_judge,),
    DeviceCause: (
        stale_entry,
        untranslated_entry,
        hairpin_off,
        one_address_for_two,
        node_cut_off,
        tunnel_down,
        tunnel_without_a_way,
        other_tunnel,
        taken_for_a_neighbour,
        loose_cable,
        stopped_by_device,
    ),
    BridgeCause: (hairpin_off, one_address_for_two, node_cut_off, loose_cable, wrong_neighbour),
}
"""For each sort of cause, from the special to the general: the first that recognises it speaks."""
_ANY: tuple[_Way, ...] = (
    nobody_announces,
    stale_entry,
    tunnel_elsewhere,
    other_family,
    bridged_reply,
    hairpin_off,
    one_address_for_two,
    tunnel_by_another_mac,
    loose_cable,
    wrong_neighbour,
    foreign_source,
    not_served,
    node_cut_off,
    nothing_listens,
)
"""For a step that only brings the news, and for none at all."""


def diagnose(case: Case) -> Diagnosis:
    """Explain a failed exchange; empty words where nothing more than the kernel's is known."""
    step = case.decided
    if step is not None and step.kind is StepKind.UNKNOWN:
        return denied_by_judge(case) or cannot_evaluate(case) or Diagnosis()
    for way in _BY_CAUSE.get(type(step.cause) if step is not None else type(None), _ANY):
        found = way(case)
        if found is not None:
            return by_another_name(case, found)
    return Diagnosis()


__all__ = ["Case", "Diagnosis", "diagnose"]
