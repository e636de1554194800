"""A request becomes concrete packets, and what happens to them becomes a Trace."""
