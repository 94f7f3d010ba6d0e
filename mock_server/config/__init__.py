"""Settings: their names and types, where each value comes from, how they are written as a file."""
