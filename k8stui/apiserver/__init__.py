"""What an API server does with objects: it fills in, checks, admits and keeps them.

``validation`` says what is refused, ``defaults`` what is filled in, ``admission`` what becomes of
pods, ``inventory`` what is kept under which key.
"""

from __future__ import annotations

from k8stui.apiserver.apply import apply, stored

__all__ = ["apply", "stored"]
