"""The edge of Ace Data Cloud's Hailuo videos: its wire, its words, its order of checks."""
