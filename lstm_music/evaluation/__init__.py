"""How good the models are: the score card and its baselines."""
