"""The stages of the pipeline: each a function of (spec, inputs) whose artifact lies in the store."""
