"""Executes the Dockerfile without Docker."""
