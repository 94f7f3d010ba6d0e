"""The edge of Rivya Public API v1: its wire, its words, its order of checks."""
