"""k8stui lets you see the packet: Kubernetes manifests in, a hop-by-hop walk out.

The rooms, ground first: ``kernel`` and ``manifests``, then ``cluster``, ``nodes``, ``walk``,
``export`` and on top ``tui`` and ``cli``. Each room knows only the rooms below it (import-linter
keeps it so). Nothing is imported here: ``k8stui --version`` must cost no more than Python itself.
"""

__version__ = "0.1.0"
