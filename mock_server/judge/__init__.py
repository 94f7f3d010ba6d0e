"""Runs a client through bad days, and says what it did wrong."""
