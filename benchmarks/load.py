"""Loading dumps: whole processes, CPU and peak memory, beside kubectl on the same file.

python benchmarks/load.py [SERVICES ...] [--rounds N]         default: 100 1000 10000, 3 rounds

For each size a dump in YAML, one in JSON, and one in YAML where no two items are alike (every
object has a label, a selector or a field of its own). Each line is the least of the rounds, which
are interleaved; the ratios count, not the seconds (docs/facts/speed.md sections 2 and 8). Beside
it:

kubectl   kubectl label --local -f FILE -o name x=y      (left out where there is no kubectl)
floor     libyaml's parser without a Python object; json.loads without the collector
load      k8stui.apiserver.apply
cluster   the same, and the cluster built of it

Aims: load / kubectl at most 0.2 (0.7 where no two are alike), load / libyaml at most 2.5, load /
json.loads at most 1.0; memory at most 3 times the file and 0.12 times kubectl's; growth linear.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

TOOL = Path(__file__).with_name("dump.py")
START = "import gc; gc.disable(); "
LOAD = START + "from k8stui.apiserver import apply; m = apply([{file!r}]); "
RUNS = {
    "load": LOAD,
    "cluster": LOAD + "from k8stui.cluster.build import build; build(m)",
}
FLOORS = {
    "yaml": START + "from yaml._yaml import CParser; CParser(open({file!r}).read()).raw_parse()",
    "json": START + "import json; json.loads(open({file!r}).read())",
}


class Used(NamedTuple):
    seconds: float
    """CPU, user and system."""
    mebibytes: float
    """Peak resident set."""


def run(command: list[str]) -> Used:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"failed: {command}")
    return Used(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def unlike(dump: Path, other: Path) -> None:
    """Give every object of a dump in YAML something that no other has.

    Line by line: what this process holds would count as its children's peak.
    """
    kind = ""
    with dump.open() as lines, other.open("w") as out:
        for number, line in enumerate(lines):
            out.write(line)
            if line.startswith("  kind: "):
                kind = line.removeprefix("  kind: ").strip()
            if line in ("    labels:\n", "    selector:\n"):
                out.write(f'      example.com/k{number}: "x"\n')
            elif line == "  spec:\n" and kind == "Pod":
                out.write(f'    nodeSelector:\n      example.com/k{number}: "x"\n')
            elif line == "  status:\n" and kind == "Pod":
                out.write(f'    message: "a\\tb {number}"\n')


def measure(path: Path, rounds: int) -> None:
    kubectl = shutil.which("kubectl")
    commands = {
        name: [sys.executable, "-c", code.format(file=str(path))]
        for name, code in {"floor": FLOORS[path.suffix[1:]], **RUNS}.items()
    }
    if kubectl:
        commands["kubectl"] = [kubectl, *f"label --local -f {path} -o name x=y".split()]
    best = dict.fromkeys(commands, Used(1e9, 1e9))
    for _ in range(rounds):
        for name, command in commands.items():
            used = run(command)
            best[name] = Used(*map(min, used, best[name]))
    size = path.stat().st_size / 2**20
    load = best["load"]
    print(f"{path.stem:16} {path.suffix[1:]}  {size:6.1f} MiB")
    for name, used in best.items():
        words = f"  {name:8} {used.seconds:6.2f} s {used.mebibytes:6.0f} MiB"
        if name in ("kubectl", "floor"):
            words += f"   load is {load.seconds / used.seconds:4.2f} x its CPU"
        if name == "kubectl":
            words += f", {load.mebibytes / used.mebibytes:4.2f} x its memory"
        if name == "load":
            words += f"   {load.mebibytes / size:4.2f} x the file"
        print(words, flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    arguments.add_argument("services", nargs="*", type=int, default=[100, 1000, 10000])
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for services in given.services:
            for name, options in (("yaml", []), ("json", ["--format", "json"])):
                path = Path(folder) / f"dump-{services}.{name}"
                command = [sys.executable, str(TOOL), "--services", str(services)]
                command += ["--endpoints", "2", *options]
                with path.open("w") as out:
                    subprocess.run(command, stdout=out, check=True)
                measure(path, given.rounds)
            other = Path(folder) / f"unlike-{services}.yaml"
            unlike(Path(folder) / f"dump-{services}.yaml", other)
            measure(other, given.rounds)


if __name__ == "__main__":
    main()
