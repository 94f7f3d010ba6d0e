"""The control door under `/_mock/`: reads and changes the state of the server."""
