"""A shell with job control and nothing else, around one program on a terminal.

    python job_shell.py SAYS ARGUMENT...

Runs ``python ARGUMENT...`` in a process group of its own in the foreground, as interactive shells
do (the GNU C library manual, "Implementing a Job Control Shell"). What happens is written into the
file SAYS, a line each: ``pid N``, ``stopped``, ``ended STATUS``. USR1 is ``fg``, USR2 is ``bg``;
TERM is ``kill %1``: TERM and CONT to the group, wherever it is.
"""

from __future__ import annotations

import os
import signal
import sys
import termios

_says = open(sys.argv[1], "a", buffering=1)  # noqa: PTH123, SIM115 - as long as the process


def main() -> None:
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    own = termios.tcgetattr(0)
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execv(sys.executable, [sys.executable, *sys.argv[2:]])  # noqa: S606 - nobody's words

    def foreground(*_: object) -> None:
        os.tcsetpgrp(0, pid)
        os.killpg(pid, signal.SIGCONT)

    def background(*_: object) -> None:
        os.killpg(pid, signal.SIGCONT)

    def kill(*_: object) -> None:
        os.killpg(pid, signal.SIGTERM)
        os.killpg(pid, signal.SIGCONT)

    signal.signal(signal.SIGUSR1, foreground)
    signal.signal(signal.SIGUSR2, background)
    signal.signal(signal.SIGTERM, kill)
    _says.write(f"pid {pid}\n")
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        # Not the terminal's modes: whether the program has set them back is what is asked.
        os.tcsetpgrp(0, os.getpgrp())
        if not os.WIFSTOPPED(status):
            break
        _says.write("stopped\n")
    same = "as before" if termios.tcgetattr(0) == own else "changed"
    _says.write(f"ended {os.waitstatus_to_exitcode(status)}, modes {same}\n")


if __name__ == "__main__":
    main()
