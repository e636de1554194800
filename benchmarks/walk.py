"""CPU time and memory of `k8stui walk` as a whole process, beside Python doing nothing.

    python benchmarks/walk.py [RUNS]

Both are run in turn, so that a busy machine slows both. CPU time is user + system of the child.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
CACHE = str(Path(tempfile.gettempdir()) / "k8stui-benchmark-cache")
GUESTBOOK = str(ROOT / "samples" / "guestbook")
CASES = {
    "python -c pass": ["-c", "pass"],
    "--version": ["-m", "k8stui", "--version"],
    "--help": ["-m", "k8stui", "--help"],
    "walk": ["-m", "k8stui", "walk", GUESTBOOK, "--from", "outside", "--to", "node/node-1:30080"],
    "walk --all --format json": [
        "-m", "k8stui", "walk", GUESTBOOK, "--from", "pod/client", "--to", "svc/frontend",
        "--all", "--format", "json",
    ],
    "rules": ["-m", "k8stui", "rules", GUESTBOOK, "--node", "node-1"],
}  # fmt: skip


def measure(args: list[str]) -> tuple[float, float]:
    """CPU milliseconds and peak resident MiB of one child."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, *args],
        # Bytecode is cached, as it is where the program is installed.
        {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": CACHE,
        },
        file_actions=[(os.POSIX_SPAWN_DUP2, quiet, 1), (os.POSIX_SPAWN_DUP2, quiet, 2)],
    )
    _, _, usage = os.wait4(pid, 0)
    os.close(quiet)
    return (usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in CASES}
    for _ in range(runs):
        for name, args in CASES.items():
            found[name].append(measure(args))
    floor = statistics.median(cpu for cpu, _ in found["python -c pass"])
    for name, values in found.items():
        cpu = statistics.median(c for c, _ in values)
        rss = max(r for _, r in values)
        print(f"{name:<26} {cpu:6.1f} ms CPU  {cpu / floor:5.1f} x  {rss:5.1f} MiB")


if __name__ == "__main__":
    main()
