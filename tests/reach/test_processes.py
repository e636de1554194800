"""Work that several processes share: the same comes of it as in one, whatever becomes of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from k8stui.reach.processes import Processes

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

JOBS = range(250)


def whose(job: int) -> tuple[int, int]:
    return job * job, os.getpid()


def killing(job: int) -> tuple[int, int]:
    if os.getpid() != FIRST:
        os.kill(os.getpid(), signal.SIGKILL)
    return whose(job)


def raising(job: int) -> tuple[int, int]:
    if os.getpid() != FIRST:
        raise ValueError(job)
    return whose(job)


FIRST = os.getpid()


def test_much_work_is_shared_and_little_is_not() -> None:
    processes = Processes(whose, 3)
    assert [*processes.do(JOBS[:20])] == [(job, whose(job)) for job in JOBS[:20]]
    found = dict(processes.do(JOBS))
    assert {job: square for job, (square, _) in found.items()} == {job: job * job for job in JOBS}
    assert len({pid for _, pid in found.values()}) == 3


@pytest.mark.parametrize("work", [killing, raising])
def test_what_another_does_not_bring_is_done_here(work: Callable[[int], tuple[int, int]]) -> None:
    processes = Processes(work, 2)
    for _ in range(2):
        assert dict(processes.do(JOBS)) == {job: whose(job) for job in JOBS}
