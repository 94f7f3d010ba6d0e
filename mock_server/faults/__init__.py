"""Reads scenario files, chooses the faults of each request, and makes them happen."""
