"""The program's entry. ``--version`` costs no more than Python itself: nothing is imported.

Ctrl-C while modules are loaded ends the program as it ends any other, without a word: Python's own
handler would show where it was. Who ignores the signal (``nohup``, a shell's background) keeps it.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found] # signal without its enums
import gc
import os
import sys

_OURS = _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler
if _OURS:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

from k8stui import __version__  # noqa: E402

_MOMENT_SECONDS = 0.01


def main() -> None:
    """Run the command line and leave with its exit status."""
    _fill_in()
    if sys.argv[1:] in (["--version"], ["-V"]):
        _print_version()
        return
    try:
        from k8stui.cli import run  # noqa: PLC0415 - see the module's docstring

        if _OURS:
            _signal.signal(_signal.SIGINT, _signal.default_int_handler)
            _signal.signal(_signal.SIGALRM, _signal.default_int_handler)
            sys.unraisablehook = _interrupt_again
        status = run(sys.argv[1:])
    except KeyboardInterrupt:  # between two lines here
        status = 130
    # Python looks for garbage once more as it ends: 2 s beside a cluster of 10,000 Services.
    gc.freeze()
    sys.exit(status)


def _interrupt_again(dropped: sys.UnraisableHookArgs) -> None:
    """Interrupt a moment later where Python has dropped a Ctrl-C.

    It drops what is raised in a callback of a weak reference or in a ``__del__``, and each import
    has such a callback (importlib._bootstrap _get_module_lock): the program would go on.
    """
    if dropped.exc_type is KeyboardInterrupt:
        _signal.setitimer(_signal.ITIMER_REAL, _MOMENT_SECONDS)
    else:
        sys.__unraisablehook__(dropped)


def _fill_in() -> None:
    """Open what the caller has closed (``>&-``): Python has None there, and no file may get in."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)  # Textual asks these


def _print_version() -> None:
    try:
        sys.stdout.write(f"k8stui {__version__}\n")
        sys.stdout.flush()
    except OSError as error:  # a full disk; or the reader has gone, and nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"k8stui: {error.strerror}\n")
            sys.exit(2)


if __name__ == "__main__":
    main()
