"""Builds the manual: the pages in docs/, and a page for each thing in the server's data."""
