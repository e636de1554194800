"""Characters that come along when text is copied from a page or a document."""

from __future__ import annotations

LOOKALIKES = {
    "\u00a0": " ",
    "\u2007": " ",
    "\u202f": " ",
    "\u3000": " ",
    "\uff1a": ": ",
    "\u2013": "-",
    "\u2014": "-",
    "\u201c": '"',
    "\u201d": '"',
    "\u201e": '"',
    "\u2018": "'",
    "\u2019": "'",
}
"""Each with what YAML would need in its place."""
