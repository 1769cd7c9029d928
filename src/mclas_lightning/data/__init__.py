"""Corpora: reading, building, splitting, tokenizing and batching."""
