"""``options:`` of a tour: the settings of the command line, by the names of their flags."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from k8stui.cluster.hosts import HostOptionError, read_hosts
from k8stui.manifests.tree import TreeNode
from k8stui.nodes.cni import CHOICES
from k8stui.nodes.kubeproxy import MODES
from k8stui.settings import CNI, NAMESPACE, OPTIONS, PROXY_MODE, Form, Holder, Setting
from k8stui.tour.page import TourPage, Words

_MAX_TEXT = 500
_MAX_LIST = 50
_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

SETTINGS: Mapping[str, Setting[object]] = {
    setting.flag.removeprefix("--"): setting
    for setting in OPTIONS
    if setting.holder in (Holder.CLUSTER, Holder.NODES) or setting is NAMESPACE
}
"""All but the live cluster: a tour that somebody else wrote asks none."""
_CHOICES: Mapping[Setting[Any], Sequence[str]] = {CNI: CHOICES, PROXY_MODE: tuple(MODES)}


def read_options(
    page: TourPage, node: TreeNode | None, folder: str
) -> dict[Holder, dict[str, Any]]:
    """The values by holder and field; files are relative to `folder`."""
    found: dict[Holder, dict[str, Any]] = {}
    given = page.fields(node, "options", tuple(SETTINGS)) if node is not None else {}
    for name, value in given.items():
        setting = SETTINGS[name]
        read = _value(page, setting, name, value, folder)
        if read is not None:
            found.setdefault(setting.holder, {})[setting.name] = read
    return found


def _value(
    page: TourPage, setting: Setting[object], name: str, node: TreeNode, folder: str
) -> object:
    match setting.form:
        case Form.NODE_FILES:
            files = page.mapping(node, name, _MAX_LIST, _MAX_TEXT)
            return {key: path(page, one, folder) or "" for key, one in files.items()}
        case Form.HOSTS:
            return _hosts(page, page.texts(node, name, _MAX_LIST, _MAX_TEXT))
        case _:
            words = page.words(node, name, _MAX_TEXT)
            return None if words is None else _one(page, setting, name, words, folder)


def _one(page: TourPage, setting: Setting[object], name: str, words: Words, folder: str) -> object:
    match setting.form:
        case Form.SWITCH:
            if words.text.lower() not in _SWITCH:
                page.wrong(words.at, f"{name} is true or false, not {words.text!r}")
            return _SWITCH.get(words.text.lower())
        case Form.NUMBER:
            return number(page, words, name, *(setting.limits or (0, 1_000_000)))
        case Form.FILE:
            return path(page, words, folder)
        case _:
            choices = _CHOICES.get(setting)
            if choices and words.text not in choices:
                page.unknown(words, f"{name} cannot be {words.text!r}", choices)
            return words.text


def number(page: TourPage, words: Words, what: str, least: int, most: int) -> int | None:
    """A whole number; None, and a mistake noted, where it is none, too small or too large."""
    text = words.text
    if text.isascii() and text.isdigit() and len(text) <= 9 and least <= int(text) <= most:
        return int(text)
    page.wrong(words.at, f"{what} is a whole number from {least} to {most:,}, not {text!r}")
    return None


def path(page: TourPage, words: Words, folder: str) -> str | None:
    """A path beside the tour's file; None, and a mistake noted, where nothing is there."""
    text = words.text
    if os.path.isabs(text) or text == "-" or "\0" in text:  # noqa: PTH117 - as typed
        page.wrong(words.at, f"not a path relative to the tour's file: {text!r}")
        return None
    found = os.path.normpath(os.path.join(folder, text))  # noqa: PTH118 - as typed
    if os.path.exists(found):  # noqa: PTH110
        return found
    beside = os.path.dirname(text.rstrip("/"))  # noqa: PTH120
    names: list[str] = []
    _try(lambda: names.extend(os.listdir(os.path.join(folder, beside) or ".")))  # noqa: PTH118, PTH208
    page.unknown(
        words,
        f"there is no {found}",
        sorted(os.path.join(beside, name) for name in names if not name.startswith(".")),  # noqa: PTH118
    )
    return None


def _try(look: Callable[[], object]) -> None:
    try:
        look()
    except OSError:
        return


def _hosts(page: TourPage, texts: Sequence[Words]) -> object:
    read: object = {}
    for count, words in enumerate(texts, start=1):
        try:
            read = read_hosts(one.text for one in texts[:count])
        except HostOptionError as error:
            page.refused(words.at, error)
            return None
    return read
