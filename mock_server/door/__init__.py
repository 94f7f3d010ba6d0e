"""The control door, under `/_mock/`: how tests and people look into the fake, and steer it."""
