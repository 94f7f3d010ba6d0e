"""Settings: what there is, where each value comes from, how they are written down."""
