"""Executes the commands of the page about installing."""
