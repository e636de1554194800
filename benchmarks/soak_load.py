"""Mutated files through loading, validation, cluster and topology: tracebacks and long waits.

python benchmarks/soak_load.py [COUNT] [FIRST-SEED]

COUNT: 100000 unless told. Prints what failed with its seed and goes on; ends with status 1 then.
``python benchmarks/soak_load.py 1 SEED`` does one again; the input is kept as soak-SEED.bin.
"""

from __future__ import annotations

import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/manifests"))

import mutants

SLOW = 2.0
"""CPU seconds of one input from which it is named."""
_EVERY = 1000


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    pool = mutants.sources()
    failed, took, loaded, told = 0, [], 0, 0
    for seed in range(first, first + count):
        raw = mutants.mutant(seed, pool)
        start = time.process_time()
        try:
            found = mutants.journey(raw)
        except Exception:  # noqa: BLE001 - this is what is looked for
            failed += 1
            Path(f"soak-{seed}.bin").write_bytes(raw)
            print(f"seed {seed}:\n{traceback.format_exc(limit=-6)}", flush=True)
            continue
        took.append(time.process_time() - start)
        loaded += bool(found.objects)
        told += bool(found.problems)
        if took[-1] > SLOW:
            print(f"seed {seed}: {took[-1]:.1f} s for {len(raw)} bytes", flush=True)
        if len(took) % _EVERY == 0:
            print(f"{seed - first + 1} done, {failed} failed", flush=True)
    took.sort()
    if took:
        middle, most = took[len(took) // 2], took[len(took) * 999 // 1000]
        print(
            f"{count} inputs, {failed} failed; {loaded} gave objects, {told} problems; CPU s: "
            f"median {middle:.4f}, 99.9 % {most:.2f}, longest {took[-1]:.2f}, all {sum(took):.0f}"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
