"""The rules that judge a client: what it did wrong, seen from the server's side."""
