"""Corpora as text: import, build and check, and the manifest of a corpus."""
