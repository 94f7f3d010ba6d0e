"""Keeps the worlds of a server in a file, and reads them from it."""
