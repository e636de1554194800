"""What an API server refuses (Kubernetes 1.36), said before it is applied.

In: objects whose types were checked. Out: the objects that a server would have stored, a Problem
for each mistake of the others, a Note for each mistake that is kept (`kept`).
Objects of a dump are never judged: they exist.
"""

from __future__ import annotations

from k8stui.apiserver.validation.mistake import Mistake, Wrong
from k8stui.apiserver.validation.refuse import Verdict, refuse

__all__ = ["Mistake", "Verdict", "Wrong", "refuse"]
