"""Make docs/options.md of the one table of settings.

    python -m docs.make_options

From the checkout's folder; tests/test_settings.py holds that it was done.
"""

# ruff: noqa: INP001 - a script, no package

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from k8stui.settings import EVERY, Form, Holder, Setting
from k8stui.walk.compare import SETTINGS

FILE = Path(__file__).parent / "options.md"

_HEAD = """\
# What can be set

Made by `python -m docs.make_options` from the one table of all settings, `k8stui/settings.py`.
*Option* goes with every command; *what if* is for `walk --compare NAME=VALUE` and the screen's `i`;
*KubeProxyConfiguration* is the field that says it in the input. An option overrides the input.

| option | what if | KubeProxyConfiguration | default | meaning |
|---|---|---|---|---|
"""


def lines() -> Iterator[str]:
    """The page, line by line."""
    yield from _HEAD.splitlines()
    for setting in EVERY:
        cells = (_option(setting), _what_if(setting), _field(setting), _default(setting))
        yield f"| {' | '.join(cells)} | {_meaning(setting)} |"


def _option(setting: Setting[object]) -> str:
    if not setting.flags:
        return ""
    flags = [*setting.flags, *([setting.off] if setting.form is Form.SWITCH else ())]
    return ", ".join(f"`{' '.join(filter(None, (flag, setting.metavar)))}`" for flag in flags)


def _what_if(setting: Setting[object]) -> str:
    if not setting.what_if:
        return ""
    return f"`{setting.what_if}`: {', '.join(SETTINGS[setting.what_if])}"


def _field(setting: Setting[object]) -> str:
    return f"`{'.'.join(setting.path)}`" if setting.path else ""


def _default(setting: Setting[object]) -> str:
    match setting.default:
        case None:
            return setting.unset
        case bool():
            return setting.say(setting.default) or ""
        case default:
            return str(default) if default else ""


def _meaning(setting: Setting[object]) -> str:
    whose = " Of the Service that is asked for." if setting.holder is Holder.SERVICE else ""
    return f"{setting.help}{whose}".strip()


if __name__ == "__main__":
    FILE.write_text("\n".join(lines()) + "\n", encoding="utf-8")
