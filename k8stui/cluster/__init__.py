"""Objects to the cluster that a control plane would make of them."""
