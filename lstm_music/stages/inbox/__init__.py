"""Music that arrives later: what is new in the inbox, and what came of retraining on it."""
