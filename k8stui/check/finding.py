"""What a rule finds, and what a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from k8stui.check.claim import Claim
from k8stui.kernel.exchange import Result
from k8stui.origin import Place
from k8stui.record import record

if TYPE_CHECKING:
    from k8stui.check.ground import Ground
    from k8stui.cluster.model import Lack


class Severity(StrEnum):
    """How much it matters. Only an error makes the command fail."""

    ERROR = "error"
    """A packet that is meant to arrive does not, or the API server refuses the object."""
    WARNING = "warning"
    """It fails for some clients, or depends on what the input does not say."""
    INFO = "info"
    """Nothing is wrong; somebody may be surprised."""


@record(kw_only=True)
class Proof:
    """The walk that shows a finding."""

    command: str
    """The ``k8stui walk`` command line that prints it, ready to be pasted in a shell."""
    result: Result
    where: str
    """Network namespace in which the packet dies: a node, ``NAMESPACE/POD``."""
    step: int | None
    """Number of the deciding step; None where no packet was sent."""
    text: str
    """What decides there, in one sentence."""


@record(kw_only=True)
class Finding:
    """One thing that is wrong, at one place of the input."""

    rule: str
    """Id of the rule."""
    severity: Severity
    subject: str
    """Kind and name: ``Service default/web``."""
    place: Place | None
    """Where to mend it; None: it is not written anywhere."""
    why: str
    """One sentence without a full stop."""
    fix: str = ""
    """What would mend it, one sentence without a full stop."""
    claim: Claim | None = None
    proof: Proof | None = None

    @classmethod
    def of_lack(cls, rule: str, subject: str, lack: Lack) -> Finding:
        """A warning of what the cluster's model knows already."""
        return cls(
            rule=rule,
            severity=Severity.WARNING,
            subject=subject,
            place=lack.origin.place,
            why=lack.why,
            fix=lack.mend,
        )


@record(kw_only=True)
class CheckRule:
    """One rule: one file in ``check/rules``."""

    id: str
    summary: str
    """One line, as a heading."""
    help: str
    """What it finds, why it matters and when it does not apply: the module's docstring."""
    severity: Severity
    """The most that it says."""
    look: Callable[[Ground], Iterable[Finding]]
