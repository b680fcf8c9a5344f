"""Stages from a source to a dataset: ingest, parse, notes, events, splits, vocabularies and tokens."""
