"""Where music comes from: each source yields names and bytes, and nothing else."""
