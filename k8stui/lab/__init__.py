"""The lab: the cluster's own namespaces on the kernel at hand, and the walk beside them.

`k8stui.lab.experiment` is the way in. `planning` makes a plan of what the walk has touched, `run`
hands it to the lab's own process, which is `inside`, and `comparing` lays what the kernel did
beside the walk. That process holds anonymous network namespaces: nothing of it has a name on the
machine, and the kernel takes all of it away when it ends, however it ends. The host's own namespace
is never touched.
"""
