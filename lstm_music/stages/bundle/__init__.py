"""Bundles: trained models out of a storage into one file, and out of such a file into a storage."""
