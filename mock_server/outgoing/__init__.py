"""Requests that the server sends: deliveries of events to receivers."""
