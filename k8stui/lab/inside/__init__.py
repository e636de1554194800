"""The lab's own process: it builds a plan in namespaces, asks, and tells what the kernel did.

Nothing here knows the walk, and nothing outside but `k8stui.lab.run` starts it.
"""
