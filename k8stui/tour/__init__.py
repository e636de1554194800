"""Tours: files of positions with captions, read, checked against the cluster, and walked."""
