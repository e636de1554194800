"""The screen's words where no rule found anything: no more than the judge of who listens knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from check.worlds import world

from k8stui.check import nothing_found

_POD = """
apiVersion: v1
kind: Pod
metadata: {name: kiln, labels: {app: kiln}}
spec: {containers: [{name: c, image: x, PORTS}]}
"""
_SERVICE = """
---
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec: {SELECTOR ports: [{port: 3100}]}
"""
_LED = _SERVICE.replace("NAME", "kiln").replace("SELECTOR", "selector: {app: kiln},")
_BY_HAND = _SERVICE.replace("NAME", "hand").replace("SELECTOR", "")
_DECLARED = _POD.replace("PORTS", "ports: [{containerPort: 3100}]")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_DECLARED + _LED, "every Service leads to pods that listen"),
        (_POD.replace("PORTS", 'args: ["--port=3100"]') + _LED, "every Service leads to pods"),
        (_POD.replace(", PORTS", "") + _LED, "the Service leads to ports that nobody declares"),
        (_DECLARED + _LED + _BY_HAND, "1 of 2 Services leads to no pod of the input"),
        (_DECLARED, "there is no Service to ask"),
    ],
)
def test_calm_words_are_the_judges(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(text)
    assert said in nothing_found(world(file))
