"""The process: sockets, signals, threads, and every route hung on its path."""
