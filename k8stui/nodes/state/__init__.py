"""What was collected of a real node: one text, section by section, and the readers of it."""
