"""Many broken manifests through loading, the cluster and the topology: no traceback, bounded time.

soak_load.py [COUNT] [FIRST]: by default 100,000 inputs from number 0 on. Prints each input that
raises or takes longer than two seconds, and at the end the count, the median and the longest.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "manifests"))

from mutants import mutant

from k8stui.cluster.proxy_configuration import ProxyConfigurationError
from k8stui.export.topology import topology_lines
from k8stui.walk.world import build_world

SLOW = 2.0


def main(count: int = 100_000, first: int = 0) -> int:
    seconds, bad = [], 0
    for number in range(first, first + count):
        started = time.process_time()
        try:
            world = build_world(["-"], stdin=io.BytesIO(mutant(number)))
            for problem in world.problems:
                problem.render()
            list(topology_lines(world.cluster))
        except ProxyConfigurationError:
            pass  # told as a sentence by the command line
        except Exception:  # noqa: BLE001 - what is looked for
            bad += 1
            print(f"input {number}:\n{traceback.format_exc()}")
        seconds.append(time.process_time() - started)
        if seconds[-1] > SLOW:
            bad += 1
            print(f"input {number}: {seconds[-1]:.1f} s")
    median, longest = statistics.median(seconds), max(seconds)
    print(f"{count} inputs, {bad} bad; median {median * 1e3:.1f} ms, longest {longest:.2f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
