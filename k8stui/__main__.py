"""The program's entry. ``--version`` costs no more than Python itself: nothing is imported."""

from __future__ import annotations

import sys

from k8stui import __version__


def main() -> None:
    """Run the command line and leave with its exit status."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"k8stui {__version__}\n")
        return
    from k8stui.cli import run  # noqa: PLC0415 - see the module's docstring

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
