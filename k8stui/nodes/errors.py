"""What can be wrong with an option about the nodes."""

from __future__ import annotations

from collections.abc import Iterable

from k8stui.errors import K8sTuiError
from k8stui.origin import Place


class NodeOptionError(K8sTuiError, ValueError):
    """An option names something that does not exist. Carries what could have been meant."""

    def __init__(self, option: str, value: str, choices: Iterable[str]) -> None:
        self.option = option
        """As on the command line: ``--cni``."""
        self.value = value
        self.choices = tuple(choices)
        super().__init__(option, value, self.choices)

    @property
    def suggestion(self) -> str | None:
        """The nearest choice, where one is near."""
        import difflib  # noqa: PLC0415 - 5 ms CPU, for mistakes only

        return next(iter(difflib.get_close_matches(self.value, self.choices, n=1)), None)

    def __str__(self) -> str:
        hint = f"; did you mean {self.suggestion!r}?" if self.suggestion else ""
        shown = ", ".join(self.choices[:20]) + (", …" if len(self.choices) > 20 else "")
        return f"{self.option}: there is no {self.value!r}{hint} (choices: {shown or 'none'})"


class UnmodelledModeError(K8sTuiError):
    """kube-proxy's rules are asked for, and the input names a mode that is not modelled."""

    def __init__(self, title: str, place: Place | None) -> None:
        super().__init__(title, place)
        self.title = title
        """As `k8stui.nodes.kubeproxy.mode_title` has it."""
        self.place = place
        """Where it is written."""

    def __str__(self) -> str:
        where = f"{self.place.file}:{self.place.line}: " if self.place else ""
        return (
            f"{where}{self.title} is not modelled, so its rules cannot be printed;"
            " --owner cni and --owner kubelet can, --proxy-mode iptables shows that mode's"
        )


class ObservedFileError(K8sTuiError, ValueError):
    """A dump of a real node cannot be read."""

    def __init__(self, option: str, file: str, line: int | None, message: str) -> None:
        self.option = option
        self.file = file
        self.line = line
        """1-based; None where the whole file is meant."""
        self.message = message
        super().__init__(option, file, line, message)

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        # Where another option gave the file (rules --diff), that one is named in front.
        option = "" if self.told_of else f" ({self.option})"
        return f"{where}: {self.message}{option}"


class NoNamespaceError(K8sTuiError, LookupError):
    """A pod that has no network namespace anywhere: it never started, or it is over."""

    def __init__(self, pod: str, why: str) -> None:
        self.pod = pod
        self.why = why
        super().__init__(pod, why)

    def __str__(self) -> str:
        return f"pod {self.pod} has no network namespace: {self.why}"
