"""From models to new music: prompts, sampling and the loop."""
