"""What the screen remembers of the last time: theme, pane, zoom, and the last request of an input.

One small file a user, in the folder that the platform has for such things (on Linux
``$XDG_STATE_HOME/k8stui`` or ``~/.local/state/k8stui``; XDG Base Directory Specification). Nothing
of a manifest is in it but the two names of a request. It is written when one leaves with q, and
never where the folder cannot be written; a file that cannot be understood is left out, and said.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from k8stui.digest import sha1

VERSION = 1
_MOST_INPUTS = 50
"""Inputs whose last request is remembered; the oldest is forgotten."""
_MOST_BYTES = 65_536
_MOST_LETTERS = 600
"""Of a name: two DNS names, a kind and a port are shorter."""


@dataclass(slots=True)
class Session:
    """What is remembered."""

    theme: str = ""
    pane: str = ""
    zoom: bool = False
    requests: dict[str, tuple[str, str]] = field(default_factory=dict)
    """(source, destination) by `input_key`, the latest last."""

    def remember(self, key: str, source: str, destination: str) -> None:
        """Take up the last request of an input."""
        self.requests.pop(key, None)
        if max(len(source), len(destination)) <= _MOST_LETTERS:
            self.requests[key] = (source, destination)
        for oldest in list(self.requests)[:-_MOST_INPUTS]:
            del self.requests[oldest]


def input_key(paths: list[str], context: str | None, namespace: str) -> str:
    """By which an input is known again: not its name, which need not stand in a file."""
    whole = [os.path.realpath(path) for path in paths]  # as one folder may have several names
    return sha1("\0".join([*whole, context or "", namespace]).encode()).hexdigest()


class SessionFile:
    """The file, read once and written once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble = ""
        """Why what stands there is not used; empty: nothing is wrong with it."""

    def read(self) -> Session:
        """Read what is remembered; nothing where there is nothing, or nothing that can be used."""
        try:
            with self.path.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            return Session()
        except OSError as error:
            self.trouble = f"the last session is not read: {error.strerror}: {self.path}"
            return Session()
        try:
            return _understood(data)
        except (ValueError, TypeError, RecursionError) as error:
            self.trouble = f"the last session is not used: {error}: {self.path}"
            return Session()

    def write(self, session: Session) -> None:
        """Write it, for this user alone; where that cannot be done it is not done."""
        document = {
            "version": VERSION,
            "theme": session.theme,
            "pane": session.pane,
            "zoom": session.zoom,
            "requests": session.requests,
        }
        beside = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                with open(beside, "x", encoding="utf-8", opener=_private) as file:
                    json.dump(document, file, indent=1)
                beside.replace(self.path)
            except OSError:
                beside.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def of_user() -> SessionFile:
    """Give the file of the user who runs this."""
    from platformdirs import user_state_path  # noqa: PLC0415 - Textual has loaded it anyhow

    return SessionFile(user_state_path("k8stui", appauthor=False) / "session.json")


def _understood(data: bytes) -> Session:
    """Understand a file.

    Raises:
        ValueError: it is none of ours.

    """
    if len(data) > _MOST_BYTES:
        raise ValueError("it is too long")
    try:
        found = json.loads(data)
    except ValueError as error:
        raise ValueError("it is no JSON") from error
    if not isinstance(found, dict) or found.get("version") != VERSION:
        raise ValueError("it is of another version")
    theme, pane, zoom = found.get("theme", ""), found.get("pane", ""), found.get("zoom", False)
    requests = found.get("requests", {})
    if not (isinstance(theme, str) and isinstance(pane, str) and isinstance(requests, dict)):
        raise ValueError("it is damaged")  # noqa: TRY004 - the file's mistake, not a caller's
    session = Session(theme=theme, pane=pane, zoom=zoom is True)
    for key, pair in requests.items():
        match pair:
            case [str(source), str(destination)]:
                session.remember(key, source, destination)
            case _:
                raise ValueError("it is damaged")
    return session
