"""Trained models in numpy, as music is made with them: the same numbers on every machine, without TensorFlow."""
