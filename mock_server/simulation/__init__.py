"""The state of a running server, and the timers of its worlds."""
