"""The command line: the `lstm-music` command, its options, and what it shows."""
