"""Architectures, the LSTM layer, training and checkpoints."""
