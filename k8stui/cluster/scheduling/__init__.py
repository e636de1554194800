"""kube-scheduler: which node a pod goes to, and what keeps it from all of them."""
