"""Flows: the order of the tasks, and which of them run in parallel; the command line and the engine are below."""
