"""From a dataset to promoted models: training, warm starts, score cards and promotion."""
