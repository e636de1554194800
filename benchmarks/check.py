"""``k8stui check`` of generated clusters, beside reading them: CPU seconds and peak memory.

python benchmarks/check.py [FILE]...

Without a file: 100, 1,000 and 10,000 Services, two pods each, every twentieth Service with a typing
error in its selector, so that every twentieth is walked. Each in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

_ONE = """---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: s{n}, namespace: n{group}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: s{n}}}}}
  template:
    metadata: {{labels: {{app: s{n}}}}}
    spec: {{containers: [{{name: c, image: x, ports: [{{containerPort: 80}}]}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: s{n}, namespace: n{group}}}
spec:
  selector: {{app: s{n}{typo}}}
  ports: [{{port: 80}}]
"""
_LOAD = "import sys; from k8stui.walk.world import build_world; build_world(sys.argv[1:])"


def measured(command: list[str]) -> tuple[float, float]:
    """CPU seconds and peak resident MiB."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        _, _, usage = os.wait4(running.pid, 0)
        running.returncode = 0
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    files = sys.argv[1:]
    folder = Path(tempfile.mkdtemp(prefix="check-"))
    for count in () if files else (100, 1_000, 10_000):
        file = folder / f"{count}.yaml"
        file.write_text(
            "".join(
                _ONE.format(n=n, group=n % 20, typo="-typo" if n % 20 == 0 else "")
                for n in range(count)
            )
        )
        files.append(str(file))
    for name in files:
        load, load_mib = measured([sys.executable, "-c", _LOAD, name])
        whole, mib = measured([sys.executable, "-m", "k8stui", "check", name])
        print(
            f"{Path(name).name}: read {load:.2f} s, {load_mib:.0f} MiB; with check {whole:.2f} s, "
            f"{mib:.0f} MiB; the check alone {whole - load:.2f} s"
        )


if __name__ == "__main__":
    main()
