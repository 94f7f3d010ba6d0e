"""Programs for the development of hailuo-mock."""
