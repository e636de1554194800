"""A thousand Services are checked in a second; the time grows with the input, not its square."""

from __future__ import annotations

import time
from io import BytesIO

from k8stui.check import check
from k8stui.walk.world import World, build_world


def an_input(services: int, wrong_every: int) -> World:
    text = "".join(
        f"""---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: s{n}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: s{n}}}}}
  template:
    metadata: {{labels: {{app: s{n}}}}}
    spec: {{containers: [{{name: c, image: x, ports: [{{containerPort: 80}}]}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: s{n}}}
spec:
  selector: {{app: s{n}{"-typo" if n % wrong_every == 0 else ""}}}
  ports: [{{port: 80}}]
"""
        for n in range(services)
    )
    return build_world(["-"], stdin=BytesIO(text.encode()))


def seconds(world: World, wrong: int) -> float:
    started = time.process_time()
    found = check(world, ["-"])
    taken = time.process_time() - started
    assert sum(f.rule == "no-endpoints" for f in found) == wrong
    return taken


def test_a_thousand_services_in_a_second() -> None:
    assert seconds(an_input(1000, wrong_every=100), 10) < 1


def test_the_rules_alone_are_much_quicker() -> None:
    world = an_input(1000, wrong_every=5000)
    assert seconds(world, 1) < 0.4
