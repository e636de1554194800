"""nftables: the language of its rules, read, printed, and what they do with a packet."""
