from __future__ import annotations

from pathlib import Path

import pytest

from k8stui.tui.clipboard import to_tmux, write_new


@pytest.fixture
def tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tmux that keeps what it is given."""
    program = tmp_path / "tmux"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/args\ncat > {tmp_path}/buffer\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")  # noqa: S108 - what tmux sets
    return tmp_path


def test_inside_tmux_its_buffer_is_loaded(tmux: Path) -> None:
    assert to_tmux("-A KUBE-SERVICES ▶\n")
    assert (tmux / "args").read_text().split() == ["load-buffer", "-w", "-"]
    assert (tmux / "buffer").read_text() == "-A KUBE-SERVICES ▶\n"


@pytest.mark.usefixtures("tmux")
def test_outside_tmux_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX")
    assert not to_tmux("text")


def test_a_tmux_that_refuses_is_no_crash(tmux: Path) -> None:
    (tmux / "tmux").write_text("#!/bin/sh\nexit 1\n")
    assert not to_tmux("text")


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    names = [write_new(tmp_path, "walk", str(n)).name for n in range(3)]
    assert names == ["walk.txt", "walk-2.txt", "walk-3.txt"]
    assert (tmp_path / "walk.txt").read_text() == "0"


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_new(tmp_path / "absent", "walk", "")
