"""SHA-1, SHA-256 and SHA-512 without OpenSSL.

`hashlib` loads libcrypto: 3.7 MiB and 2 ms for a few names of chains. Python has the same functions
built in, and its own `random` reaches for them in this way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import sha1, sha256, sha512
else:
    try:
        from _sha1 import sha1

        try:
            from _sha2 import sha256, sha512
        except ImportError:
            from _sha256 import sha256
            from _sha512 import sha512
    except ImportError:
        from hashlib import sha1, sha256, sha512

__all__ = ["sha1", "sha256", "sha512"]
