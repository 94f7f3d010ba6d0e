"""Scenarios and faults: read from files, chosen for a request, carried out."""
