"""What threads of the screen do beside each other."""

from __future__ import annotations

import asyncio
import builtins
import sys
import time
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from pathlib import Path

import pytest

from k8stui.tui.threads import in_thread


class _Slow(MetaPathFinder):
    """Looks for a package so long that another thread comes by."""

    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname == "slow_package":
            time.sleep(0.1)


def test_two_threads_import_a_package_and_a_module_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one has the package and wants the module, the other one the other way about."""
    package = tmp_path / "slow_package"
    package.mkdir()
    (package / "__init__.py").write_text("import slow_package.module\n")
    (package / "module.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", [_Slow(), *sys.meta_path])
    failed: list[BaseException] = []

    def job(name: str) -> Callable[[], None]:
        def work() -> None:
            try:
                builtins.__import__(name)
            except BaseException as error:  # noqa: BLE001 - whatever it is
                failed.append(error)

        return work

    async def both() -> None:
        names = ("slow_package", "slow_package.module")
        await asyncio.gather(*(in_thread(job(name))() for name in names))

    asyncio.run(both())
    assert not failed
