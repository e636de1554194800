"""Linux networking without Kubernetes: namespaces, devices, routes, netfilter, conntrack.

Nothing in this room imports another room of the project, and nothing in it knows what a pod is.
"""
