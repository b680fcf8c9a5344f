"""Order: what runs after what, what runs beside what; and the command line."""
