"""The screen from outside, beside a bare Textual app in the same sitting: CPU, bytes, memory.

Prints both and their ratios as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from terminal import measure

ROOT = Path(__file__).resolve().parents[1]
BARE = """
from textual.app import App
from textual.widgets import Footer, Header, Tree


class Bare(App):
    BINDINGS = [("q", "quit", "quit")]

    def compose(self):
        yield Header()
        tree = Tree("Nodes")
        tree.root.expand()
        for n in range(40):
            tree.root.add_leaf(f"leaf {n}")
        yield tree
        yield Footer()


Bare().run()
"""
K8STUI = """
import sys
from k8stui.tui.app import run

sys.exit(run(sys.argv[1:]))
"""


def bench(args: argparse.Namespace, script: Path, more: list[str], **how: Any) -> Any:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TEXTUAL_ANIMATIONS": "none",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "PYTHONDONTWRITEBYTECODE": "",  # compiled once, as pip has compiled Textual
    }
    return measure(
        [sys.executable, str(script), *more],
        size=args.size,
        environment=environment,
        presses=args.presses,
        runs=args.runs,
        **how,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="80x24")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--presses", type=int, default=30)
    parser.add_argument("paths", nargs="*")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bare, mine = Path(folder) / "bare.py", Path(folder) / "mine.py"
        bare.write_text(BARE)
        mine.write_text(K8STUI)
        runs = {
            "bare": bench(args, bare, [], ready="leaf 5", press="down,down,down,up"),
            "first frame": bench(args, mine, args.paths, ready="Layout", press="right"),
            "cursor": bench(
                args, mine, args.paths, ready="step 1/", warm="1", press="down,down,up"
            ),
            "step": bench(args, mine, args.paths, ready="step 1/", press="right"),
        }
    report: dict[str, Any] = {
        name: {
            key: run.get(key)
            for key in (
                "ready_ms",
                "ready_cpu_ms",
                "key_first_ms",
                "key_cpu_ms",
                "key_bytes",
                "idle_bytes_s",
                "peak_rss_mb",
                "exit",
            )
        }
        for name, run in runs.items()
    }
    bare_cpu = runs["bare"]["ready_cpu_ms"]["min"]
    report["ratios"] = {
        "first frame CPU": round(runs["first frame"]["ready_cpu_ms"]["min"] / bare_cpu, 2),
        "walk on the screen CPU": round(runs["step"]["ready_cpu_ms"]["min"] / bare_cpu, 2),
        "RSS": round(runs["step"]["peak_rss_mb"]["max"] / runs["bare"]["peak_rss_mb"]["max"], 2),
    }
    json.dump(report, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
