"""The cluster to what stands on each node, as kernel objects."""
