"""Containers that are told to ask their node, where nothing opens that port."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from k8stui.apiserver.fields import array, text
from k8stui.check.asked.hosts import DIGITS, ID
from k8stui.check.finding import Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.template import ContainerText, Template


def on_the_node(ground: Ground, template: Template, container: ContainerText) -> Iterator[Finding]:
    """A host that is the node (status.hostIP), and a port that no hostPort opens there.

    Told where a DaemonSet, which has a pod on each node, declares that port at its own address, or
    a Service has it.
    """
    env = {text(one, "name"): one for one in array(container.data, "env")}
    for name, one in env.items():
        if text(one, "valueFrom", "fieldRef", "fieldPath") != "status.hostIP":
            continue
        ports = [p for p in _ports_of_node(name, env) if p]
        for number in ports[:1]:
            agent = ground.daemon_ports.get(number)
            service = ground.with_port(template.namespace, number)
            if number in ground.opened_on_nodes or not (agent or service):
                continue
            if agent is not None:
                who = f"DaemonSet {agent} declares it at its pods' own addresses"
                fix = f"write hostPort: {number} beside containerPort in DaemonSet {agent}"
            elif service is not None:
                who = f"it is the port of Service {service.key}, at an address of its own"
                fix = f"write {service.name} instead of $({name})"
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=template.subject,
                place=template.manifest.place(*container.path, "env"),
                why=f"{name} of container {container.name} is the node's address, and nothing "
                f"opens port {number} there: {who}",
                fix=fix,
            )


def _ports_of_node(name: str, env: Mapping[str, object]) -> Iterator[int]:
    """The port beside a host's variable, or in one that is made of it (``http://$(HOST):8126``)."""
    for other, one in env.items():
        value = text(one, "value")
        if other == re.sub(r"HOST(NAME|_IP)?$|IP$", "PORT", name) and value.isdecimal():
            yield int(value[:DIGITS])
        found = re.search(rf"\$\({re.escape(name)}\):(\d{{1,5}})", value)
        if found is not None:
            yield int(found[1])
        words = re.match(r"(\w+?)_(?:AGENT_)?HOST$", name)
        if words is not None and re.fullmatch(rf"{words[1]}_\w*PORT", other) and value.isdecimal():
            yield int(value[:DIGITS])
