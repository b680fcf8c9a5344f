"""From models to new music: seed segments, sampling and the loop."""
