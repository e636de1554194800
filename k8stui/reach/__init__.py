"""Who can reach whom: all pairs at once, by classes of which one each is walked."""
