"""Summaries of a test set, and their scores."""
