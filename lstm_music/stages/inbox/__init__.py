"""The inbox, for music that arrives later: its changes, and the result of retraining on them."""
