"""What a world says of its input beside problems."""

from __future__ import annotations

from pathlib import Path

from k8stui.walk.world import build_world

QUOTA = """\
apiVersion: v1
kind: ResourceQuota
metadata: {name: q}
spec: {hard: {pods: 1}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx}]}
"""


def test_what_the_cluster_leaves_out_is_noted(tmp_path: Path) -> None:
    """With the line of the workload that does not get its pods."""
    file = tmp_path / "web.yaml"
    file.write_text(QUOTA)
    [note] = build_world([str(file)]).notes
    assert "Deployment web gets 1 of 2 pods: exceeded quota" in note.message
    assert (note.file, note.line) == (str(file), 6)
