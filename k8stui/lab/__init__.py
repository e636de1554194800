"""The lab: the cluster's own namespaces on the kernel at hand, and the walk beside them.

`k8stui.lab.experiment` is the way in. A lab is a process of its own (`inside`) with anonymous
network namespaces: nothing of it has a name on the machine, and the kernel takes all of it away
when that process ends, however it ends. The host's own namespace is never touched.
"""
