"""Scores by a pretrained encoder."""
