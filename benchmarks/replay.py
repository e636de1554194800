"""A deployment replayed, object by object: CPU seconds and peak memory of `k8stui replay`.

    python benchmarks/replay.py [MOMENTS]... [--keep]

Half the objects are Services (a quarter of them NodePorts), half Deployments of two pods; each
moment is one of them applied. A moment should cost what changes in it. What changes grows a little
too: there is a node more for every 110 pods, whose rules a Service changes as well, and a pod that
starts is told of all Services there are by its environment, which is most of the output.

--keep: as the screen does it, with all moments kept. --proxy-mode: as `k8stui replay` has it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PAIR = """---
apiVersion: v1
kind: Service
metadata: {{name: s{n}}}
spec: {{type: {type}, selector: {{app: w{n}}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: w{n}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: w{n}}}}}
  template:
    metadata: {{labels: {{app: w{n}}}}}
    spec: {{containers: [{{name: c, image: i, ports: [{{containerPort: 8080}}]}}]}}
"""


def written(moments: int) -> Iterator[str]:
    for n in range(moments // 2):
        yield PAIR.format(n=n, type="NodePort" if n % 4 == 0 else "ClusterIP")


def keep(path: str) -> None:
    """Replay it as the screen does, in this process."""
    from k8stui.replay.replay import replay  # noqa: PLC0415 - the child alone needs it
    from k8stui.walk.world import build_world  # noqa: PLC0415

    moments = list(replay(build_world([path])))
    print(len(moments), file=sys.stderr)


def measured(line: list[str]) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and peak MiB of a process."""
    start = time.perf_counter()
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("moments", nargs="*", type=int, default=[200, 1000])
    arguments.add_argument("--keep", action="store_true")
    arguments.add_argument("--proxy-mode", default="iptables")
    arguments.add_argument("--child", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.child:
        keep(given.child)
        return
    for moments in given.moments:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "all.yaml"
            path.write_text("".join(written(moments)))
            line = [sys.executable, "-m", "k8stui", "replay", str(path), "--format", "json"]
            line += ["--proxy-mode", given.proxy_mode]
            if given.keep:
                line = [sys.executable, __file__, "--child", str(path)]
            cpu, wall, peak = measured(line)
        each = f"{cpu / (moments + 1) * 1000:.1f} ms each"
        print(f"{moments + 1:6} moments  {cpu:7.2f} s CPU ({each})  {wall:7.2f} s  {peak:6.1f} MiB")


if __name__ == "__main__":
    main()
