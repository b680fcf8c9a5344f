"""Order in storage: what is missing, what is no longer needed, where a result comes from, and what to forget."""
