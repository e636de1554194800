"""The picture of a walk: places, the packet on them, its header; rendered alike on every medium."""
