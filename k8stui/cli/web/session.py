"""What runs for one page: the screen, driven by textual-serve over its standard streams.

    K8STUI_SESSION='{"paths": […], …}' python -m k8stui.cli.web.session

The options come in the environment: nothing that a user wrote is part of a command line.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

OPTIONS = "K8STUI_SESSION"
"""The variable: the options of `k8stui.cli.options.common_options` as JSON."""


def main() -> int:
    """Open the screen; its exit status."""
    from k8stui.cli.failure import failed  # noqa: PLC0415 - after the module's own mistakes
    from k8stui.cli.show import open_screen  # noqa: PLC0415

    try:
        common: dict[str, Any] = json.loads(os.environ.pop(OPTIONS))
        return open_screen(common)
    except Exception as error:  # noqa: BLE001 - the one place that answers for everything
        return failed(error)


if __name__ == "__main__":
    sys.exit(main())
