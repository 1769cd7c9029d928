"""Readers of the formats that cross-lingual corpora come in; each streams, counts and names."""
