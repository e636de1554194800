"""What the walk says and what the kernel did: packets, rules, entries, and what the client felt."""
