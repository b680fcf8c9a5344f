"""Retries, timeouts, names and logs around one library call each."""
