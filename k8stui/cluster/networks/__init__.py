"""What the input says of nodes' networks: the plug-in and its options, runtimes' own bridges."""
