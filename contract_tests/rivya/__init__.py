"""Checks of Rivya Public API v1."""
