"""The table of all rules: help, SARIF and the documentation are drawn from it."""

from __future__ import annotations

from k8stui.check.assertion import RULE as ASSERT
from k8stui.check.finding import CheckRule
from k8stui.check.rules import (
    address_overlap,
    almost_selected,
    cluster_ip,
    container_ports,
    env_address,
    external_ip,
    governing_service,
    hairpin,
    host_port,
    ingress_backend,
    load_balancer,
    local_policy,
    mixed_pods,
    namespace_name,
    network_policy,
    no_endpoints,
    no_selector,
    node_port,
    node_port_taken,
    probe_port,
    repeated_key,
    service_env,
    service_port_env,
    service_ports,
    source_address,
    target_port_name,
    target_port_number,
    target_port_protocol,
    unknown_field,
    unschedulable,
    workload_selector,
    wrong_pods,
)
from k8stui.check.unreadable import RULE as INPUT

RULES: tuple[CheckRule, ...] = (
    unknown_field.RULE,
    repeated_key.RULE,
    namespace_name.RULE,
    no_endpoints.RULE,
    no_selector.RULE,
    almost_selected.RULE,
    wrong_pods.RULE,
    mixed_pods.RULE,
    target_port_name.RULE,
    target_port_number.RULE,
    target_port_protocol.RULE,
    service_ports.RULE,
    node_port.RULE,
    node_port_taken.RULE,
    cluster_ip.RULE,
    external_ip.RULE,
    address_overlap.RULE,
    local_policy.RULE,
    load_balancer.RULE,
    hairpin.RULE,
    source_address.RULE,
    governing_service.RULE,
    host_port.RULE,
    unschedulable.RULE,
    workload_selector.RULE,
    container_ports.RULE,
    probe_port.RULE,
    ingress_backend.RULE,
    service_env.RULE,
    service_port_env.RULE,
    env_address.RULE,
    network_policy.RULE,
)
"""In the order in which people meet the mistakes."""

BY_ID = {rule.id: rule for rule in (*RULES, ASSERT, INPUT)}
"""Also the rules that failed assertions and unreadable objects are filed under."""
