"""All that a running server holds, and what makes its worlds go on in time."""
