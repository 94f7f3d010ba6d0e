"""Kills a server with a state file at any moment, and checks what it has acknowledged."""
