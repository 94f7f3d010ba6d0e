"""Checks of Ace Data Cloud's Hailuo API."""
