"""Text to Kubernetes objects. Every field knows its file and line; bad input becomes a Problem.

Nothing in this room imports another room of the project.
"""
