"""Readers of the formats of downloaded corpora: each streams examples and logs skipped records."""
