"""nftables: rulesets as ``nft -j list ruleset`` prints them, and what they do with a packet."""
