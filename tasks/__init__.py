"""Tasks: one library call each, with its retries, name and logs."""
