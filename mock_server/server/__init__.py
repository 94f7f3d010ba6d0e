"""The process: sockets, signals, threads, the log, and the table of routes."""
