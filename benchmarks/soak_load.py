"""Mutated inputs by the hundred thousand: tracebacks, long waits, much memory, live escapes.

python benchmarks/soak_load.py [COUNT] [FIRST-SEED]

COUNT: 100000 unless told. Three of five inputs are manifests and dumps (load, cluster, rules, walk,
check, every export; now and then another plug-in or proxy mode), one is a file behind an option
(iptables-save, nft as text and as JSON, by itself and in a node's state folder, ipset save,
ip -j addr, ip -j route, KubeProxyConfiguration), one a command line with an odd value, a broken
tour or broken assertions: these have to name the option, or the file and its line. Prints what
failed with its seed and goes on; ends with status 1 then.
``python benchmarks/soak_load.py 1 SEED`` does one again; the input is kept as soak-SEED.bin.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import sys
import tempfile
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's, whatever is installed

from fuzz import command_lines, journey, mutants, node_files

_EVERY = 1000
_HANGS = 30.0
"""CPU seconds after which an input is given up; `journey.MOST_SECONDS` is what it may take."""
_PLUGINS = ("flannel", "flannel", "flannel-vxlan", "bridge", "docker0")
_MODES = (None, None, "nftables", "userspace")


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    manifests, files = mutants.sources(), node_files.sources()
    failed, took, loaded, told = 0, [], 0, 0
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    signal.signal(signal.SIGPROF, _give_up)
    for seed in range(first, first + count):
        start = _cpu()
        signal.setitimer(signal.ITIMER_PROF, _HANGS)
        try:
            if seed % 5 == 3:
                told += bool(command_lines.run(seed, folder))
            elif seed % 5 == 4:
                told += bool(node_files.run(seed, files, folder))
            else:
                raw = mutants.mutant(seed, manifests)
                (folder / "broken").write_bytes(raw)
                world = journey.bounded(
                    raw,
                    _PLUGINS[seed // 5 % len(_PLUGINS)],
                    _MODES[seed // 25 % len(_MODES)],
                )
                loaded += world is not None and bool(world.manifests.objects)
                told += world is None or bool(world.problems)
        except (Exception, HangError):  # noqa: BLE001 - this is what is looked for
            failed += 1
            with contextlib.suppress(FileNotFoundError):
                (folder / "broken").rename(f"soak-{seed}.bin")
            print(f"seed {seed}:\n{traceback.format_exc(limit=-6)}", flush=True)
        signal.setitimer(signal.ITIMER_PROF, 0)
        took.append(_cpu() - start)
        if len(took) % _EVERY == 0:
            print(f"{len(took)} done, {failed} failed", flush=True)
    took.sort()
    middle, most = took[len(took) // 2], took[len(took) * 999 // 1000]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count} inputs, {failed} failed; {loaded} gave objects, {told} problems; CPU s: median "
        f"{middle:.4f}, 99.9 % {most:.2f}, longest {took[-1]:.2f}, all {sum(took):.0f}; "
        f"{peak:.0f} MiB at most"
    )
    return 1 if failed else 0


class HangError(BaseException):
    """An input that has no end; nothing on the way may take it for an error of its own."""


def _give_up(*_: object) -> None:
    raise HangError(f"no end after {_HANGS:.0f} s of CPU")


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
