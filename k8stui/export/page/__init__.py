"""A walk as one self-contained page: drawing, steps, proofs; no network, no server."""
