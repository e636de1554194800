"""What the programs in containers ask for before they start, and on which ports they listen."""
