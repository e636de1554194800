"""Collecting real nodes' states: a read-only script, and who runs it on the nodes."""
