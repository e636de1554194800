"""Which Service a host that none is called was probably meant to be."""

from __future__ import annotations

import re

from k8stui.apiserver.fields import array, text
from k8stui.check.asked.hosts import ITSELF, ToldHost, port_beside
from k8stui.check.ground import Ground
from k8stui.check.template import Template
from k8stui.cluster.meant import meant_by_port
from k8stui.cluster.programs.images import usual_port
from k8stui.suggest import is_typo
from k8stui.walk.diagnosis.selectors import is_its_workload

_SHORT = 3
"""Letters of a namespace's name that may stand for a longer one: prod, production."""
IS_HOST = re.compile(r"(HOST|HOSTNAME|ADDR|ADDRESS|URL|URI|SERVER|ENDPOINT)S?$", re.IGNORECASE)
"""Variables whose value is a host and nothing else: no name of a thing (OTEL_SERVICE_NAME)."""


def typo(ground: Ground, namespace: str, name: str) -> str | None:
    """A Service that `name` is a typing error of.

    What is called like a workload is probably no host (``--name=web-1:80``), unless the Service
    is that workload's own: then it is the Service that is misspelt.
    """
    meant = ground.meant_service(namespace, name)
    if meant is None or name not in ground.hostnames:
        return meant
    service = ground.cluster.services[f"{namespace}/{meant}"]
    return meant if is_its_workload(ground.cluster, service, name) else None


def in_another(ground: Ground, namespace: str, name: str, one: ToldHost, here: str) -> str | None:
    """``name.namespace`` of the one Service of that name, which stands in another namespace.

    In a namespace of which the input holds nothing (``mail.example``: a host of the world) the
    name may well be right, unless the namespace is but misspelt, or is ``default`` in a name in
    full, as templates have it, and the Service stands beside who asks.
    """
    found = ground.services_named(name)
    if len(found) != 1 or found[0].namespace == namespace:
        return None
    there = found[0].namespace
    # What is called like a workload is probably no host, unless the Service leads to it.
    own = is_its_workload(ground.cluster, found[0], name)
    if name in ground.hostnames and not own:
        return None
    known = namespace in ground.in_namespace or is_typo(namespace, there)
    known = known or (namespace == "default" and there == here and ".svc" in one.host)
    short = min(len(namespace), len(there)) >= _SHORT and (
        there.startswith(namespace) or namespace.startswith(there)
    )
    return f"{name}.{there}" if known or short else None


def by_words(ground: Ground, namespace: str, name: str, one: ToldHost) -> str | None:
    """``kafka`` for Service kafka-service: not where the value may be a mere name."""
    if one.port is None and not IS_HOST.search(one.what) and " -" not in one.what:
        return None
    found = ground.called.about(namespace, name, one.port or usual_port(name))
    if found is None:
        return None
    own = is_its_workload(ground.cluster, found, name)
    return found.name if own or name not in ground.hostnames else None


def by_port(ground: Ground, one: ToldHost, template: Template | None) -> str | None:
    """``DB_HOST=postgres_db`` beside ``DB_PORT=5432``, a port that one Service has alone."""
    whole = f"{template.namespace}.svc" in one.host if template is not None else False
    number = one.port or usual_port(one.host.partition(".")[0])
    if whole and template is not None and number:
        found = meant_by_port(ground.cluster, template.namespace, number)
        return f"{found.name}.{template.namespace}" if found is not None else None
    if template is None or one.host in ITSELF or "." in one.host:
        return None
    if not IS_HOST.search(one.what):
        return None
    holder = next((c for c in template.containers() if c.path == one.path[: len(c.path)]), None)
    env = array(holder.data, "env") if holder is not None else ()
    told = {text(each, "name"): text(each, "value") for each in reversed(env)}
    if not (port := port_beside(one.what, told)):
        return None
    found = meant_by_port(ground.cluster, template.namespace, port)
    return found.name if found is not None else None


def by_part(ground: Ground, namespace: str, name: str, one: ToldHost) -> str | None:
    """``shop-mq`` for shop-mq-ha (and shop-mq-ha-headless), ``shop-mq`` for prod-shop-mq."""
    number = one.port or usual_port(name)
    meant = ground.service_around(namespace, name, number) if number and "-" in name else None
    if meant is None or name not in ground.hostnames:
        return meant.name if meant is not None else None
    inside = {each.name for pod in ground.selected(meant) for each in pod.containers}
    return meant.name if name in inside else None


def by_port_and_word(ground: Ground, namespace: str, name: str, one: ToldHost) -> str | None:
    """``prometheus-operator-prometheus:9090`` for kube-prometheus, which alone has that port."""
    number = one.port or (usual_port(name) if IS_HOST.search(one.what) else None)
    if number is None or name in ground.hostnames:
        return None
    found = meant_by_port(ground.cluster, namespace, number, name)
    shared = found is not None and not set(name.split("-")).isdisjoint(found.name.split("-"))
    return found.name if found is not None and shared else None
