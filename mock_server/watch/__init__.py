"""The command `hailuo-mock watch`: what happens in a world, in a terminal."""
