"""What a server answered, kept; and how that differs from the contract, or from another time."""
