"""CPU seconds of loading a dump and a declared set, against libyaml's bare event stream.

python benchmarks/load.py [SERVICES] [PATH-OF-make_cluster.py]

Runs are interleaved; the ratio counts, not the seconds (shared/perf.md sections 2 and 8).
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from yaml.events import StreamEndEvent

from k8stui.manifests import load
from k8stui.manifests.events import parser

ROUNDS = 3


def events_only(content: str) -> None:
    get = parser(content).get_event
    while get().__class__ is not StreamEndEvent:
        pass


def cpu(run: Callable[[], object]) -> float:
    gc.collect()
    start = time.process_time()
    run()
    return time.process_time() - start


def without_collector(run: Callable[[], object]) -> None:
    gc.disable()
    try:
        run()
    finally:
        gc.enable()


def main() -> None:
    services = sys.argv[1] if len(sys.argv) > 1 else "1000"
    default = Path(__file__).parents[2] / "shared/tools/make_cluster.py"
    tool = sys.argv[2] if len(sys.argv) > 2 else str(default)
    with tempfile.TemporaryDirectory() as folder:
        for name, options in (
            ("dump.yaml", ["--observed"]),
            ("declared.yaml", ["--declared"]),
            ("dump.json", ["--observed", "--format", "json"]),
        ):
            path = Path(folder) / name
            command = [sys.executable, tool, "--services", services, "--endpoints", "2", *options]
            with path.open("w") as out:
                subprocess.run(command, stdout=out, check=True)
            content = path.read_text()
            floor_name = "json.loads" if name.endswith(".json") else "events"
            floors, loads = [], []
            for _ in range(ROUNDS):
                if name.endswith(".json"):
                    floors.append(cpu(lambda c=content: without_collector(lambda: json.loads(c))))
                else:
                    floors.append(cpu(lambda c=content: without_collector(lambda: events_only(c))))
                loads.append(cpu(lambda p=path: load([str(p)])))
            floor, mine = min(floors), min(loads)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(
                f"{name:14} {len(content) / 1e6:7.1f} MB  {floor_name} {floor:6.2f} s"
                f"  load {mine:6.2f} s  ratio {mine / floor:4.2f}  peak {peak} MiB"
            )


if __name__ == "__main__":
    main()
