"""Long JSON documents in chunks, one line a record.

Ten thousand Services are never in memory as text, and the json module's C encoder, which does not
indent, writes each record. ASCII, as all JSON of k8stui.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator


def array(records: Iterable[dict[str, object]], indent: int = 2) -> Iterator[str]:
    """Write a list; its brackets stand one blank left of the records."""
    yield "["
    lead = "\n" + " " * indent
    for each in records:
        yield lead + json.dumps(each)
        lead = ",\n" + " " * indent
    yield "\n" + " " * (indent - 1) + "]"
